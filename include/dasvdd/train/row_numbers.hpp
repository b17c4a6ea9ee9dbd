#pragma once
/// \file
/// Rows of a batch by their numbers.

#include <dasvdd/core/types.hpp>

#include <cstddef>
#include <numeric>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// 0 .. n - 1.
inline std::vector<Index> all_rows(Index n) {
  std::vector<Index> rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), Index(0));
  return rows;
}

/// Those of 0 .. n - 1 that are not in `rows`, ascending.
inline std::vector<Index> all_rows_but(const std::vector<Index>& rows, Index n) {
  std::vector<bool> among(static_cast<std::size_t>(n));
  for (const Index row : rows) among[static_cast<std::size_t>(row)] = true;
  std::vector<Index> others;
  for (Index row = 0; row < n; ++row) {
    if (!among[static_cast<std::size_t>(row)]) others.push_back(row);
  }
  return others;
}

}  // namespace detail
DASVDD_NAMESPACE_END
