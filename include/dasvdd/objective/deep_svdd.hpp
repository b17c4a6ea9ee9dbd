#pragma once
/// \file
/// Deep SVDD (Ruff et al., ICML 2018), one-class: DASVDD's latent term alone.

#include <dasvdd/objective/objective.hpp>

#include <algorithm>

DASVDD_NAMESPACE_BEGIN

/// L = mean over the n rows of q(x) = ||z - c||^2; the score is q. No decoder, no gamma.
///
/// An encoder that maps every row to c would be the optimum. Two rules prevent it. No layer has a
/// bias: Trainer refuses nets with one. And c is not trained: it is the mean code of the untrained
/// net over the training rows, every coordinate at least 0.1 from zero. Activations that are not
/// zero at zero (sigmoid, softplus) work like biases; leave them out too. The paper's weight decay
/// is Options::adam.weight_decay.
/// \code
/// dasvdd::Network<float> encoder;
/// encoder.add(dasvdd::dense<float>(784, 256, false)).add(dasvdd::leaky_relu());
/// encoder.add(dasvdd::dense<float>(256, 32, false));
/// dasvdd::Trainer trainer(dasvdd::autoencoder(encoder), options, dasvdd::DeepSvdd<float>());
/// \endcode
template <class Scalar_>
class DeepSvdd : public Objective<Scalar_> {
 public:
  using Scalar = Scalar_;
  using typename Objective<Scalar>::Input;
  using typename Objective<Scalar>::Output;
  using typename Objective<Scalar>::State;
  static constexpr bool uses_decoder = false;
  static constexpr bool allows_biases = false;
  static constexpr bool starts_center = true;
  static constexpr const char* name = "deep_svdd";

  void operator()(const Input& in, const State&, const Output& out) const {
    std::fill(out.reconstruction + in.first, out.reconstruction + in.last, Scalar(0));
    in.latent_term(1, out);
  }
  double reconstruction_weight() const { return 0; }
  double latent_weight(double) const { return 1; }

  /// Makes the center of the mean code. Coordinates nearer to zero than 0.1 become +-0.1, because
  /// zero weights would reach a coordinate at zero for every row.
  /// \param center m numbers, the mean code on entry
  static void start_center(Scalar* center, Index m) {
    const Scalar least = Scalar(0.1);
    for (Index j = 0; j < m; ++j) {
      if (center[j] > -least && center[j] < least) center[j] = center[j] < 0 ? -least : least;
    }
  }
};

DASVDD_NAMESPACE_END
