#pragma once
/// \file
/// A fitted detector as a file and back: `save(detector, path)`, `load<float>(path)`.
///
/// The file is a TensorFile (safetensors), so that any program that knows the format can look into
/// it. Its tensors, with S the detector's scalar type (F32 or F64) and i a layer's number as in
/// torch.nn.Sequential (activations counted):
///
/// | tensor | shape, type |
/// | --- | --- |
/// | `encoder.{i}.weight`, `encoder.{i}.bias` | out x in, out; S |
/// | `decoder.{i}.weight`, `decoder.{i}.bias` | the same |
/// | the same of a convolution | out x in x k x k (in x out x k x k transposed), out; S |
/// | the same of batch norm, `{...}.running_mean`, `{...}.running_var` | channels; S |
/// | `center` | m; S |
/// | `gamma` | a number; F64 |
/// | `score.reconstruction`, `score.latent` | 2: weight and divisor of the term; F64 |
/// | `score.reconstruction.whitening`, `score.latent.whitening` | d x d, m x m; S; only where the term is whitened |
/// | `scaler.mean`, `scaler.scale` | d; F64; only where the detector scales |
/// | `scaler.contrast_floor` | a number; F64; only where the detector normalizes each row's contrast |
/// | `scaler.softened_image` | channels, height, width; F64; only where the detector softens images |
/// | `calibration.scores` | n, ascending; F64; only after calibrated() |
/// | `threshold` | a number; F64 |
///
/// In an ensemble all but the last five are there once a member, under `members.{k}.`. Metadata:
/// `format` ("dasvdd"), `format_version`, `library_version`, `members`, `net` (the layers as JSON,
/// `members.{k}.net` in an ensemble), and the model's facts. Nothing says when or where: the same
/// run writes the same bytes.

#include <dasvdd/core/version.hpp>
#include <dasvdd/detect/detector.hpp>
#include <dasvdd/io/image_layers.hpp>
#include <dasvdd/io/tensor_file.hpp>

#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// Words beside the model: training options, the seed, whatever a program wants to find again.
using Facts = std::map<std::string, std::string>;

/// Makes a layer of the user's own from what its spec() said; null for a name it doesn't know.
template <class Scalar>
using LayerFactory = std::function<std::shared_ptr<const Layer<Scalar>>(const LayerSpec&)>;

namespace detail {

inline constexpr int model_format_version = 1;

inline bool is_reserved_fact(const std::string& key) {
  return key == "format" || key == "format_version" || key == "library_version" ||
         key == "members" || key == "net" || key.compare(0, 8, "members.") == 0;
}

inline bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// The prefix of member k's tensors.
inline std::string member_prefix(std::size_t k, std::size_t members) {
  return members == 1 ? std::string() : sentence("members.", k, ".");
}

/// A place in the net's flat vectors that is a tensor of its own in the file.
struct TensorPlace {
  std::string name;
  std::vector<Index> shape;
  Index at;  ///< first number in the flat vector
  bool statistics;

  Index size() const {
    Index size = 1;
    for (const Index n : shape) size *= n;
    return size;
  }
};

/// Every tensor of a net in the order of the layers.
template <class Scalar>
std::vector<TensorPlace> tensor_places(const Autoencoder<Scalar>& net) {
  std::vector<TensorPlace> places;
  const auto& steps = net.joined().steps();
  const auto code_steps = static_cast<std::size_t>(net.code_steps());
  for (std::size_t l = 0; l < steps.size(); ++l) {
    const auto& s = steps[l];
    // The joined net counts its layers through; in the file each half counts its own.
    const bool encoder = l < code_steps;
    const Index position = encoder ? net.encoder().steps()[l].position
                                   : net.decoder().steps()[l - code_steps].position;
    const std::string prefix = sentence(encoder ? "encoder." : "decoder.", position, ".");
    if (s.kind == Step<Scalar>::Kind::dense) {
      places.push_back({prefix + "weight", {s.outputs, s.inputs}, s.weight_at, false});
      if (s.bias) places.push_back({prefix + "bias", {s.outputs}, s.bias_at, false});
    } else if (s.kind == Step<Scalar>::Kind::layer) {
      const auto add = [&](std::vector<TensorSpec> tensors, const char* single, Index size,
                           Index at, bool statistics) {
        if (tensors.empty() && size > 0) tensors = {{single, {size}}};
        for (const TensorSpec& tensor : tensors) {
          places.push_back({prefix + tensor.name, tensor.shape, at, statistics});
          at += places.back().size();
        }
      };
      add(s.layer->parameter_tensors(), "weight", s.layer->parameters(), s.weight_at, false);
      add(s.layer->statistics_tensors(), "statistics", s.layer->statistics(), s.statistics_at,
          true);
    }
  }
  return places;
}

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
  const auto activation = [&](const ActivationSpec& f) {
    const bool takes_number = f.kind == Activation::leaky_relu || f.kind == Activation::elu;
    return entry(activation_name(f.kind),
                 takes_number ? std::vector<double>{f.parameter} : std::vector<double>{});
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
      require(!spec.name.empty(), "layer ", s.position,
              " of the net has no spec(), so a model file can't name it; see dasvdd/nn/layer.hpp");
      layers.push_back(entry(spec.name, spec.numbers));
    }
  }
  return layers;
}

