#pragma once
/// \file
/// Sums over rows and pixels, one a channel, always in the same order.

#include <dasvdd/nn/shape.hpp>

#include <algorithm>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// to += x, n numbers.
template <class Scalar>
void add_line(const Scalar* x, Index n, Scalar* to) {
  using Line = Eigen::Array<Scalar, Eigen::Dynamic, 1>;
  Eigen::Map<Line>(to, n) += Eigen::Map<const Line>(x, n);
}

/// The sum of one channel's pixels, in their order.
template <class Scalar>
double channel_sum(const Scalar* pixels, Index n) {
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += static_cast<double>(pixels[i]);
  return sum;
}

/// db[c] += the sum over rows and pixels of dy: a bias gradient.
/// \param scratch as many numbers as a row
template <class Scalar>
void add_bias_gradient(const Shape& shape, Rows<const Scalar> dy, Scalar* db, Scalar* scratch) {
  std::fill_n(scratch, shape.size(), Scalar(0));
  for (Index i = 0; i < dy.rows(); ++i) add_line(dy.row(i), shape.size(), scratch);
  for (Index c = 0; c < shape.channels; ++c) {
    db[c] += static_cast<Scalar>(channel_sum(scratch + c * shape.plane(), shape.plane()));
  }
}

}  // namespace detail
DASVDD_NAMESPACE_END
