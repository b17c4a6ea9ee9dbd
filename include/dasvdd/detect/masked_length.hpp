#pragma once
/// \file
/// The whitened length of a vector of which some entries are missing.

#include <dasvdd/core/memory.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Scalars of scratch for masked_length().
inline Index masked_scratch(Index d) { return 4 * d; }

/// min over y of ||r - A_m y||^2, r = A e: the squared length of a vector e whose entries m are missing, where they
/// are what the others let expect. With C the covariance of e and A^T A = C^-1, that is e_o^T (C_oo)^-1 e_o of the
/// entries o that are there: the squared Mahalanobis length of what is known, neither more nor less.
///
/// By conjugate gradients on A_m^T A_m, which need the matrix as it lies and O(d) numbers.
/// \param a A, d x d, its rows `stride` apart
/// \param missing m, `count` numbers below d
/// \param r A e with zeros in the missing places; becomes r - A_m y
/// \param y null, or where y goes, `count` numbers; the missing entries are -y
/// \param scratch masked_scratch(d) numbers
template <class Entry>
double masked_length(const Entry* a, Index stride, Index d, const Index* missing, Index count,
                     double* r, double* y, double* scratch) {
  double *s = scratch, *p = s + d, *q = p + d, *own = q + d;
  if (y == nullptr) y = own;
  const auto entry = [&](Index i, Index t) {
    return static_cast<double>(a[i * stride + missing[t]]);
  };
  const auto square = [](const double* x, Index n) {
    double sum = 0;
    for (Index i = 0; i < n; ++i) sum = std::fma(x[i], x[i], sum);
    return sum;
  };
  const auto gradient = [&] {
    std::fill_n(s, count, 0.0);
    for (Index i = 0; i < d; ++i) {
      for (Index t = 0; t < count; ++t) s[t] = std::fma(entry(i, t), r[i], s[t]);
    }
    return square(s, count);
  };
  std::fill_n(y, count, 0.0);
  double slope = gradient();
  std::copy_n(s, count, p);
  const double enough = 1e-24 * slope;
  // Exact numbers would take `count` steps at most.
  for (Index step = 0; step < 2 * count + 10 && slope > enough; ++step) {
    for (Index i = 0; i < d; ++i) {
      q[i] = 0;
      for (Index t = 0; t < count; ++t) q[i] = std::fma(entry(i, t), p[t], q[i]);
    }
    const double curvature = square(q, d);
    if (!(curvature > 0)) break;
    const double length = slope / curvature;
    for (Index t = 0; t < count; ++t) y[t] = std::fma(length, p[t], y[t]);
    for (Index i = 0; i < d; ++i) r[i] = std::fma(-length, q[i], r[i]);
    const double next = gradient();
    for (Index t = 0; t < count; ++t) p[t] = std::fma(next / slope, p[t], s[t]);
    slope = next;
  }
  return square(r, d);
}

/// A with its columns m projected out of the others and out of themselves: B = (I - Q Q^T) A, Q a basis of A_m. Then
/// ||B e||^2 is masked_length() for any e, and B's columns m are zero.
template <class Entry>
AlignedBuffer<double> without_columns(const Entry* a, Index d, const std::vector<Index>& missing) {
  AlignedBuffer<double> b(d * d);
  for (Index i = 0; i < d * d; ++i) b[i] = static_cast<double>(a[i]);
  std::vector<double> q(static_cast<std::size_t>(d)), along(q);
  for (const Index m : missing) {
    double length = 0, whole = 0;
    for (Index i = 0; i < d; ++i) {
      q[static_cast<std::size_t>(i)] = b[i * d + m];
      length = std::fma(b[i * d + m], b[i * d + m], length);
      whole = std::fma(static_cast<double>(a[i * d + m]), static_cast<double>(a[i * d + m]), whole);
    }
    if (!(length > 1e-24 * whole)) continue;  // rounding's rest of a column that others span
    std::fill(along.begin(), along.end(), 0.0);
    for (Index i = 0; i < d; ++i) {
      const double factor = q[static_cast<std::size_t>(i)] / length;
      for (Index j = 0; j < d; ++j) {
        double& sum = along[static_cast<std::size_t>(j)];
        sum = std::fma(factor, b[i * d + j], sum);
      }
    }
    for (Index i = 0; i < d; ++i) {
      for (Index j = 0; j < d; ++j) {
        b[i * d + j] = std::fma(-q[static_cast<std::size_t>(i)], along[static_cast<std::size_t>(j)],
                                b[i * d + j]);
      }
    }
  }
  for (const Index m : missing) {
    for (Index i = 0; i < d; ++i) b[i * d + m] = 0;
  }
  return b;
}

}  // namespace detail
DASVDD_NAMESPACE_END