/// Reads what net_to_json wrote. Throws InvalidArgument where it isn't a net.
template <class Scalar>
Network<Scalar> net_from_json(const nlohmann::json& layers, const char* half,
                              const LayerFactory<Scalar>& factory) {
  require(layers.is_array(), "the ", half, " is no list of layers");
  // Parameters are counted before the tensors are looked at; so few layers can't make the count
  // overflow.
  require(layers.size() <= 10000, "the ", half, " has ", layers.size(),
          " layers, at most 10000 are read");
  Network<Scalar> net;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const nlohmann::json& layer = layers[i];
    require(layer.is_array() && !layer.empty() && layer[0].is_string(), "layer ", i, " of the ",
            half, " is no list of a name and numbers");
    LayerSpec spec{layer[0].template get<std::string>(), {}};
    for (std::size_t k = 1; k < layer.size(); ++k) {
      require(layer[k].is_number(), "layer ", i, " of the ", half,
              " has something else than numbers behind its name");
      spec.numbers.push_back(layer[k].template get<double>());
    }
    if (spec.name == "dense") {
      bool sizes = spec.numbers.size() == 3;
      // Dense checks the sizes; here they need only be whole and small enough to be an Index.
      for (const double n : spec.numbers) sizes = sizes && n >= 0 && n <= 1e9 && n == std::floor(n);
      require(sizes, "layer ", i, " of the ", half,
              " is dense but not followed by inputs, outputs and 0 or 1");
      net.add(Dense<Scalar>(static_cast<Index>(spec.numbers[0]),
                            static_cast<Index>(spec.numbers[1]), spec.numbers[2] != 0));
    } else if (const auto made = factory ? factory(spec) : nullptr) {
      net.add(made);
    } else if (const auto known =
                   make_image_layer<Scalar>(spec, sentence("layer ", i, " of the ", half))) {
      net.add(known);
    } else {
      net.add(spec.numbers.empty() ? activation(spec.name)
                                   : activation(spec.name, spec.numbers[0]));
    }
  }
  return net;
}

/// Hands out a file's tensors, checked, and knows at the end which nobody asked for.
template <class Scalar>
class ModelReader {
 public:
  explicit ModelReader(const TensorFile& file) : file_(file) {}

  bool has(const std::string& name) const { return file_.contains(name); }
  template <class T>
  std::vector<T> numbers(const std::string& name) {
    taken_.insert(name);
    const std::vector<T> values = file_[name].template as<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      require(is_finite(values[i]), "tensor '", name, "' has ", non_finite_name(values[i]),
              " at index ", i, ", expected finite numbers");
    }
    return values;
  }
  template <class T>
  std::vector<T> numbers(const std::string& name, const std::vector<Index>& shape) {
    const Tensor& tensor = file_[name];
    require(tensor.shape == shape, "tensor '", name, "' is ", shape_text(tensor.shape),
            ", expected ", shape_text(shape));
    return numbers<T>(name);
  }
  double number(const std::string& name) { return numbers<double>(name, {}).front(); }
  AlignedBuffer<Scalar> buffer(const std::string& name, const std::vector<Index>& shape) {
    const std::vector<Scalar> values = numbers<Scalar>(name, shape);
    AlignedBuffer<Scalar> result(static_cast<Index>(values.size()));
    std::copy(values.begin(), values.end(), result.begin());
    return result;
  }
  void finish() const {
    for (const Tensor& tensor : file_.tensors()) {
      require(taken_.count(tensor.name) != 0, "tensor ", detail::in_quotes(tensor.name),
              " belongs to no part of the model");
    }
  }

 private:
  const TensorFile& file_;
  std::set<std::string> taken_;
};

template <class Scalar>
ScoreTerm<Scalar> read_score_term(ModelReader<Scalar>& reader, const std::string& name,
                                  Index size) {
  const std::vector<double> pair = reader.template numbers<double>(name, {2});
  const std::string whitening = name + ".whitening";
  if (!reader.has(whitening)) return ScoreTerm<Scalar>(size, pair[0], pair[1]);
  return ScoreTerm<Scalar>(size, pair[0], pair[1], reader.buffer(whitening, {size, size}));
}

