#pragma once
/// \file
/// The last step of fit() and fit_images(): the ensemble and its threshold.

#include <dasvdd/core/quantile.hpp>
#include <dasvdd/detect/ensemble.hpp>
#include <dasvdd/train/finish.hpp>
#include <dasvdd/train/options.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The members as one detector, its threshold a quantile of the training rows' scores.
/// \param facts for Detector::facts(); those of the first member are added
/// \param level of the quantile
template <class Scalar>
Detector<Scalar> fitted_ensemble(const std::vector<Detector<Scalar>>& members, Facts facts,
                                 Rows<const Scalar> X, int threads,
                                 double level = Options().training_quantile) {
  const Facts& first = members.front().facts();
  facts.insert(first.begin(), first.end());  // keeps those given
  const Detector<Scalar> detector = ensemble(members, 0, std::move(facts));
  return detector.with_threshold(quantile(scores_of_rows(detector, X, threads), level));
}

}  // namespace detail
DASVDD_NAMESPACE_END
