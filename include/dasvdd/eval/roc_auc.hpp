#pragma once
/// \file
/// `roc_auc`: the area under the receiver operating characteristic.

#include <dasvdd/eval/operating_points.hpp>

DASVDD_NAMESPACE_BEGIN

/// The chance that a random anomaly scores higher than a random normal row, a tie counting one
/// half:
///
///     AUC = (#{anomaly > normal} + #{anomaly = normal} / 2) / (P N)
///
/// with P anomalies and N normal rows. 1 is a perfect ranking, 0.5 what constant scores get. The
/// pairs are counted in integers (twice the area, exact below 2^32 rows), so the result is the
/// exact value rounded once and does not depend on the order of the rows. Equals scikit-learn's
/// roc_auc_score.
///
/// \param scores, labels, throws as in operating_points()
inline double roc_auc(detail::ScoreView scores, detail::LabelView labels) {
  std::uint64_t twice_pairs = 0;
  detail::OperatingPoint before{0.0, 0, 0};
  for (const detail::OperatingPoint& point : detail::operating_points(scores, labels)) {
    // The trapezoid over the normal rows that enter here: all anomalies above win, those tied win
    // half.
    twice_pairs += (point.false_positives - before.false_positives) *
                   (point.true_positives + before.true_positives);
    before = point;
  }
  return static_cast<double>(twice_pairs) /
         static_cast<double>(2 * before.true_positives * before.false_positives);
}

DASVDD_NAMESPACE_END
