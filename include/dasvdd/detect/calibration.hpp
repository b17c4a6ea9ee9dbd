#pragma once
/// \file
/// From scores to decisions: thresholds and p-values out of the scores of normal rows.

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/finite.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// The share of normal rows that may be called anomalies.
struct FalseAlarmRate {
  double rate;
};

}  // namespace detail

/// The share of normal rows that may be called anomalies, for Detector::calibrated.
/// \param rate in (0, 1)
inline detail::FalseAlarmRate false_alarm_rate(double rate) {
  detail::ensure(rate > 0 && rate < 1, "the false alarm rate is ", rate,
                 ", expected a number between 0 and 1");
  return {rate};
}

/// Scores of normal rows that were not trained on, sorted.
///
/// Of Detector::calibrated() the rows are held out, and what is said below holds for any score and any
/// distribution, provided that a new normal row is exchangeable with them (split conformal inference,
/// Vovk et al. 2005). Of fit() each row is held out of some nets only (cross-conformal): then it holds
/// nearly; docs/results.md has how nearly.
class Calibration {
 public:
  /// No held-out scores: p-values are not available.
  Calibration() = default;
  /// \param scores of held-out normal rows, finite, in any order
  explicit Calibration(std::vector<double> scores) : scores_(std::move(scores)) {
    for (std::size_t i = 0; i < scores_.size(); ++i) {
      detail::ensure(detail::is_finite(scores_[i]), "calibration score ", i, " is ",
                     detail::non_finite_name(scores_[i]), ", expected a finite number");
    }
    std::sort(scores_.begin(), scores_.end());
  }

  /// Throws InvalidArgument where there are no scores.
  void require_scores() const {
    detail::ensure(!empty(),
                   "the detector has no held-out scores for a p-value; make it with calibrated()");
  }
  bool empty() const { return scores_.empty(); }
  const std::vector<double>& scores() const { return scores_; }

  /// The threshold that a new normal row exceeds with probability at most `alarm`: the
  /// ceil((n + 1)(1 - alarm))-th smallest of the n scores. Throws InvalidArgument where n is too small
  /// for the rate.
  double threshold(detail::FalseAlarmRate alarm) const {
    alarm = false_alarm_rate(alarm.rate);  // a caller may have made it without that check
    const double n = static_cast<double>(scores_.size());
    // Counted from the top, where (n + 1) rate is small: at most floor((n + 1) rate) scores lie above.
    const double above = (std::min)(n, std::floor((n + 1) * alarm.rate * (1 + 1e-12)));
    detail::ensure(above >= 1, "a false alarm rate of ", alarm.rate, " needs at least ",
                   static_cast<long long>((std::min)(std::ceil(1 / alarm.rate - 1e-9), 1e18)) - 1,
                   " held-out normal rows, got ", scores_.size());
    return scores_[scores_.size() - static_cast<std::size_t>(above)];
  }

  /// The probability that a normal row scores at least as high: (1 + number of held-out scores >=
  /// score) / (n + 1). Throws InvalidArgument where there are no held-out scores.
  double p_value(double score) const {
    require_scores();
    detail::ensure(!detail::is_nan(score), "the score is NaN, expected a number or infinity");
    const auto first = std::lower_bound(scores_.begin(), scores_.end(), score);
    return (1 + static_cast<double>(scores_.end() - first)) /
           (1 + static_cast<double>(scores_.size()));
  }

 private:
  std::vector<double> scores_;
};

DASVDD_NAMESPACE_END
