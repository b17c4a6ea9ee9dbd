#pragma once
/// \file
/// Deep SVDD (Ruff et al., ICML 2018) with a soft boundary: some training rows may lie outside.

#include <dasvdd/core/quantile.hpp>
#include <dasvdd/objective/deep_svdd.hpp>

DASVDD_NAMESPACE_BEGIN

/// L = R^2 + 1 / (nu n) sum over the n rows of max(0, q(x) - R^2),   q = ||z - c||^2.
///
/// Rows outside the sphere of radius R get the gradient dL/dz = 2 (z - c) / (nu n), rows inside none.
/// R takes no gradient step. After every epoch from the `warm_up`-th on, R^2 becomes the 1 - nu
/// quantile of the training rows' q, which minimizes L over R while the net stands still. Before,
/// R = 0 and all rows count. Net, center, weight decay and score are those of DeepSvdd.
///
/// The score is q. The paper's q - R^2 differs by a constant. R^2 is
/// `trainer.state().objective.squared_radius`, and about the threshold that
/// Options::training_quantile = 1 - nu gives.
template <class Scalar_>
class SoftBoundaryDeepSvdd : public DeepSvdd<Scalar_> {
 public:
  using Scalar = Scalar_;
  using typename Objective<Scalar>::Input;
  using typename Objective<Scalar>::Output;
  using typename Objective<Scalar>::Means;
  static constexpr const char* name = "soft_boundary_deep_svdd";

  struct State {
    double squared_radius = 0;  ///< R^2
  };

  /// \param nu about the share of training rows left outside the sphere, between 0 and 1
  /// \param warm_up epochs before R is set for the first time
  explicit SoftBoundaryDeepSvdd(double nu = 0.1, Index warm_up = 10) : nu_(nu), warm_up_(warm_up) {
    detail::ensure(nu > 0 && nu < 1, "nu is ", nu, ", expected a number between 0 and 1");
    detail::ensure(warm_up >= 1, "the warm-up is ", warm_up, " epochs, expected at least 1");
  }

  double nu() const { return nu_; }
  Index warm_up() const { return warm_up_; }

  void operator()(const Input& in, const State& state, const Output& out) const {
    std::fill(out.reconstruction + in.first, out.reconstruction + in.last, Scalar(0));
    in.latent_term(1 / nu_, out);
    for (Index i = in.first; i < in.last; ++i) {
      if (extra(out.latent[i], state) > 0) continue;
      std::fill_n(out.latent_gradient.row(i), in.code.cols(), Scalar(0));
    }
  }

  /// How far outside the sphere a row lies: max(0, q - R^2).
  double extra(Scalar latent, const State& state) const {
    return (std::max)(0.0, static_cast<double>(latent) - state.squared_radius);
  }
  /// L, from the rows' mean of extra().
  double loss(const Means& means, double, double, const State& state) const {
    return state.squared_radius + means.extra / nu_;
  }
  template <class Distances>
  void after_epoch(State& state, Index epochs, Distances&& distances) const {
    if (epochs >= warm_up_) state.squared_radius = detail::quantile(distances(), 1 - nu_);
  }

 private:
  double nu_;
  Index warm_up_;
};

DASVDD_NAMESPACE_END
