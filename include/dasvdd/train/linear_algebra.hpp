#pragma once
/// \file
/// Dense linear algebra for fitting, in double, by the kernels' product.
///
/// The product adds the products of one entry in the order of their index, so that the blocks below
/// give the bits of the textbook's three loops, whatever the instruction set.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <algorithm>
#include <cmath>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A rows x cols matrix of doubles, zero at first, its rows padded for the kernels.
struct PaddedMatrix {
  PaddedMatrix(Index rows_, Index cols_)
      : rows(rows_),
        cols(cols_),
        stride(padded_stride<double>(cols_)),
        entries(rows_ * padded_stride<double>(cols_)) {}
  double* row(Index i) { return entries.data() + i * stride; }
  const double* row(Index i) const { return entries.data() + i * stride; }

  Index rows, cols, stride;
  AlignedBuffer<double> entries;
};

/// C += A B, or A^T B where `transposed`; B has the rows that `count` says, A as many columns (or
/// rows).
inline void add_product(const PaddedMatrix& a, bool transposed, const PaddedMatrix& b, Index count,
                        PaddedMatrix& c) {
  const auto& kernel = kernels::best_products<double>();
  AlignedBuffer<double> strips(count * round_up(b.cols, kernel.panel));
  kernel.pack_columns(b.entries.data(), b.stride, b.cols, count, strips.data());
  kernel.product_add({c.rows, c.cols, count, strips.data(), a.entries.data(),
                      transposed ? 1 : a.stride, transposed ? a.stride : 1, c.entries.data(),
                      c.stride});
}

/// A B.
inline PaddedMatrix product(const PaddedMatrix& a, const PaddedMatrix& b) {
  PaddedMatrix c(a.rows, b.cols);
  add_product(a, false, b, b.rows, c);
  return c;
}
/// A^T B.
inline PaddedMatrix transposed_product(const PaddedMatrix& a, const PaddedMatrix& b) {
  PaddedMatrix c(a.cols, b.cols);
  add_product(a, true, b, b.rows, c);
  return c;
}
inline PaddedMatrix transposed(const PaddedMatrix& a) {
  PaddedMatrix t(a.cols, a.rows);
  for (Index i = 0; i < a.rows; ++i) {
    for (Index j = 0; j < a.cols; ++j) t.row(j)[i] = a.row(i)[j];
  }
  return t;
}

/// Columns that are factored together: whole panels of every kernel.
constexpr Index factor_block = 32;

/// In place: the lower triangle of C = L L^T becomes L; what is above the diagonal is left
/// undefined. Block of columns after block of columns, each first brought up to date by one
/// product with all columns to its left:
///     L(i, j) = (C(i, j) - sum over k < j of L(i, k) L(j, k)) / L(j, j)
inline void cholesky(PaddedMatrix& c) {
  const auto& kernel = kernels::best_products<double>();
  const Index d = c.rows;
  AlignedBuffer<double> negative(factor_block * d), strips(factor_block * d);
  for (Index first = 0; first < d; first += factor_block) {
    const Index last = (std::min)(first + factor_block, d);
    for (Index j = first; j < last; ++j) {
      for (Index k = 0; k < first; ++k) negative[k * factor_block + j - first] = -c.row(j)[k];
    }
    kernel.pack_columns(negative.data(), factor_block, last - first, first, strips.data());
    kernel.product_add({d - first, last - first, first, strips.data(), c.row(first), c.stride, 1,
                        c.row(first) + first, c.stride});
    for (Index i = first; i < d; ++i) {
      double* row = c.row(i);
      for (Index j = first; j < (std::min)(i + 1, last); ++j) {
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
inline PaddedMatrix inverse_of_lower(const PaddedMatrix& l) {
  const auto& kernel = kernels::best_products<double>();
  const Index d = l.rows, panel = kernel.panel;
  PaddedMatrix x(d, d);
  // Strip j / panel holds the finished rows' columns from j on, one row behind the other.
  AlignedBuffer<double> strips(round_up(d, panel) * d);
  for (Index first = 0; first < d; first += factor_block) {
    const Index last = (std::min)(first + factor_block, d);
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

/// C^-1 R for a symmetric positive definite C, which is used up.
inline PaddedMatrix solve_positive(PaddedMatrix c, const PaddedMatrix& r) {
  cholesky(c);
  const PaddedMatrix inverse = inverse_of_lower(c);
  return transposed_product(inverse, product(inverse, r));
}

/// (1/n) sum of a b^T over the rows a of A and b of B (both n x d).
template <class Scalar>
PaddedMatrix mean_products(const Scalar* A, const Scalar* B, Index n, Index d) {
  constexpr Index tile = 256;
  PaddedMatrix c(d, d), a(tile, d), b(tile, d);
  for (Index first = 0; first < n; first += tile) {
    const Index count = (std::min)(tile, n - first);
    for (Index i = 0; i < count; ++i) {
      for (Index j = 0; j < d; ++j) {
        a.row(i)[j] = static_cast<double>(A[(first + i) * d + j]);
        b.row(i)[j] = static_cast<double>(B[(first + i) * d + j]);
      }
    }
    add_product(a, true, b, count, c);
  }
  for (double& x : c.entries) x /= static_cast<double>(n);
  return c;
}

/// Adds `ridge` times the mean of the diagonal to it, so that directions without variance can be
/// divided by. A matrix of zeros becomes the identity.
inline void add_ridge(PaddedMatrix& c, double ridge) {
  double trace = 0;
  for (Index i = 0; i < c.rows; ++i) trace += c.row(i)[i];
  const double floor = trace > 0 ? ridge * (trace / static_cast<double>(c.rows)) : 1;
  for (Index i = 0; i < c.rows; ++i) c.row(i)[i] += floor;
}

}  // namespace detail
DASVDD_NAMESPACE_END
