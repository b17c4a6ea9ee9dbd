#pragma once
/// \file
/// `ensemble`: several detectors as one.

#include <dasvdd/detect/detector.hpp>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// The nets of all detectors as one model. Throws InvalidArgument where features or scalers differ, or
/// there are no detectors.
template <class Scalar>
std::shared_ptr<Model<Scalar>> joined_model(const std::vector<Detector<Scalar>>& detectors,
                                            Facts facts) {
  ensure(!detectors.empty(), "an ensemble needs at least one detector");
  auto model = std::make_shared<Model<Scalar>>();
  model->scaler = detectors.front().model().scaler;
  model->feature_names = detectors.front().feature_names();
  model->facts = std::move(facts);
  for (std::size_t i = 0; i < detectors.size(); ++i) {
    const auto& other = detectors[i].model();
    ensure(other.scaler == model->scaler, "detector ", i,
           " of the ensemble scales its rows otherwise than detector 0");
    ensure(other.feature_names == model->feature_names, "detector ", i,
           " of the ensemble has other feature names than detector 0");
    model->members.insert(model->members.end(), other.members.begin(), other.members.end());
    for (const std::string& warning : other.warnings) {
      model->warnings.push_back(sentence("net ", i + 1, ": ", warning));
    }
  }
  return model;
}

}  // namespace detail

/// One detector whose score is the mean of the scores of all nets in `detectors`. The nets may have
/// other seeds, sizes or objectives; they were fitted on rows scaled alike. Use a score form whose terms
/// are normalized (balanced, whitened), so that no net outweighs the others.
/// \param threshold rows with scores above it are called anomalies
/// \param facts for Detector::facts(); the detectors' own are not kept, their warnings are
/// \throws InvalidArgument where features or scalers differ, or there are no detectors
template <class Scalar>
Detector<Scalar> ensemble(const std::vector<Detector<Scalar>>& detectors, double threshold,
                          detail::Facts facts = {}) {
  return Detector<Scalar>(detail::joined_model(detectors, std::move(facts)), threshold);
}

DASVDD_NAMESPACE_END
