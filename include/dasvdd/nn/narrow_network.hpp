#pragma once
/// \file
/// The scoring executor of narrow nets: sixteen samples at once, one in each place of a vector.
///
/// A layer of ten outputs leaves most of a vector of outputs empty; a vector of samples is always full. Each
/// output still adds its products in the same order, so the bits are those of PackedNetwork.

#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/nn/autoencoder.hpp>

#include <algorithm>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Samples in one block: feature j of sample s is block[j * 16 + s].
constexpr Index narrow_block = 16;

/// Whether a net consists of dense layers and activations, none wider than a vector or two.
template <class Scalar>
bool is_narrow(const Network<Scalar>& net) {
  constexpr Index widest = 32;
  for (const auto& step : net.steps()) {
    if (step.kind == Step<Scalar>::Kind::layer) return false;
    if (step.inputs > widest || step.outputs > widest) return false;
  }
  return true;
}

/// Memory of one thread: the block of inputs, two that layers alternate between, and the code.
template <class Scalar>
struct NarrowBuffers {
  AlignedBuffer<Scalar> input, results[2], code;
  explicit NarrowBuffers(Index widest = 0)
      : input(widest * narrow_block), code(widest * narrow_block) {
    for (auto& result : results) result = AlignedBuffer<Scalar>(widest * narrow_block);
  }
};

/// Carries out the steps on b.input; returns the output's block, null where `decode` is false.
/// \param parameters in the net's flat layout
template <class Scalar>
const Scalar* narrow_forward(const kernels::Table<Scalar>& k, const Autoencoder<Scalar>& net,
                             const Scalar* parameters, bool decode, NarrowBuffers<Scalar>& b) {
  const auto& steps = net.joined().steps();
  const std::size_t code = static_cast<std::size_t>(net.code_steps()) - 1;
  const std::size_t last = decode ? steps.size() : code + 1;
  const Scalar* in = b.input.data();
  for (std::size_t l = 0; l < last; ++l) {
    const auto& s = steps[l];
    Scalar* out = l == code ? b.code.data() : b.results[l % 2].data();
    if (s.kind == Step<Scalar>::Kind::dense) {
      k.narrow_product(parameters + s.weight_at, s.bias ? parameters + s.bias_at : nullptr,
                       s.outputs, s.inputs, in, out, s.activation);
    } else {
      k.activate(s.activation, in, narrow_block, out, narrow_block, s.outputs, narrow_block);
    }
    in = out;
  }
  return decode ? in : nullptr;
}

}  // namespace detail
DASVDD_NAMESPACE_END
