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

/// Whether whole numbers count, as the names of numbered columns do: in steps of one, or from 0 or 1 with a few left
/// out. One number doesn't.
enum class Counting { no, gaps, steps };
inline Counting counting(const std::vector<double>& numbers) {
  const double count = static_cast<double>(numbers.size());
  if (count < 2 || !whole_and_rising(numbers)) return Counting::no;
  const double left_out = numbers.back() - numbers.front() + 1 - count;
  if (left_out == 0) return Counting::steps;
  const bool few = count >= 3 && left_out < count;
  return few && (numbers[0] == 0 || numbers[0] == 1) ? Counting::gaps : Counting::no;
}

/// Whether numbers go up or down in equal steps, as wavelengths or years over columns do: five of them, or three
/// that aren't whole, because a row of small whole numbers may do so by chance.
inline bool in_equal_steps(const std::vector<double>& numbers) {
  if (numbers.size() < 3) return false;
  const double step = numbers[1] - numbers[0];
  bool equal = step != 0;
  for (std::size_t k = 1; k < numbers.size(); ++k) {
    equal = equal && std::abs(numbers[k] - numbers[k - 1] - step) <= 1e-6 * std::abs(step);
  }
  return equal && (numbers.size() >= 5 || !all_whole(numbers));
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
  /// Whether other rows can still tell.
  bool watches() const { return steps_ || (whole_ && other_whole_ == 0); }
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
