#pragma once
/// \file
/// Calibration scores of which only some are kept.

#include <dasvdd/core/memory.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The ranks, from the top and from 1, of the scores that are kept of n: all where they are no more than `most`, else
/// the `most` / 2 largest, and below them ranks that grow by a fixed share, up to n. A score between two kept
/// ones counts as the larger, so that a p-value is never too small.
inline std::vector<Index> kept_ranks(Index n, Index most) {
  std::vector<Index> ranks;
  const Index dense = most / 2;
  Index doublings = 0;
  while (n > most && (dense << doublings) < n) ++doublings;
  for (Index rank = 1; rank <= n;) {
    ranks.push_back(rank);
    const Index left = most - static_cast<Index>(ranks.size());
    if (left <= 0) break;
    // A little slower than a doubling in `dense` / doublings steps, rounded up; the steps left take one rank at least.
    const Index step = ceil_div(3 * rank * doublings, 4 * dense);
    rank += n > most && rank >= dense ? (std::min)(step, n - rank - left + 1) : 1;
  }
  if (n > most) ranks.back() = n;  // the last gap is what is left
  return ranks;
}

/// The kept ones of `scores`, descending, each rounded up.
inline std::vector<float> thinned_scores(std::vector<double> scores, Index most) {
  std::sort(scores.begin(), scores.end());
  std::vector<float> kept;
  for (const Index rank : kept_ranks(static_cast<Index>(scores.size()), most)) {
    const double score = scores[scores.size() - static_cast<std::size_t>(rank)];
    const float closest = static_cast<float>(score);
    kept.push_back(static_cast<double>(closest) < score
                       ? std::nextafter(closest, std::numeric_limits<float>::infinity())
                       : closest);
  }
  return kept;
}

/// How many of n scores may be as large as `score` or larger, by those that were kept.
/// \param ranks, kept as many of each, kept descending
inline Index most_not_below(const std::vector<Index>& ranks, const float* kept, float score) {
  // The first kept score below it: all above that one may be no smaller.
  const float* end = kept + ranks.size();
  const float* below = std::partition_point(kept, end, [&](float k) { return k >= score; });
  if (below == end) return ranks.empty() ? 0 : ranks.back();
  return ranks[static_cast<std::size_t>(below - kept)] - 1;
}

/// n scores that give the p-values of the kept ones.
inline std::vector<double> filled_scores(const std::vector<Index>& ranks, const float* kept) {
  std::vector<double> scores;
  if (!ranks.empty()) scores.reserve(static_cast<std::size_t>(ranks.back()));
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const Index next = i + 1 < ranks.size() ? ranks[i + 1] : ranks[i] + 1;
    scores.insert(scores.end(), static_cast<std::size_t>(next - ranks[i]),
                  static_cast<double>(kept[i]));
  }
  return scores;
}

}  // namespace detail
DASVDD_NAMESPACE_END
