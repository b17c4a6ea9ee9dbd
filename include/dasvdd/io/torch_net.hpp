#pragma once
/// \file
/// An autoencoder that was trained elsewhere, from a safetensors file with the tensors of a torch.nn.Sequential.

#include <dasvdd/io/model_layout.hpp>
#include <dasvdd/io/tensor_file.hpp>
#include <dasvdd/nn/autoencoder.hpp>
#include <dasvdd/nn/batch_norm.hpp>
#include <dasvdd/nn/conv2d.hpp>
#include <dasvdd/nn/conv_transpose2d.hpp>
#include <dasvdd/nn/max_pool2d.hpp>
#include <dasvdd/nn/upsample_nearest2d.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What the tensors don't say of a net.
struct TorchLayers {
  /// The modules in their order, with commas between them and one | between encoder and decoder; see
  /// TorchReader. Empty: from the tensors, where there are none but of Linear and BatchNorm1d.
  std::string modules;
  /// Without `modules`: what stands where there are no tensors, "relu" or "leaky_relu:0.2".
  std::string activation;
  double epsilon = 1e-5;    ///< of every batch_norm that names none
  Shape image = {0, 0, 0};  ///< the input's shape, where the first layers are of images
};

/// A net and its numbers in the flat layout.
template <class Scalar>
struct TorchNet {
  Autoencoder<Scalar> net;
  AlignedBuffer<Scalar> parameters, statistics;
};

/// Reads such a file. Tensors are named `{prefix}{i}.{kind}`, i the module's number; one prefix for an
/// autoencoder in one Sequential ("" or "net."), or two for an encoder and a decoder ("encoder.",
/// "decoder."). Modules are written
///
/// | as | torch.nn's |
/// | --- | --- |
/// | `linear` | Linear |
/// | `batch_norm[:EPSILON]` | BatchNorm1d, BatchNorm2d; EPSILON as TorchLayers says |
/// | `conv2d[:STRIDE[:PADDING]]` | Conv2d with a square kernel; 1 and 0 |
/// | `conv_transpose2d[:STRIDE[:PADDING]]` | ConvTranspose2d, the same |
/// | `max_pool2d:KERNEL[:STRIDE]` | MaxPool2d; the stride is the kernel |
/// | `upsample:SCALE` | Upsample, nearest |
/// | `unflatten:C:H:W` | Unflatten(1, (C, H, W)) |
/// | `flatten`, `dropout`, `identity` | Flatten, Dropout, Identity, which do nothing here |
/// | `relu`, `leaky_relu[:SLOPE]`, `elu[:ALPHA]`, ... | the activations of Activation |
///
/// Every module counts, as in PyTorch. Sizes come from the tensors.
template <class Scalar>
class TorchReader {
 public:
  TorchReader(const TensorFile& file, const TorchLayers& layers) : file_(file), layers_(layers) {}

  /// \throws FileError for a file whose tensors aren't such a net's; InvalidArgument for layers that
  ///   don't fit together
  TorchNet<Scalar> read() {
    sort_tensors();
    if (layers_.image.size() > 0) image_ = layers_.image;
    const auto [of_encoder, of_decoder] = layers_.modules.empty() ? inferred() : written();
    const bool apart = halves_.size() == 2;
    const Network<Scalar> encoder = network(halves_.front().second, of_encoder, 0);
    const Network<Scalar> decoder = network(halves_.back().second, of_decoder,
                                            apart ? 0 : static_cast<Index>(of_encoder.size()));
    for (const auto& half : halves_) {
      for (const auto& module : half.second) {
        for (const auto& tensor : module.second) {
          validate(taken_.count(tensor.second) == 1, "tensor ", in_quotes(tensor.second->name),
                   " belongs to no layer");
        }
      }
    }
    return filled(Autoencoder<Scalar>(encoder, decoder));
  }

 private:
  /// A module's tensors by kind, a half's modules by number.
  using Module = std::map<std::string, const Tensor*>;
  using Modules = std::map<Index, Module>;
  /// Names of modules, of the encoder and of the decoder.
  using Names = std::pair<std::vector<std::string>, std::vector<std::string>>;

  template <class... Parts>
  void validate(bool condition, const Parts&... parts) const {
    if (!condition) throw FileError(sentence(error_prefix(file_.source()), parts...));
  }

