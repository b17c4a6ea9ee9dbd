#pragma once
/// \file
/// The check of a training set.

#include <dasvdd/core/any_rows.hpp>

#include <cmath>
#include <limits>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Throws InvalidArgument unless X has so many features, two rows or more, and numbers alone that are
/// finite in the net's type.
template <class Scalar>
void require_training_rows(const AnyRows& X, Index features) {
  const char* what = "the training set";
  require_width(X, features, what);
  ensure(X.rows() > 0, what, " is empty");
  ensure(X.rows() > 1, what, " has one row, expected at least 2");
  require_finite(X, what);
  if (X.holds<Scalar>() || !X.wide()) return;
  constexpr double most = static_cast<double>((std::numeric_limits<float>::max)());
  const Rows<const double> rows = X.as<double>();
  for (Index i = 0; i < rows.rows(); ++i) {
    for (Index j = 0; j < rows.cols(); ++j) {
      ensure(std::abs(rows(i, j)) <= most, what, " has ", rows(i, j), " in row ", i, ", column ", j,
             "; a net in float takes numbers up to ", most);
    }
  }
}

}  // namespace detail
DASVDD_NAMESPACE_END
