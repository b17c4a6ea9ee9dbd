#pragma once
/// \file
/// The plain autoencoder's objective: the comparator that shares everything with DASVDD but the
/// latent term.

#include <dasvdd/objective/objective.hpp>

DASVDD_NAMESPACE_BEGIN

/// L = mean over the rows of r(x) = ||xhat - x||^2 / d. No center, no gamma; the score is r.
template <class Scalar_>
class Reconstruction : public Objective<Scalar_> {
 public:
  using Scalar = Scalar_;
  using typename Objective<Scalar>::Input;
  using typename Objective<Scalar>::Output;
  using typename Objective<Scalar>::State;
  static constexpr const char* name = "reconstruction";

  void operator()(const Input& in, const State&, const Output& out) const {
    in.reconstruction_term(1, out);
    in.latent_term(0, out);
  }
  double reconstruction_weight() const { return 1; }
  double latent_weight(double) const { return 0; }
};

DASVDD_NAMESPACE_END
