#pragma once
/// \file
/// What one says to a trainer, and what all options have in common.

#include <dasvdd/detect/feature_names.hpp>
#include <dasvdd/detect/missing_values.hpp>
#include <dasvdd/kernels/mixed_table.hpp>
#include <dasvdd/nn/shape.hpp>
#include <dasvdd/train/adam.hpp>
#include <dasvdd/train/center.hpp>
#include <dasvdd/train/gamma_rule.hpp>
#include <dasvdd/train/score_forms.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What numbers a training multiplies. The default is the net's own; mixed_precision() in
/// train/mixed_precision.hpp gives another.
struct Precision {
  const kernels::MixedTable* mixed = nullptr;  ///< null: the net's own numbers

  /// "own", or the instruction set behind mixed precision.
  const char* name() const { return mixed ? mixed->name : "own"; }
};

/// What Options, FitOptions and ImageOptions share.
struct RunOptions {
  /// Covers everything drawn: initialization, gamma's nets, the center's start, the order of rows.
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: what OpenMP would use. Never changes the result.
  /// mixed_precision() trains big nets in float 1.4 (AVX512-BF16) to 2.9 times (AMX) as fast, where the CPU can.
  /// Scores are computed in the net's own numbers whatever it trained in.
  Precision precision = {};
  /// One name a feature, kept with the detector (Detector::feature_names) and used in warnings; none where
  /// features have no names.
  std::vector<std::string> feature_names = {};
  /// Where it is not null and becomes true, by any thread or a signal's handler, nets in training end after their
  /// mini-batch, as they end after their epoch when progress returns false. An epoch that was broken off is no part of
  /// a Checkpoint: the fit that is taken up does it again, to the same bits.
  const std::atomic<bool>* stop = nullptr;
  /// Of rows that come from a RowSource: how many are in memory at a time; a source with no more than that gives the
  /// bits of rows in memory. 0: 32 MB of them. docs/embedding.md says what is made of all rows, and what of a sample.
  Index window = 0;

  void validate() const {
    ensure(window >= 0, "the window is ", window, ", expected 0 (32 MB) or a number of rows");
    ensure(threads >= 0, "threads is ", threads, ", expected 0 (all) or a positive number");
    check_feature_names(feature_names);
  }
  /// Refuses names that don't fit rows of d numbers.
  void check_width(Index d) const {
    const Index names = static_cast<Index>(feature_names.size());
    ensure(names == 0 || names == d, "there are ", names, " feature names for ", d, " features");
  }
};

/// What Options and FitOptions share: how a net trains, and the score it gets.
struct TrainingOptions : RunOptions {
  Index batch_size = 200;  ///< rows of a mini-batch
  /// Share of each mini-batch that the network step takes; the center step takes the rest. In (0,
  /// 1]. An objective without center steps takes all rows.
  double kappa = 0.9;
  GammaRule gamma = {};
  CenterRule center = {};
  Adam adam = {};
  /// Subtract each feature's mean and divide by its deviation. For tables, whose columns come in
  /// different units.
  bool standardize = false;
  using Missing = MissingRule;
  /// What becomes of missing values, NaN in the rows (docs/method.md, "Missing values"). Missing::refuse: they are an
  /// error. Missing::mask: the net gets the feature's training mean in their place, and their residuals have no part
  /// in the loss and in the score; whether a value is missing says nothing. Missing::impute, for fit() alone: the
  /// net gets the mean, and for each feature that some training rows lack one more number that says whether it was
  /// missing. Without `standardize` the net gets 0 in place of the mean.
  Missing missing = Missing::refuse;
  ScoreForm score = ScoreForm::published;

  void validate() const {
    RunOptions::validate();
    ensure(batch_size >= 1, "the batch size is ", batch_size, ", expected at least 1");
    ensure(kappa > 0 && kappa <= 1, "kappa is ", kappa,
           ", expected a number above 0 and at most 1");
    gamma.validate();
    center.validate();
    adam.validate();
    ensure(missing == Missing::refuse || missing == Missing::mask || missing == Missing::impute,
           "missing is ", static_cast<int>(missing),
           ", expected one of the enumerators of Missing");
  }
};

}  // namespace detail

