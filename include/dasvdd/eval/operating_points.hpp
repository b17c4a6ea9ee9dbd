#pragma once
/// \file
/// `operating_points`: true and false positives at every threshold. The ROC and precision-recall curves
/// are made of them.

#include <dasvdd/eval/sequence_view.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What is flagged when every row with score >= `threshold` is called an anomaly.
struct OperatingPoint {
  double threshold;               ///< a score that occurs
  std::uint64_t true_positives;   ///< anomalies among the flagged rows
  std::uint64_t false_positives;  ///< normal rows among them
};

/// Refuses scores and labels that don't match, are empty or have a NaN among the scores.
/// Infinite scores have a place in the order and are taken.
inline void require_scores(ScoreView scores, LabelView labels) {
  ensure(scores.size() == labels.size(), "labels has ", labels.size(), " entries, expected ",
         scores.size(), ", one for every score");
  ensure(scores.size() > 0, "scores is empty; expected at least one score");
  for (Index i = 0; i < scores.size(); ++i) {
    ensure(!is_nan(scores[i]), "scores has NaN at index ", i, "; a NaN has no place in a ranking");
  }
}

/// One point for every distinct score, from the highest to the lowest; counts only grow, and the
/// last point counts every anomaly (P = its true positives) and every normal row (N = its false
/// positives).
///
/// Rows with equal scores enter together, as in scikit-learn: ties have no order.
/// Dividing by N and P gives the ROC curve without its first point (0, 0); TP / (TP + FP) and TP /
/// P give precision and recall.
///
/// Cost: one sort, O(n log n); counts are exact.
///
/// \param scores n scores, larger is more anomalous; infinities are taken, a NaN is refused
/// \param labels n labels, nonzero for an anomaly; at least one anomaly and one normal row
/// \throws InvalidArgument on another number of labels, no rows, a NaN, or one class only
inline std::vector<OperatingPoint> operating_points(ScoreView scores, LabelView labels) {
  detail::require_scores(scores, labels);
  struct Row {
    double score;
    bool anomaly;
  };
  std::vector<Row> rows(static_cast<std::size_t>(scores.size()));
  std::uint64_t anomalies = 0;
  for (Index i = 0; i < scores.size(); ++i) {
    rows[static_cast<std::size_t>(i)] = {scores[i], labels[i]};
    anomalies += labels[i] ? 1 : 0;
  }
  detail::ensure(anomalies > 0, "labels has no anomaly (nonzero) among ", rows.size(),
                 " rows; a ranking measure needs both classes");
  detail::ensure(anomalies < rows.size(), "labels has no normal row (0) among ", rows.size(),
                 "; a ranking measure needs both classes");
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.score > b.score; });

  std::vector<OperatingPoint> points;
  OperatingPoint count{0.0, 0, 0};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    count.true_positives += rows[i].anomaly ? 1 : 0;
    count.false_positives += rows[i].anomaly ? 0 : 1;
    if (i + 1 < rows.size() && rows[i + 1].score == rows[i].score) continue;
    count.threshold = rows[i].score;
    points.push_back(count);
  }
  return points;
}

}  // namespace detail
DASVDD_NAMESPACE_END
