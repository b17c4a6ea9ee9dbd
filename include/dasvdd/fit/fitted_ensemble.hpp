#pragma once
/// \file
/// The last step of fit() and fit_images(): the ensemble, its calibration and its threshold.

#include <dasvdd/detect/ensemble.hpp>
#include <dasvdd/fit/left_out_scores.hpp>
#include <dasvdd/train/finish.hpp>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A member of a fit with what it says of the rows that it left out.
template <class Scalar>
struct FittedMember {
  Detector<Scalar> detector;
  LeftOut left_out;  ///< rows by their numbers in the table
};

/// The share of new normal rows that a fit's threshold may call anomalies.
constexpr double usual_false_alarms = 0.01;

/// The threshold of a rate of false alarms. Where there are too few scores for the rate: the largest of
/// them, and a warning.
inline double threshold_or_largest(const Calibration& calibration, double rate,
                                   std::vector<std::string>& warnings) {
  const double n = static_cast<double>(calibration.scores().size());
  const double smallest = 1 / (n + 1);
  if (rate < smallest * (1 - 1e-9)) {
    warnings.push_back(sentence("a false alarm rate of ", rate, " needs ",
                                static_cast<long long>(std::ceil(1 / rate - 1e-9)) - 1,
                                " rows that some net was not trained on, there are ", n,
                                ": the threshold is the largest of their scores, which about one "
                                "normal row in ",
                                n + 1, " exceeds"));
  }
  return calibration.threshold(false_alarm_rate((std::max)(rate, smallest)));
}

/// The members as one detector, calibrated by the rows that they left out.
/// \param facts for Detector::facts(); those of the first member are added
/// \param false_alarms the share of new normal rows that the threshold may call anomalies
/// \param X the table
/// \param warnings of the table, before those of the nets
template <class Scalar>
Detector<Scalar> fitted_ensemble(const std::vector<FittedMember<Scalar>>& members, Facts facts,
                                 const AnyRows& X, int threads,
                                 double false_alarms = usual_false_alarms,
                                 std::vector<std::string> warnings = {}) {
  std::vector<Detector<Scalar>> detectors;
  LeftOutScores left_out(X.rows());
  for (const auto& member : members) {
    detectors.push_back(member.detector);
    left_out.add(member.left_out);
  }
  const Facts& first = detectors.front().facts();
  facts.insert(first.begin(), first.end());  // keeps those given
  auto model = joined_model(detectors, std::move(facts));
  model->warnings.insert(model->warnings.begin(), warnings.begin(), warnings.end());
  Calibration calibration(left_out.of_ensemble(members.size()));
  if (!calibration.empty()) {
    const double threshold = threshold_or_largest(calibration, false_alarms, model->warnings);
    // A single net's left-out scores are the calibration already.
    Calibration first_net;
    if (members.size() > 1) first_net = Calibration(members.front().left_out.scores);
    return Detector<Scalar>(std::move(model), threshold, std::move(calibration),
                            std::move(first_net));
  }
  model->warnings.push_back(
      "there are too few rows to leave any out of the training: the detector has no p-values, and "
      "its threshold is the largest score of the training rows");
  const Detector<Scalar> detector(std::move(model), 0);
  return detector.with_threshold(quantile(scores_of_rows(detector, X, threads), 1));
}

}  // namespace detail
DASVDD_NAMESPACE_END
