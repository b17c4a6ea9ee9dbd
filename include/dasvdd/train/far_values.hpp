#pragma once
/// \file
/// Values of a training set that lie far from all others of their feature, before anything is trained.

#include <dasvdd/core/any_rows.hpp>
#include <dasvdd/detect/missing_values.hpp>
#include <dasvdd/detect/places.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A few values of one feature that lie far from all others: what a sensor writes when it is out, a unit
/// mistaken.
struct FarValues {
  std::size_t feature = 0;
  std::vector<Index> rows;   ///< where they are, ascending
  double value = 0;          ///< the first of them
  bool alike = true;         ///< whether all are that value
  bool words = false;        ///< whether each is one of few numbers that come again and again
  bool handful = true;       ///< whether no such number is in more than a tenth of the rows
  double low = 0, high = 0;  ///< the others go from here to there
};

/// Whether b lies thirty ranges of the numbers in the middle above a. A sum of ranges may overflow, a quotient doesn't.
inline bool far_apart(double a, double b, double range) { return b / range - a / range >= 30; }

/// The numbers of a feature without so many at each end.
struct MiddleOfValues {
  double low = 0, high = 0, rounding = 0;

  /// \param rounding see rounding_of()
  /// \param x more numbers than twice `most`; gets the `most` smallest to its begin and the `most` largest to its
  ///   end, both sorted
  static MiddleOfValues of(std::vector<double>& x, std::size_t most, double rounding) {
    const auto first = x.begin(), last = x.end();
    const auto left = first + static_cast<std::ptrdiff_t>(most);
    const auto right = last - static_cast<std::ptrdiff_t>(most) - 1;
    std::nth_element(first, left, last);
    std::nth_element(left + 1, right, last);
    std::sort(first, left + 1);
    std::sort(right, last);
    return {*left, *right, rounding};
  }
  /// 0 where they are all alike, apart from rounding: every other value lies far then.
  double range() const {
    const double range = high - low;
    return range > rounding * (std::max)(std::abs(high), std::abs(low)) ? range : 0;
  }
};

/// Compares the spread of far values with the others', about the others' mean and in units of the range.
class SpreadOfValues {
 public:
  explicit SpreadOfValues(double range) : range_(range) {}

  /// Takes a value that is not far.
  void add(double value) {
    const double x = value / range_;
    if (count_ == 0) first_ = x;
    count_ += 1;
    sum_ += x - first_;
    squares_ += (x - first_) * (x - first_);
  }
  double mean() const { return first_ + sum_ / count_; }
  /// The part of the variance that a far value has.
  double part_of(double value) const {
    const double difference = value / range_ - mean();
    return difference * difference;
  }
  /// That of the others together.
  double near_by() const { return squares_ - sum_ * sum_ / count_; }

 private:
  double range_, first_ = 0, count_ = 0, sum_ = 0, squares_ = 0;
};

/// How many values of n may be far at one end: of whatever numbers, and of one number that is not zero.
inline std::size_t few_of(std::size_t n) { return (std::max)(std::size_t(1), n / 50); }
inline std::size_t words_of(std::size_t n) { return n / 10; }

/// The far values of a feature, at either end behind a gap of thirty times the range of those in the middle, and more than
/// half of the variance. Either at most a fiftieth of n (one at least) at an end, of whatever numbers; or, up to a tenth, one
/// number again and again that is not zero: what a device writes when it has none to write.
/// \param x n numbers of the feature, which are moved around
/// \param rounding see rounding_of()
class FarValuesSearch {
 public:
  FarValuesSearch(std::vector<double> x, double rounding) : x_(std::move(x)), rounding_(rounding) {
    const std::size_t n = x_.size(), few = few_of(n);
    if (n < 10) return;
    look(few);
    if (!found() && words_of(n) > few) look_for_a_word(few, words_of(n));
  }
  /// Looks for one number again and again, at either end.
  /// \param few, most how often: more often than `few`, at most so often
  FarValuesSearch(std::vector<double> x, double rounding, std::size_t few, std::size_t most)
      : x_(std::move(x)), rounding_(rounding) {
    if (x_.size() >= 10 && most > few) look_for_a_word(few, most);
  }

  bool found() const { return below_ >= -largest_double || above_ <= largest_double; }
  bool is_far(double value) const { return value <= below_ || value >= above_; }

