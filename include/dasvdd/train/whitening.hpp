#pragma once
/// \file
/// The whitening matrix of a score term: the inverse Cholesky factor of a covariance.
///
/// All of it runs in double through the kernels' product, which adds the products of one entry in
/// the order of their index: the blocks below give the bits of the textbook's three loops.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <algorithm>
#include <cmath>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A square matrix of doubles, its rows padded for the kernels.
struct SquareMatrix {
  explicit SquareMatrix(Index d) : size(d), stride(padded_stride<double>(d)), entries(d * stride) {}
  double* row(Index i) { return entries.data() + i * stride; }
  const double* row(Index i) const { return entries.data() + i * stride; }

  Index size, stride;
  AlignedBuffer<double> entries;
};

/// (1/n) sum of e e^T over the rows e of E (n x d).
template <class Scalar>
SquareMatrix second_moments(const Scalar* E, Index n, Index d) {
  const auto& k = kernels::best<double>();
  constexpr Index tile = 256;
  SquareMatrix c(d);
  AlignedBuffer<double> rows(tile * c.stride), strips(tile * round_up(d, k.panel));
  for (Index first = 0; first < n; first += tile) {
    const Index count = std::min(tile, n - first);
    for (Index i = 0; i < count; ++i) {
      const Scalar* e = E + (first + i) * d;
      std::transform(e, e + d, rows.data() + i * c.stride,
                     [](Scalar x) { return static_cast<double>(x); });
    }
    k.pack_columns(rows.data(), c.stride, d, count, strips.data());
    k.product_add({d, d, count, strips.data(), rows.data(), 1, c.stride, c.row(0), c.stride});
  }
  for (double& x : c.entries) x /= static_cast<double>(n);
  return c;
}

/// Adds `ridge` times the mean variance to the diagonal, so that directions without variance can
/// be divided by. A covariance of zeros (a perfect reconstruction) becomes the identity.
inline void add_ridge(SquareMatrix& c, double ridge) {
  double trace = 0;
  for (Index i = 0; i < c.size; ++i) trace += c.row(i)[i];
  const double floor = trace > 0 ? ridge * (trace / static_cast<double>(c.size)) : 1;
  for (Index i = 0; i < c.size; ++i) c.row(i)[i] += floor;
}

/// Columns that are factored together: whole panels of every kernel.
constexpr Index factor_block = 32;

/// In place: the lower triangle of C = L L^T becomes L; what is above the diagonal is left
/// undefined. Block of columns after block of columns, each first brought up to date by one
/// product with all columns to its left:
///     L(i, j) = (C(i, j) - sum over k < j of L(i, k) L(j, k)) / L(j, j)
inline void cholesky(SquareMatrix& c) {
  const auto& kernel = kernels::best<double>();
  const Index d = c.size;
  AlignedBuffer<double> negative(factor_block * c.stride), strips(factor_block * d);
  for (Index first = 0; first < d; first += factor_block) {
    const Index last = std::min(first + factor_block, d);
    for (Index j = first; j < last; ++j) {
      std::transform(c.row(j), c.row(j) + first, negative.data() + (j - first) * c.stride,
                     [](double x) { return -x; });
    }
    kernel.pack_rows(negative.data(), c.stride, last - first, first, strips.data());
    kernel.product_add({d - first, last - first, first, strips.data(), c.row(first), c.stride, 1,
                        c.row(first) + first, c.stride});
    for (Index i = first; i < d; ++i) {
      double* row = c.row(i);
      for (Index j = first; j < std::min(i + 1, last); ++j) {
        const double* column = c.row(j);
        double sum = row[j];
        for (Index k = first; k < j; ++k) sum = std::fma(-row[k], column[k], sum);
        row[j] = i == j ? std::sqrt(sum) : sum / column[j];
      }
    }
  }
}

/// X = L^-1 for a lower triangular L; X is zero above its diagonal. Block of rows after block of
/// rows, each begun by products with all rows above it:
///     X(i, j) = -(sum over j <= k < i of L(i, k) X(k, j)) / L(i, i)      X(i, i) = 1 / L(i, i)
inline SquareMatrix inverse_of_lower(const SquareMatrix& l) {
  const auto& kernel = kernels::best<double>();
  const Index d = l.size, panel = kernel.panel;
  SquareMatrix x(d);
  // Strip s holds the finished rows' columns from s * panel on, one row behind the other.
  AlignedBuffer<double> strips(round_up(d, panel) * d);
  for (Index first = 0; first < d; first += factor_block) {
    const Index last = std::min(first + factor_block, d);
    for (Index j = 0; j < first; j += panel) {
      // Rows above j have zeros in this strip.
      kernel.product_add({last - first, panel, first - j, strips.data() + j * d + j * panel,
                          l.row(first) + j, l.stride, 1, x.row(first) + j, x.stride});
    }
    for (Index i = first; i < last; ++i) {
      double* row = x.row(i);
      const double inverse = 1 / l.row(i)[i];
      for (Index k = first; k < i; ++k) {
        const double factor = l.row(i)[k];
        for (Index j = 0; j <= k; ++j) row[j] = std::fma(factor, x.row(k)[j], row[j]);
      }
      for (Index j = 0; j < i; ++j) row[j] *= -inverse;
      row[i] = inverse;
    }
    for (Index j = 0; j < last; j += panel) {
      kernel.pack_columns(x.row(first) + j, x.stride, panel, last - first,
                          strips.data() + j * d + first * panel);
    }
  }
  return x;
}

/// The ridge of a score's whitening. Directions that normal rows hardly use get a say, but none a
/// hundred times the others'; and a covariance of fewer rows than features needs one to be inverted.
constexpr double whitening_ridge = 0.1;

/// A = L^-1 with L L^T = the covariance of E's rows: e^T C^-1 e = ||A e||^2.
template <class Scalar>
AlignedBuffer<Scalar> whitening_matrix(const Scalar* E, Index n, Index d,
                                       double ridge = whitening_ridge) {
  SquareMatrix c = second_moments(E, n, d);
  add_ridge(c, ridge);
  cholesky(c);
  const SquareMatrix inverse = inverse_of_lower(c);
  AlignedBuffer<Scalar> a(d * d);
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j < d; ++j) a[i * d + j] = static_cast<Scalar>(inverse.row(i)[j]);
  }
  return a;
}

}  // namespace detail
DASVDD_NAMESPACE_END
