#pragma once
/// \file
/// The activations as layers: values that follow a layer and act on each number alone.
///
/// Formulas as in PyTorch (gelu is the exact one, x Phi(x)); derivatives in docs/method.md.

#include <dasvdd/kernels/arguments.hpp>

DASVDD_NAMESPACE_BEGIN

/// An activation as a layer of a static chain; its type says which, its value holds the parameter.
template <Activation Kind>
struct ActivationLayer {
  static constexpr Activation kind = Kind;
  double parameter = 0;
  ActivationSpec spec() const { return {Kind, parameter}; }
};

using Identity = ActivationLayer<Activation::identity>;
using Relu = ActivationLayer<Activation::relu>;
using LeakyRelu = ActivationLayer<Activation::leaky_relu>;
using Elu = ActivationLayer<Activation::elu>;
using Selu = ActivationLayer<Activation::selu>;
using Gelu = ActivationLayer<Activation::gelu>;
using Silu = ActivationLayer<Activation::silu>;
using Softplus = ActivationLayer<Activation::softplus>;
using Tanh = ActivationLayer<Activation::tanh>;
using Sigmoid = ActivationLayer<Activation::sigmoid>;

inline Identity identity() { return {}; }
inline Relu relu() { return {}; }
/// max(x, slope x); the slope is in (0, 1).
inline LeakyRelu leaky_relu(double slope = 0.01) {
  // Backward reads the argument's sign off the result, which a slope outside would break.
  detail::require(slope > 0 && slope < 1, "leaky_relu: slope is ", slope,
                  ", expected a number between 0 and 1");
  return {slope};
}
/// x for x > 0, alpha (exp(x) - 1) elsewhere.
inline Elu elu(double alpha = 1) {
  detail::require(alpha > 0 && alpha < 1e6, "elu: alpha is ", alpha,
                  ", expected a positive number");
  return {alpha};
}
inline Selu selu() { return {}; }
inline Gelu gelu() { return {}; }
inline Silu silu() { return {}; }
inline Softplus softplus() { return {}; }
inline Tanh tanh() { return {}; }
inline Sigmoid sigmoid() { return {}; }

namespace detail {

template <class L>
struct IsActivation : std::false_type {};
template <Activation Kind>
struct IsActivation<ActivationLayer<Kind>> : std::true_type {};

struct ActivationName {
  Activation kind;
  const char* name;
};
constexpr ActivationName activation_names[] = {
    {Activation::identity, "identity"},
    {Activation::relu, "relu"},
    {Activation::leaky_relu, "leaky_relu"},
    {Activation::elu, "elu"},
    {Activation::selu, "selu"},
    {Activation::gelu, "gelu"},
    {Activation::silu, "silu"},
    {Activation::softplus, "softplus"},
    {Activation::tanh, "tanh"},
    {Activation::sigmoid, "sigmoid"},
};

}  // namespace detail

/// The activation's name in model files and messages.
inline const char* activation_name(Activation kind) {
  for (const auto& entry : detail::activation_names) {
    if (entry.kind == kind) return entry.name;
  }
  return "unknown";
}

/// An activation by name, checked like the functions above; for run-time chains. `parameter` is the
/// slope of leaky_relu or the alpha of elu.
inline ActivationSpec activation(const std::string& name, double parameter) {
  for (const auto& entry : detail::activation_names) {
    if (name != entry.name) continue;
    if (entry.kind == Activation::leaky_relu) return leaky_relu(parameter).spec();
    if (entry.kind == Activation::elu) return elu(parameter).spec();
    return {entry.kind, 0};
  }
  detail::require(false, "activation '", name, "' is unknown");
  return {};
}
/// The same with the usual parameter (slope 0.01, alpha 1).
inline ActivationSpec activation(const std::string& name) {
  return activation(name, name == "leaky_relu" ? 0.01 : 1.0);
}

DASVDD_NAMESPACE_END
