#pragma once
/// \file
/// The plain autoencoder's objective: the comparator that shares everything with DASVDD but the
/// latent term.

#include <dasvdd/objective/objective_defaults.hpp>
#include <dasvdd/objective/score_terms.hpp>

DASVDD_NAMESPACE_BEGIN

/// L = mean over the rows of r(x) = ||xhat - x||^2 / d. No center, no gamma; the score is r.
template <class Scalar_>
class Reconstruction : public ObjectiveDefaults {
 public:
  using Scalar = Scalar_;
  static constexpr const char* name = "reconstruction";

  void operator()(const detail::kernels::Table<Scalar>& k, const ObjectiveInput<Scalar>& in, double,
                  detail::Range rows, const ObjectiveOutput<Scalar>& out) const {
    detail::reconstruction_term(k, in, 1, rows, out);
    detail::latent_term(k, in, 0, rows, out);
  }
  double reconstruction_weight() const { return 1; }
  double latent_weight(double) const { return 0; }
};

DASVDD_NAMESPACE_END
