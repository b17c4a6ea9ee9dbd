#pragma once
/// \file
/// Corrects a trained net that reconstructs rows too close to their mean.

#include <dasvdd/detect/forward_rows.hpp>
#include <dasvdd/train/linear_algebra.hpp>

#include <algorithm>
#include <utility>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A net that minimizes the squared residual e = xhat - x reconstructs less than the whole deviation
/// of a row from the mean: E[e x^T] is not zero, so normal rows far from the mean have large residuals.
/// With the regression of e on x,
///     B = (C_x + ridge)^-1 (mean of x e^T),      A = I + beta B,      xhat^T is near x^T A,
/// xhat^T is replaced by xhat^T A^-1. This changes the last layer only, W <- A^-T W and b <- A^-T b. The
/// score's whitening is then computed from the remaining residuals. Missing values count as zeros in x and in e: B is
/// then right for entries of one feature, and smaller for others.
///
/// beta = 0.9 (1 - d / n): a regression of pure noise on d features still explains d / n of it, and 0.9
/// bounds A^-1 where the net reconstructs nothing. Nothing is changed where n <= d.
/// \param parameters the net's, whose last step is dense, with a bias and no activation
/// \param X n x d, in the net's units; at most 10,000 of them are used
template <class Scalar>
DASVDD_COLD void undo_attenuation(const Autoencoder<Scalar>& net,
                                  const AlignedBuffer<Scalar>& statistics, Rows<const Scalar> X,
                                  AlignedBuffer<Scalar>& parameters) {
  constexpr Index enough = 10000;
  const Index every = ceil_div(X.rows(), enough);
  const Rows<const Scalar> some(X.data(), ceil_div(X.rows(), every), X.cols(), every * X.stride());
  const Index n = some.rows(), d = X.cols();
  if (n <= d) return;
  const double beta = 0.9 * (1 - static_cast<double>(d) / static_cast<double>(n));

  const PackedNetwork<Scalar> packed(net, parameters.data(), statistics.data());
  AlignedBuffer<Scalar> rows(n * d), residuals(n * d);
  const MissingPlaces missing{AnyRows(some)};
  const Scaler<Scalar> scaler =
      missing.none() ? Scaler<Scalar>() : Scaler<Scalar>(Unscaled<Scalar>(), MissingRule::mask);
  forward_rows(packed, scaler, some, 1, true,
               [&](Index first, Rows<const Scalar> x, const auto& result) {
                 for (Index i = 0; i < x.rows(); ++i) {
                   Scalar* row = rows.data() + (first + i) * d;
                   std::copy_n(x.row(i), d, row);
                   for (Index t = 0; t < missing.count(first + i); ++t) {
                     row[missing.columns(first + i)[t]] = 0;
                   }
                   packed.kernels().scaled_difference(result.output.row(i), x.row(i), Scalar(1), d,
                                                      residuals.data() + (first + i) * d);
                 }
               });
  PaddedMatrix covariance = mean_products(rows.data(), rows.data(), n, d);
  add_ridge(covariance, 1e-3);
  PaddedMatrix a =
      solve_positive(std::move(covariance), mean_products(rows.data(), residuals.data(), n, d));
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j < d; ++j) a.row(i)[j] *= beta;
    a.row(i)[i] += 1;
  }

  // A^T Y = [W b] by its normal equations, (A A^T) Y = A [W b]: A is far from singular.
  const auto& last = net.joined().steps().back();
  Scalar* weight = parameters.data() + last.weight_at;
  Scalar* bias = parameters.data() + last.bias_at;
  PaddedMatrix layer(d, last.inputs + 1);
  for (Index i = 0; i < d; ++i) {
    std::copy_n(weight + i * last.inputs, last.inputs, layer.row(i));
    layer.row(i)[last.inputs] = static_cast<double>(bias[i]);
  }
  const PaddedMatrix y = solve_positive(product(a, transposed(a)), product(a, layer));
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j < last.inputs; ++j) {
      weight[i * last.inputs + j] = static_cast<Scalar>(y.row(i)[j]);
    }
    bias[i] = static_cast<Scalar>(y.row(i)[last.inputs]);
  }
}

}  // namespace detail
DASVDD_NAMESPACE_END
