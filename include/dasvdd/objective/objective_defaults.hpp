#pragma once
/// \file
/// What Trainer asks an objective, and the plainest answers.

#include <dasvdd/core/config.hpp>

DASVDD_NAMESPACE_BEGIN

/// An autoencoder's answers. An objective derives from this and gives its own where they differ, as
/// Dasvdd does; questions that come later find it answered.
struct ObjectiveDefaults {
  /// Whether the trainer estimates gamma before it starts.
  static constexpr bool estimates_gamma = false;
  /// Whether it takes center steps, which get a mini-batch's rows behind the first kappa B.
  static constexpr bool moves_center = false;
  /// Whether loss and score need the decoder; the net has none otherwise.
  static constexpr bool uses_decoder = true;
  /// Whether the net may have biases.
  static constexpr bool allows_biases = true;
  /// Whether the center starts on the untrained net's mean code instead of a normal draw. The
  /// objective then has start_center, see DeepSvdd.
  static constexpr bool starts_center = false;
  /// Whether there is a radius. The objective then has warm_up, nu, excess and loss, see
  /// SoftBoundaryDeepSvdd.
  static constexpr bool has_radius = false;
};

DASVDD_NAMESPACE_END
