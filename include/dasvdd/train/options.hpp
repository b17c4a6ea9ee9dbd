#pragma once
/// \file
/// What one says to a trainer.

#include <dasvdd/kernels/mixed_table.hpp>
#include <dasvdd/nn/shape.hpp>
#include <dasvdd/train/adam.hpp>
#include <dasvdd/train/center.hpp>

#include <cstdint>
#include <map>
#include <string>

DASVDD_NAMESPACE_BEGIN

/// Where gamma, the weight of the latent term, comes from.
struct GammaRule {
  enum class Kind { ratio_of_means, mean_of_ratios, value };
  Kind kind = Kind::ratio_of_means;
  double number = 0;         ///< Kind::value
  int initializations = 10;  ///< T fresh nets the estimate looks at
  double factor = 1;         ///< what the estimate, or the number, is multiplied by

  /// mean over T nets of [mean r] / [mean ||z||^2]: the published code's rule.
  static GammaRule ratio_of_means(int initializations = 10) {
    return {Kind::ratio_of_means, 0, initializations};
  }
  /// mean over T nets of mean over rows of r(x) / ||z - c||^2: the paper's formula.
  static GammaRule mean_of_ratios(int initializations = 10) {
    return {Kind::mean_of_ratios, 0, initializations};
  }
  /// A number of the user's own. 0 leaves a plain autoencoder; a very large one collapses the code.
  static GammaRule value(double gamma) { return {Kind::value, gamma}; }

  /// The same rule with its gamma multiplied by `x`. Untrained nets put the latent term's weight so
  /// high that a net hardly learns for its first hundred epochs; a tenth of it saves most of them.
  GammaRule times(double x) const {
    GammaRule rule = *this;
    rule.factor *= x;
    return rule;
  }

  void check() const {
    detail::require(detail::is_finite(factor) && factor >= 0, "gamma's factor is ", factor,
                    ", expected a finite number that is not negative");
    if (kind == Kind::value) {
      const double gamma = factor * number;
      detail::require(detail::is_finite(gamma) && gamma >= 0, "gamma is ", gamma,
                      ", expected a finite number that is not negative");
    } else {
      detail::require(initializations >= 1, "gamma's initializations are ", initializations,
                      ", expected at least 1");
    }
  }
};

/// The score a trained net is given.
enum class ScoreForm {
  published,  ///< S = r + gamma q, gamma as in training
  balanced,   ///< S = r / mean r + q / mean q, means over the training rows after training
  /// S = r / mean r + t / mean t with t = (z - c)^T C^-1 (z - c), C the mean of (z - c)(z - c)^T,
  /// all means over the training rows after training: for images
  latent_whitened,
  whitened,  ///< S = e^T C^-1 e / d, e the residual and C its covariance over the training rows; no
             ///< latent term
};

namespace detail {

/// What numbers a training multiplies. The default is the net's own; mixed_precision() in
/// train/mixed_precision.hpp gives another.
struct Precision {
  const kernels::MixedTable* mixed = nullptr;  ///< null: the net's own numbers

  /// "own", or the instruction set behind mixed precision.
  const char* name() const { return mixed ? mixed->name : "own"; }
};

}  // namespace detail

/// Settings of a training run; the defaults are the paper's for images. Values out of range are
/// refused by Trainer.
struct Options {
  Index epochs = 300;
  Index batch_size = 200;
  std::uint64_t seed =
      0;  ///< covers initialization, gamma's nets, the center's start and the order of rows
  int threads = 0;  ///< 0: what OpenMP would use. Never changes the result.

  /// Share of each mini-batch that the network step takes; the center step takes the rest. In (0,
  /// 1]. An objective without center steps takes all rows.
  double kappa = 0.9;
  GammaRule gamma = {};
  CenterRule center = {};
  detail::Adam adam = {};
  /// The learning rate falls in a straight line to this share of itself at the last step. 1 keeps
  /// it (the paper); small values suit short trainings, which end on quieter steps.
  double final_rate = 1;

  /// Share of the rows that fit() keeps out of the training to watch it by, in [0, 1): the run ends
  /// with the net and center of the epoch that gave these rows the lowest loss. For long trainings
  /// on few rows, which end by learning them by heart. 0: none, and the last epoch's net.
  double validation = 0;
  /// With validation: stop when that many epochs in turn have brought no lower loss. 0: never.
  Index patience = 0;

