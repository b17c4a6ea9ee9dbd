#pragma once
/// \file
/// Nets from Python: layers, and autoencoders put together of them.

#include <nanobind/nanobind.h>

#include <dasvdd/io/net_json.hpp>
#include <dasvdd/nn/autoencoder.hpp>

#include <nlohmann/json.hpp>
#include <utility>

namespace dasvdd::python {

/// An autoencoder whose type of number is not decided yet: its layers as a model file lists them.
struct AnyNet {
  nlohmann::json encoder, decoder;

  /// Throws InvalidArgument where the layers make no net.
  template <class Scalar>
  Autoencoder<Scalar> net() const {
    return {detail::net_from_json<Scalar>(encoder, "encoder", {}),
            detail::net_from_json<Scalar>(decoder, "decoder", {})};
  }
  template <class Scalar>
  static AnyNet of(const Autoencoder<Scalar>& net) {
    return {detail::net_to_json(net.encoder()), detail::net_to_json(net.decoder())};
  }
};

void bind_nets(nanobind::module_& m);

}  // namespace dasvdd::python
