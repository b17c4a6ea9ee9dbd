#pragma once
/// \file
/// The quantile of a list: always one of its numbers.

#include <dasvdd/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The smallest score that is no smaller than the share `level` of the scores.
/// \throws InvalidArgument where there are no scores
inline double quantile(std::vector<double> scores, double level) {
  ensure(!scores.empty(), "a quantile needs at least one score");
  const double n = static_cast<double>(scores.size());
  const double rank = std::ceil(level * n - 1e-9);
  const std::size_t index =
      rank < 1 ? 0 : (std::min)(static_cast<std::size_t>(rank) - 1, scores.size() - 1);
  std::nth_element(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(index),
                   scores.end());
  return scores[index];
}

}  // namespace detail
DASVDD_NAMESPACE_END
