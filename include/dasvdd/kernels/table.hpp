#pragma once
/// \file
/// The functions behind which all arithmetic that costs time stands, as one table an instruction
/// set.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/kernels/arguments.hpp>

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {

/// All kernels of one instruction set. They are serial, allocate nothing, and write whole panels:
/// a destination's rows are `panel`-padded unless its comment says otherwise.
template <class Scalar>
struct Table {
  const char* name;  ///< "portable", "avx2", "avx512"
  Index panel;       ///< outputs in one packed strip of weights

  /// Strip s, element (k, l) = w[(s * panel + l) * stride + k], 0 beyond `cols`: rows of w become
  /// strips (a dense layer's forward pass: w is out x in, cols counts outputs, depth inputs).
  void (*pack_rows)(const Scalar* w, Index stride, Index cols, Index depth, Scalar* strips);
  /// Strip s, element (k, l) = w[k * stride + s * panel + l], 0 beyond `cols`: columns of w become
  /// strips (the backward pass: cols counts inputs, depth outputs; a weight gradient: depth counts
  /// samples).
  void (*pack_columns)(const Scalar* w, Index stride, Index cols, Index depth, Scalar* strips);

  /// out = f(bias + product); the bias, panel-padded, may be null. May write the padding of out's
  /// last strip.
  void (*product)(const Product<Scalar>&, const Scalar* bias, Activation f);
  /// out += product. May write the padding of out's last strip.
  void (*product_add)(const Product<Scalar>&);
  /// out = product, exactly `cols` columns: a weight gradient. Fastest in one call over all columns, with
  /// b_row 1; threads share out the rows.
  void (*gradient)(const Product<Scalar>&);
  /// One step of Adam with the product as gradient, applied a few rows at a time while they are in
  /// the cache. `out` is not used; the state's rows lie `out_stride` apart; exactly `cols` columns.
  void (*gradient_adam)(const Product<Scalar>&, AdamState<Scalar>, const AdamStep<Scalar>&);

  /// out[l] = sum over rows of x(row, l), row after row: a bias gradient, a mean code before its
  /// division.
  void (*column_sums)(const Scalar* x, Index stride, Index rows, Index cols, Scalar* out);
  /// One step of Adam on n parameters.
  void (*adam)(const Scalar* gradient, Index n, AdamState<Scalar>, const AdamStep<Scalar>&);

  /// y(i, j) = f(x(i, j)); y may be x.
  void (*activate)(Activation, const Scalar* x, Index x_stride, Scalar* y, Index y_stride,
                   Index rows, Index cols);
  /// g(i, j) *= f'(.), from f's result or, where f.keeps_argument(), from its argument.
  void (*derivative)(Activation, const Scalar* source, Index source_stride, Scalar* g,
                     Index g_stride, Index rows, Index cols);

  /// sum over j of (a[j] - b[j])^2 in sixteen fixed lanes.
  Scalar (*squared_distance)(const Scalar* a, const Scalar* b, Index n);
  /// out[j] = scale * (a[j] - b[j]).
  void (*scaled_difference)(const Scalar* a, const Scalar* b, Scalar scale, Index n, Scalar* out);
  /// A dense layer of a narrow net, at most widest_strip_layer outputs, to the bits of product.
  void (*strip_layer)(const StripLayer<Scalar>&);
  /// out[s] = factor * sum over j of (a(j, s) - b(j, s))^2 for the samples s of all strips, the sum to the bits
  /// of squared_distance; a: strips of n x panel, b: the like, or n numbers for all samples where `one_b`;
  /// n from 1 to widest_strip_layer.
  void (*strip_terms)(const Scalar* a, const Scalar* b, bool one_b, Index n, Index strips,
                      double factor, double* out);
  /// out[i] = a[i] + b[i], each rounded to a Scalar first and infinity where that is not finite; b may be null.
  void (*scores)(const double* a, const double* b, Index n, Scalar* out);
  /// Whether no number is a NaN or an infinity.
  bool (*all_finite)(const Scalar* x, Index n);
  /// The first place of the largest of n numbers, n at least 1; any place where one is NaN.
  Index (*place_of_largest)(const Scalar* x, Index n);
  /// out[j] = (a[j] - shift[j]) * factor[j]: a row in the scaler's units.
  void (*standardize)(const Scalar* a, const Scalar* shift, const Scalar* factor, Index n,
                      Scalar* out);
};

/// What linear algebra beside a net needs: a program whose net is in float has no use for the rest in
/// double, and its compiler should not have to make it.
template <class Scalar>
struct ProductTable {
  Index panel;
  void (*pack_columns)(const Scalar* w, Index stride, Index cols, Index depth, Scalar* strips);
  /// To the bits of Table's; reads and writes whole panels of out.
  void (*product_add)(const Product<Scalar>&);
};

/// Weights stored as the upper halves of floats (detect/compact.hpp).
template <class Scalar>
struct CompactTable {
  /// As Table's, to the bits of the same product with widened weights.
  void (*product)(const Product<Scalar, Bfloat16>&, const Scalar* bias, Activation f);
};

/// What gives the table of one set.
template <class T>
using TableFunction = const T& (*)();

}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END
