#pragma once
/// \file
/// The layers of a net as JSON, and a net made again from that.

#include <dasvdd/io/image_layers.hpp>
#include <dasvdd/nn/dense.hpp>
#include <dasvdd/nn/network.hpp>

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Makes a layer of the user's own from what its spec() said; null for a name it doesn't know.
template <class Scalar>
using LayerFactory = std::function<std::shared_ptr<const Layer<Scalar>>(const LayerSpec&)>;

/// One half of a net as JSON: a list with one [name, number, ...] a layer.
template <class Scalar>
nlohmann::json net_to_json(const Network<Scalar>& net) {
  nlohmann::json layers = nlohmann::json::array();
  const auto entry = [](const std::string& name, const std::vector<double>& numbers) {
    nlohmann::json layer = {name};
    for (const double number : numbers) {
      // Sizes read better as 784 than as 784.0.
      const bool whole = std::fabs(number) < 1e15 && number == std::floor(number);
      layer.push_back(whole ? nlohmann::json(static_cast<std::int64_t>(number))
                            : nlohmann::json(number));
    }
    return layer;
  };
  const auto activation = [&](const Activation& f) {
    return entry(f.name(),
                 f.takes_parameter() ? std::vector<double>{f.parameter()} : std::vector<double>{});
  };
  for (const auto& s : net.steps()) {
    // An identity behind a dense layer leaves no step but counts as a layer.
    while (static_cast<Index>(layers.size()) < s.position) layers.push_back(entry("identity", {}));
    if (s.kind == Step<Scalar>::Kind::dense) {
      layers.push_back(entry("dense", {double(s.inputs), double(s.outputs), s.bias ? 1.0 : 0.0}));
      if (s.has_activation()) layers.push_back(activation(s.activation));
    } else if (s.kind == Step<Scalar>::Kind::activation) {
      layers.push_back(activation(s.activation));
    } else {
      const LayerSpec spec = s.layer->spec();
      ensure(!spec.name.empty(), "layer ", s.position,
             " of the net has no spec(), so a model file can't name it; see dasvdd/nn/layer.hpp");
      layers.push_back(entry(spec.name, spec.numbers));
    }
  }
  return layers;
}

/// One entry of the list.
/// \param where begins the sentence: "layer 3 of the encoder"
inline LayerSpec layer_from_json(const nlohmann::json& layer, const std::string& where) {
  ensure(layer.is_array() && !layer.empty() && layer[0].is_string(), where,
         " is no list of a name and numbers");
  LayerSpec spec{layer[0].get<std::string>(), {}};
  for (std::size_t k = 1; k < layer.size(); ++k) {
    ensure(layer[k].is_number(), where, " has something else than numbers behind its name");
    spec.numbers.push_back(layer[k].get<double>());
  }
  return spec;
}

/// Reads what net_to_json wrote. Throws InvalidArgument where it isn't a net.
template <class Scalar>
Network<Scalar> net_from_json(const nlohmann::json& layers, const char* half,
                              const LayerFactory<Scalar>& factory) {
  ensure(layers.is_array(), "the ", half, " is no list of layers");
  // Parameters are counted before the tensors are looked at; so few layers can't make the count
  // overflow.
  ensure(layers.size() <= 10000, "the ", half, " has ", layers.size(),
         " layers, at most 10000 are read");
  Network<Scalar> net;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string where = sentence("layer ", i, " of the ", half);
    const LayerSpec spec = layer_from_json(layers[i], where);
    if (spec.name == "dense") {
      bool sizes = spec.numbers.size() == 3;
      // Dense checks the sizes; here they need only be whole and small enough to be an Index.
      for (const double n : spec.numbers) sizes = sizes && n >= 0 && n <= 1e9 && n == std::floor(n);
      ensure(sizes, where, " is dense but not followed by inputs, outputs and 0 or 1");
      net.add(Dense<Scalar>(static_cast<Index>(spec.numbers[0]),
                            static_cast<Index>(spec.numbers[1]), spec.numbers[2] != 0));
    } else if (const auto made = factory ? factory(spec) : nullptr) {
      net.add(made);
    } else if (const auto known = make_image_layer<Scalar>(spec, where)) {
      net.add(known);
    } else {
      const Activation usual(spec.name);
      // A later format may mean something by more numbers.
      const std::size_t most = usual.takes_parameter() ? 1 : 0;
      ensure(spec.numbers.size() <= most, where, " is ", spec.name, " followed by ",
             spec.numbers.size(), spec.numbers.size() == 1 ? " number" : " numbers", ", expected ",
             most == 0 ? "none" : "its parameter alone");
      net.add(spec.numbers.empty() ? usual : Activation(spec.name, spec.numbers[0]));
    }
  }
  return net;
}

}  // namespace detail
DASVDD_NAMESPACE_END
