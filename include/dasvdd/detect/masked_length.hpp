#pragma once
/// \file
/// The whitened length of a vector of which some entries are missing.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/kernels/compiler.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Scalars of scratch for masked_length().
inline Index masked_scratch(Index d) { return 4 * d; }
/// What masked_length() takes, in multiply-adds of dense layers: two products with up to d columns in each of up to
/// 2 d steps. A multiply-add of these takes 20 times as long, but ordinary rows and matrices need a hundredth of the steps.
inline std::int64_t masked_cost(Index d) { return saturating_product(d, saturating_product(d, d)); }

/// Columns of a matrix with rows `stride` apart: `count` of them, wherever they lie.
template <class Entry>
struct ChosenColumns {
  const Entry* a;
  Index stride, rows;
  const Index* columns;
  Index count;

  // Four rows at a time: each sum keeps its order, and waits for no other.

  /// q = A p
  DASVDD_INLINE void times(const double* p, double* q) const {
    Index i = 0;
    for (; i + 4 <= rows; i += 4) {
      const Entry *a0 = a + i * stride, *a1 = a0 + stride, *a2 = a1 + stride, *a3 = a2 + stride;
      double q0 = 0, q1 = 0, q2 = 0, q3 = 0;
      for (Index t = 0; t < count; ++t) {
        const Index j = columns[t];
        q0 = std::fma(static_cast<double>(a0[j]), p[t], q0);
        q1 = std::fma(static_cast<double>(a1[j]), p[t], q1);
        q2 = std::fma(static_cast<double>(a2[j]), p[t], q2);
        q3 = std::fma(static_cast<double>(a3[j]), p[t], q3);
      }
      q[i] = q0, q[i + 1] = q1, q[i + 2] = q2, q[i + 3] = q3;
    }
    for (; i < rows; ++i) {
      q[i] = 0;
      for (Index t = 0; t < count; ++t)
        q[i] = std::fma(static_cast<double>(a[i * stride + columns[t]]), p[t], q[i]);
    }
  }
  /// s = A^T r
  DASVDD_INLINE void transposed_times(const double* r, double* s) const {
    std::fill_n(s, count, 0.0);
    Index i = 0;
    for (; i + 4 <= rows; i += 4) {
      const Entry *a0 = a + i * stride, *a1 = a0 + stride, *a2 = a1 + stride, *a3 = a2 + stride;
      for (Index t = 0; t < count; ++t) {
        const Index j = columns[t];
        double sum = std::fma(static_cast<double>(a0[j]), r[i], s[t]);
        sum = std::fma(static_cast<double>(a1[j]), r[i + 1], sum);
        sum = std::fma(static_cast<double>(a2[j]), r[i + 2], sum);
        s[t] = std::fma(static_cast<double>(a3[j]), r[i + 3], sum);
      }
    }
    for (; i < rows; ++i) {
      for (Index t = 0; t < count; ++t)
        s[t] = std::fma(static_cast<double>(a[i * stride + columns[t]]), r[i], s[t]);
    }
  }
};

/// x_1^2 + ... + x_n^2
DASVDD_INLINE double sum_of_squares(const double* x, Index n) {
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum = std::fma(x[i], x[i], sum);
  return sum;
}

/// What masked_length() does, for whatever CPU the caller is compiled for.
template <class Entry>
DASVDD_INLINE double masked_length_body(const Entry* a, Index stride, Index d, const Index* missing,
                                        Index count, double* r, double* y, double* scratch) {
  double *s = scratch, *p = s + d, *q = p + d, *own = q + d;
  if (y == nullptr) y = own;
  const ChosenColumns<Entry> columns{a, stride, d, missing, count};
  std::fill_n(y, count, 0.0);
  columns.transposed_times(r, s);
  double slope = sum_of_squares(s, count);
  std::copy_n(s, count, p);
  const double enough = 1e-24 * slope;
  // Exact numbers would take `count` steps at most.
  for (Index step = 0; step < 2 * count + 10 && slope > enough; ++step) {
    columns.times(p, q);
    const double curvature = sum_of_squares(q, d);
    if (!(curvature > 0)) break;
    const double length = slope / curvature;
    for (Index t = 0; t < count; ++t) y[t] = std::fma(length, p[t], y[t]);
    for (Index i = 0; i < d; ++i) r[i] = std::fma(-length, q[i], r[i]);
    columns.transposed_times(r, s);
    const double next = sum_of_squares(s, count);
    for (Index t = 0; t < count; ++t) p[t] = std::fma(next / slope, p[t], s[t]);
    slope = next;
  }
  return sum_of_squares(r, d);
}
#if DASVDD_X86_KERNELS
/// The same bits sooner: each std::fma is one instruction, not a call.
template <class Entry>
__attribute__((target("avx2,fma"))) double masked_length_fused(const Entry* a, Index stride,
                                                               Index d, const Index* missing,
                                                               Index count, double* r, double* y,
                                                               double* scratch) {
  return masked_length_body(a, stride, d, missing, count, r, y, scratch);
}
#endif

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
#if DASVDD_X86_KERNELS
  static const bool fused = kernels::runs_avx2();
  if (fused) return masked_length_fused(a, stride, d, missing, count, r, y, scratch);
#endif
  return masked_length_body(a, stride, d, missing, count, r, y, scratch);
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
