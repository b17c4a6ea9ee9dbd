#pragma once
/// \file
/// A fitted detector as a file and back: `save(detector, path)`, `load<float>(path)`.
///
/// The file is in the safetensors format (tensor_file.hpp), which other programs read too. Its
/// tensors, with S the detector's scalar type (F32 or F64) and i a layer's number as in
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
/// | `score.latent.centers` | k x d, of xhat; S; only where the score has several centers |
/// | `scaler.mean`, `scaler.scale` | d; F64; only where the detector scales |
/// | `scaler.contrast_floor` | a number; F64; only where the detector normalizes each row's contrast |
/// | `scaler.softened_image` | channels, height, width; F64; only where the detector softens images |
/// | `scaler.masks_missing` | the number 1; F64; only where missing values are masked |
/// | `scaler.missing_share`, `scaler.row_features` | d, the number d; F64; only where missing values are imputed: the share of training rows that lacked each feature; the net then takes one number more for each share above 0 |
/// | `calibration.scores` | n, ascending; F64; only where the detector has p-values |
/// | `calibration.first_net` | the same of net 0 alone; only in an ensemble that fit() made |
/// | `threshold` | a number; F64 |
/// | `self_test.row`, `self_test.score` | d, S; 2, F64: a row and the two terms of its score, which load() compares |
///
/// In an ensemble, `members.{k}.` stands before the names of net k's tensors, which are all but those
/// of scaler, calibration and threshold. Metadata: `format` ("dasvdd"), `format_version`,
/// `library_version`, `checksum` (see tensor_file.hpp), `members` (the ensemble's size), `net` (the layers
/// as JSON, `members.{k}.net` in an ensemble), `warnings` (a JSON array of sentences; only where there are
/// any), `feature_names` (a JSON array of d names; only where there are names), and the model's facts.
/// There is no date and no name of a machine: the same run writes the same bytes.
///
/// Here is how a detector is written; model_reader.hpp reads and checks one.

#include <dasvdd/core/version.hpp>
#include <dasvdd/detect/detector.hpp>
#include <dasvdd/io/model_layout.hpp>
#include <dasvdd/io/model_reader.hpp>
#include <dasvdd/io/net_json.hpp>
#include <dasvdd/io/tensor_file.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

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
    ensure(!is_reserved_fact(key), "a fact can't be named ", in_quotes(key),
           ": the model file means something else by it");
    file.set_metadata(key, word);
  }
  file.set_metadata("format", "dasvdd");
  file.set_metadata("format_version", std::to_string(model_format_version));
  file.set_metadata("library_version", DASVDD_VERSION_STRING);
  file.set_metadata("members", std::to_string(model.members.size()));
  if (!model.warnings.empty()) {
    file.set_metadata("warnings", nlohmann::json(model.warnings).dump());
  }
  if (!model.feature_names.empty()) {
    file.set_metadata("feature_names", nlohmann::json(model.feature_names).dump());
  }

  const auto add_vector = [&](const std::string& name, const std::vector<double>& numbers) {
    file.add(name, {static_cast<Index>(numbers.size())}, numbers.data());
  };
  const auto add_number = [&](const std::string& name, double number) {
    file.add(name, {}, &number);
  };
  for (std::size_t k = 0; k < model.members.size(); ++k) {
    const Member<Scalar>& member = model.members[k];
    const Autoencoder<Scalar>& net = member.network.net();
    const std::string prefix = member_prefix(k, model.members.size());
    const nlohmann::json layers = {{"encoder", net_to_json(net.encoder())},
                                   {"decoder", net_to_json(net.decoder())}};
    file.set_metadata(prefix + "net", layers.dump());
    for (const TensorPlace& place : tensor_places(net)) {
      const AlignedBuffer<Scalar>& flat = place.statistics ? member.statistics : member.parameters;
      file.add(prefix + place.name, place.shape, flat.data() + place.at);
    }
    file.add(prefix + "center", {member.center.size()}, member.center.data());
    add_number(prefix + "gamma", member.gamma);
    const auto add_term = [&](const std::string& name, const ScoreTerm<Scalar>& term) {
      add_vector(prefix + name, {term.weight(), term.divisor()});
      if (term.whitened())
        file.add(prefix + name + ".whitening", {term.size(), term.size()}, term.whitening().data());
      if (term.centers() > 0)
        file.add(prefix + name + ".centers", {term.centers(), term.size()},
                 term.center_rows().data());
    };
    add_term("score.reconstruction", member.reconstruction);
    add_term("score.latent", member.latent);
  }
  for (const ScalerTensor& tensor : model.scaler.tensors()) {
    if (tensor.single) {
      add_number(tensor.name, tensor.numbers.front());
    } else {
      add_vector(tensor.name, tensor.numbers);
    }
  }
  if (!detector.calibration().empty())
    add_vector("calibration.scores", detector.calibration().scores());
  if (!detector.first_net_calibration().empty())
    add_vector("calibration.first_net", detector.first_net_calibration().scores());
  add_number("threshold", detector.threshold());
  const std::vector<Scalar> row = row_for_self_test<Scalar>(model);
  if (std::all_of(row.begin(), row.end(), [](Scalar x) { return is_finite(x); })) {
    const std::vector<double> terms = self_test_terms(detector, row.data());
    // Without a finite score there is nothing to compare.
    if (is_finite(terms[0]) && is_finite(terms[1])) {
      file.add(self_test_row, {model.features()}, row.data());
      add_vector(self_test_score, terms);
    }
  }
  return file;
}

