#pragma once
/// \file
/// `average_precision`: the area under the precision-recall curve, as a sum of steps.

#include <dasvdd/eval/operating_points.hpp>

DASVDD_NAMESPACE_BEGIN

/// Precision averaged over the recall that each threshold adds:
///
///     AP = sum_i (R_i - R_(i-1)) * precision_i,   R_i = TP_i / P,   precision_i = TP_i / (TP_i +
///     FP_i)
///
/// over the distinct scores from high to low. No interpolation between points: trapezoids would
/// overestimate the area. A random ranking gets about the share of anomalies, P / (P + N). Equals
/// scikit-learn's average_precision_score.
///
/// \param scores, labels, throws as in operating_points()
inline double average_precision(detail::ScoreView scores, detail::LabelView labels) {
  double sum = 0.0;
  detail::OperatingPoint before{0.0, 0, 0};
  for (const detail::OperatingPoint& point : detail::operating_points(scores, labels)) {
    // An integer over an integer leaves the compiler no multiply-add to contract.
    sum +=
        static_cast<double>((point.true_positives - before.true_positives) * point.true_positives) /
        static_cast<double>(point.true_positives + point.false_positives);
    before = point;
  }
  return sum / static_cast<double>(before.true_positives);
}

DASVDD_NAMESPACE_END
