#pragma once
/// \file
/// `fpr_at_tpr`: the false positive rate at a wanted true positive rate.

#include <dasvdd/eval/operating_points.hpp>

DASVDD_NAMESPACE_BEGIN

/// The share of normal rows flagged at the highest threshold that catches at least the share `tpr`
/// of the anomalies (FPR at 95 % TPR by default). Lower is better. No interpolation: the value
/// belongs to a threshold that exists. Equals scikit-learn's `fpr[argmax(tpr >= 0.95)]` on the full
/// roc_curve (drop_intermediate=False).
///
/// \param scores, labels as in operating_points()
/// \param tpr the wanted true positive rate, in (0, 1]
/// \throws InvalidArgument as operating_points(), and when `tpr` is outside (0, 1]
inline double fpr_at_tpr(detail::ScoreView scores, detail::LabelView labels, double tpr = 0.95) {
  detail::ensure(tpr > 0.0 && tpr <= 1.0, "tpr is ", tpr, ", expected a rate in (0, 1]");
  const std::vector<detail::OperatingPoint> points = detail::operating_points(scores, labels);
  const double anomalies = static_cast<double>(points.back().true_positives);
  const double normal = static_cast<double>(points.back().false_positives);
  // The last point has TPR 1, so there is one.
  const auto found =
      std::find_if(points.begin(), points.end(), [&](const detail::OperatingPoint& point) {
        return static_cast<double>(point.true_positives) / anomalies >= tpr;
      });
  return static_cast<double>(found->false_positives) / normal;
}

DASVDD_NAMESPACE_END