/// Whether the model in a file computes in double, so that it is read by from_tensor_file<double>().
inline bool holds_doubles(const TensorFile& file) {
  for (const char* center : {"center", "members.0.center"}) {
    if (file.contains(center)) return file[center].dtype == DType::F64;
  }
  return false;
}

/// The detector that to_tensor_file() wrote down: the same scores, to the bit.
/// \param factory makes layers of the user's own
/// \throws FileError when the file is no model, of another scalar type, or doesn't fit together
template <class Scalar>
Detector<Scalar> from_tensor_file(const TensorFile& file, const LayerFactory<Scalar>& factory = {},
                                  const LoadLimits& limits = {}) {
  // What the parts of a model refuse as an argument is here a fault of the file.
  try {
    return ModelReader<Scalar>(file, factory, limits).detector();
  } catch (const InvalidArgument& error) {
    throw FileError(error_prefix(file.source()) + error.what());
  }
}

}  // namespace detail

/// Writes a detector to the file `path`. A reader sees the old file or the whole new one.
/// \param facts words to find again in Detector::facts() after loading; they replace the detector's own
///   facts of the same name
/// \throws FileError when the file can't be written; an old file is then as it was
/// \throws InvalidArgument when a layer of the net has no spec(), or a fact has a name that the format
///   uses itself
template <class Scalar>
void save(const Detector<Scalar>& detector, const std::filesystem::path& path,
          const std::map<std::string, std::string>& facts = {}) {
  detail::to_tensor_file(detector, facts).write(path);
}

/// Reads a detector that save() wrote: the same scores to the bit, threshold, calibration, facts and
/// warnings.
/// \tparam Scalar the type it was trained in, float or double
/// \param factory makes layers of the user's own: called with what Layer::spec() said, returns the
///   layer, or null for a name it doesn't know
/// \param limits what the model may cost: {the time of so many multiply-adds a row, bytes of a thread's workspace}, at
///   most {2^36, 2^30} unless given
/// \throws FileError when the file can't be read, is no model, is of another scalar type, contradicts
///   itself, costs more than the limits, or no longer gives its self-test row the score it had
template <class Scalar>
Detector<Scalar> load(const std::filesystem::path& path,
                      const detail::LayerFactory<Scalar>& factory = {},
                      const detail::LoadLimits& limits = {}) {
  return detail::from_tensor_file<Scalar>(detail::TensorFile::read(path), factory, limits);
}

DASVDD_NAMESPACE_END
