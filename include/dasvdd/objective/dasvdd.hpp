#pragma once
/// \file
/// The DASVDD objective (Hojjati & Armanfard, arXiv 2106.05410).

#include <dasvdd/objective/objective_defaults.hpp>
#include <dasvdd/objective/score_terms.hpp>

DASVDD_NAMESPACE_BEGIN

/// L = mean over the n rows of S(x) = r(x) + gamma q(x),   r = ||xhat - x||^2 / d,   q = ||z -
/// c||^2.
///
/// Gradients for the network step, the center fixed: dL/d(xhat) = 2 (xhat - x) / (d n), dL/dz = 2
/// gamma (z - c) / n. The center step minimises the same L over c, see train/center.hpp.
///
/// An objective of your own looks like this one: ObjectiveDefaults has the questions it may answer
/// otherwise. Trainer takes it as its second template argument.
template <class Scalar_>
class Dasvdd : public ObjectiveDefaults {
 public:
  using Scalar = Scalar_;
  static constexpr bool estimates_gamma = true;
  static constexpr bool moves_center = true;
  /// For sentences and the model file.
  static constexpr const char* name = "dasvdd";

  /// Writes terms and gradients of the rows in `rows`, all four whatever they weigh; called by several
  /// threads, each for rows of its own.
  void operator()(const detail::kernels::Table<Scalar>& k, const ObjectiveInput<Scalar>& in,
                  double gamma, detail::Range rows, const ObjectiveOutput<Scalar>& out) const {
    detail::reconstruction_term(k, in, 1, rows, out);
    detail::latent_term(k, in, gamma, rows, out);
  }
  /// The weights of r and q in the score and the loss.
  double reconstruction_weight() const { return 1; }
  double latent_weight(double gamma) const { return gamma; }
};

DASVDD_NAMESPACE_END
