#pragma once
// An objective of a user's own that fails.

#include <dasvdd/objective/objective.hpp>

#include <stdexcept>

/// Throws where it is told to.
template <class Scalar>
struct Refusing : dasvdd::Objective<Scalar> {
  static constexpr const char* name = "refusing";
  bool in_call = false, in_extra = false;
  void operator()(const typename dasvdd::Objective<Scalar>::Input& in,
                  const typename dasvdd::Objective<Scalar>::State&,
                  const typename dasvdd::Objective<Scalar>::Output& out) const {
    in.reconstruction_term(1, out);
    in.latent_term(0, out);
    // By one member of a team, at the second row.
    if (in_call && in.first <= 1 && in.last > 1) throw std::domain_error("no such row");
  }
  double extra(Scalar, const typename dasvdd::Objective<Scalar>::State&) const {
    if (in_extra) throw std::domain_error("no such row");
    return 0;
  }
  double reconstruction_weight() const { return 1; }
  double latent_weight(double) const { return 0; }
};
