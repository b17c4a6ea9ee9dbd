#pragma once
/// \file
/// `Confusion`: the four counts at one threshold, and their rates.

#include <dasvdd/eval/operating_points.hpp>

DASVDD_NAMESPACE_BEGIN

/// Counts of a detector's decisions against the labels; an anomaly is the positive class.
///
/// A rate whose denominator is zero (precision when nothing was flagged, say) is 0, as in scikit-learn.
struct Confusion {
  /// Counts the decisions "score > threshold is an anomaly", the detector's own rule (a score equal
  /// to the threshold is normal). One class alone is fine here.
  ///
  /// \param scores n scores, larger is more anomalous
  /// \param labels n labels, nonzero for an anomaly
  /// \param threshold any number, infinities included
  /// \throws InvalidArgument on another number of labels, no rows, or a NaN among the scores or as
  /// threshold
  Confusion(detail::ScoreView scores, detail::LabelView labels, double threshold) {
    detail::require_scores(scores, labels);
    detail::ensure(!detail::is_nan(threshold), "threshold is NaN, expected a number");
    for (Index i = 0; i < scores.size(); ++i) {
      const bool flagged = scores[i] > threshold;
      if (labels[i]) {
        ++(flagged ? true_positives : false_negatives);
      } else {
        ++(flagged ? false_positives : true_negatives);
      }
    }
  }

  std::uint64_t true_positives = 0;   ///< anomalies flagged
  std::uint64_t false_positives = 0;  ///< normal rows flagged: false alarms
  std::uint64_t true_negatives = 0;   ///< normal rows left alone
  std::uint64_t false_negatives = 0;  ///< anomalies missed

  /// The share of flagged rows that are anomalies, TP / (TP + FP).
  double precision() const { return share(true_positives, true_positives + false_positives); }
  /// The share of anomalies that are flagged, TP / (TP + FN).
  double recall() const { return share(true_positives, true_positives + false_negatives); }
  /// The harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN).
  double f1() const {
    return share(2 * true_positives, 2 * true_positives + false_positives + false_negatives);
  }
  /// The share of normal rows that are flagged, FP / (FP + TN).
  double false_alarm_rate() const {
    return share(false_positives, false_positives + true_negatives);
  }

 private:
  static double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  }
};

DASVDD_NAMESPACE_END
