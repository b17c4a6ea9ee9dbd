#pragma once
/// \file
/// Where a training pass puts the gradients of a net's parameters.

#include <dasvdd/kernels/arguments.hpp>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Parameter gradients go into a flat vector, or straight into a step of Adam.
template <class Scalar>
struct GradientSink {
  Scalar* gradient = nullptr;  ///< used where it isn't null
  kernels::AdamState<Scalar> state = {};
  kernels::AdamStep<Scalar> adam = {};

  /// The sink of the parameters from number `at` on.
  GradientSink from(Index at) const {
    if (gradient) return {gradient + at};
    return {nullptr, {state.parameters + at, state.first + at, state.second + at}, adam};
  }

  /// Takes the gradient that a product computes; the product's output is `gradient`.
  template <class Table, class Product>
  void take(const Table& kernels, const Product& product) const {
    if (gradient) {
      kernels.gradient(product);
    } else {
      kernels.gradient_adam(product, state, adam);
    }
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
