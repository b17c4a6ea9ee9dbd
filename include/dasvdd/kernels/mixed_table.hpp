#pragma once
/// \file
/// The kernels of mixed precision: products of numbers rounded to bfloat16, added up in float.

#include <dasvdd/kernels/arguments.hpp>

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {

/// Numbers multiplied two at a time come in pairs of k; depths are padded with zeros to this many.
constexpr Index mixed_depth_unit = 32;
/// Outputs in one strip.
constexpr Index mixed_panel = 32;
/// Rows of b are read in blocks: memory for this many beyond the last row must be there, whatever it holds.
constexpr Index mixed_spare_rows = 31;

/// As Product, with both factors rounded:
///
///     out(r, j) = f(bias(j) + sum over k of b(r, k) * a(k, j))     r < rows, j < cols, k < depth
struct MixedProduct {
  Index rows, cols;
  Index depth;        ///< a multiple of mixed_depth_unit
  const Bfloat16* a;  ///< ceil(cols / 32) strips of pairs: (k, j) at (k / 2 * 32 + j) * 2 + k % 2
  const Bfloat16* b;  ///< element (r, k) is b[r * b_row + k]
  Index b_row;
  float* out;  ///< rows x cols, `out_stride` from row to row
  Index out_stride;
};

/// All kernels of mixed precision of one instruction set; serial, and without memory of their own. Each output
/// adds its products in an order that depends on the set alone.
struct MixedTable {
  const char* name;  ///< "amx", "avx512_bf16"

  /// As the functions of these names in Table, rounding to nearest even.
  void (*pack_rows)(const float* w, Index stride, Index cols, Index depth, Bfloat16* strips);
  void (*pack_columns)(const float* w, Index stride, Index cols, Index depth, Bfloat16* strips);
  /// out(r, k) = x(r, k), zeros up to the depth's next unit.
  void (*round_rows)(const float* x, Index stride, Index rows, Index depth, Bfloat16* out,
                     Index out_stride);
  /// out(l, k) = x(k, l), zeros up to the depth's next unit: the left factor of a weight gradient.
  void (*round_columns)(const float* x, Index stride, Index cols, Index depth, Bfloat16* out,
                        Index out_stride);

  void (*product)(const MixedProduct&, const float* bias, Activation f);
  void (*gradient)(const MixedProduct&);
  void (*gradient_adam)(const MixedProduct&, AdamState<float>, const AdamStep<float>&);
};

}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END
