#include "nets.hpp"

#include "options.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <dasvdd/nn/conv_autoencoder.hpp>
#include <dasvdd/train/presets.hpp>

#include <optional>
#include <string>
#include <vector>

namespace dasvdd::python {
namespace {

namespace nb = nanobind;
using namespace nb::literals;
using Json = nlohmann::json;

/// One layer in words and numbers. Checked by the library's own layer when it is made.
struct AnyLayer {
  Json entry;                         ///< [name, number, ...]
  std::optional<Shape> output_shape;  ///< of the layers of images

  std::string text() const { return entry.dump(); }
};

Json json_of(const LayerSpec& spec) {
  Json entry = {spec.name};
  for (const double number : spec.numbers) {
    const auto whole = static_cast<std::int64_t>(number);  // 784 reads better than 784.0
    entry.push_back(static_cast<double>(whole) == number ? Json(whole) : Json(number));
  }
  return entry;
}

template <class Layer>
AnyLayer layer_of(const Layer& layer) {
  return {json_of(layer.spec()), layer.output_shape()};
}

AnyLayer dense_layer(Index inputs, Index outputs, bool bias) {
  const auto layer = dense<float>(inputs, outputs, bias);
  return {json_of({"dense", {double(layer.inputs()), double(layer.outputs()), bias ? 1.0 : 0.0}}),
          {}};
}

AnyLayer activation_layer(const Activation& f) {
  return {json_of({f.name(), f.takes_parameter() ? std::vector<double>{f.parameter()}
                                                 : std::vector<double>{}}),
          {}};
}
AnyLayer named_activation(const std::string& name, std::optional<double> parameter) {
  return activation_layer(parameter ? Activation(name, *parameter) : Activation(name));
}
AnyLayer leaky(double slope) { return activation_layer(leaky_relu(slope)); }

/// An activation given by name, or by None for the identity.
Activation activation_of(const nb::object& given, const char* what) {
  if (given.is_none()) return {};
  std::string name;
  if (nb::try_cast<std::string>(given, name)) return Activation(name);
  if (nb::isinstance<AnyLayer>(given)) {
    const Json& entry = nb::cast<const AnyLayer&>(given).entry;
    const std::string kind = entry[0].get<std::string>();
    return entry.size() > 1 ? Activation(kind, entry[1].get<double>()) : Activation(kind);
  }
  throw InvalidArgument(
      detail::sentence(what, " is ", shown(given), ", expected an activation, its name, or None"));
}

Shape shape_of(const std::vector<Index>& sizes) {
  detail::ensure(sizes.size() == 3, "a shape of ", sizes.size(),
                 " numbers, expected three: channels, height, width");
  return {sizes[0], sizes[1], sizes[2]};
}

nb::object tuple_of(const std::optional<Shape>& shape) {
  if (!shape) return nb::none();
  return nb::make_tuple(shape->channels, shape->height, shape->width);
}

/// A list of layers, or one list inside another where a chain was given.
Json list_of(nb::handle layers) {
  Json list = Json::array();
  for (nb::handle layer : layers) {
    if (nb::isinstance<AnyLayer>(layer)) {
      list.push_back(nb::cast<const AnyLayer&>(layer).entry);
    } else if (nb::isinstance<nb::list>(layer) || nb::isinstance<nb::tuple>(layer)) {
      for (const Json& entry : list_of(layer)) list.push_back(entry);
    } else {
      throw InvalidArgument(detail::sentence("a layer is ", shown(layer),
                                             ", expected dasvdd.dense(...) or the like"));
    }
  }
  return list;
}

AnyNet join(nb::handle encoder, const nb::object& decoder) {
  AnyNet net{list_of(encoder), decoder.is_none() ? Json::array() : list_of(decoder)};
  static_cast<void>(net.net<float>());  // refuses layers that don't fit
  return net;
}

nb::tuple preset(const std::string& name) {
  const auto [net, options] = paper_preset<float>(name);
  nb::dict words;
  words["epochs"] = options.epochs;
  words["batch_size"] = options.batch_size;
  words["kappa"] = options.kappa;
  words["learning_rate"] = options.adam.learning_rate;
  words["center_learning_rate"] = options.center.learning_rate;
  return nb::make_tuple(AnyNet::of(net), words);
}

void bind_layers(nb::module_& m) {
  nb::class_<AnyLayer>(m, "Layer",
                       "One layer of a net, made by dense(), conv2d(), relu() and the like.")
      .def_prop_ro(
          "output_shape", [](const AnyLayer& l) { return tuple_of(l.output_shape); },
          nb::sig("def output_shape(self) -> tuple[int, int, int] | None"),
          "(channels, height, width) of what leaves a layer of images, else None.")
      .def("__repr__",
           [](const AnyLayer& l) { return detail::sentence("<dasvdd.Layer: ", l.text(), ">"); });
  m.def("dense", &dense_layer, "inputs"_a, "outputs"_a, "bias"_a = true,
        "A fully connected layer, y = W x + b. Deep SVDD allows no bias.");
  m.def(
      "conv2d",
      [](const std::vector<Index>& shape, Index channels, Index kernel, Index stride, Index padding,
         bool bias) {
        return layer_of(conv2d<float>(shape_of(shape), channels, kernel, stride, padding, bias));
      },
      "input_shape"_a, "channels"_a, "kernel"_a, "stride"_a = 1, "padding"_a = 0, "bias"_a = true,
      "A convolution, as torch.nn.Conv2d. input_shape: (channels, height, width).");
  m.def(
      "conv_transpose2d",
      [](const std::vector<Index>& shape, Index channels, Index kernel, Index stride, Index padding,
         bool bias) {
        return layer_of(
            conv_transpose2d<float>(shape_of(shape), channels, kernel, stride, padding, bias));
      },
      "input_shape"_a, "channels"_a, "kernel"_a, "stride"_a = 1, "padding"_a = 0, "bias"_a = true,
      "A transposed convolution, as torch.nn.ConvTranspose2d.");
  m.def(
      "max_pool2d",
      [](const std::vector<Index>& shape, Index kernel, Index stride) {
        return layer_of(max_pool2d<float>(shape_of(shape), kernel, stride));
      },
      "input_shape"_a, "kernel"_a = 2, "stride"_a = 0,
      "Maximum pooling; stride 0 stands for the kernel's size.");
  m.def(
      "upsample_nearest2d",
      [](const std::vector<Index>& shape, Index scale) {
        return layer_of(upsample_nearest2d<float>(shape_of(shape), scale));
      },
      "input_shape"_a, "scale"_a = 2, "Upsampling by repetition.");
  m.def(
      "batch_norm",
      [](const nb::object& input, double epsilon, double momentum, bool affine) {
        Index features = 0;
        const bool table = nb::try_cast<Index>(input, features);
        const Shape shape =
            table ? Shape{features, 1, 1} : shape_of(nb::cast<std::vector<Index>>(input));
        const detail::BatchNorm<float> layer(shape, epsilon, momentum, affine);
        return AnyLayer{json_of(layer.spec()), shape};
      },
      "input_shape"_a, "epsilon"_a = 1e-5, "momentum"_a = 0.1, "affine"_a = true,
      nb::sig("def batch_norm(input_shape: tuple[int, int, int] | int, epsilon: float = 1e-05, "
              "momentum: float = 0.1, "
              "affine: bool = True) -> Layer"),
      "Batch normalization: of each channel, as torch.nn.BatchNorm2d, or of d features (an int), "
      "as BatchNorm1d.");
  m.def("activation", &named_activation, "name"_a, "parameter"_a = nb::none(),
        R"(An elementwise function by name, as in PyTorch.

"identity", "relu", "selu", "gelu", "silu", "softplus", "tanh" and "sigmoid" take no parameter; "leaky_relu" takes its
slope, "elu" its alpha.)");
  m.def(
      "relu", [] { return activation_layer(relu()); }, "max(x, 0)");
  m.def("leaky_relu", &leaky, "slope"_a = 0.01, "max(x, slope x)");
  m.def(
      "tanh", [] { return activation_layer(tanh()); }, "The hyperbolic tangent.");
  m.def(
      "sigmoid", [] { return activation_layer(sigmoid()); }, "1 / (1 + exp(-x))");
}

}  // namespace

void bind_nets(nb::module_& m) {
  bind_layers(m);
  nb::class_<AnyNet>(
      m, "Autoencoder",
      R"(An encoder and a decoder, joined at the latent code; a shape without parameters.

Made by autoencoder(), dense_autoencoder(), conv_autoencoder() and paper_preset().)")
      .def_prop_ro(
          "inputs", [](const AnyNet& n) { return n.net<float>().inputs(); }, "Features d.")
      .def_prop_ro(
          "code", [](const AnyNet& n) { return n.net<float>().code(); }, "Code units m.")
      .def_prop_ro(
          "has_decoder", [](const AnyNet& n) { return !n.decoder.empty(); },
          "False for Deep SVDD's nets.")
      .def("__getstate__",
           [](const AnyNet& n) {
             return std::vector<std::string>{n.encoder.dump(), n.decoder.dump()};
           })
      .def("__setstate__",
           [](AnyNet& self, const std::vector<std::string>& halves) {
             detail::ensure(halves.size() == 2, "this is no state of an Autoencoder");
             new (&self) AnyNet{Json::parse(halves[0]), Json::parse(halves[1])};
           })
      .def("__repr__", [](const AnyNet& n) {
        return detail::sentence("<dasvdd.Autoencoder: encoder ", n.encoder.dump(), ", decoder ",
                                n.decoder.dump(), ">");
      });
  m.def("autoencoder", &join, "encoder"_a, "decoder"_a = nb::none(),
        nb::sig("def autoencoder(encoder: collections.abc.Sequence[Layer], decoder: "
                "collections.abc.Sequence[Layer] | None = None) -> Autoencoder"),
        R"(Joins encoder and decoder, lists of layers; without a decoder for Deep SVDD.

    net = dasvdd.autoencoder([dasvdd.dense(784, 256), dasvdd.leaky_relu(), dasvdd.dense(256, 32)],
                             [dasvdd.dense(32, 256), dasvdd.leaky_relu(), dasvdd.dense(256, 784), dasvdd.sigmoid()])

Raises
------
ValueError
    Where the sizes don't meet or the output isn't as wide as the input.)");
  m.def(
      "dense_autoencoder",
      [](Index features, const std::vector<Index>& widths, const nb::object& output,
         const nb::object& hidden, const nb::object& code_activation) {
        return AnyNet::of(dense_autoencoder<float>(
            features, widths, activation_of(output, "output"), activation_of(hidden, "hidden"),
            activation_of(code_activation, "code_activation")));
      },
      "features"_a, "widths"_a, "output"_a = nb::none(), "hidden"_a = "leaky_relu",
      "code_activation"_a = "leaky_relu",
      nb::sig("def dense_autoencoder(features: int, widths: collections.abc.Sequence[int], output: "
              "Layer | str | None = "
              "None, hidden: Layer | str | None = 'leaky_relu', code_activation: Layer | str | "
              "None = 'leaky_relu') -> "
              "Autoencoder"),
      R"(A fully connected autoencoder. `widths` are the encoder's layer outputs, the decoder mirrors them.

    net = dasvdd.dense_autoencoder(784, [1024, 256, 256], "sigmoid"))");
  m.def(
      "conv_autoencoder",
      [](const std::vector<Index>& image, const std::optional<std::vector<Index>>& channels,
         Index code, const nb::object& output, const nb::object& code_activation) {
        const Activation last = activation_of(output, "output");
        if (!channels) return AnyNet::of(conv_autoencoder<float>(shape_of(image), last));
        return AnyNet::of(
            conv_autoencoder<float>(shape_of(image), *channels, code, last,
                                    activation_of(code_activation, "code_activation")));
      },
      "image"_a, "channels"_a = nb::none(), "code"_a = 32, "output"_a = "sigmoid",
      "code_activation"_a = nb::none(),
      nb::sig("def conv_autoencoder(image: tuple[int, int, int], channels: "
              "collections.abc.Sequence[int] | None = None, "
              "code: int = 32, output: Layer | str | None = 'sigmoid', code_activation: Layer | "
              "str | None = None) -> "
              "Autoencoder"),
      R"(A convolutional autoencoder in the manner of LeNet.

Parameters
----------
image : (channels, height, width)
channels : list of int, optional
    Of the encoder's blocks. None: those that Deep SVDD is compared with, with a code of 32 for gray images and of 128
    for colored ones.
code : int
    Code units, where `channels` are given.)");
  m.def(
      "paper_preset", &preset, "name"_a,
      nb::sig("def paper_preset(name: str) -> tuple[Autoencoder, dict[str, float]]"),
      R"(An experiment of the DASVDD paper: "mnist", "fashion_mnist", "cifar10", "speech" or "pima".

    net, options = dasvdd.paper_preset("mnist")
    trainer = dasvdd.Trainer(net, **options, seed=7))");
}

}  // namespace dasvdd::python
