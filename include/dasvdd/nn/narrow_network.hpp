#pragma once
/// \file
/// The scoring executor of narrow nets: a strip of samples at once, one in each place of a vector.
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
  constexpr Index widest = 32;
  for (const auto& step : net.steps()) {
    if (step.kind == Step<Scalar>::Kind::layer) return false;
    if (step.inputs > widest || step.outputs > widest) return false;
  }
  return true;
}

/// Memory of one thread: strips of the input, of two results that layers alternate between, and of the code.
template <class Scalar>
struct NarrowBuffers {
  AlignedBuffer<Scalar> input, results[2], code;
  explicit NarrowBuffers(Index strip = 0) : input(strip), code(strip) {
    for (auto& result : results) result = AlignedBuffer<Scalar>(strip);
  }
};

/// Carries out the steps on b.input, a strip as pack_rows makes it of `panel` samples; returns the output's strip,
/// null where `decode` is false.
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
    const Index size = s.outputs * k.panel;
    if (s.kind == Step<Scalar>::Kind::dense) {
      // out(o, s) = bias(o) + sum over k of w(o, k) in(k, s), then f.
      k.strip_of_one(s.bias ? parameters + s.bias_at : nullptr, s.outputs, out);
      k.product_add(
          {s.outputs, k.panel, s.inputs, in, parameters + s.weight_at, s.inputs, 1, out, k.panel});
      k.activate(s.activation, out, size, out, size, 1, size);
    } else {
      k.activate(s.activation, in, size, out, size, 1, size);
    }
    in = out;
  }
  return decode ? in : nullptr;
}

}  // namespace detail
DASVDD_NAMESPACE_END
