#pragma once
/// \file
/// The names of a detector's features.

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/types.hpp>
#include <dasvdd/core/utf8.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Throws InvalidArgument where a name is empty, there twice, or not in UTF-8 as files are.
inline void check_feature_names(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (std::size_t j = 0; j < names.size(); ++j) {
    ensure(!names[j].empty(), "feature ", j, " has an empty name");
    ensure(is_utf8(names[j]), "the name of feature ", j, " (from 0) isn't in UTF-8");
    ensure(seen.insert(names[j]).second, "two features are named '", names[j], "'");
  }
}

/// Feature j as it stands in a sentence: "feature 'pressure'" or "feature 3 (from 0)".
inline std::string feature_text(const std::vector<std::string>& names, std::size_t j) {
  return names.empty() ? sentence("feature ", j, " (from 0)")
                       : sentence("feature '", names[j], "'");
}

}  // namespace detail
DASVDD_NAMESPACE_END
