#pragma once
/// \file
/// Where rows and features stand in a file.

#include <dasvdd/detect/feature_names.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Where rows and features stand in the file they were read from, for sentences about them.
struct Places {
  std::vector<Index> rows = {};  ///< each row's number; none where they are counted from 0
  std::function<Index(Index)> row_of = {};  ///< in place of a list, where rows are too many for one
  std::vector<Index> columns = {};  ///< each feature's, for features without names; none as above
  const char* row = "row";          ///< what a row is called: "line", say
  const char* from = "";  ///< what its number begins with, where that is to be said: ", from 0"

  /// "row 3".
  std::string row_text(Index i) const {
    const Index number = row_of ? row_of(i) : rows.empty() ? i : rows[static_cast<std::size_t>(i)];
    return sentence(row, ' ', number, from);
  }
  /// Feature j as it begins a sentence or ends one.
  std::string feature_text(const std::vector<std::string>& names, std::size_t j) const {
    if (!names.empty() || columns.empty()) return detail::feature_text(names, j);
    return sentence("column ", columns[j], " (from 0)");
  }
  /// Feature j behind a row: "column 3" or "column 'pressure'".
  std::string column_text(const std::vector<std::string>& names, std::size_t j) const {
    if (!names.empty()) return sentence("column '", names[j], "'");
    return sentence("column ", columns.empty() ? static_cast<Index>(j) : columns[j]);
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
