#pragma once
/// \file
/// The DASVDD objective (Hojjati & Armanfard, arXiv 2106.05410).

#include <dasvdd/objective/score_terms.hpp>

DASVDD_NAMESPACE_BEGIN

/// L = mean over the n rows of S(x) = r(x) + gamma q(x),   r = ||xhat - x||^2 / d,   q = ||z -
/// c||^2.
///
/// Gradients for the network step, the center fixed: dL/d(xhat) = 2 (xhat - x) / (d n), dL/dz = 2
/// gamma (z - c) / n. The center step minimises the same L over c, see train/center.hpp.
///
/// An objective of your own has the same members; Trainer takes it as its second template argument.
template <class Scalar_>
class Dasvdd {
 public:
  using Scalar = Scalar_;
  /// Whether the trainer estimates gamma and takes center steps, and whether the score needs the
  /// decoder.
  static constexpr bool estimates_gamma = true;
  static constexpr bool moves_center = true;
  static constexpr bool uses_decoder = true;
  /// Whether the net may have biases; whether the center starts on the untrained net's mean code
  /// (the objective then has start_center) instead of a normal draw; whether there is a radius (then
  /// warm_up, nu, excess and loss). See DeepSvdd and SoftBoundaryDeepSvdd.
  static constexpr bool allows_biases = true;
  static constexpr bool starts_center = false;
  static constexpr bool has_radius = false;
  static constexpr const char* name = "dasvdd";

  /// Terms and gradients of the rows in `rows`; called by several threads, each for rows of its
  /// own.
  void operator()(const kernels::Table<Scalar>& k, const ObjectiveInput<Scalar>& in, double gamma,
                  Range rows, const ObjectiveOutput<Scalar>& out) const {
    detail::reconstruction_term(k, in, 1, rows, out);
    detail::latent_term(k, in, gamma, rows, out);
  }
  /// The weights of r and q in the score and the loss.
  double reconstruction_weight() const { return 1; }
  double latent_weight(double gamma) const { return gamma; }
};

DASVDD_NAMESPACE_END
