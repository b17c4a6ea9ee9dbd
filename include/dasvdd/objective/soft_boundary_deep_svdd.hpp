#pragma once
/// \file
/// Deep SVDD (Ruff et al., ICML 2018) with a soft boundary: some training rows may lie outside.

#include <dasvdd/objective/deep_svdd.hpp>

DASVDD_NAMESPACE_BEGIN

/// L = R^2 + 1 / (nu n) sum over the n rows of max(0, q(x) - R^2),   q = ||z - c||^2.
///
/// Rows outside the sphere of radius R get the gradient dL/dz = 2 (z - c) / (nu n), rows inside none.
/// R takes no gradient step: after every epoch from the `warm_up`-th on, Trainer sets R^2 to the
/// 1 - nu quantile of the training rows' q, which minimizes L over R while the net stands still.
/// Before, R = 0 and all rows count. Net, center, weight decay and score are those of DeepSvdd.
///
/// The score is q. The paper's q - R^2 is the same but for a constant; R^2 itself is
/// TrainerState::squared_radius, and about the threshold that Options::training_quantile = 1 - nu
/// gives.
template <class Scalar_>
class SoftBoundaryDeepSvdd : public DeepSvdd<Scalar_> {
 public:
  using Scalar = Scalar_;
  static constexpr bool has_radius = true;
  static constexpr const char* name = "soft_boundary_deep_svdd";

  /// \param nu about the share of training rows left outside the sphere, between 0 and 1
  /// \param warm_up epochs before R is set for the first time
  explicit SoftBoundaryDeepSvdd(double nu = 0.1, Index warm_up = 10) : nu_(nu), warm_up_(warm_up) {
    detail::require(nu > 0 && nu < 1, "nu is ", nu, ", expected a number between 0 and 1");
    detail::require(warm_up >= 1, "the warm-up is ", warm_up, " epochs, expected at least 1");
  }

  double nu() const { return nu_; }
  Index warm_up() const { return warm_up_; }

  void operator()(const detail::kernels::Table<Scalar>& k, const ObjectiveInput<Scalar>& in, double,
                  detail::Range rows, const ObjectiveOutput<Scalar>& out) const {
    std::fill(out.reconstruction + rows.first, out.reconstruction + rows.last, Scalar(0));
    detail::latent_term(k, in, 1 / nu_, rows, out);
    for (Index i = rows.first; i < rows.last; ++i) {
      if (excess(out.latent[i], in.squared_radius) > 0) continue;
      std::fill_n(out.latent_gradient.row(i), in.code.cols(), Scalar(0));
    }
  }

  /// How far outside a row lies, max(0, q - R^2), and L from the rows' mean of it.
  static double excess(Scalar latent, double squared_radius) {
    return std::max(0.0, static_cast<double>(latent) - squared_radius);
  }
  double loss(double squared_radius, double mean_excess) const {
    return squared_radius + mean_excess / nu_;
  }

 private:
  double nu_;
  Index warm_up_;
};

DASVDD_NAMESPACE_END
