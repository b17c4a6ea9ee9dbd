#pragma once
/// \file
/// The whitening matrix of a score term: the inverse Cholesky factor of a covariance.

#include <dasvdd/train/linear_algebra.hpp>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The ridge of a score's whitening, as a share of the mean variance. It bounds the weight of directions
/// in which training rows hardly vary, and makes the covariance of fewer rows than features invertible.
constexpr double whitening_ridge = 0.1;

/// A = L^-1 with L L^T = C, the mean of e e^T over E's rows (n x d) with a ridge:
/// e^T C^-1 e = ||A e||^2. d x d, row by row.
template <class Scalar>
AlignedBuffer<Scalar> whitening_matrix(const Scalar* E, Index n, Index d,
                                       double ridge = whitening_ridge) {
  PaddedMatrix c = mean_products(E, E, n, d);
  add_ridge(c, ridge);
  cholesky(c);
  const PaddedMatrix inverse = inverse_of_lower(c);
  AlignedBuffer<Scalar> a(d * d);
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j < d; ++j) a[i * d + j] = static_cast<Scalar>(inverse.row(i)[j]);
  }
  return a;
}

}  // namespace detail
DASVDD_NAMESPACE_END
