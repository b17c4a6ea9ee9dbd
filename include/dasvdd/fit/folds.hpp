#pragma once
/// \file
/// Which rows a member of an ensemble leaves out of its training.

#include <dasvdd/core/memory.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Member i leaves out fold i mod 5 of the rows. Of two rows none can be left out.
///
/// Each five members have folds of their own: of each five rows in order every fold has one, and rows that share a
/// fold of one five are spread over the folds of the next. So two members that leave out the same row are trained on
/// different rows, and how far apart their scores are says what a member's training rows change, too.
struct Folds {
  static constexpr Index count = 5, enough = 3;
  /// Whether member i trains on the row at place r of n in the fit's order.
  static bool trains_on(Index r, Index n, Index i) {
    return n < enough || (r + i / count * (r / count)) % count != i % count;
  }
  /// How many of n rows it trains on.
  static Index rows(Index n, Index i) {
    if (n < enough) return n;
    Index trained = n - n / count;  // of whole fives, and now those of the last
    for (Index r = n - n % count; r < n; ++r) trained -= !trains_on(r, n, i);
    return trained;
  }
  /// The numbers of the rows that it trains on.
  /// \param order all row numbers, in the fit's order
  static std::vector<Index> trained(const std::vector<Index>& order, Index i) {
    return chosen(order, i, true);
  }
  /// The numbers of the rows that it leaves out.
  static std::vector<Index> left_out(const std::vector<Index>& order, Index i) {
    return chosen(order, i, false);
  }

 private:
  static std::vector<Index> chosen(const std::vector<Index>& order, Index i, bool trained) {
    const Index n = static_cast<Index>(order.size());
    std::vector<Index> mine;
    for (Index r = 0; r < n; ++r) {
      if (trains_on(r, n, i) == trained) mine.push_back(order[static_cast<std::size_t>(r)]);
    }
    return mine;
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
