#pragma once
/// \file
/// Whether a first row of numbers may hold the names of columns.

#include <tool/table.hpp>

#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tool {
namespace detail {

/// Whether whole numbers count, as the names of numbered columns do: in steps of one, or from 0 or 1 with a few left
/// out. One number doesn't.
enum class Counting { no, gaps, steps };
inline Counting counting(const std::vector<std::string>& row,
                         const std::vector<std::size_t>& columns) {
  Counting result = columns.size() < 2 ? Counting::no : Counting::steps;
  double first = 0, before = 0;
  for (std::size_t k = 0; k < columns.size() && result != Counting::no; ++k) {
    bool comma = false;
    const auto number =
        columns[k] < row.size() ? parse_decimal(row[columns[k]], comma) : std::optional<double>();
    if (!number || *number != std::floor(*number)) return Counting::no;
    if (k == 0) first = *number;
    if (k > 0 && *number != before + 1) result = Counting::gaps;
    if (k > 0 && *number <= before) return Counting::no;
    before = *number;
  }
  if (result != Counting::gaps) return result;
  const double left_out = before - first + 1 - static_cast<double>(columns.size());
  const bool few = columns.size() >= 3 && left_out < static_cast<double>(columns.size());
  return few && (first == 0 || first == 1) ? result : Counting::no;
}

/// The numbers of a row's columns; none where a field is no number.
inline std::vector<double> numbers_of(const std::vector<std::string>& row,
                                      const std::vector<std::size_t>& columns) {
  std::vector<double> numbers;
  for (const std::size_t j : columns) {
    bool comma = false;
    const auto number = j < row.size() ? parse_decimal(row[j], comma) : std::optional<double>();
    if (!number) return {};
    numbers.push_back(*number);
  }
  return numbers;
}

/// Whether numbers go up or down in equal steps, as wavelengths or years over columns do: five of them, or three
/// that aren't whole, because a row of small whole numbers may do so by chance.
inline bool in_equal_steps(const std::vector<double>& numbers) {
  if (numbers.size() < 3) return false;
  const double step = numbers[1] - numbers[0];
  bool whole = true, equal = step != 0;
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    whole = whole && numbers[k] == std::floor(numbers[k]);
    const double more = k == 0 ? step : numbers[k] - numbers[k - 1];
    equal = equal && std::abs(more - step) <= 1e-6 * std::abs(step);
  }
  return equal && (numbers.size() >= 5 || !whole);
}

/// Whether there are numbers and all are whole.
inline bool all_whole(const std::vector<double>& numbers) {
  for (const double x : numbers) {
    if (x != std::floor(x)) return false;
  }
  return !numbers.empty();
}

inline bool whole_and_rising(const std::vector<double>& numbers) {
  for (std::size_t k = 1; k < numbers.size(); ++k) {
    if (numbers[k] <= numbers[k - 1]) return false;
  }
  return all_whole(numbers);
}

/// Tells whether a first row of numbers is unlike all others: in equal steps, or whole, and no other is.
class FirstRowWatch {
 public:
  /// \param columns the features
  void begin(const std::vector<std::string>& row, const std::vector<std::size_t>& columns) {
    columns_ = columns;
    const std::vector<double> numbers = numbers_of(row, columns);
    steps_ = in_equal_steps(numbers);
    whole_ = all_whole(numbers);
    distinct_ = std::set<double>(numbers.begin(), numbers.end()).size() == numbers.size();
  }
  bool watches() const { return steps_ || whole_; }
  /// Takes one of the other rows; one that lacks values says nothing.
  void take(const std::vector<std::string>& row) {
    const std::vector<double> numbers = numbers_of(row, columns_);
    if (numbers.empty()) return;
    ++rows_;
    other_steps_ += steps_ && in_equal_steps(numbers);
    // A second line of names may follow.
    if (rows_ == 1) {
      second_whole_ = all_whole(numbers);
    } else {
      other_whole_ += whole_ && all_whole(numbers);
    }
  }
  /// Whether of a stream's first two rows one is whole, in equal steps, and the other isn't whole.
  bool second_is_other(const std::vector<std::string>& row) const {
    const std::vector<double> numbers = numbers_of(row, columns_);
    return rows_ == 1 && steps_ && whole_ && !numbers.empty() && !all_whole(numbers);
  }
  /// Of few rows and columns one may be whole by chance. Names differ, those in the first of two lines of them needn't;
  /// measurements may begin with zeros.
  bool is_other() const {
    const bool enough = columns_.size() >= 3 ? rows_ >= 5 : rows_ >= 20;
    return (steps_ && rows_ > 1 && 2 * other_steps_ < rows_) ||
           (whole_ && enough && other_whole_ == 0 && (distinct_ || second_whole_));
  }

 private:
  std::vector<std::size_t> columns_;
  bool steps_ = false, whole_ = false, distinct_ = false, second_whole_ = false;
  Index rows_ = 0, other_steps_ = 0, other_whole_ = 0;
};

}  // namespace detail
}  // namespace tool
