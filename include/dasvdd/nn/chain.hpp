#pragma once
/// \file
/// The static chain: layers composed, and checked, at compile time.

#include <dasvdd/nn/network.hpp>

#include <tuple>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// The scalar type of a chain: its first layer's.
template <class First, class... Rest>
struct ChainScalar {
  static_assert(
      !IsActivation<First>::value,
      "dasvdd: a chain starts with a layer that knows its size, such as dense<float>(784, 256)");
  using type = typename First::Scalar;
};

template <class L, class = void>
struct FixedSizes {
  static constexpr int inputs = Eigen::Dynamic, outputs = Eigen::Dynamic;
};
template <class L>
struct FixedSizes<L, std::void_t<decltype(L::fixed_inputs)>> {
  static constexpr int inputs = L::fixed_inputs, outputs = L::fixed_outputs;
};

/// Whether every fixed size equals the size before it. Sizes known at run time are checked then.
template <class... Layers>
constexpr bool fixed_sizes_meet() {
  int size = Eigen::Dynamic;
  bool meet = true;
  const auto visit = [&](int inputs, int outputs, bool elementwise) {
    if (elementwise) return;
    if (size != Eigen::Dynamic && inputs != Eigen::Dynamic && inputs != size) meet = false;
    size = outputs;
  };
  (visit(FixedSizes<Layers>::inputs, FixedSizes<Layers>::outputs, IsActivation<Layers>::value),
   ...);
  return meet;
}

/// Layers in a row, `Chain<Dense<float>, LeakyRelu, ...>`, written with chain(...). The compiler
/// refuses types that don't fit, the constructor refuses sizes that don't.
template <class... Layers>
class Chain {
  static_assert(sizeof...(Layers) > 0, "dasvdd: a chain has at least one layer");

 public:
  using Scalar = typename detail::ChainScalar<Layers...>::type;
  static_assert(detail::fixed_sizes_meet<Layers...>(),
                "dasvdd: each layer of a chain takes as many inputs as the layer before it gives");

  explicit Chain(Layers... layers) : layers_(std::move(layers)...) {
    std::apply([this](const auto&... layer) { (network_.add(layer), ...); }, layers_);
  }

  /// Layer number Position.
  template <std::size_t Position>
  const auto& layer() const {
    return std::get<Position>(layers_);
  }
  Index inputs() const { return network_.inputs(); }
  Index outputs() const { return network_.outputs(); }
  /// The same chain as a run-time value.
  const Network<Scalar>& network() const { return network_; }

 private:
  std::tuple<Layers...> layers_;
  Network<Scalar> network_;
};

}  // namespace detail

/// Composes layers: `chain(dense<float>(784, 256), leaky_relu(), dense<float>(256, 64))`.
template <class... Layers>
detail::Chain<Layers...> chain(Layers... layers) {
  return detail::Chain<Layers...>(std::move(layers)...);
}

DASVDD_NAMESPACE_END
