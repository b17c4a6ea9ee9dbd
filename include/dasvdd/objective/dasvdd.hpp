#pragma once
/// \file
/// The DASVDD objective (Hojjati & Armanfard, arXiv 2106.05410).

#include <dasvdd/objective/objective.hpp>

DASVDD_NAMESPACE_BEGIN

/// L = mean over the n rows of S(x) = r(x) + gamma q(x),   r = ||xhat - x||^2 / d,   q = ||z -
/// c||^2.
///
/// Gradients for the network step, the center fixed: dL/d(xhat) = 2 (xhat - x) / (d n), dL/dz = 2
/// gamma (z - c) / n. The center step minimizes the same L over c, see train/center.hpp.
template <class Scalar_>
class Dasvdd : public Objective<Scalar_> {
 public:
  using Scalar = Scalar_;
  using typename Objective<Scalar>::Input;
  using typename Objective<Scalar>::Output;
  using typename Objective<Scalar>::State;
  static constexpr bool estimates_gamma = true;
  static constexpr bool moves_center = true;
  /// For sentences and the model file.
  static constexpr const char* name = "dasvdd";

  /// Writes the terms and gradients of in's rows; called by several threads, each for rows of its
  /// own.
  void operator()(const Input& in, const State&, const Output& out) const {
    in.reconstruction_term(1, out);
    in.latent_term(in.gamma, out);
  }
  /// The weights of r and q in the score and the loss.
  double reconstruction_weight() const { return 1; }
  double latent_weight(double gamma) const { return gamma; }
};

DASVDD_NAMESPACE_END
