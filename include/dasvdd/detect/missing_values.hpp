#pragma once
/// \file
/// Values that rows lack: where they are, and what a detector makes of them.

#include <dasvdd/core/any_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What becomes of a missing value, which is NaN.
enum class MissingRule {
  refuse,  ///< an error that names its row and column
  mask,  ///< the net gets 0 in its place, and its residual has no part in the loss and in the score
  impute  ///< the net gets 0 in its place, and one more number: whether it was missing
};

/// Whether a number is missing, in rows that have no infinity.
template <class Number>
bool is_missing(Number x) {
  return !is_finite(x);
}

/// The places of the missing values of a batch, row by row.
class MissingPlaces {
 public:
  MissingPlaces() = default;
  explicit MissingPlaces(const AnyRows& X) : d_(X.cols()) {
    X.visit([&](auto rows) {
      for (Index i = 0; i < rows.rows(); ++i) {
        if (all_finite(rows.row(i), rows.cols())) continue;
        if (first_.empty()) first_.assign(static_cast<std::size_t>(rows.rows()) + 1, 0);
        for (Index j = 0; j < rows.cols(); ++j) {
          if (is_missing(rows(i, j))) columns_.push_back(j);
        }
        first_[static_cast<std::size_t>(i) + 1] = static_cast<Index>(columns_.size());
      }
    });
    for (std::size_t i = 1; i < first_.size(); ++i)
      first_[i] = (std::max)(first_[i], first_[i - 1]);
  }

  bool none() const { return columns_.empty(); }
  /// How many row i lacks.
  Index count(Index i) const {
    if (none()) return 0;
    const std::size_t row = static_cast<std::size_t>(i);
    return first_[row + 1] - first_[row];
  }
  /// The columns of those, ascending.
  const Index* columns(Index i) const {
    return columns_.data() + first_[static_cast<std::size_t>(i)];
  }
  Index total() const { return static_cast<Index>(columns_.size()); }
  /// d / (d - count): what makes a sum over the values that are there a mean of d.
  double widening(Index i) const {
    const double d = static_cast<double>(d_);
    return d / (d - static_cast<double>(count(i)));
  }
  /// How many of n rows have a value in each column: d numbers.
  std::vector<double> present(Index n) const {
    std::vector<double> numbers(static_cast<std::size_t>(d_), static_cast<double>(n));
    for (const Index j : columns_) numbers[static_cast<std::size_t>(j)] -= 1;
    return numbers;
  }

 private:
  Index d_ = 0;
  std::vector<Index> first_, columns_;  // row i's columns are first_[i] to first_[i + 1] - 1
};

}  // namespace detail
DASVDD_NAMESPACE_END
