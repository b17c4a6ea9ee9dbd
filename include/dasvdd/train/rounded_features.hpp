#pragma once
/// \file
/// Features of a training set that vary by no more than rounding, before anything is trained.

#include <dasvdd/core/any_rows.hpp>
#include <dasvdd/detect/missing_values.hpp>
#include <dasvdd/detect/places.hpp>
#include <dasvdd/detect/standardizer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// One sentence a feature that varies by less than its numbers can tell apart.
/// \param unused numbers of rows that have no part, ascending
/// \param in_float whether the net is in float, \param standardized whether means are subtracted in double before it
DASVDD_COLD inline void warn_of_rounding(const AnyRows& X, bool in_float, bool standardized,
                                         const Places& places,
                                         const std::vector<std::string>& names,
                                         const std::vector<Index>& unused,
                                         std::vector<std::string>& warnings) {
  const bool narrowed = in_float && !standardized;
  const bool floats = narrowed || !X.wide();
  const double epsilon = floats ? static_cast<double>(std::numeric_limits<float>::epsilon())
                                : std::numeric_limits<double>::epsilon();
  // Row by row, as they lie in memory.
  constexpr double largest_double = (std::numeric_limits<double>::max)();
  std::vector<double> lowest(static_cast<std::size_t>(X.cols()), largest_double);
  std::vector<double> highest(lowest.size(), -largest_double);
  X.visit([&](auto rows) {
    auto next = unused.begin();
    for (Index i = 0; i < rows.rows(); ++i) {
      if (next != unused.end() && *next == i) {
        ++next;
        continue;
      }
      for (std::size_t j = 0; j < lowest.size(); ++j) {
        const double value = static_cast<double>(rows(i, static_cast<Index>(j)));
        if (is_missing(value)) continue;
        lowest[j] = (std::min)(lowest[j], value);
        highest[j] = (std::max)(highest[j], value);
      }
    }
  });
  for (std::size_t j = 0; j < lowest.size(); ++j) {
    const double low = lowest[j], high = highest[j];
    const double largest = (std::max)(std::abs(low), std::abs(high));
    if (in_float && standardized && low < high &&
        high - low < Standardizer<float>::least_deviation) {
      warnings.push_back(sentence(places.feature_text(names, j), " varies by ", high - low,
                                  ", less than a net in float can be told of, and is taken for "
                                  "constant. Give it in a smaller unit"));
      continue;
    }
    // Sixteen numbers or fewer between the smallest and the largest.
    if (low >= high || high - low > 16 * epsilon * largest) continue;
    warnings.push_back(sentence(places.feature_text(names, j), " varies by ", high - low, " about ",
                                low, ", where numbers of ", floats ? "32" : "64", " bits are ",
                                epsilon * largest, " apart: what it tells is rounding",
                                !X.wide()  ? ". Give the rows in double"
                                : narrowed ? ". Standardize the rows"
                                           : ""));
  }
}

}  // namespace detail
DASVDD_NAMESPACE_END