 private:
  static constexpr double largest_double = (std::numeric_limits<double>::max)();

  void look(std::size_t most) {
    const double range = MiddleOfValues::of(x_, most, rounding_).range();
    if (range == 0) return;
    for (std::size_t at = most; at > 0 && below_ < -largest_double; --at) {
      if (far_apart(x_[at - 1], x_[at], range)) below_ = x_[at - 1];
    }
    for (std::size_t at = x_.size() - 1 - most; at + 1 < x_.size() && above_ > largest_double;
         ++at) {
      if (far_apart(x_[at], x_[at + 1], range)) above_ = x_[at + 1];
    }
    if (!dominate(range)) forget();
  }

  /// \param few, most how often the number stands at an end: more often than `few`, at most so often
  void look_for_a_word(std::size_t few, std::size_t most) {
    const auto [first, last] = std::minmax_element(x_.begin(), x_.end());
    const double low = *first, high = *last;
    const auto lows = static_cast<std::size_t>(std::count(x_.begin(), x_.end(), low));
    const auto highs = static_cast<std::size_t>(std::count(x_.begin(), x_.end(), high));
    const bool at_low = low != 0 && lows > few && lows <= most;
    const bool at_high = high != 0 && highs > few && highs <= most;
    if (!at_low && !at_high) return;  // before anything is sorted: most features have no word
    const double range = MiddleOfValues::of(x_, most, rounding_).range();
    if (range == 0) return;
    if (at_low && far_apart(low, x_[lows], range)) below_ = low;
    if (at_high && far_apart(x_[x_.size() - 1 - highs], high, range)) above_ = high;
    if (!dominate(range)) forget();
  }

  void forget() {
    below_ = -std::numeric_limits<double>::infinity();
    above_ = -below_;
  }

  /// Whether they make up more than half of the variance.
  bool dominate(double range) const {
    if (!found()) return false;
    SpreadOfValues spread(range);
    for (const double value : x_) {
      if (!is_far(value)) spread.add(value);
    }
    double outlying = 0;
    for (const double value : x_) {
      if (is_far(value)) outlying += spread.part_of(value);
    }
    return outlying > spread.near_by();
  }

  std::vector<double> x_;
  double rounding_;
  double below_ = -std::numeric_limits<double>::infinity();
  double above_ = std::numeric_limits<double>::infinity();
};

/// By what share numbers that mean the same may differ: floats by one rounding, doubles by those of what was computed.
inline double rounding_of(const AnyRows& X) {
  return X.wide() ? 64 * std::numeric_limits<double>::epsilon()
                  : 1.5 * static_cast<double>(std::numeric_limits<float>::epsilon());
}

/// What is far among the numbers of a feature: by one search after the other, each without what those before it found.
/// After the first they look for further words; where nothing was found, for one in more than a tenth of the rows.
class FarValuesSearches {
 public:
  FarValuesSearches(std::vector<double> x, double rounding) {
    const std::size_t n = x.size();
    if (!add(FarValuesSearch(x, rounding), x)) {
      handful_ = !add(FarValuesSearch(x, rounding, words_of(n), 2 * n / 5), x);
      return;
    }
    for (int more = 0; more < 3; ++more) {
      if (!add(FarValuesSearch(x, rounding, 1, words_of(n)), x)) return;
    }
  }
  bool found() const { return !found_.empty(); }
  bool handful() const { return handful_; }
  bool is_far(double value) const {
    return std::any_of(found_.begin(), found_.end(),
                       [&](const FarValuesSearch& search) { return search.is_far(value); });
  }

 private:
  bool add(FarValuesSearch search, std::vector<double>& x) {
    if (!search.found()) return false;
    x.erase(std::remove_if(x.begin(), x.end(), [&](double value) { return search.is_far(value); }),
            x.end());
    found_.push_back(std::move(search));
    return true;
  }

  std::vector<FarValuesSearch> found_;
  bool handful_ = true;
};

