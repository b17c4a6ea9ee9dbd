#pragma once
/// \file
/// What the kernels are told: activations by name, one strip of a matrix product, one step of Adam.

#include <dasvdd/core/types.hpp>
#include <dasvdd/kernels/activation.hpp>
#include <dasvdd/kernels/bfloat16.hpp>

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {

/// A matrix product whose outputs run along packed strips of `panel` columns each:
///
///     out(r, j) = f(start + sum over k of b(r, k) * a(k, j))     r < rows, j < cols, k < depth
///
/// Each output adds its products one after the other in the order of k, each by one fused
/// multiply-add: its bits depend on nothing else, neither on the tile's shape nor on the vector's
/// width.
/// \tparam Weight what the strips are stored as: Scalar, or Bfloat16, which is widened in registers and lies
///   in pairs (place_of_half)
template <class Scalar, class Weight = Scalar>
struct Product {
  Index rows, cols, depth;
  const Weight*
      a;  ///< ceil(cols / panel) strips, each depth x panel, zero-padded (pack_rows, pack_columns)
  const Scalar* b;  ///< element (r, k) is b[r * b_row + k * b_step]
  Index b_row, b_step;
  Scalar* out;  ///< rows x cols, `out_stride` from row to row
  Index out_stride;
};

/// Where a strip of two-byte weights keeps the column `l` of each of its panels: beside that of the panel's other half,
/// so that one load and a shift or a mask give two registers.
constexpr Index place_of_half(Index l, Index panel) {
  return l < panel / 2 ? 2 * l : 2 * l - panel + 1;
}

/// Every set's rows in registers divide this.
constexpr Index row_unit = 12;
/// Rows that are scored together: enough to read the weights seldom, few enough that their
/// activations stay in a core's cache.
constexpr Index batch_tile = 8 * row_unit;

/// A narrow net's layers have at most so many outputs.
constexpr Index widest_strip_layer = 32;

/// A dense layer on strips of `panel` samples each, one sample in each place of a vector:
///
///     out(o, s) = f(bias[o] + sum over k of w[o * inputs + k] * in(k, s))
template <class Scalar>
struct StripLayer {
  Index strips, inputs, outputs;
  const Scalar *w, *bias;  ///< the bias may be null
  Activation f;
  const Scalar* in;  ///< strips of inputs x panel, one behind the other
  Scalar* out;       ///< strips of outputs x panel
};

/// One step of Adam for all parameters: the constants of its loop, bias corrections included.
template <class Scalar>
struct AdamStep {
  Scalar one_minus_beta1, beta2, one_minus_beta2;
  Scalar rate;               ///< learning rate / (1 - beta1^t)
  Scalar denominator_scale;  ///< 1 / sqrt(1 - beta2^t)
  Scalar epsilon;
  Scalar decay;  ///< 1 - learning rate * weight decay (decoupled), 1 without
};

/// Where a step of Adam writes: parameters, first and second moments, laid out alike.
template <class Scalar>
struct AdamState {
  Scalar* parameters;
  Scalar* first;
  Scalar* second;
};

}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END
