#pragma once
/// \file
/// The names of a detector's features.

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/types.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Throws InvalidArgument where a name is empty or there twice.
inline void check_feature_names(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (std::size_t j = 0; j < names.size(); ++j) {
    ensure(!names[j].empty(), "feature ", j, " has an empty name");
    ensure(seen.insert(names[j]).second, "two features are named '", names[j], "'");
  }
}

/// Feature j as it stands in a sentence: "feature 'pressure'" or "feature 3 (from 0)".
inline std::string feature_text(const std::vector<std::string>& names, std::size_t j) {
  return names.empty() ? sentence("feature ", j, " (from 0)")
                       : sentence("feature '", names[j], "'");
}

/// Where rows and features stand in the file they were read from, for sentences about them.
struct Places {
  std::vector<Index> rows = {};     ///< each row's number; none where they are counted from 0
  std::vector<Index> columns = {};  ///< each feature's, for features without names; none as above
  const char* row = "row";          ///< what a row is called: "line", say
  const char* from = "";  ///< what its number begins with, where that is to be said: ", from 0"

  /// "row 3".
  std::string row_text(Index i) const {
    return sentence(row, ' ', rows.empty() ? i : rows[static_cast<std::size_t>(i)], from);
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
