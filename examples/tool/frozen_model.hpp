#pragma once
/// \file
/// `FrozenModel`: a detector as plain lists of numbers and steps, which C source is written from.

#include <tool/table.hpp>

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/detect/self_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tool {

using dasvdd::Shape;

/// One step of a net: a layer, then per channel y = (y - mean) factor + shift, then an activation.
struct FrozenStage {
  enum class Kind { dense, conv, conv_transpose, max_pool, upsample, nothing };
  Kind kind = Kind::nothing;
  Shape in = {0, 1, 1}, out = {0, 1, 1};
  Index kernel = 1, stride = 1, padding = 0;  ///< upsample: the stride is the scale
  std::vector<float> weight, bias;            ///< in the model file's order; the bias may be empty
  std::vector<float> mean, factor, shift;     ///< a number a channel of `out`; all may be empty
  dasvdd::Activation f;

  bool multiplies() const { return !weight.empty(); }
  /// What one output of the layer, before the channel's factor, is made of.
  Index row() const { return static_cast<Index>(weight.size()) / out.channels; }
  /// The place of the weight between input c and output o at (i, j) of the kernel.
  Index weight_at(Index o, Index c, Index i, Index j) const {
    const Index channels =
        kind == Kind::conv_transpose ? c * out.channels + o : o * in.channels + c;
    return (channels * kernel + i) * kernel + j;
  }
};

/// factor * ||A e||^2, or factor * min_k ||a - c_k||^2.
struct FrozenTerm {
  Index size = 0;
  float factor = 0;              ///< weight / divisor; 0: no term
  std::vector<float> whitening;  ///< A, row by row; its lower triangle alone where `lower`
  bool lower = false;
  std::vector<float> centers;  ///< c_k, row by row
};

struct FrozenMember {
  std::vector<FrozenStage> encoder, decoder;  ///< the decoder is empty where scoring needs none
  std::vector<float> center;
  FrozenTerm reconstruction, latent;  ///< a latent term with centers is of the decoder's output

  bool latent_of_code() const { return latent.factor > 0 && latent.centers.empty(); }
};

struct FrozenModel {
  enum class Scaling { none, standardized, contrast, softened };
  Index features = 0;
  Scaling scaling = Scaling::none;
  std::vector<float> shift, scale;  ///< standardized: (x - shift) scale
  float contrast_floor = 0;
  Shape image = {0, 0, 0};  ///< softened
  std::vector<FrozenMember> members;
  float threshold = 0;  ///< the largest float that is not above the detector's
  std::int64_t multiply_adds = 0;
  std::vector<float> test_row;  ///< a row for the self-test
  float test_score = 0;         ///< the detector's score of it

  /// \throws InvalidArgument where the detector has a layer that is not the library's
  template <class Scalar>
  static FrozenModel of(const dasvdd::Detector<Scalar>& detector);
};

namespace frozen {

template <class Scalar>
std::vector<float> floats(const Scalar* numbers, Index count) {
  std::vector<float> result(static_cast<std::size_t>(count));
  std::transform(numbers, numbers + count, result.begin(),
                 [](Scalar x) { return static_cast<float>(x); });
  return result;
}

template <class Scalar>
FrozenTerm term_of(const dasvdd::detail::ScoreTerm<Scalar>& term) {
  FrozenTerm result;
  result.size = term.size();
  result.factor = static_cast<float>(term.weight() / term.divisor());
  result.centers = floats(term.center_rows().data(), term.center_rows().size());
  if (!term.whitened()) return result;
  const Index d = term.size();
  const Scalar* a = term.whitening().data();
  result.lower = true;
  for (Index i = 0; i < d; ++i) {
    for (Index j = i + 1; j < d; ++j) result.lower = result.lower && a[i * d + j] == 0;
  }
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j < (result.lower ? i + 1 : d); ++j)
      result.whitening.push_back(static_cast<float>(a[i * d + j]));
  }
  return result;
}

/// One of the library's layers beside dense ones, by what it says of itself.
/// \param w its parameters, s its statistics
template <class Scalar>
FrozenStage stage_of(const dasvdd::Layer<Scalar>& layer, const Scalar* w, const Scalar* s) {
  const dasvdd::LayerSpec spec = layer.spec();
  const auto size = [&](std::size_t i) { return static_cast<Index>(spec.numbers.at(i)); };
  FrozenStage stage;
  using Kind = FrozenStage::Kind;
  const auto image = [&] { return Shape{size(0), size(1), size(2)}; };
  if (spec.name == "conv2d" || spec.name == "conv_transpose2d") {
    const auto& conv = dynamic_cast<const dasvdd::detail::Convolution<Scalar>&>(layer);
    stage.kind = spec.name == "conv2d" ? Kind::conv : Kind::conv_transpose;
    stage.in = conv.input_shape();
    stage.out = conv.output_shape();
    stage.kernel = size(4);
    stage.stride = size(5);
    stage.padding = size(6);
    const Index weights = stage.in.channels * stage.out.channels * stage.kernel * stage.kernel;
    stage.weight = floats(w, weights);
    if (conv.has_bias()) stage.bias = floats(w + weights, stage.out.channels);
  } else if (spec.name == "max_pool2d") {
    stage.kind = Kind::max_pool;
    stage.in = image();
    stage.kernel = size(3);
    stage.stride = size(4);
    stage.out = {stage.in.channels, (stage.in.height - stage.kernel) / stage.stride + 1,
                 (stage.in.width - stage.kernel) / stage.stride + 1};
  } else if (spec.name == "upsample_nearest2d") {
    stage.kind = Kind::upsample;
    stage.in = image();
    stage.stride = size(3);
    stage.out = {stage.in.channels, stage.in.height * stage.stride, stage.in.width * stage.stride};
  } else if (spec.name == "batch_norm") {
    stage.in = stage.out = image();
    const Index channels = stage.in.channels;
    const bool affine = spec.numbers.at(5) != 0;
    for (Index c = 0; c < channels; ++c) {
      const double variance = static_cast<double>(s[channels + c]);
      const Scalar inverse = static_cast<Scalar>(1 / std::sqrt(variance + spec.numbers.at(3)));
      stage.mean.push_back(static_cast<float>(s[c]));
      stage.factor.push_back(static_cast<float>(affine ? inverse * w[c] : inverse));
      stage.shift.push_back(affine ? static_cast<float>(w[channels + c]) : 0.0f);
    }
  } else {
    throw dasvdd::InvalidArgument("the net has a layer " + in_quotes(spec.name) +
                                  ", which freeze can't write as C");
  }
  return stage;
}

