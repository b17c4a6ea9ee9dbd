#pragma once
/// \file
/// The report of a training run.

#include <dasvdd/core/types.hpp>

#include <string>
#include <type_traits>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// One epoch: means over the rows of the network share, each taken before its mini-batch's update.
struct EpochReport {
  Index epoch = 0;             ///< from 1
  Index epochs = 0;            ///< in all
  double loss = 0;             ///< reconstruction + gamma * latent (by the objective's weights)
  double reconstruction = 0;   ///< mean r
  double latent = 0;           ///< mean q
  double validation_loss = 0;  ///< of the held-out rows, after the epoch; with Options::validation
  double seconds = 0;
};

/// One run of Trainer::fit.
struct FitReport {
  std::vector<EpochReport> epochs;
  Index best_epoch = 0;  ///< the epoch whose net was kept, with Options::validation; else 0
  double gamma = 0;
  std::vector<double> center;  ///< m, at the end
  double seconds = 0;
  double gamma_seconds = 0;           ///< of those, for the estimate of gamma
  Index threads = 1;                  ///< threads that trained
  bool stopped = false;               ///< the progress callback, or Options::patience, ended it
  std::vector<std::string> warnings;  ///< one sentence each; empty after a healthy run

  bool healthy() const { return warnings.empty(); }
};

namespace detail {

/// Calls progress(report). True to go on: its result, or true where it returns nothing.
template <class Progress, class Report>
bool keep_going(Progress&& progress, const Report& report) {
  if constexpr (std::is_void_v<decltype(progress(report))>) {
    progress(report);
    return true;
  } else {
    return progress(report);
  }
}

struct NoProgress {
  template <class Report>
  bool operator()(const Report&) const {
    return true;
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
