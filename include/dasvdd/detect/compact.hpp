#pragma once
/// \file
/// Models whose weights take two bytes each.

#include <dasvdd/detect/model.hpp>

#include <memory>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The model with the weights of its dense layers rounded to bfloat16 and packed in two bytes each,
/// see Detector::compacted.
template <class Scalar>
std::shared_ptr<const Model<Scalar>> compacted(const Model<Scalar>& whole) {
  auto model = std::make_shared<Model<Scalar>>(whole);
  for (auto& member : model->members) {
    const Autoencoder<Scalar> net = member.network.net();
    for (const auto& step : net.joined().steps()) {
      if (step.kind != Step<Scalar>::Kind::dense) continue;
      Scalar* w = member.parameters.data() + step.weight_at;
      for (Index i = 0; i < step.weights(); ++i) {
        w[i] = static_cast<Scalar>(widened(to_bfloat16(static_cast<float>(w[i]))));
      }
    }
    member.network = PackedNetwork<Scalar>(net, member.parameters.data(), member.statistics.data(),
                                           &kernels::compact<Scalar>(kernels::best_set()));
  }
  return model;
}

}  // namespace detail
DASVDD_NAMESPACE_END