  static std::optional<Index> index_of(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 0) return {};
    return number;
  }

  void sort_tensors() {
    std::map<std::string, Modules> by_prefix;
    for (const Tensor& tensor : file_.tensors()) {
      const std::string_view name = tensor.name;
      const std::size_t kind = name.rfind('.');
      const std::size_t before =
          kind == 0 || kind == name.npos ? name.npos : name.rfind('.', kind - 1);
      const std::size_t at = before == name.npos ? 0 : before + 1;
      const auto number = kind == name.npos ? std::nullopt : index_of(name.substr(at, kind - at));
      validate(number.has_value(), "tensor ", in_quotes(tensor.name),
               " isn't named as torch.nn.Sequential names its own: '0.weight', 'encoder.0.weight'");
      if (name.substr(kind + 1) == "num_batches_tracked") continue;
      by_prefix[std::string(name.substr(0, at))][*number][std::string(name.substr(kind + 1))] =
          &tensor;
    }
    validate(!by_prefix.empty(), "there is no tensor in it");
    std::string prefixes;
    for (auto& [prefix, modules] : by_prefix) {
      prefixes += (prefixes.empty() ? "" : ", ") + in_quotes(prefix);
      halves_.emplace_back(prefix, std::move(modules));
    }
    const auto is = [&](std::size_t half, const char* word) {
      return halves_[half].first.find(word) != std::string::npos;
    };
    if (halves_.size() == 2 && is(0, "decoder") && is(1, "encoder"))
      std::swap(halves_[0], halves_[1]);
    validate(halves_.size() == 1 || (halves_.size() == 2 && is(0, "encoder") && is(1, "decoder")),
             "the tensors are of ", halves_.size(), " nets (", prefixes,
             "), expected one, or an encoder and a decoder");
  }

  // ---- which modules ----------------------------------------------------------------------------

  static std::vector<std::string> split(std::string_view text, char at) {
    std::vector<std::string> parts;
    for (;;) {
      const std::size_t end = (std::min)(text.find(at), text.size());
      std::string part;
      for (const char c : text.substr(0, end)) {
        if (c != ' ' && c != '\n' && c != '\t') part += c;
      }
      parts.push_back(part);
      if (end == text.size()) return parts;
      text.remove_prefix(end + 1);
    }
  }

  /// As the caller says.
  Names written() const {
    const std::vector<std::string> halves = split(layers_.modules, '|');
    ensure(halves.size() == 2, "the layers have ", halves.size() - 1,
           " signs |, expected one, between encoder and decoder");
    const auto names = [](const std::string& half) {
      std::vector<std::string> list = split(half, ',');
      // "a, | b" reads as well as "a | b".
      if (list.back().empty()) list.pop_back();
      if (!list.empty() && list.front().empty()) list.erase(list.begin());
      return list;
    };
    return {names(halves[0]), names(halves[1])};
  }

  /// From the tensors, where they leave no doubt.
  Names inferred() const {
    std::vector<std::vector<std::string>> halves;
    for (const auto& [prefix, modules] : halves_) {
      const Index last = modules.rbegin()->first;
      validate(last < 10000, "module ", last, " is one too many, expected at most 10000");
      std::vector<std::string> names(static_cast<std::size_t>(last) + 1);
      for (std::size_t i = 0; i < names.size(); ++i) {
        const auto module = modules.find(static_cast<Index>(i));
        if (module == modules.end()) {
          validate(!layers_.activation.empty(), "module ", prefix, i,
                   " has no tensors: say which activation stands there, or all layers");
          names[i] = layers_.activation;
        } else if (module->second.count("running_mean")) {
          names[i] = "batch_norm";
        } else {
          const auto weight = module->second.find("weight");
          validate(weight != module->second.end() && weight->second->shape.size() == 2, "module ",
                   prefix, i, " is no Linear and no BatchNorm1d: say all layers");
          names[i] = "linear";
        }
      }
      halves.push_back(std::move(names));
    }
    if (halves.size() == 1) return cut_behind_narrowest(halves[0]);
    return {halves[0], halves[1]};
  }

  /// Of a net in one piece the code is what comes before the linear layer that follows the narrowest.
  Names cut_behind_narrowest(const std::vector<std::string>& names) const {
    const Modules& modules = halves_[0].second;
    std::vector<std::size_t> linear;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == "linear") linear.push_back(i);
    }
    const auto width = [&](std::size_t l) {
      return modules.at(static_cast<Index>(linear[l])).at("weight")->shape[0];
    };
    std::size_t narrowest = 0, count = 0;
    for (std::size_t l = 0; l + 1 < linear.size(); ++l) {
      if (width(l) < width(narrowest)) narrowest = l;
    }
    for (std::size_t l = 0; l + 1 < linear.size(); ++l) count += width(l) == width(narrowest);
    validate(
        count == 1, "the net has ", count,
        " layers that are the narrowest, expected one, the code: say all layers, with | behind "
        "the code");
    const auto cut = names.begin() + static_cast<std::ptrdiff_t>(linear[narrowest + 1]);
    return {{names.begin(), cut}, {cut, names.end()}};
  }

  // ---- layers -----------------------------------------------------------------------------------

  /// A module's name and the numbers behind it.
  struct Words {
    std::string name;
    std::vector<double> numbers;
  };
  Words words(const std::string& text) const {
    const std::vector<std::string> parts = split(text, ':');
    Words result{parts[0], {}};
    for (std::size_t i = 1; i < parts.size(); ++i) {
      double number = 0;
      const char* last = parts[i].data() + parts[i].size();
      const auto [end, error] = std::from_chars(parts[i].data(), last, number);
      ensure(error == std::errc() && end == last && is_finite(number), "layer ", in_quotes(text),
             " has ", in_quotes(parts[i]), " behind a colon, expected a number");
      result.numbers.push_back(number);
    }
    return result;
  }

  /// \param first number of the first module in its Sequential
  Network<Scalar> network(const Modules& modules, const std::vector<std::string>& names,
                          Index first) {
    Network<Scalar> net;
    for (const std::string& name : names) {
      const auto found = modules.find(first);
      add(net, name, found == modules.end() ? Module() : found->second, first);
      ++first;
    }
    ensure(!net.empty(), "the encoder or the decoder has no layer, expected at least one each");
    return net;
  }

  void add(Network<Scalar>& net, const std::string& text, const Module& module, Index number) {
    const Words layer = words(text);
    const std::string& name = layer.name;
    const auto numbers = [&](std::size_t least, std::size_t most) {
      ensure(layer.numbers.size() >= least && layer.numbers.size() <= most, "layer ",
             in_quotes(text), " has ", layer.numbers.size(), " numbers behind its name, expected ",
             least, least == most ? std::string() : sentence(" to ", most));
    };
    const auto size = [&](std::size_t i, Index usual) {
      if (i >= layer.numbers.size()) return usual;
      const double n = layer.numbers[i];
      ensure(n >= 0 && n <= 1e9 && n == std::floor(n), "layer ", in_quotes(text),
             " has the number ", n, ", expected whole numbers from 0");
      return static_cast<Index>(n);
    };
    const auto shape_of = [&](const char* kind,
                              std::size_t dimensions) -> const std::vector<Index>& {
      const auto tensor = module.find(kind);
      validate(tensor != module.end(), "module ", number, ", ", in_quotes(text), ", has no tensor ",
               in_quotes(kind));
      const std::vector<Index>& shape = tensor->second->shape;
      validate(shape.size() == dimensions, "tensor ", in_quotes(tensor->second->name), " is ",
               shape_text(shape), ", expected ", dimensions, " dimensions for ", in_quotes(text));
      return shape;
    };
    const auto has = [&](const char* kind) { return module.count(kind) == 1; };
    const auto image = [&] {
      ensure(
          image_.has_value(), "layer ", in_quotes(text),
          " takes images, but nothing says of which shape: the image's shape does, or unflatten");
      return *image_;
    };
    // What a layer takes of its module; the net's tensors come in the order of its layers.
    const auto takes_tensors = [&] {
      sources_.push_back(module);
      for (const char* kind : {"weight", "bias", "running_mean", "running_var"}) {
        if (has(kind) && (name == "batch_norm" || kind[0] != 'r')) taken_.insert(module.at(kind));
      }
    };
    const auto add_image_layer = [&](const auto& layer_of_images) {
      net.add(layer_of_images);
      image_ = layer_of_images.output_shape();
    };

    if (name == "flatten" || name == "dropout" || name == "identity") {
      numbers(0, name == "dropout" ? 1 : 0);
    } else if (name == "unflatten") {
      numbers(3, 3);
      image_ = Shape{size(0, 0), size(1, 0), size(2, 0)};
      check_shape("unflatten", "image", *image_);
    } else if (name == "linear") {
      numbers(0, 0);
      const std::vector<Index>& shape = shape_of("weight", 2);
      net.add(Dense<Scalar>(shape[1], shape[0], has("bias")));
      image_.reset();
      takes_tensors();
    } else if (name == "batch_norm") {
      numbers(0, 1);
      const Index channels = shape_of("running_mean", 1)[0];
      validate(has("weight") == has("bias"), "module ", number,
               " has one of factor and shift, expected both or none");
      net.add(BatchNorm<Scalar>(image_ ? *image_ : Shape{channels, 1, 1},
                                layer.numbers.empty() ? layers_.epsilon : layer.numbers[0], 0.1,
                                has("weight")));
      takes_tensors();
    } else if (name == "conv2d" || name == "conv_transpose2d") {
      numbers(0, 2);
      const std::vector<Index>& shape = shape_of("weight", 4);
      const bool plain = name == "conv2d";
      const Shape in = image();
      validate(shape[2] == shape[3], "module ", number, " has a kernel of ", shape[2], " x ",
               shape[3], ", expected a square one");
      validate(shape[plain ? 1 : 0] == in.channels, "module ", number, " takes ",
               shape[plain ? 1 : 0], " channels, its image has ", in.channels);
      const Index stride = size(0, 1), padding = size(1, 0);
      if (plain) {
        add_image_layer(Conv2d<Scalar>(in, shape[0], shape[2], stride, padding, has("bias")));
      } else {
        add_image_layer(
            ConvTranspose2d<Scalar>(in, shape[1], shape[2], stride, padding, has("bias")));
      }
      takes_tensors();
    } else if (name == "max_pool2d") {
      numbers(1, 2);
      add_image_layer(MaxPool2d<Scalar>(image(), size(0, 0), size(1, 0)));
    } else if (name == "upsample") {
      numbers(1, 1);
      add_image_layer(UpsampleNearest2d<Scalar>(image(), size(0, 0)));
    } else {
      numbers(0, 1);
      net.add(layer.numbers.empty() ? Activation(name) : Activation(name, layer.numbers[0]));
    }
  }

  // ---- numbers ----------------------------------------------------------------------------------

  TorchNet<Scalar> filled(const Autoencoder<Scalar>& net) const {
    TorchNet<Scalar> result{net, AlignedBuffer<Scalar>(net.parameters()),
                            AlignedBuffer<Scalar>(net.statistics())};
    std::string layer;
    auto source = sources_.begin();
    for (const TensorPlace& place : tensor_places(net)) {
      const std::size_t dot = place.name.rfind('.');
      const std::string of = place.name.substr(0, dot);
      if (!layer.empty() && of != layer) ++source;
      layer = of;
      const auto found = source->find(place.name.substr(dot + 1));
      validate(found != source->end(), "there is no tensor for ", in_quotes(place.name));
      const Tensor& tensor = *found->second;
      validate(tensor.shape == place.shape, "tensor ", in_quotes(tensor.name), " is ",
               shape_text(tensor.shape), ", expected ", shape_text(place.shape));
      const std::vector<double> numbers = numbers_of(tensor);
      Scalar* to = (place.statistics ? result.statistics : result.parameters).data() + place.at;
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        to[i] = static_cast<Scalar>(numbers[i]);
        validate(is_finite(to[i]), "tensor ", in_quotes(tensor.name), " has ", numbers[i],
                 " at index ", i, ", expected finite numbers");
        validate(!place.is_variance() || to[i] >= 0, "tensor ", in_quotes(tensor.name),
                 " has the variance ", numbers[i], ", expected none below 0");
      }
    }
    return result;
  }

  std::vector<double> numbers_of(const Tensor& tensor) const {
    if (tensor.dtype == DType::F64) return tensor.as<double>();
    validate(tensor.dtype == DType::F32, "tensor ", in_quotes(tensor.name), " is ",
             name_of(tensor.dtype), ", expected F32 or F64");
    const std::vector<float> narrow = tensor.as<float>();
    return {narrow.begin(), narrow.end()};
  }

  const TensorFile& file_;
  const TorchLayers& layers_;
  std::vector<std::pair<std::string, Modules>> halves_;  // prefix and modules of one net or two
  std::optional<Shape> image_;   // what the last layer gives, where it is one
  std::vector<Module> sources_;  // of the layers that have tensors
  std::set<const Tensor*> taken_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
