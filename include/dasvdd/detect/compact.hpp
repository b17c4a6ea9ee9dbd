#pragma once
/// \file
/// Detectors whose weights take two bytes each.

#include <dasvdd/detect/detector.hpp>

DASVDD_NAMESPACE_BEGIN

/// The same detector with the weights of its dense layers rounded to bfloat16 (8 significant bits) and kept in two
/// bytes each; all arithmetic stays in Scalar. For services that score single rows by a net that does not fit in
/// a core's cache: they wait for the weights, of which there are half as many bytes (docs/performance.md). Batches
/// gain nothing and may be slower.
///
/// Scores move by about a thousandth, are still the same to the bit in every batch and for any number of threads,
/// and are those of the detector with the rounded weights: saved and loaded it gives the same ones, in weights of
/// full size until it is made compact again. Threshold and calibration are kept as they are.
template <class Scalar>
Detector<Scalar> compact(const Detector<Scalar>& detector) {
  detail::Model<Scalar> model = detector.model();
  for (auto& member : model.members) {
    const Autoencoder<Scalar> net = member.network.net();
    for (const auto& step : net.joined().steps()) {
      if (step.kind != detail::Step<Scalar>::Kind::dense) continue;
      Scalar* w = member.parameters.data() + step.weight_at;
      for (Index i = 0; i < step.weights(); ++i) {
        w[i] = static_cast<Scalar>(
            detail::kernels::widened(detail::kernels::to_bfloat16(static_cast<float>(w[i]))));
      }
    }
    member.network = detail::PackedNetwork<Scalar>(
        net, member.parameters.data(), member.statistics.data(),
        &detail::kernels::compact<Scalar>(detail::kernels::best_set()));
  }
  return Detector<Scalar>(std::make_shared<const detail::Model<Scalar>>(std::move(model)),
                          detector.threshold(), detector.calibration());
}

DASVDD_NAMESPACE_END
