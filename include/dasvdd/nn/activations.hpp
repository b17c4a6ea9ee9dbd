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
constexpr double usual_parameter(Activation kind) {
  return kind == Activation::leaky_relu ? 0.01 : kind == Activation::elu ? 1 : 0;
}

/// Refuses a parameter out of range.
inline void check_activation(const ActivationSpec& f) {
  // Backward reads the argument's sign off the result, which a slope outside would break.
  require(f.kind != Activation::leaky_relu || (f.parameter > 0 && f.parameter < 1),
          "leaky_relu: slope is ", f.parameter, ", expected a number between 0 and 1");
  require(f.kind != Activation::elu || (f.parameter > 0 && f.parameter < 1e6), "elu: alpha is ",
          f.parameter, ", expected a positive number below 1e6");
}

}  // namespace detail

/// An activation as a layer of a static chain; its type says which, its value holds the parameter.
template <Activation Kind>
struct ActivationLayer {
  static constexpr Activation kind = Kind;
  double parameter = detail::usual_parameter(Kind);
  ActivationSpec spec() const { return {Kind, parameter}; }
  operator ActivationSpec() const { return spec(); }
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
inline LeakyRelu leaky_relu(double slope = detail::usual_parameter(Activation::leaky_relu)) {
  detail::check_activation({Activation::leaky_relu, slope});
  return {slope};
}
/// x for x > 0, alpha (exp(x) - 1) elsewhere.
inline Elu elu(double alpha = detail::usual_parameter(Activation::elu)) {
  detail::check_activation({Activation::elu, alpha});
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

/// An activation by name with its usual parameter (slope 0.01, alpha 1); for run-time chains.
inline ActivationSpec activation(const std::string& name) {
  for (const auto& entry : detail::activation_names) {
    if (name == entry.name) return {entry.kind, detail::usual_parameter(entry.kind)};
  }
  throw InvalidArgument("activation '" + name + "' is unknown");
}
/// The same with another parameter, the slope of leaky_relu or the alpha of elu, checked like the
/// functions above; the other activations have none and ignore it.
inline ActivationSpec activation(const std::string& name, double parameter) {
  ActivationSpec f = activation(name);
  if (detail::usual_parameter(f.kind) != 0) f.parameter = parameter;
  detail::check_activation(f);
  return f;
}

DASVDD_NAMESPACE_END
