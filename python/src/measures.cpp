#include "measures.hpp"

#include "arrays.hpp"

#include <dasvdd/eval/average_precision.hpp>
#include <dasvdd/eval/confusion.hpp>
#include <dasvdd/eval/fpr_at_tpr.hpp>
#include <dasvdd/eval/roc_auc.hpp>

#include <vector>

namespace dasvdd::python {
namespace {

using namespace nb::literals;

/// Scores and labels of one call.
struct Judged {
  Numbers<double> scores;
  std::vector<bool> labels;

  Judged(const ArrayLike& scores_of_rows, const ArrayLike& labels_of_rows)
      : scores(scores_of_rows, "scores") {
    const Numbers<double> numbers(labels_of_rows, "labels");
    for (Index i = 0; i < numbers.size(); ++i) {
      detail::ensure(!detail::is_nan(numbers.data()[i]), "labels has NaN at index ", i);
      labels.push_back(numbers.data()[i] != 0);
    }
  }
  detail::ScoreView view() const { return {scores.data(), scores.size()}; }
};

}  // namespace

void bind_measures(nb::module_& m) {
  m.def(
      "roc_auc",
      [](const ArrayLike& scores, const ArrayLike& labels) {
        const Judged judged(scores, labels);
        return roc_auc(judged.view(), judged.labels);
      },
      "scores"_a, "labels"_a,
      R"(The area under the ROC curve: the chance that an anomaly scores above a normal row.

Parameters
----------
scores : array_like of shape (n,)
    Larger is more anomalous.
labels : array_like of shape (n,)
    Nonzero for an anomaly; both kinds are needed.)");
  m.def(
      "average_precision",
      [](const ArrayLike& scores, const ArrayLike& labels) {
        const Judged judged(scores, labels);
        return average_precision(judged.view(), judged.labels);
      },
      "scores"_a, "labels"_a, "Average precision; arguments as in roc_auc().");
  m.def(
      "fpr_at_tpr",
      [](const ArrayLike& scores, const ArrayLike& labels, double tpr) {
        const Judged judged(scores, labels);
        return fpr_at_tpr(judged.view(), judged.labels, tpr);
      },
      "scores"_a, "labels"_a, "tpr"_a = 0.95,
      "The share of normal rows flagged at the highest threshold that catches the share `tpr` of "
      "the anomalies.");
  nb::class_<Confusion>(
      m, "Confusion",
      R"(Counts of decisions against the labels at one threshold; an anomaly is the positive class.

Parameters
----------
scores, labels : array_like of shape (n,)
    As in roc_auc(); one kind of label alone is fine.
threshold : float
    Rows with scores above it are flagged.)")
      .def(
          "__init__",
          [](Confusion* self, const ArrayLike& scores, const ArrayLike& labels, double threshold) {
            const Judged judged(scores, labels);
            new (self) Confusion(judged.view(), judged.labels, threshold);
          },
          "scores"_a, "labels"_a, "threshold"_a)
      .def_ro("true_positives", &Confusion::true_positives, "Anomalies flagged.")
      .def_ro("false_positives", &Confusion::false_positives, "Normal rows flagged: false alarms.")
      .def_ro("true_negatives", &Confusion::true_negatives, "Normal rows left alone.")
      .def_ro("false_negatives", &Confusion::false_negatives, "Anomalies missed.")
      .def_prop_ro("precision", &Confusion::precision,
                   "The share of flagged rows that are anomalies.")
      .def_prop_ro("recall", &Confusion::recall, "The share of anomalies that are flagged.")
      .def_prop_ro("f1", &Confusion::f1, "The harmonic mean of precision and recall.")
      .def_prop_ro("false_alarm_rate", &Confusion::false_alarm_rate,
                   "The share of normal rows that are flagged.");
}

}  // namespace dasvdd::python