/// Whether of values each comes again, and they are three numbers at most, none of them zero, and each far from the
/// next.
/// \param range of the numbers that aren't far
inline bool are_words(std::vector<double> values, double range) {
  std::sort(values.begin(), values.end());
  std::size_t words = 0;
  for (std::size_t at = 0; at < values.size(); ++words) {
    const auto end = std::upper_bound(values.begin(), values.end(), values[at]);
    const auto next = static_cast<std::size_t>(end - values.begin());
    if (next - at < 2 || values[at] == 0) return false;
    if (at > 0 && !far_apart(values[at - 1], values[at], range)) return false;
    at = next;
  }
  return words >= 1 && words <= 3;
}

/// The far values of each feature that has some.
DASVDD_COLD inline std::vector<FarValues> far_values(const AnyRows& X) {
  std::vector<FarValues> all;
  const Index n = X.rows();
  std::vector<double> x(static_cast<std::size_t>(n)), there, distant;
  for (Index j = 0; j < X.cols(); ++j) {
    there.clear();
    X.visit([&](auto rows) {
      for (Index i = 0; i < n; ++i) {
        x[static_cast<std::size_t>(i)] = static_cast<double>(rows(i, j));
        if (!is_missing(rows(i, j))) there.push_back(x[static_cast<std::size_t>(i)]);
      }
    });
    const FarValuesSearches searches(there, rounding_of(X));
    if (!searches.found()) continue;
    FarValues outlying;
    outlying.feature = static_cast<std::size_t>(j);
    outlying.handful = searches.handful();
    outlying.low = (std::numeric_limits<double>::max)();
    outlying.high = -outlying.low;
    distant.clear();
    for (Index i = 0; i < n; ++i) {
      const double value = x[static_cast<std::size_t>(i)];
      if (is_missing(value)) continue;
      if (!searches.is_far(value)) {
        outlying.low = (std::min)(outlying.low, value);
        outlying.high = (std::max)(outlying.high, value);
        continue;
      }
      if (outlying.rows.empty()) outlying.value = value;
      outlying.alike = outlying.alike && value == outlying.value;
      outlying.rows.push_back(i);
      distant.push_back(value);
    }
    outlying.words = are_words(distant, outlying.high - outlying.low);
    all.push_back(std::move(outlying));
  }
  return all;
}

/// The rows with far values, ascending, each once.
inline std::vector<Index> far_row_numbers(const std::vector<FarValues>& all) {
  std::vector<Index> rows;
  for (const FarValues& outlying : all)
    rows.insert(rows.end(), outlying.rows.begin(), outlying.rows.end());
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

/// The rows with far values that a fit leaves out of n: all where they are a tenth of the rows at most. Where features
/// have theirs in so many different rows, those with words, which no measurements are, in up to half of the rows.
inline std::vector<Index> few_far_rows(const std::vector<FarValues>& all, Index n) {
  std::vector<FarValues> few;
  std::copy_if(all.begin(), all.end(), std::back_inserter(few),
               [](const FarValues& outlying) { return outlying.handful; });
  std::vector<Index> rows = far_row_numbers(few);
  if (static_cast<Index>(rows.size()) <= n / 10) return rows;
  few.erase(std::remove_if(few.begin(), few.end(),
                           [](const FarValues& outlying) { return !outlying.words; }),
            few.end());
  rows = far_row_numbers(few);
  if (static_cast<Index>(rows.size()) > n / 2) rows.clear();
  return rows;
}

/// One sentence a feature with far values.
/// \param left_out numbers of the rows that have no part in the fit, ascending
inline void warn_of(const std::vector<FarValues>& all, Index n, const Places& places,
                    const std::vector<std::string>& names, const std::vector<Index>& left_out,
                    std::vector<std::string>& warnings) {
  for (const FarValues& outlying : all) {
    const std::size_t count = outlying.rows.size();
    const bool out =
        std::includes(left_out.begin(), left_out.end(), outlying.rows.begin(), outlying.rows.end());
    warnings.push_back(
        sentence(count, " of ", n, " values of ", places.feature_text(names, outlying.feature),
                 " lie far from all others: ", outlying.value, outlying.alike ? "" : ", ...",
                 count == 1 ? " (" : " (first in ", places.row_text(outlying.rows.front()),
                 "); the others go from ", outlying.low, " to ", outlying.high, ". ",
                 out ? "Their rows have no part in the fit, and rows like them score as anomalies"
                     : "They decide how the feature is scaled: are they measurements?"));
  }
}

}  // namespace detail
DASVDD_NAMESPACE_END
