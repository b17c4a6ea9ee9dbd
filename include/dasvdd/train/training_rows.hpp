#pragma once
/// \file
/// The check of a training set.

#include <dasvdd/detect/missing_values.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Throws InvalidArgument unless each row has a value, and each feature.
inline void require_some_values(const AnyRows& X, const char* what) {
  std::vector<Index> there(static_cast<std::size_t>(X.cols()), 0);
  X.visit([&](auto rows) {
    for (Index i = 0; i < rows.rows(); ++i) {
      bool any = false;
      for (Index j = 0; j < rows.cols(); ++j) {
        const bool finite = is_finite(rows(i, j));
        ensure(finite || is_nan(static_cast<double>(rows(i, j))), what, " has ",
               finite ? "" : non_finite_name(rows(i, j)), " in row ", i, ", column ", j,
               "; a value may be missing (NaN), not infinite");
        any = any || finite;
        there[static_cast<std::size_t>(j)] += finite;
      }
      ensure(any, what, " has row ", i, " without a single value");
    }
  });
  for (std::size_t j = 0; j < there.size(); ++j) {
    ensure(there[j] > 0, what, " has no value in column ", j, ": leave the feature out");
  }
}

/// Throws InvalidArgument unless X has so many features, two rows or more, and numbers alone that are
/// finite in the net's type, or missing where the rule allows it.
template <class Scalar>
void require_training_rows(const AnyRows& X, Index features,
                           MissingRule rule = MissingRule::refuse) {
  const char* what = "the training set";
  require_width(X, features, what);
  ensure(X.rows() > 0, what, " is empty");
  ensure(X.rows() > 1, what, " has one row, expected at least 2");
  if (rule == MissingRule::refuse) {
    require_finite(X, what);
  } else {
    require_some_values(X, what);
  }
  if (X.holds<Scalar>() || !X.wide()) return;
  constexpr double most = static_cast<double>((std::numeric_limits<float>::max)());
  const Rows<const double> rows = X.as<double>();
  for (Index i = 0; i < rows.rows(); ++i) {
    for (Index j = 0; j < rows.cols(); ++j) {
      ensure(is_missing(rows(i, j)) || std::abs(rows(i, j)) <= most, what, " has ", rows(i, j),
             " in row ", i, ", column ", j, "; a net in float takes numbers up to ", most);
    }
  }
}

}  // namespace detail
DASVDD_NAMESPACE_END
