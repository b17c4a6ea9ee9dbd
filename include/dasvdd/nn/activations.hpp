#pragma once
/// \file
/// The activations that have a function of their own; the others are made by name, Activation("gelu").

#include <dasvdd/kernels/activation.hpp>

#include <type_traits>

DASVDD_NAMESPACE_BEGIN

/// max(x, 0)
inline Activation relu() { return Activation(detail::ActivationKind::relu); }
/// max(x, slope x); the slope is between 0 and 1.
inline Activation leaky_relu(double slope = 0.01) {
  const Activation f(detail::ActivationKind::leaky_relu, slope);
  f.validate();
  return f;
}
/// The hyperbolic tangent.
inline Activation tanh() { return Activation(detail::ActivationKind::tanh); }
/// 1 / (1 + exp(-x))
inline Activation sigmoid() { return Activation(detail::ActivationKind::sigmoid); }

namespace detail {

template <class L>
using IsActivation = std::is_same<L, Activation>;

}  // namespace detail
DASVDD_NAMESPACE_END
