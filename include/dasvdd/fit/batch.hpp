#pragma once
/// \file
/// What fit() and fit_images() take as a batch: an Eigen matrix or Rows, of float or double; and what they refuse.

#include <dasvdd/core/row_source.hpp>
#include <dasvdd/train/training_rows.hpp>

#include <type_traits>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The type that a batch of such numbers is fitted in. After its refusal another one keeps the compiler from complaining of
/// everything that would be made from it.
template <class Number>
struct FittedScalar {
  static constexpr bool good = std::is_same_v<Number, float> || std::is_same_v<Number, double>;
  static_assert(good, "dasvdd: a batch to fit has float or double numbers");
  using type = std::conditional_t<good, Number, float>;
};

template <class Batch, class = void>
struct BatchTraits {
  static_assert(sizeof(Batch) == 0,
                "dasvdd: a batch is a row-major Eigen matrix (dasvdd::RowMatrix<float>) or "
                "dasvdd::Rows, one sample a row");
};
/// An explicit template argument: fit<float>(X) has another overload.
template <class Scalar>
struct BatchTraits<Scalar, std::enable_if_t<std::is_arithmetic_v<Scalar>>> {};
/// A source's type is known when its rows come: fit(source) has another overload.
template <>
struct BatchTraits<RowSource, void> {};
template <class Scalar_>
struct BatchTraits<Rows<Scalar_>, void> {
  using Number = std::remove_const_t<Scalar_>;
  using Scalar = typename FittedScalar<Number>::type;
};
template <class Batch>
struct BatchTraits<Batch, std::enable_if_t<std::is_base_of_v<Eigen::DenseBase<Batch>, Batch>>> {
  using Number = typename Batch::Scalar;
  using Scalar = typename FittedScalar<Number>::type;
};

template <class Batch>
using BatchScalar = typename BatchTraits<Batch>::Scalar;

/// T, where an argument must not decide what T is.
template <class T>
using NotDeduced = std::enable_if_t<true, T>;

/// Throws InvalidArgument for options out of range, or rows that a net of this type can't be trained on.
/// \param rule what becomes of missing values
template <class Scalar, class AnyOptions>
void require_fit(const AnyRows& X, const AnyOptions& options,
                 MissingRule rule = MissingRule::refuse) {
  options.validate();
  ensure(X.cols() > 0, "the training set has no columns");
  options.check_width(X.cols());
  require_training_rows<Scalar>(X, X.cols(), rule);
}

/// A view of the batch, without a copy.
template <class Batch>
Rows<const BatchScalar<Batch>> rows_of(const Batch& X) {
  using Scalar = BatchScalar<Batch>;
  if constexpr (std::is_same_v<typename BatchTraits<Batch>::Number, Scalar>) {
    return Rows<const Scalar>(X);
  } else {
    return Rows<const Scalar>(nullptr, 0, 0);  // refused above
  }
}

}  // namespace detail
DASVDD_NAMESPACE_END
