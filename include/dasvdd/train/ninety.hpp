#pragma once
/// \file
/// What the terms of a score are divided by.

#include <dasvdd/core/finite.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The 0.9 quantile of a term's values, to divide the term by; 1 where all values are alike.
///
/// Between the values next to rank 0.9 (n + 1), below which nine tenths of new values are expected
/// whatever n is. So the quantile of all values and that of all but one mean the same.
class Ninety {
 public:
  /// \param values of the term, at least one
  /// \param least where nearly all are alike, no less than this
  Ninety(std::vector<double> values, double least) : values_(std::move(values)), least_(least) {
    std::sort(values_.begin(), values_.end());
  }
  double of_all() const { return of(values_.size(), values_.size()); }
  /// That of all values but one: of a few rows each would be measured by itself, and be small by that
  /// alone.
  /// \param value one of them
  double without(double value) const {
    if (values_.size() < 2) return of_all();
    const auto place = std::lower_bound(values_.begin(), values_.end(), value);
    return of(values_.size() - 1, static_cast<std::size_t>(place - values_.begin()));
  }

 private:
  /// Of n values, from which the one at this place is missing.
  double of(std::size_t n, std::size_t missing) const {
    const double rank = 0.9 * static_cast<double>(n + 1) - 1;
    const std::size_t below = rank < 0 ? 0 : (std::min)(static_cast<std::size_t>(rank), n - 1);
    const std::size_t above = (std::min)(below + 1, n - 1);
    const double share = (std::max)(rank - static_cast<double>(below), 0.0);
    const double low = values_[below + (below >= missing)];
    const double high = values_[above + (above >= missing)];
    const double ninety = (std::max)(std::fma(high - low, share, low), least_);
    return is_finite(ninety) && ninety > 0 ? ninety : 1;
  }
  std::vector<double> values_;  ///< ascending
  double least_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
