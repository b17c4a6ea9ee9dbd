#pragma once
/// \file
/// The whitening matrix of a score term: the inverse Cholesky factor of a covariance.

#include <dasvdd/core/parallel.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <cmath>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// C = (1/n) sum of e e^T over the rows e of E (n x d) plus ridge times C's mean variance on the
/// diagonal: d x d, in double.
template <class Scalar>
AlignedBuffer<double> second_moments(const Scalar* E, Index n, Index d, double ridge) {
  const auto& k = kernels::best<double>();
  constexpr Index tile = 256;
  const Index stride = padded_stride<double>(d);
  AlignedBuffer<double> rows(tile * stride), strips(tile * round_up(d, k.panel)),
      sums(round_up(d, k.panel) * d + k.panel * d);
  const Index sums_stride = round_up(d, k.panel);
  for (Index first = 0; first < n; first += tile) {
    const Index count = std::min(tile, n - first);
    for (Index i = 0; i < count; ++i) {
      for (Index j = 0; j < d; ++j)
        rows[i * stride + j] = static_cast<double>(E[(first + i) * d + j]);
    }
    k.pack_columns(rows.data(), stride, d, count, strips.data());
    k.product_add({d, d, count, strips.data(), rows.data(), 1, stride, sums.data(), sums_stride});
  }
  double trace = 0;
  AlignedBuffer<double> c(d * d);
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j < d; ++j) c[i * d + j] = sums[i * sums_stride + j] / static_cast<double>(n);
    trace += c[i * d + i];
  }
  // A covariance of zeros (a perfect reconstruction) is whitened by the identity.
  const double floor = trace > 0 ? ridge * trace / static_cast<double>(d) : 1;
  for (Index i = 0; i < d; ++i) c[i * d + i] += floor;
  return c;
}

/// In place: C = L L^T becomes L, the upper triangle zero. Row by row, each entry one chain of
/// fused multiply-adds.
inline void cholesky(double* c, Index d) {
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j <= i; ++j) {
      double sum = c[i * d + j];
      for (Index k = 0; k < j; ++k) sum = std::fma(-c[i * d + k], c[j * d + k], sum);
      c[i * d + j] = i == j ? std::sqrt(sum) : sum / c[j * d + j];
    }
    for (Index j = i + 1; j < d; ++j) c[i * d + j] = 0;
  }
}

/// In place: a lower triangular L becomes its inverse.
inline void invert_lower(double* l, Index d) {
  for (Index i = 0; i < d; ++i) {
    l[i * d + i] = 1 / l[i * d + i];
    for (Index j = 0; j < i; ++j) {
      double sum = 0;
      for (Index k = j; k < i; ++k) sum = std::fma(-l[i * d + k], l[k * d + j], sum);
      l[i * d + j] = sum * l[i * d + i];
    }
  }
}

/// A = L^-1 with L L^T = the covariance of E's rows: e^T C^-1 e = ||A e||^2.
template <class Scalar>
AlignedBuffer<Scalar> whitening_matrix(const Scalar* E, Index n, Index d, int) {
  AlignedBuffer<double> c = second_moments(E, n, d, 1e-3);
  cholesky(c.data(), d);
  invert_lower(c.data(), d);
  AlignedBuffer<Scalar> a(d * d);
  for (Index i = 0; i < d * d; ++i) a[i] = static_cast<Scalar>(c[i]);
  return a;
}

}  // namespace detail
DASVDD_NAMESPACE_END
