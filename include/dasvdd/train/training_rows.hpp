#pragma once
/// \file
/// The check of a training set.

#include <dasvdd/core/types.hpp>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Throws InvalidArgument unless X has so many features, two rows or more, and finite numbers alone.
template <class Scalar>
void require_training_rows(Rows<const Scalar> X, Index features) {
  const char* what = "the training set";
  require_width(X, features, what);
  require(X.rows() > 0, what, " is empty");
  require(X.rows() > 1, what, " has one row, expected at least 2");
  require_finite(X, what);
}

}  // namespace detail
DASVDD_NAMESPACE_END
