#pragma once
/// \file
/// How a model file becomes a detector, and all that may be wrong with one.

#include <dasvdd/detect/detector.hpp>
#include <dasvdd/io/limited_json.hpp>
#include <dasvdd/io/model_layout.hpp>
#include <dasvdd/io/net_json.hpp>
#include <dasvdd/io/tensor_file.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What a model may cost: load() refuses one that costs more, in a sentence, before it takes memory for it.
/// A file of a few hundred bytes can describe a net that takes gigabytes. Raise a limit for a model of your
/// own that is refused; lower them where files come from strangers and rows are many.
struct LoadLimits {
  /// What a row may take, as long as so many multiply-adds of dense layers; 2^36 take a core about a second.
  std::int64_t multiply_adds = std::int64_t(1) << 36;
  /// Of one thread that scores, and of what packing adds to weights for kernels.
  std::int64_t workspace_bytes = std::int64_t(1) << 30;

  /// For models of one's own.
  static LoadLimits none() {
    constexpr auto any = (std::numeric_limits<std::int64_t>::max)();
    return {any, any};
  }
};

/// Makes a detector of one file's tensors and words; model_file.hpp lists them. Throws FileError, and
/// InvalidArgument for what the parts of a model refuse.
template <class Scalar>
class ModelReader {
 public:
  ModelReader(const TensorFile& file, const LayerFactory<Scalar>& factory, const LoadLimits& limits)
      : file_(file), factory_(factory), limits_(limits) {}

  Detector<Scalar> detector() {
    check_format();
    auto model = std::make_shared<Model<Scalar>>();
    // More members than tensors there can't be; the bound also keeps the number small.
    const std::size_t members = file_.count("members", "members", file_.tensors().size());
    for (std::size_t k = 0; k < members; ++k) {
      model->members.push_back(member(member_prefix(k, members)));
    }
    ScalerFile scaler_file{*this};
    model->scaler = Scaler<Scalar>::read(scaler_file, model->inputs());
    model->require_fitting_scaler();
    for (const auto& [key, word] : file_.metadata()) {
      if (!is_reserved_fact(key)) model->facts[key] = word;
    }
    model->warnings = file_.strings("warnings");
    model->feature_names = file_.strings("feature_names");
    Calibration calibration;
    if (has("calibration.scores")) calibration = Calibration(numbers<double>("calibration.scores"));
    Calibration first_net;
    if (has("calibration.first_net")) {
      ensure(!calibration.empty(), "there is calibration.first_net but no calibration.scores");
      first_net = Calibration(numbers<double>("calibration.first_net"));
    }
    const double threshold = number("threshold");
    const bool tested = has(self_test_row);
    const AlignedBuffer<Scalar> row =
        tested ? buffer(self_test_row, {model->features()}) : AlignedBuffer<Scalar>();
    const std::vector<double> terms =
        tested ? numbers<double>(self_test_score, {2}) : std::vector<double>();
    check_nothing_is_left();
    const Detector<Scalar> detector(std::move(model), threshold, std::move(calibration),
                                    std::move(first_net));
    if (tested) check_self_test(detector, row.data(), terms);
    return detector;
  }

 private:
  void check_format() const {
    const auto& words = file_.metadata();
    const auto format = words.find("format");
    ensure(format != words.end() && format->second == "dasvdd", "this is no dasvdd model");
    const std::string& version = file_.metadata("format_version");
    const bool current = version == std::to_string(model_format_version);
    ensure(current || version == "1", "the model's format version is ", in_quotes(version),
           ", this library reads 1 to ", model_format_version, "; the model is of a newer library");
    ensure(!current || file_.verified(), "the metadata have no checksum");
  }

  /// Kernels without fused multiply-adds round otherwise, by far less than this; a wrong layer, scale or weight
  /// changes a term by far more.
  static void check_self_test(const Detector<Scalar>& detector, const Scalar* row,
                              const std::vector<double>& expected) {
    const std::vector<double> terms = self_test_terms(detector, row);
    for (std::size_t i = 0; i < 2; ++i) {
      ensure(std::fabs(terms[i] - expected[i]) <= 1e-4 * std::fabs(expected[i]) + 1e-12,
             "the model's self-test row has the ", i == 0 ? "reconstruction" : "latent", " term ",
             terms[i], ", ", expected[i],
             " when the file was written: the file is damaged, or a layer of your own computes "
             "something else");
    }
  }

  Member<Scalar> member(const std::string& prefix) {
    const Autoencoder<Scalar> net = read_net(prefix);
    check_cost(net, term_size(prefix + "score.reconstruction", net.inputs()),
               term_size(prefix + "score.latent", net.code(), net.inputs()));
    const std::vector<TensorPlace> places = tensor_places(net);
    // Every tensor is there in its full size before memory is taken for the net that the metadata
    // speak of.
    for (const TensorPlace& place : places) {
      const Tensor& tensor = file_[prefix + place.name];
      ensure(tensor.shape == place.shape, "tensor '", tensor.name, "' is ",
             shape_text(tensor.shape), ", expected ", shape_text(place.shape), " as the net says");
    }
    AlignedBuffer<Scalar> parameters(net.parameters()), statistics(net.statistics());
    for (const TensorPlace& place : places) {
      const std::vector<Scalar> values = numbers<Scalar>(prefix + place.name);
      if (place.is_variance()) {
        for (const Scalar v : values) {
          ensure(v >= 0, "tensor '", prefix + place.name, "' has the variance ", v,
                 ", expected none below 0");
        }
      }
      std::copy(values.begin(), values.end(),
                (place.statistics ? statistics : parameters).data() + place.at);
    }
    PackedNetwork<Scalar> packed(net, parameters.data(), statistics.data());
    AlignedBuffer<Scalar> center = buffer(prefix + "center", {net.code()});
    const double gamma = number(prefix + "gamma");
    auto reconstruction = score_term(prefix + "score.reconstruction", net.inputs());
    ensure(reconstruction.weight() == 0 || net.has_decoder(),
           "the score has a reconstruction term but the net no decoder");
    const std::string latent_centers = prefix + "score.latent.centers";
    ensure(!has(latent_centers) || net.has_decoder(),
           "the score's latent term is of the decoded code but the net has no decoder");
    auto latent = has(latent_centers)
                      ? nearest_term(prefix + "score.latent", latent_centers, net.inputs())
                      : score_term(prefix + "score.latent", net.code());
    return {std::move(packed),
            std::move(parameters),
            std::move(statistics),
            std::move(center),
            gamma,
            std::move(reconstruction),
            std::move(latent)};
  }

