#pragma once
/// \file
/// `FitOptions`, the options of fit().

#include <dasvdd/train/options.hpp>

#include <algorithm>

DASVDD_NAMESPACE_BEGIN

/// Options of fit(); the defaults suit a table of any width and length. Values out of range are
/// refused before anything is trained.
struct FitOptions : detail::TrainingOptions {
  Index ensemble_size = 9;  ///< nets in the ensemble; 1 for those who need the smallest model
  /// Mini-batches each net trains for, rounded up to whole epochs; a tenth of them where it has no more
  /// rows than features.
  Index steps = 3000;
  Index epochs = 0;  ///< passes over the rows instead of steps, for those who count so; 0: steps
  /// The share of training rows that may be anomalies, below one half, for those who can't promise
  /// normal rows. Rows that look odd are left out of the training, nets train for a third of
  /// `steps`, because a long training reconstructs its few anomalies too, and about that share of new
  /// rows like these scores above the threshold. Costs detection where all rows are normal after all
  /// (docs/results.md has figures): leave it at 0 then.
  double contamination = 0;

  /// Standardized rows. Small mini-batches at a constant rate: their noise changes the
  /// reconstruction of a row the more, the fewer training rows are near it, and so the residuals of
  /// anomalies. A tenth of the published gamma: untrained nets put it far too high for trained
  /// ones; two nets suffice for the estimate, because there are other members.
  FitOptions() {
    adam.learning_rate = 1.5e-3;
    batch_size = 32;
    standardize = true;
    score = ScoreForm::several_centers;
    gamma = GammaRule::ratio_of_means(2).times(0.1);
  }

  void validate() const {
    using detail::ensure;
    ensure(ensemble_size >= 1 && ensemble_size <= 10000, "ensemble_size is ", ensemble_size,
           ", expected 1 to 10000");
    ensure(steps >= 1, "steps is ", steps, ", expected at least 1");
    ensure(epochs >= 0, "epochs is ", epochs, ", expected 0 (as steps say) or more");
    ensure(contamination >= 0 && contamination < 0.5, "the contamination is ", contamination,
           ", expected a share from 0 to below 0.5");
    ensure(missing == Missing::refuse || standardize,
           "missing values take the place of the mean: rows that lack some must be standardized");
    TrainingOptions::validate();
  }

  /// Epochs of a net that trains on so many rows of d numbers. Of fewer rows than features a net
  /// learns in a tenth of the steps what it can.
  Index epochs_for(Index rows, Index d) const {
    if (epochs > 0) return epochs;
    const Index part = rows <= d ? 10 : contamination > 0 ? 3 : 1;
    const Index wanted = detail::ceil_div(steps, part);
    return detail::ceil_div(wanted, detail::ceil_div(rows, batch_size));
  }
};

DASVDD_NAMESPACE_END
