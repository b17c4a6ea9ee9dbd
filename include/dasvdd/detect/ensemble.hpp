#pragma once
/// \file
/// Several detectors as one.

#include <dasvdd/detect/detector.hpp>

DASVDD_NAMESPACE_BEGIN

/// One detector whose score is the mean of the members' scores: nets of other seeds, sizes or
/// objectives, fitted on the same rows with the same scaling. Forms whose terms are normalized
/// (balanced, whitened) add up sensibly.
/// An ensemble of ensembles is the mean over all their nets.
/// \param threshold as of Detector: scores above it are anomalies
/// \param facts words for the model file
/// \throws InvalidArgument where the members' features or scalers differ
template <class Scalar>
Detector<Scalar> ensemble(const std::vector<Detector<Scalar>>& detectors, double threshold,
                          detail::Facts facts = {}) {
  detail::require(!detectors.empty(), "an ensemble needs at least one detector");
  auto model = std::make_shared<detail::Model<Scalar>>();
  model->scaler = detectors.front().model().scaler;
  model->facts = std::move(facts);
  for (std::size_t i = 0; i < detectors.size(); ++i) {
    const auto& other = detectors[i].model();
    detail::require(other.scaler == model->scaler, "detector ", i,
                    " of the ensemble scales its rows otherwise than detector 0");
    model->members.insert(model->members.end(), other.members.begin(), other.members.end());
    for (const std::string& warning : other.warnings) {
      model->warnings.push_back(detail::sentence("net ", i + 1, ": ", warning));
    }
  }
  return Detector<Scalar>(std::move(model), threshold);
}

DASVDD_NAMESPACE_END
