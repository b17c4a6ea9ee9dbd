#pragma once
/// \file
/// Several centers of rows: what a score with more than one center is made from.

#include <dasvdd/detect/score_term.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The most centers of a score, where nothing says less.
constexpr Index usual_most_centers = 256;

/// How many centers n rows of d numbers get: what fits into 64 KB of floats (16 at least), `most` at
/// most, and no more than half the rows, so that most are the mean of several.
inline Index center_count(Index n, Index d, Index most = usual_most_centers) {
  return std::max<Index>(
      1, (std::min)({most, n / 2, std::max<Index>(16, Index(16384) / std::max<Index>(d, 1))}));
}

/// Centers of rows of Y by Lloyd's rounds (k-means), `count` x d. They start at rows spread evenly
/// over the numbers given. At most 10,000 rows are used.
/// \param numbers of the rows of Y, n x d, to be used
template <class Scalar>
DASVDD_COLD AlignedBuffer<Scalar> centers_of(const Scalar* Y, Index d,
                                             const std::vector<Index>& numbers, Index count) {
  constexpr Index enough = 10000, rounds = 3, tile = kernels::batch_tile;
  const Index every = ceil_div(static_cast<Index>(numbers.size()), enough);
  const Index n = ceil_div(static_cast<Index>(numbers.size()), every);
  const auto row = [&](Index i) { return Y + numbers[static_cast<std::size_t>(i * every)] * d; };
  AlignedBuffer<Scalar> centers(count * d);
  for (Index c = 0; c < count; ++c) std::copy_n(row(c * n / count), d, centers.data() + c * d);
  std::vector<double> sums(static_cast<std::size_t>(count * d));
  std::vector<Index> members(static_cast<std::size_t>(count));
  AlignedBuffer<Scalar> some(tile, d);
  AlignedBuffer<Scalar> scratch(tile, padded_stride<Scalar>(count));
  for (Index round = 0; round < rounds; ++round) {
    std::fill(sums.begin(), sums.end(), 0.0);
    std::fill(members.begin(), members.end(), Index(0));
    const auto term = ScoreTerm<Scalar>::nearest_of(d, 1, 1, centers);
    for (Index first = 0; first < n; first += tile) {
      const Index rows = (std::min)(tile, n - first);
      for (Index i = 0; i < rows; ++i) std::copy_n(row(first + i), d, some.data() + i * d);
      term.for_nearest(kernels::best<Scalar>(), {some.data(), rows, d}, scratch.data(),
                       [&](Index i, const Scalar* center) {
                         const Index c = (center - term.center_rows().data()) / d;
                         ++members[static_cast<std::size_t>(c)];
                         double* sum = sums.data() + c * d;
                         for (Index j = 0; j < d; ++j)
                           sum[j] += static_cast<double>(some[i * d + j]);
                       });
    }
    for (Index c = 0; c < count; ++c) {
      const Index rows = members[static_cast<std::size_t>(c)];
      if (rows == 0) continue;  // stays where it is
      for (Index j = 0; j < d; ++j) {
        centers[c * d + j] = static_cast<Scalar>(sums[static_cast<std::size_t>(c * d + j)] /
                                                 static_cast<double>(rows));
      }
    }
  }
  return centers;
}

}  // namespace detail
DASVDD_NAMESPACE_END