  /// Subtract each feature's mean and divide by its deviation. For tables, whose columns come in
  /// different units.
  bool standardize = false;
  /// Not 0: each row enters with a mean of 0 and its contrast normalized, (x - mean) / sqrt(variance +
  /// this), over the row's own numbers. For images whose brightness says nothing; pixels from 0 to 1
  /// suit 0.03.
  double contrast_floor = 0;
  /// Not empty: rows are images of this shape and enter softened, the square root of each pixel's mean
  /// with its neighbors (Scaler::softening). For things on an empty ground, pixels from 0 to 1.
  Shape soften = {0, 0, 0};
  /// False feeds the rows in the order they come in, for those who reproduce a run made elsewhere.
  bool shuffle = true;
  ScoreForm score = ScoreForm::published;
  /// mixed_precision() trains big nets in float two to four times as fast, where the CPU can. Scores are
  /// computed in the net's own numbers whatever it trained in.
  detail::Precision precision = {};
  /// The threshold of a fresh detector: this quantile of the training rows' scores.
  double training_quantile = 0.99;

  void check() const {
    using detail::require;
    require(epochs >= 1, "epochs is ", epochs, ", expected at least 1");
    require(batch_size >= 1, "the batch size is ", batch_size, ", expected at least 1");
    require(threads >= 0, "threads is ", threads, ", expected 0 (all) or a positive number");
    require(kappa > 0 && kappa <= 1, "kappa is ", kappa,
            ", expected a number above 0 and at most 1");
    require(final_rate > 0 && final_rate <= 1, "the final rate is ", final_rate,
            ", expected a share above 0 and at most 1");
    require(validation >= 0 && validation < 1, "validation is ", validation,
            ", expected a share from 0 to below 1");
    require(patience >= 0, "patience is ", patience, ", expected 0 (never stop) or more epochs");
    require(patience == 0 || validation > 0,
            "patience needs rows to watch: validation is 0, expected a share above 0");
    require(training_quantile > 0 && training_quantile < 1, "the training quantile is ",
            training_quantile, ", expected a number between 0 and 1");
    require(contrast_floor >= 0 && detail::is_finite(contrast_floor), "the contrast's floor is ",
            contrast_floor, ", expected 0 (contrast as it is) or a finite positive number");
    if (soften != Shape{0, 0, 0}) detail::check_shape("the softening", "image", soften);
    require(standardize + (contrast_floor > 0) + (soften.size() > 0) <= 1,
            "rows can be standardized, have their contrast normalized, or be softened: choose one");
    gamma.check();
    center.check();
    adam.check();
  }
};

namespace detail {

/// Options as words for a model file: what one must know to train the same net again.
DASVDD_COLD inline std::map<std::string, std::string> facts(const Options& o,
                                                            const char* objective) {
  const char* gammas[] = {"ratio_of_means", "mean_of_ratios", "value"};
  const char* centers[] = {"adagrad", "batch_mean", "fixed"};
  const char* scores[] = {"published", "balanced", "latent_whitened", "whitened"};
  std::map<std::string, std::string> words = {
      {"objective", objective},
      {"seed", sentence(o.seed)},
      {"epochs", sentence(o.epochs)},
      {"batch_size", sentence(o.batch_size)},
      {"kappa", sentence(o.kappa)},
      {"gamma_rule", gammas[static_cast<int>(o.gamma.kind)]},
      {"center_rule", centers[static_cast<int>(o.center.kind)]},
      {"center_learning_rate", sentence(o.center.learning_rate)},
      {"learning_rate", sentence(o.adam.learning_rate)},
      {"final_rate", sentence(o.final_rate)},
      {"weight_decay", sentence(o.adam.weight_decay)},
      {"precision", o.precision.name()},
      {"score", scores[static_cast<int>(o.score)]}};
  if (o.validation > 0) words["validation"] = sentence(o.validation);
  if (o.patience > 0) words["patience"] = sentence(o.patience);
  if (o.gamma.factor != 1) words["gamma_factor"] = sentence(o.gamma.factor);
  return words;
}

}  // namespace detail
DASVDD_NAMESPACE_END
