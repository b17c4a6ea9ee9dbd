#pragma once
/// \file
/// The activations as layers: values that follow a layer and act on each number alone.
///
/// Formulas as in PyTorch (gelu is the exact one, x Phi(x)); derivatives in docs/method.md.

#include <dasvdd/kernels/arguments.hpp>

#include <string>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// The parameter where none is given: a slope of 0.01, an alpha of 1.
constexpr double usual_parameter(ActivationKind kind) {
  return kind == ActivationKind::leaky_relu ? 0.01 : kind == ActivationKind::elu ? 1 : 0;
}

/// Refuses a parameter out of range.
inline void check_activation(const Activation& f) {
  // Backward reads the argument's sign off the result, which a slope outside would break.
  require(f.kind != ActivationKind::leaky_relu || (f.parameter > 0 && f.parameter < 1),
          "leaky_relu: slope is ", f.parameter, ", expected a number between 0 and 1");
  require(f.kind != ActivationKind::elu || (f.parameter > 0 && f.parameter < 1e6), "elu: alpha is ",
          f.parameter, ", expected a positive number below 1e6");
}

}  // namespace detail

/// An activation as a layer of a static chain; its type says which, its value holds the parameter.
template <detail::ActivationKind Kind>
struct ActivationLayer {
  static constexpr detail::ActivationKind kind = Kind;
  double parameter = detail::usual_parameter(Kind);
  Activation spec() const { return {Kind, parameter}; }
  operator Activation() const { return spec(); }
};

using Identity = ActivationLayer<detail::ActivationKind::identity>;
using Relu = ActivationLayer<detail::ActivationKind::relu>;
using LeakyRelu = ActivationLayer<detail::ActivationKind::leaky_relu>;
using Elu = ActivationLayer<detail::ActivationKind::elu>;
using Selu = ActivationLayer<detail::ActivationKind::selu>;
using Gelu = ActivationLayer<detail::ActivationKind::gelu>;
using Silu = ActivationLayer<detail::ActivationKind::silu>;
using Softplus = ActivationLayer<detail::ActivationKind::softplus>;
using Tanh = ActivationLayer<detail::ActivationKind::tanh>;
using Sigmoid = ActivationLayer<detail::ActivationKind::sigmoid>;

inline Identity identity() { return {}; }
inline Relu relu() { return {}; }
/// max(x, slope x); the slope is in (0, 1).
inline LeakyRelu leaky_relu(
    double slope = detail::usual_parameter(detail::ActivationKind::leaky_relu)) {
  detail::check_activation({detail::ActivationKind::leaky_relu, slope});
  return {slope};
}
/// x for x > 0, alpha (exp(x) - 1) elsewhere.
inline Elu elu(double alpha = detail::usual_parameter(detail::ActivationKind::elu)) {
  detail::check_activation({detail::ActivationKind::elu, alpha});
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
template <ActivationKind Kind>
struct IsActivation<ActivationLayer<Kind>> : std::true_type {};

struct ActivationName {
  ActivationKind kind;
  const char* name;
};
constexpr ActivationName activation_names[] = {
    {ActivationKind::identity, "identity"},
    {ActivationKind::relu, "relu"},
    {ActivationKind::leaky_relu, "leaky_relu"},
    {ActivationKind::elu, "elu"},
    {ActivationKind::selu, "selu"},
    {ActivationKind::gelu, "gelu"},
    {ActivationKind::silu, "silu"},
    {ActivationKind::softplus, "softplus"},
    {ActivationKind::tanh, "tanh"},
    {ActivationKind::sigmoid, "sigmoid"},
};

}  // namespace detail

/// The activation's name in model files and messages.
inline const char* activation_name(detail::ActivationKind kind) {
  for (const auto& entry : detail::activation_names) {
    if (entry.kind == kind) return entry.name;
  }
  return "unknown";
}

/// An activation by name with its usual parameter (slope 0.01, alpha 1); for run-time chains.
inline Activation activation(const std::string& name) {
  for (const auto& entry : detail::activation_names) {
    if (name == entry.name) return {entry.kind, detail::usual_parameter(entry.kind)};
  }
  throw InvalidArgument("activation '" + name + "' is unknown");
}
/// The same with another parameter, the slope of leaky_relu or the alpha of elu, checked like the
/// functions above; the other activations have none and ignore it.
inline Activation activation(const std::string& name, double parameter) {
  Activation f = activation(name);
  if (detail::usual_parameter(f.kind) != 0) f.parameter = parameter;
  detail::check_activation(f);
  return f;
}

DASVDD_NAMESPACE_END
