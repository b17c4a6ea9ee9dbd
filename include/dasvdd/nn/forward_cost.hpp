#pragma once
/// \file
/// What a net's forward pass takes, for those who must know before they carry it out.

#include <dasvdd/nn/network.hpp>

#include <cstdint>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What reading or writing a number takes, in multiply-adds of dense layers. With it, what is not a product (an
/// activation's function, a copy) takes what it was measured to.
constexpr std::int64_t cost_of_number = 16;

/// What a product of one row and a matrix takes, which is packed in whole strips.
inline std::int64_t product_cost(Index inputs, Index outputs) {
  return saturating_product(inputs, std::int64_t(ceil_div(outputs, widest_panel)) * widest_panel);
}

/// What the forward pass of one row takes, as long as so many multiply-adds of a dense layer, of which a core
/// carries out 2^36 in about a second. Network::multiply_adds() says how many there are: an activation has none.
template <class Scalar>
std::int64_t forward_cost(const Network<Scalar>& net) {
  std::int64_t sum = 0;
  for (const auto& step : net.steps()) {
    if (step.kind == Step<Scalar>::Kind::dense)
      sum = saturating_sum(sum, product_cost(step.inputs, step.outputs));
    if (step.kind == Step<Scalar>::Kind::layer) sum = saturating_sum(sum, step.layer->cost());
    sum = saturating_sum(sum, cost_of_number * (std::int64_t(step.inputs) + step.outputs));
  }
  return sum;
}

}  // namespace detail
DASVDD_NAMESPACE_END
