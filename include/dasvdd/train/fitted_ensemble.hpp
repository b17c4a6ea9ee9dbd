#pragma once
/// \file
/// The detector of a fit of several nets.

#include <dasvdd/detect/calibration.hpp>
#include <dasvdd/detect/ensemble.hpp>
#include <dasvdd/train/finish.hpp>
#include <dasvdd/train/options.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// One net of a fit.
template <class Scalar>
struct FittedMember {
  Detector<Scalar> detector;
  std::vector<std::string> warnings;  ///< its FitReport's
};

/// What the members' reports warn of, in one line.
template <class Scalar>
std::string joined_warnings(const std::vector<FittedMember<Scalar>>& members) {
  std::string joined;
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (const std::string& warning : members[i].warnings) {
      joined += sentence(joined.empty() ? "" : "; ", "net ", i + 1, ": ", warning);
    }
  }
  return joined;
}

/// The members as one detector, its threshold a quantile of the training rows' scores.
/// \param facts words for the model file, besides the first member's
template <class Scalar>
Detector<Scalar> fitted_ensemble(const std::vector<FittedMember<Scalar>>& members,
                                 std::map<std::string, std::string> facts, Rows<const Scalar> X,
                                 int threads, double level = Options().training_quantile) {
  std::vector<Detector<Scalar>> detectors;
  for (const FittedMember<Scalar>& member : members) detectors.push_back(member.detector);
  const auto& first = detectors.front().model().facts;
  facts.insert(first.begin(), first.end());  // keeps those given
  std::string warnings = joined_warnings(members);
  if (!warnings.empty()) facts["warnings"] = std::move(warnings);
  const Detector<Scalar> detector = ensemble(detectors, 0, std::move(facts));
  return detector.with_threshold(quantile(scores_of_rows(detector, X, threads), level));
}

}  // namespace detail
DASVDD_NAMESPACE_END