template <class Scalar>
Member<Scalar> read_member(ModelReader<Scalar>& reader, const TensorFile& file,
                           const std::string& prefix, const LayerFactory<Scalar>& factory) {
  nlohmann::json words = nlohmann::json::parse(file.metadata(prefix + "net"), nullptr, false);
  require(words.is_object() && words.contains("encoder") && words.contains("decoder"),
          "the metadata's 'net' is no JSON object of encoder and decoder");
  const Autoencoder<Scalar> net(net_from_json<Scalar>(words["encoder"], "encoder", factory),
                                net_from_json<Scalar>(words["decoder"], "decoder", factory));
  const std::vector<TensorPlace> places = tensor_places(net);
  // Every tensor is there in its full size before memory is taken for the net that the metadata
  // speak of.
  for (const TensorPlace& place : places) {
    const Tensor& tensor = file[prefix + place.name];
    require(tensor.shape == place.shape, "tensor '", tensor.name, "' is ", shape_text(tensor.shape),
            ", expected ", shape_text(place.shape), " as the net says");
  }
  AlignedBuffer<Scalar> parameters(net.parameters()), statistics(net.statistics());
  for (const TensorPlace& place : places) {
    const std::vector<Scalar> values = reader.template numbers<Scalar>(prefix + place.name);
    if (ends_with(place.name, ".running_var")) {
      for (const Scalar v : values) {
        require(v >= 0, "tensor '", prefix + place.name, "' has the variance ", v,
                ", expected none below 0");
      }
    }
    std::copy(values.begin(), values.end(),
              (place.statistics ? statistics : parameters).data() + place.at);
  }
  PackedNetwork<Scalar> packed(net, parameters.data(), statistics.data());
  AlignedBuffer<Scalar> center = reader.buffer(prefix + "center", {net.code()});
  const double gamma = reader.number(prefix + "gamma");
  auto reconstruction = read_score_term(reader, prefix + "score.reconstruction", net.inputs());
  require(reconstruction.weight() == 0 || net.has_decoder(),
          "the score has a reconstruction term but the net no decoder");
  auto latent = read_score_term(reader, prefix + "score.latent", net.code());
  return Member<Scalar>{std::move(packed),
                        std::move(parameters),
                        std::move(statistics),
                        std::move(center),
                        gamma,
                        std::move(reconstruction),
                        std::move(latent)};
}

template <class Scalar>
Scaler<Scalar> read_scaler(ModelReader<Scalar>& reader, Index features) {
  if (reader.has("scaler.mean") || reader.has("scaler.scale")) {
    return Scaler<Scalar>(reader.template numbers<double>("scaler.mean", {features}),
                          reader.template numbers<double>("scaler.scale", {features}));
  }
  if (reader.has("scaler.contrast_floor"))
    return Scaler<Scalar>::contrast(reader.number("scaler.contrast_floor"));
  if (reader.has("scaler.softened_image")) {
    const std::vector<double> shape = reader.template numbers<double>("scaler.softened_image", {3});
    for (const double n : shape) {
      require(n >= 1 && n <= 1e9 && n == std::floor(n),
              "the softened image's shape has the number ", n, ", expected whole numbers from 1");
    }
    return Scaler<Scalar>::softening(
        {static_cast<Index>(shape[0]), static_cast<Index>(shape[1]), static_cast<Index>(shape[2])});
  }
  return {};
}

template <class Scalar>
Detector<Scalar> read_model(const TensorFile& file, const LayerFactory<Scalar>& factory) {
  const auto& words = file.metadata();
  const auto format = words.find("format");
  require(format != words.end() && format->second == "dasvdd", "this is no dasvdd model");
  const std::string& version = file.metadata("format_version");
  require(version == std::to_string(model_format_version), "the model's format version is ",
          detail::in_quotes(version), ", this library reads ", model_format_version,
          "; the model is of a newer library");

  ModelReader<Scalar> reader(file);
  const std::string& count = file.metadata("members");
  // More members than tensors there can't be; the bound also keeps the number small.
  std::size_t members = 0;
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), members);
  require(error == std::errc() && end == count.data() + count.size() && members >= 1 &&
              members <= file.tensors().size(),
          "the number of members is ", detail::in_quotes(count),
          ", expected a whole number from 1");
  auto model = std::make_shared<Model<Scalar>>();
  for (std::size_t k = 0; k < members; ++k) {
    model->members.push_back(read_member(reader, file, member_prefix(k, members), factory));
  }
  model->scaler = read_scaler(reader, model->features());
  for (const auto& [key, word] : words) {
    if (!is_reserved_fact(key)) model->facts[key] = word;
  }
  Calibration calibration;
  if (reader.has("calibration.scores"))
    calibration = Calibration(reader.template numbers<double>("calibration.scores"));
  const double threshold = reader.number("threshold");
  reader.finish();
  return Detector<Scalar>(std::move(model), threshold, std::move(calibration));
}

}  // namespace detail