/// Options of a Trainer; the defaults are the paper's for images. Values out of range are refused by
/// Trainer.
struct Options : detail::TrainingOptions {
  Index epochs = 300;  ///< passes over the rows
  /// The learning rate falls in a straight line to this share of itself at the end of the last
  /// step. 1 keeps it (the paper). Small values suit short trainings, which end on smaller steps.
  double final_rate = 1;

  /// Share of the rows that fit() keeps out of the training to watch it by, in [0, 1). The run ends
  /// with the net and center of the epoch that gave these rows the lowest loss. For long trainings
  /// on few rows, which end by overfitting. 0: none, and the last epoch's net.
  double validation = 0;
  /// With validation: stop when that many epochs in turn have brought no lower loss. 0: never.
  Index patience = 0;

  /// Not 0: contrast normalization. Each row enters as (x - mean) / sqrt(variance + this), mean and
  /// variance over the row's own numbers. For images whose brightness means nothing; pixels from 0
  /// to 1 suit 0.03.
  double contrast_floor = 0;
  /// Not empty: rows are images of this shape and enter softened, the square root of each pixel's
  /// mean with its neighbors (detect/scaler.hpp). For things on an empty ground, pixels from 0 to 1.
  Shape soften = {0, 0, 0};
  /// False feeds the rows in the order they come in, for those who reproduce a run made elsewhere.
  bool shuffle = true;
  /// The threshold of a fresh detector: this quantile of the training rows' scores.
  double training_quantile = 0.99;

  void validate() const {
    using detail::ensure;
    TrainingOptions::validate();
    ensure(epochs >= 1, "epochs is ", epochs, ", expected at least 1");
    ensure(final_rate > 0 && final_rate <= 1, "the final rate is ", final_rate,
           ", expected a share above 0 and at most 1");
    ensure(validation >= 0 && validation < 1, "validation is ", validation,
           ", expected a share from 0 to below 1");
    ensure(patience >= 0, "patience is ", patience, ", expected 0 (never stop) or more epochs");
    ensure(patience == 0 || validation > 0,
           "patience needs rows to watch: validation is 0, expected a share above 0");
    ensure(training_quantile > 0 && training_quantile < 1, "the training quantile is ",
           training_quantile, ", expected a number between 0 and 1");
    ensure(contrast_floor >= 0 && detail::is_finite(contrast_floor), "the contrast's floor is ",
           contrast_floor, ", expected 0 (contrast as it is) or a finite positive number");
    if (soften != Shape{0, 0, 0}) detail::check_shape("the softening", "image", soften);
    ensure(standardize + (contrast_floor > 0) + (soften.size() > 0) <= 1,
           "rows can be standardized, have their contrast normalized, or be softened: choose one");
    ensure(missing != Missing::impute, "missing values are imputed by fit() alone: mask them");
    ensure(missing == Missing::refuse || contrast_floor + static_cast<double>(soften.size()) == 0,
           "missing values can't be masked in rows whose contrast is normalized, or that are "
           "softened");
  }
};

namespace detail {

/// Options as words for a model file: what one must know to train the same net again.
template <class Scalar>
DASVDD_COLD std::map<std::string, std::string> facts(const Options& o, const char* objective) {
  std::map<std::string, std::string> words = {
      {"objective", objective},
      {"seed", sentence(o.seed)},
      {"epochs", sentence(o.epochs)},
      {"batch_size", sentence(o.batch_size)},
      {"kappa", sentence(o.kappa)},
      {"gamma_rule", o.gamma.text()},
      {"center_rule", o.center.name()},
      {"center_learning_rate", sentence(o.center.learning_rate)},
      {"learning_rate", sentence(o.adam.learning_rate)},
      {"final_rate", sentence(o.final_rate)},
      {"weight_decay", sentence(o.adam.weight_decay)},
      {"precision", o.precision.name()},
      {"score", score_form<Scalar>(o.score).name}};
  if (o.missing == MissingRule::mask) words["missing"] = "mask";
  if (o.validation > 0) words["validation"] = sentence(o.validation);
  if (o.patience > 0) words["patience"] = sentence(o.patience);
  return words;
}

}  // namespace detail
DASVDD_NAMESPACE_END