/// The stages of a part of a net. What works number by number joins the layer before it, where that has room.
template <class Scalar>
std::vector<FrozenStage> stages_of(const dasvdd::detail::Member<Scalar>& member, Index first,
                                   Index last) {
  const auto& steps = member.network.net().joined().steps();
  std::vector<FrozenStage> stages;
  using Step = dasvdd::detail::Step<Scalar>;
  for (Index l = first; l < last; ++l) {
    const Step& step = steps[static_cast<std::size_t>(l)];
    const Scalar* w = member.parameters.data() + step.weight_at;
    FrozenStage stage;
    if (step.kind == Step::Kind::layer) {
      stage = stage_of(*step.layer, w, member.statistics.data() + step.statistics_at);
    } else {
      stage.in.channels = step.inputs;
      stage.out.channels = step.outputs;
      stage.f = step.activation;
      if (step.kind == Step::Kind::dense) {
        stage.kind = FrozenStage::Kind::dense;
        stage.weight = floats(w, step.weights());
        if (step.bias) stage.bias = floats(member.parameters.data() + step.bias_at, step.outputs);
      }
    }
    FrozenStage* before = stages.empty() ? nullptr : &stages.back();
    const bool alone = stage.kind == FrozenStage::Kind::nothing;
    if (alone && before && stage.factor.empty() && before->f.is_identity()) {
      before->f = stage.f;
    } else if (alone && before && stage.f.is_identity() && before->f.is_identity() &&
               before->factor.empty() && before->out == stage.in) {
      before->mean = stage.mean;
      before->factor = stage.factor;
      before->shift = stage.shift;
    } else {
      // Whole images of one number each would lose their channels to an activation behind them.
      if (alone && before && stage.factor.empty()) stage.in = stage.out = before->out;
      stages.push_back(std::move(stage));
    }
  }
  return stages;
}

}  // namespace frozen

template <class Scalar>
FrozenModel FrozenModel::of(const dasvdd::Detector<Scalar>& detector) {
  using namespace dasvdd::detail;
  const Model<Scalar>& model = detector.model();
  FrozenModel result;
  result.features = detector.features();
  result.threshold = rounded_down<float>(detector.threshold());
  result.multiply_adds = model.multiply_adds();
  ensure(model.scaler.missing() == MissingRule::refuse,
         "the model takes rows with missing values, which freeze can't write as C");
  const auto& kind = model.scaler.kind();
  if (const auto* standardizer = std::get_if<Standardizer<Scalar>>(&kind)) {
    result.scaling = Scaling::standardized;
    for (const double mean : standardizer->mean()) result.shift.push_back(static_cast<float>(mean));
    for (const double scale : standardizer->scale())
      result.scale.push_back(static_cast<float>(1 / scale));
  } else if (const auto* contrast = std::get_if<ContrastNormalizer<Scalar>>(&kind)) {
    result.scaling = Scaling::contrast;
    result.contrast_floor = static_cast<float>(contrast->floor());
  } else if (const auto* softener = std::get_if<Softener<Scalar>>(&kind)) {
    result.scaling = Scaling::softened;
    result.image = softener->image();
  } else {
    ensure(model.scaler.empty(), "the model's rows are ", model.scaler.text(),
           ", which freeze can't write as C");
  }
  for (const Member<Scalar>& member : model.members) {
    const Index code_steps = member.network.net().code_steps();
    FrozenMember m;
    m.reconstruction = frozen::term_of(member.reconstruction);
    m.latent = frozen::term_of(member.latent);
    m.center = frozen::floats(member.center.data(), member.center.size());
    m.encoder = frozen::stages_of(member, 0, code_steps);
    if (member.uses_decoder()) {
      const auto steps = static_cast<Index>(member.network.net().joined().steps().size());
      m.decoder = frozen::stages_of(member, code_steps, steps);
    }
    result.members.push_back(std::move(m));
  }
  const std::vector<Scalar> row = row_for_self_test<float>(model);
  result.test_row = frozen::floats(row.data(), result.features);
  auto workspace = detector.make_workspace(1);
  result.test_score = static_cast<float>(detector.score_one(row.data(), workspace));
  return result;
}

}  // namespace tool
