#pragma once
/// \file
/// Far values of a source of rows, of which memory holds a sample.

#include <dasvdd/core/row_source.hpp>
#include <dasvdd/train/far_values.hpp>
#include <dasvdd/train/source_scan.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A feature of a source with values that may be far: more than thirty ranges of a sample's middle from it.
class FarCandidate {
 public:
  /// \param most so many values; where there are more, they are no handful
  /// \param words whether the values must be one number again and again
  FarCandidate(Index feature, MiddleOfValues middle, std::size_t most, bool words)
      : feature_(feature), middle_(middle), most_(most), words_(words), spread_(middle.range()) {}

  Index feature() const { return feature_; }

  void add(double value, Index row) {
    const bool below = far_apart(value, middle_.low, middle_.range());
    const bool above = far_apart(middle_.high, value, middle_.range());
    if (!below && !above) return add_near(value);
    if (low_.size() + high_.size() <= most_) (below ? low_ : high_).push_back({value, row});
  }

  /// What far_values() finds in one feature of a table; without rows where it is none.
  /// \param n how many values the feature has
  FarValues found(std::size_t n) {
    FarValues result;
    result.feature = static_cast<std::size_t>(feature_);
    if (low_.size() + high_.size() > most_) return result;
    // From the middle outwards.
    std::sort(low_.rbegin(), low_.rend());
    std::sort(high_.begin(), high_.end());
    std::vector<Value> all = behind_gap(low_, n);
    const std::vector<Value> above = behind_gap(high_, n);
    all.insert(all.end(), above.begin(), above.end());
    double outlying = 0;
    for (const Value& value : all) outlying += spread_.part_of(value.number);
    if (all.empty() || !(outlying > spread_.near_by())) return result;
    std::sort(all.begin(), all.end(), [](const Value& a, const Value& b) { return a.row < b.row; });
    result.value = all.front().number;
    result.low = nearest_low_;
    result.high = nearest_high_;
    std::vector<double> numbers;
    for (const Value& value : all) {
      result.alike = result.alike && value.number == result.value;
      result.rows.push_back(value.row);
      numbers.push_back(value.number);
    }
    result.words = are_words(std::move(numbers), middle_.range());
    return result;
  }

 private:
  struct Value {
    double number;
    Index row;
    bool operator<(const Value& other) const { return number < other.number; }
  };

  void add_near(double value) {
    nearest_low_ = (std::min)(nearest_low_, value);
    nearest_high_ = (std::max)(nearest_high_, value);
    spread_.add(value);
  }

  /// Those behind the first gap; the others go to the middle's.
  std::vector<Value> behind_gap(const std::vector<Value>& values, std::size_t n) {
    std::size_t begin = 0;
    for (; begin < values.size(); ++begin) {
      const double value = values[begin].number, range = middle_.range();
      if (far_apart(value, nearest_low_, range) || far_apart(nearest_high_, value, range)) break;
      add_near(value);
    }
    const std::size_t count = values.size() - begin;
    if (count == 0) return {};
    std::vector<double> numbers;
    for (std::size_t at = begin; at < values.size(); ++at) numbers.push_back(values[at].number);
    if (count <= (are_words(numbers, middle_.range()) ? words_of(n) : words_ ? 0 : few_of(n))) {
      return {values.begin() + static_cast<std::ptrdiff_t>(begin), values.end()};
    }
    for (std::size_t at = begin; at < values.size(); ++at) add_near(values[at].number);
    return {};
  }

  Index feature_;
  MiddleOfValues middle_;
  std::size_t most_;
  bool words_;
  SpreadOfValues spread_;
  double nearest_low_ = (std::numeric_limits<double>::max)(), nearest_high_ = -nearest_low_;
  std::vector<Value> low_, high_;
};

/// The far values of each feature that has some, by the source's row numbers: as of a table, but that the middle is a
/// sample's. Takes another pass where the first one has met values that may be far, and memory for no more of them than
/// a feature's values in the sample (1,000 at least).
/// \param scan a first pass with the features' sums
DASVDD_COLD inline std::vector<FarValues> far_values(const SourceScan& scan,
                                                     const RowSource& source) {
  const AnyRows sample = scan.held.rows();
  if (scan.holds_all()) return far_values(sample);
  const auto n = static_cast<std::size_t>(scan.rows), s = static_cast<std::size_t>(sample.rows());
  std::vector<FarCandidate> candidates;
  std::vector<double> x(s);
  for (Index j = 0; s >= 10 && j < sample.cols(); ++j) {
    sample.visit([&](auto rows) {
      for (Index i = 0; i < sample.rows(); ++i) {
        x[static_cast<std::size_t>(i)] = static_cast<double>(rows(i, j));
      }
    });
    // One number may be so frequent that a sample without a fiftieth at each end still has it.
    for (const bool words : {false, true}) {
      const MiddleOfValues middle =
          MiddleOfValues::of(x, words ? words_of(s) : few_of(s), rounding_of(sample));
      const double range = middle.range();
      if (range == 0) continue;
      const bool may_be = far_apart(scan.sums.low(j), middle.low, range) ||
                          far_apart(middle.high, scan.sums.high(j), range);
      if (!may_be) continue;
      const std::size_t limit = (std::min)(words_of(n), (std::max)(s, std::size_t(1000)));
      candidates.emplace_back(j, middle, limit, words);
      break;
    }
  }
  std::vector<FarValues> all;
  if (candidates.empty()) return all;
  RowReader reader(source.open());
  RowStore block;
  for (Index first = 0; reader.read(256, block) > 0; first += block.count(), block.clear()) {
    block.rows().visit([&](auto rows) {
      for (Index i = 0; i < rows.rows(); ++i) {
        for (FarCandidate& candidate : candidates) {
          candidate.add(static_cast<double>(rows(i, candidate.feature())), first + i);
        }
      }
    });
  }
  for (FarCandidate& candidate : candidates) {
    FarValues outlying = candidate.found(n);
    if (!outlying.rows.empty()) all.push_back(std::move(outlying));
  }
  return all;
}

}  // namespace detail
DASVDD_NAMESPACE_END
