#pragma once
/// \file
/// Which rows a member of an ensemble leaves out of its training.

#include <dasvdd/core/memory.hpp>

#include <cstddef>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Member i leaves out fold i mod 5 of the rows. With fewer than twenty rows it trains on all.
struct Folds {
  static constexpr Index count = 5, enough = 20;
  /// Whether member i trains on the row at place r of n in the fit's order.
  static bool trains_on(Index r, Index n, Index i) { return n < enough || r % count != i % count; }
  /// How many of n rows it trains on.
  static Index rows(Index n, Index i) {
    return n < enough ? n : n - ceil_div(n - i % count, count);
  }
  /// The numbers of the rows that it trains on.
  /// \param order all row numbers, in the fit's order
  static std::vector<Index> trained(const std::vector<Index>& order, Index i) {
    const Index n = static_cast<Index>(order.size());
    std::vector<Index> mine;
    mine.reserve(static_cast<std::size_t>(rows(n, i)));
    for (Index r = 0; r < n; ++r) {
      if (trains_on(r, n, i)) mine.push_back(order[static_cast<std::size_t>(r)]);
    }
    return mine;
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
