#pragma once
/// \file
/// The scoring executor of narrow nets: strips of samples at once, one in each place of a vector.
///
/// A layer of ten outputs leaves most of a vector of outputs empty; a vector of samples is always full. So the two
/// factors of a product change their roles, Y^T = W X^T, and the result of a layer is the strip that the next one
/// reads. Each output still adds its products in the same order: the bits are those of PackedNetwork.

#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/nn/autoencoder.hpp>

#include <algorithm>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Whether a net consists of dense layers and activations, none wider than a vector or two.
template <class Scalar>
bool is_narrow(const Network<Scalar>& net) {
  constexpr Index widest = kernels::widest_strip_layer;
  for (const auto& step : net.steps()) {
    if (step.kind == Step<Scalar>::Kind::layer) return false;
    if (step.inputs > widest || step.outputs > widest) return false;
  }
  return true;
}

/// Memory of one thread: strips of the input, of two results that layers alternate between, and of the latent code.
template <class Scalar>
struct NarrowBuffers {
  AlignedBuffer<Scalar> input, results[2], code;
  /// \param size numbers in the strips of the widest layer
  explicit NarrowBuffers(Index size = 0) : input(size), code(size) {
    for (auto& result : results) result = AlignedBuffer<Scalar>(size);
  }
};

/// Carries out the steps on b.input, so many strips as pack_rows makes them of samples; returns the output's strips,
/// null where `decode` is false.
/// \param parameters in the net's flat layout
template <class Scalar>
const Scalar* narrow_forward(const kernels::Table<Scalar>& k, const Autoencoder<Scalar>& net,
                             const Scalar* parameters, bool decode, Index strips,
                             NarrowBuffers<Scalar>& b) {
  const auto& steps = net.joined().steps();
  const std::size_t code = static_cast<std::size_t>(net.code_steps()) - 1;
  const std::size_t last = decode ? steps.size() : code + 1;
  const Scalar* in = b.input.data();
  for (std::size_t l = 0; l < last; ++l) {
    const auto& s = steps[l];
    Scalar* out = l == code ? b.code.data() : b.results[l % 2].data();
    if (s.kind == Step<Scalar>::Kind::dense) {
      k.strip_layer({strips, s.inputs, s.outputs, parameters + s.weight_at,
                     s.bias ? parameters + s.bias_at : nullptr, s.activation, in, out});
    } else {
      const Index size = strips * s.outputs * k.panel;
      k.activate(s.activation, in, size, out, size, 1, size);
    }
    in = out;
  }
  return decode ? in : nullptr;
}

}  // namespace detail
DASVDD_NAMESPACE_END