  static constexpr const char* lifted =
      "; LoadLimits, --trust-model or trusted=True allow more to a model of your own";
  /// Sizes of layers are capped one by one; this caps what they cost together, and with the members before.
  void check_cost(const Autoencoder<Scalar>& net, const TermSize& reconstruction,
                  const TermSize& latent) {
    cost_ = saturating_sum(cost_, forward_cost(net.joined()));
    padding_ = saturating_sum(padding_, PackedNetwork<Scalar>::padding_bytes(net));
    cost_ = saturating_sum(cost_, reconstruction.cost(masks_));
    cost_ = saturating_sum(cost_, latent.cost(false));
    for (const TermSize& term : {reconstruction, latent})
      padding_ = saturating_sum(padding_, term.padding_bytes<Scalar>());
    ensure(cost_ <= limits_.multiply_adds, "the model takes the time of ", cost_,
           " multiply-adds a row or more, at most ", limits_.multiply_adds, " are allowed", lifted);
    const std::int64_t bytes =
        saturating_sum(workspace_.cover(net, reconstruction, latent).bytes(), padding_);
    ensure(bytes <= limits_.workspace_bytes, "the model takes a workspace of ", bytes,
           " bytes or more, at most ", limits_.workspace_bytes, " are allowed", lifted);
  }

  /// Of a term whose tensors nobody has looked at yet: those of a wrong shape are refused later.
  /// \param decoded numbers of the vector where the term has centers
  TermSize term_size(const std::string& name, Index size, Index decoded = 0) const {
    const std::string centers = name + ".centers";
    if (decoded == 0 || !has(centers)) return {size, has(name + ".whitening")};
    const std::vector<Index>& shape = file_[centers].shape;
    const bool rows = shape.size() == 2 && shape[1] == decoded;
    return {decoded, false, rows ? shape[0] : 0};
  }

  Autoencoder<Scalar> read_net(const std::string& prefix) const {
    const auto layers = limited_json(file_.metadata(prefix + "net"), 3,
                                     error_prefix(file_.source()) + "the metadata's 'net'");
    ensure(layers.is_object() && layers.contains("encoder") && layers.contains("decoder"),
           "the metadata's 'net' is no JSON object of encoder and decoder");
    return {net_from_json<Scalar>(layers["encoder"], "encoder", factory_),
            net_from_json<Scalar>(layers["decoder"], "decoder", factory_)};
  }

  ScoreTerm<Scalar> score_term(const std::string& name, Index size) {
    const std::vector<double> pair = numbers<double>(name, {2});
    const std::string whitening = name + ".whitening";
    if (!has(whitening)) return {size, pair[0], pair[1]};
    return {size, pair[0], pair[1], buffer(whitening, {size, size})};
  }

  ScoreTerm<Scalar> nearest_term(const std::string& name, const std::string& centers, Index size) {
    const std::vector<double> pair = numbers<double>(name, {2});
    const Tensor& tensor = file_[centers];
    ensure(tensor.shape.size() == 2 && tensor.shape[0] > 0 && tensor.shape[1] == size, "tensor '",
           centers, "' is ", shape_text(tensor.shape), ", expected rows of ", size, " numbers");
    return ScoreTerm<Scalar>::nearest_of(size, pair[0], pair[1], buffer(centers, tensor.shape));
  }

  /// What Scaler::read asks.
  struct ScalerFile {
    ModelReader& reader;
    bool has(const char* name) const { return reader.has(name); }
    double number(const char* name) const { return reader.number(name); }
    std::vector<double> numbers(const char* name, const std::vector<Index>& shape) const {
      return reader.template numbers<double>(name, shape);
    }
  };

  // ---- tensors, each checked and marked as taken ------------------------------------------------

  bool has(const std::string& name) const { return file_.contains(name); }

  template <class T>
  std::vector<T> numbers(const std::string& name) {
    taken_.insert(name);
    const std::vector<T> values = file_[name].template as<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      ensure(is_finite(values[i]), "tensor '", name, "' has ", non_finite_name(values[i]),
             " at index ", i, ", expected finite numbers");
    }
    return values;
  }
  template <class T>
  std::vector<T> numbers(const std::string& name, const std::vector<Index>& shape) {
    const Tensor& tensor = file_[name];
    ensure(tensor.shape == shape, "tensor '", name, "' is ", shape_text(tensor.shape),
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

  void check_nothing_is_left() const {
    for (const Tensor& tensor : file_.tensors()) {
      ensure(taken_.count(tensor.name) != 0, "tensor ", in_quotes(tensor.name),
             " belongs to no part of the model");
    }
  }

  const TensorFile& file_;
  const LayerFactory<Scalar>& factory_;
  const LoadLimits& limits_;
  bool masks_ = has("scaler.masks_missing");
  WorkspaceSize<Scalar> workspace_{kernels::batch_tile, masks_};
  std::int64_t cost_ = 0, padding_ = 0;  // of the members so far
  std::set<std::string> taken_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
