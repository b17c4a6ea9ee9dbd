#pragma once
/// \file
/// The elementwise functions that may follow a layer: their table, and the value that names one.

#include <dasvdd/core/error.hpp>

#include <string>

/// One row an activation: its name, its usual parameter, the bound that the parameter stays below (0
/// where it takes none), and what its derivative is computed from: `result` or `argument`. A new
/// activation is a row here and its Function in activations.inc.
// clang-format off
#define DASVDD_ACTIVATIONS(row)         \
  row(identity, 0, 0, result)           \
  row(relu, 0, 0, result)               \
  row(leaky_relu, 0.01, 1, result)      \
  row(elu, 1, 1e6, result)              \
  row(selu, 0, 0, result)               \
  row(gelu, 0, 0, argument)             \
  row(silu, 0, 0, argument)             \
  row(softplus, 0, 0, argument)         \
  row(tanh, 0, 0, result)               \
  row(sigmoid, 0, 0, result)
// clang-format on

DASVDD_NAMESPACE_BEGIN
namespace detail {

enum class ActivationKind {
#define DASVDD_ROW(name, usual, below, source) name,
  DASVDD_ACTIVATIONS(DASVDD_ROW)
#undef DASVDD_ROW
};

/// What a derivative is computed from. The argument must then be kept beside the result.
enum class DerivativeFrom { result, argument };

struct ActivationRow {
  const char* name;
  double usual, below;
  DerivativeFrom source;
};
/// In the order of ActivationKind.
inline constexpr ActivationRow activation_table[] = {
#define DASVDD_ROW(name, usual, below, source) {#name, usual, below, DerivativeFrom::source},
    DASVDD_ACTIVATIONS(DASVDD_ROW)
#undef DASVDD_ROW
};

}  // namespace detail

/// An elementwise function with its one parameter, as a layer of a chain: `leaky_relu()`,
/// `Activation("gelu")`. Formulas as in PyTorch (gelu is the exact one, x Phi(x)); derivatives in
/// docs/method.md.
///
/// | name | f(x) | parameter |
/// | --- | --- | --- |
/// | identity, relu, selu, gelu, silu, softplus, tanh, sigmoid | as in PyTorch | none |
/// | leaky_relu | max(x, slope x) | slope, between 0 and 1; 0.01 |
/// | elu | x for x > 0, alpha (exp(x) - 1) elsewhere | alpha, positive, below 1e6; 1 |
class Activation {
 public:
  /// The identity.
  constexpr Activation() = default;
  /// \throws InvalidArgument for an unknown name; the sentence lists those there are
  explicit Activation(const std::string& name) : Activation(kind_named(name)) {}
  /// \throws InvalidArgument for a parameter out of range, or where the function takes none
  Activation(const std::string& name, double parameter) : Activation(kind_named(name), parameter) {
    validate();
  }
  explicit constexpr Activation(detail::ActivationKind kind)
      : Activation(kind, detail::activation_table[static_cast<int>(kind)].usual) {}
  /// Unchecked.
  constexpr Activation(detail::ActivationKind kind, double parameter)
      : kind_(kind), parameter_(parameter) {}

  constexpr detail::ActivationKind kind() const { return kind_; }
  constexpr double parameter() const { return parameter_; }
  const char* name() const { return row().name; }
  bool takes_parameter() const { return row().below > 0; }
  /// Whether backward needs the function's argument, so that it must be kept beside the result.
  bool keeps_argument() const { return row().source == detail::DerivativeFrom::argument; }
  bool is_identity() const { return kind_ == detail::ActivationKind::identity; }

  void validate() const {
    detail::ensure(takes_parameter() || parameter_ == 0, name(), " takes no parameter, got ",
                   parameter_);
    // Backward reads the argument's sign off the result, which a slope outside would break.
    detail::ensure(!takes_parameter() || (parameter_ > 0 && parameter_ < row().below), name(),
                   ": the parameter is ", parameter_, ", expected a number above 0 and below ",
                   row().below);
  }

 private:
  const detail::ActivationRow& row() const {
    return detail::activation_table[static_cast<int>(kind_)];
  }
  static detail::ActivationKind kind_named(const std::string& name) {
    std::string known;
    int kind = 0;
    for (const auto& row : detail::activation_table) {
      if (name == row.name) return static_cast<detail::ActivationKind>(kind);
      known += known.empty() ? row.name : std::string(", ") + row.name;
      ++kind;
    }
    throw InvalidArgument(
        detail::sentence("the activation is '", name, "', expected one of ", known));
  }

  detail::ActivationKind kind_ = detail::ActivationKind::identity;
  double parameter_ = 0;
};

DASVDD_NAMESPACE_END