/// A detector as tensors and words; what save() writes.
/// \param facts added to the model's own, and before them where both have a key
/// \throws InvalidArgument when a layer of the net has no spec(), or a fact is named like a word of
/// the format
template <class Scalar>
TensorFile to_tensor_file(const Detector<Scalar>& detector, const Facts& facts = {}) {
  const Model<Scalar>& model = detector.model();
  TensorFile file;
  Facts words = facts;
  words.insert(model.facts.begin(), model.facts.end());
  for (const auto& [key, word] : words) {
    detail::require(!detail::is_reserved_fact(key), "a fact can't be named ",
                    detail::in_quotes(key), ": the model file means something else by it");
    file.set_metadata(key, word);
  }
  file.set_metadata("format", "dasvdd");
  file.set_metadata("format_version", std::to_string(detail::model_format_version));
  file.set_metadata("library_version", DASVDD_VERSION_STRING);
  file.set_metadata("members", std::to_string(model.members.size()));

  const auto add_vector = [&](const std::string& name, const std::vector<double>& numbers) {
    file.add(name, {static_cast<Index>(numbers.size())}, numbers.data());
  };
  const auto add_number = [&](const std::string& name, double number) {
    file.add(name, {}, &number);
  };
  for (std::size_t k = 0; k < model.members.size(); ++k) {
    const Member<Scalar>& member = model.members[k];
    const Autoencoder<Scalar>& net = member.network.net();
    const std::string prefix = detail::member_prefix(k, model.members.size());
    const nlohmann::json layers = {{"encoder", detail::net_to_json(net.encoder())},
                                   {"decoder", detail::net_to_json(net.decoder())}};
    file.set_metadata(prefix + "net", layers.dump());
    for (const detail::TensorPlace& place : detail::tensor_places(net)) {
      const AlignedBuffer<Scalar>& flat = place.statistics ? member.statistics : member.parameters;
      file.add(prefix + place.name, place.shape, flat.data() + place.at);
    }
    file.add(prefix + "center", {member.center.size()}, member.center.data());
    add_number(prefix + "gamma", member.gamma);
    const auto add_term = [&](const std::string& name, const ScoreTerm<Scalar>& term) {
      add_vector(prefix + name, {term.weight(), term.divisor()});
      if (term.whitened())
        file.add(prefix + name + ".whitening", {term.size(), term.size()}, term.whitening().data());
    };
    add_term("score.reconstruction", member.reconstruction);
    add_term("score.latent", member.latent);
  }
  if (!model.scaler.mean().empty()) {
    add_vector("scaler.mean", model.scaler.mean());
    add_vector("scaler.scale", model.scaler.scale());
  }
  if (model.scaler.contrast_floor() > 0)
    add_number("scaler.contrast_floor", model.scaler.contrast_floor());
  if (model.scaler.softens()) {
    const Shape& image = model.scaler.image();
    add_vector("scaler.softened_image", std::vector<double>{static_cast<double>(image.channels),
                                                            static_cast<double>(image.height),
                                                            static_cast<double>(image.width)});
  }
  if (!detector.calibration().empty())
    add_vector("calibration.scores", detector.calibration().scores());
  add_number("threshold", detector.threshold());
  return file;
}

/// The detector that to_tensor_file() wrote down: the same scores, to the bit.
/// \param factory makes layers of the user's own
/// \throws FileError when the file is no model, of another scalar type, or doesn't fit together
template <class Scalar>
Detector<Scalar> from_tensor_file(const TensorFile& file,
                                  const LayerFactory<Scalar>& factory = {}) {
  // What the parts of a model refuse as an argument is here a fault of the file.
  try {
    return detail::read_model<Scalar>(file, factory);
  } catch (const InvalidArgument& error) {
    const std::string prefix = file.source().empty() ? "" : detail::in_quotes(file.source()) + ": ";
    throw FileError(prefix + error.what());
  }
}

/// Writes a detector to a file, whole or not at all.
/// \param facts words to find again in model().facts after loading
/// \throws FileError, InvalidArgument as to_tensor_file()
template <class Scalar>
void save(const Detector<Scalar>& detector, const std::string& path, const Facts& facts = {}) {
  to_tensor_file(detector, facts).write(path);
}

/// Reads a detector from a file. `Scalar` is the type it was trained in.
/// \throws FileError
template <class Scalar>
Detector<Scalar> load(const std::string& path, const LayerFactory<Scalar>& factory = {}) {
  return from_tensor_file<Scalar>(TensorFile::read(path), factory);
}

DASVDD_NAMESPACE_END
