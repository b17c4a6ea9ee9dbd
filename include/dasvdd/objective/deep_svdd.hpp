#pragma once
/// \file
/// Deep SVDD (Ruff et al., ICML 2018), one-class: DASVDD's latent term alone.

#include <dasvdd/nn/autoencoder.hpp>
#include <dasvdd/objective/objective_defaults.hpp>
#include <dasvdd/objective/score_terms.hpp>

DASVDD_NAMESPACE_BEGIN

/// L = mean over the n rows of q(x) = ||z - c||^2; the score is q. No decoder, no gamma.
///
/// An encoder that maps every row to c would be the optimum. What keeps it away: no layer has a
/// bias (Trainer refuses them), and c is not trained. It is the mean code of the untrained net over
/// the training rows, every coordinate at least 0.1 from zero. Activations that are not zero at zero
/// (sigmoid, softplus) work like biases and are better left out too. The paper's weight decay is
/// Options::adam.weight_decay.
/// \code
/// dasvdd::Network<float> encoder;
/// encoder.add(dasvdd::dense_without_bias<float>(784, 256)).add(dasvdd::leaky_relu());
/// encoder.add(dasvdd::dense_without_bias<float>(256, 32));
/// dasvdd::Trainer trainer(dasvdd::Autoencoder<float>(encoder, {}), options, dasvdd::DeepSvdd<float>());
/// \endcode
template <class Scalar_>
class DeepSvdd : public ObjectiveDefaults {
 public:
  using Scalar = Scalar_;
  static constexpr bool uses_decoder = false;
  static constexpr bool allows_biases = false;
  static constexpr bool starts_center = true;
  static constexpr const char* name = "deep_svdd";

  void operator()(const detail::kernels::Table<Scalar>& k, const ObjectiveInput<Scalar>& in, double,
                  detail::Range rows, const ObjectiveOutput<Scalar>& out) const {
    std::fill(out.reconstruction + rows.first, out.reconstruction + rows.last, Scalar(0));
    detail::latent_term(k, in, 1, rows, out);
  }
  double reconstruction_weight() const { return 0; }
  double latent_weight(double) const { return 1; }

  /// Makes the center of the mean code: coordinates nearer to zero than 0.1 become +-0.1, since zero
  /// weights would reach a coordinate at zero for every row.
  /// \param center m numbers, the mean code on entry
  static void start_center(Scalar* center, Index m) {
    const Scalar least = Scalar(0.1);
    for (Index j = 0; j < m; ++j) {
      if (center[j] > -least && center[j] < least) center[j] = center[j] < 0 ? -least : least;
    }
  }
};

namespace detail {

/// Whether a layer of the net adds a trained number whatever its input.
template <class Scalar>
bool has_biases(const Network<Scalar>& net) {
  for (const auto& step : net.steps()) {
    if (step.bias) return true;
    if (!step.layer) continue;
    for (const auto& tensor : step.layer->parameter_tensors()) {
      if (tensor.name == "bias") return true;
    }
  }
  return false;
}

}  // namespace detail
DASVDD_NAMESPACE_END
