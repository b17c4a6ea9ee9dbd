#pragma once
/// \file
/// AnyTrainer for one type of number and each objective.

#include "trainer.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <dasvdd/io/model_layout.hpp>
#include <dasvdd/objective/deep_svdd.hpp>
#include <dasvdd/objective/reconstruction.hpp>
#include <dasvdd/objective/soft_boundary_deep_svdd.hpp>
#include <dasvdd/train/trainer.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace dasvdd::python {

template <class Scalar>
Array array_of_buffer(const detail::AlignedBuffer<Scalar>& buffer) {
  return vector_of(detail::AlignedBuffer<Scalar>(buffer));
}

template <class Scalar>
detail::AlignedBuffer<Scalar> buffer_of(nb::handle numbers, const char* what) {
  const Numbers<Scalar> given(numbers, what);
  detail::AlignedBuffer<Scalar> buffer(given.size());
  std::copy_n(given.data(), given.size(), buffer.data());
  return buffer;
}

/// A scaler's tensors in a dict, as Scaler::read asks for them.
struct ScalerDict {
  nb::dict tensors;

  bool has(const char* name) const { return tensors.contains(name); }
  double number(const char* name) const { return numbers(name).front(); }
  std::vector<double> numbers(const char* name) const {
    return nb::cast<std::vector<double>>(tensors[name]);
  }
  std::vector<double> numbers(const char* name, const std::vector<Index>& shape) const {
    std::vector<double> found = numbers(name);
    detail::ensure(static_cast<Index>(found.size()) == shape.front(), "the state's ", name, " has ",
                   found.size(), " numbers, expected ", shape.front());
    return found;
  }
};

template <class Scalar, class Objective>
class TrainerOf final : public AnyTrainer {
 public:
  TrainerOf(const AnyNet& net, const Options& options, Objective objective)
      : objective_(objective),
        given_(options.feature_names),
        trainer_(net.net<Scalar>(), options, objective) {}

  const char* dtype() const override { return dtype_name<Scalar>; }
  const char* objective() const override { return Objective::name; }

  FitReport fit(nb::handle X, const Names& feature_names, Supervised& supervised) override {
    const Batch<Scalar> batch(X, "the training set", feature_names);
    const auto train = [&](auto rows, const auto& tell) { return trainer_.fit(rows, tell); };
    // Rows of another width are refused as such, not for the number of their names.
    const bool fits = feature_names.empty() || batch.rows().cols() == trainer_.net().inputs();
    if (feature_names == names() || !fits) return run(batch, supervised, train);
    Typed before = std::exchange(trainer_, named(feature_names));
    try {
      return run(batch, supervised, train);
    } catch (...) {
      if (trainer_.state().epochs == 0) trainer_ = std::move(before);  // nothing has been trained
      throw;
    }
  }
  FitReport partial_fit(nb::handle X, Index epochs, Supervised& supervised) override {
    const Batch<Scalar> batch(X, "the training set", names());
    return run(batch, supervised, [&](auto rows, const auto& tell) {
      return trainer_.partial_fit(rows, epochs, tell);
    });
  }
  EpochReport step(nb::handle X) override {
    const Batch<Scalar> batch(X, "the mini-batch", names());
    return without_gil([&] { return trainer_.step(batch.rows()); });
  }
  AnyDetector detector() const override { return AnyDetector(trainer_.detector()); }
  AnyDetector detector_for(nb::handle X) const override {
    const Batch<Scalar> batch(X, "the training set", names());
    return without_gil([&] { return AnyDetector(trainer_.detector(batch.rows())); });
  }

  nb::dict state() const override {
    const auto& s = trainer_.state();
    nb::dict state;
    state["parameters"] = array_of_buffer(s.parameters);
    state["first_moments"] = array_of_buffer(s.first_moments);
    state["second_moments"] = array_of_buffer(s.second_moments);
    state["statistics"] = array_of_buffer(s.statistics);
    state["beta_powers"] = std::vector<double>{s.clock.beta1_power, s.clock.beta2_power};
    state["center"] = array_of_buffer(s.center.center);
    state["center_squared_sum"] = array_of_buffer(s.center.squared_sum);
    state["center_steps"] = s.center.steps;
    for (const auto& tensor : s.scaler.tensors()) state[tensor.name.c_str()] = tensor.numbers;
    state["gamma"] = s.gamma;
    if constexpr (remembers_radius) state["squared_radius"] = s.objective.squared_radius;
    state["epochs"] = s.epochs;
    const auto& random = s.order.state();
    state["order"] = vector_of(std::vector<std::uint64_t>(random.begin(), random.end()));
    if (!names().empty()) state["feature_names"] = names();
    return state;
  }

  void set_state(const nb::dict& state) override {
    typename Trainer<Scalar, Objective>::State s;
    s.parameters = buffer_of<Scalar>(state["parameters"], "the state's parameters");
    s.first_moments = buffer_of<Scalar>(state["first_moments"], "the state's first moments");
    s.second_moments = buffer_of<Scalar>(state["second_moments"], "the state's second moments");
    s.statistics = buffer_of<Scalar>(state["statistics"], "the state's statistics");
    s.clock.beta1_power = nb::cast<double>(state["beta_powers"][0]);
    s.clock.beta2_power = nb::cast<double>(state["beta_powers"][1]);
    s.center.center = buffer_of<Scalar>(state["center"], "the state's center");
    s.center.squared_sum = buffer_of<Scalar>(state["center_squared_sum"], "the center's sums");
    s.center.steps = nb::cast<double>(state["center_steps"]);
    ScalerDict tensors{state};
    s.scaler = detail::Scaler<Scalar>::read(tensors, trainer_.net().inputs());
    s.gamma = nb::cast<double>(state["gamma"]);
    if constexpr (remembers_radius)
      s.objective.squared_radius = nb::cast<double>(state["squared_radius"]);
    s.epochs = nb::cast<Index>(state["epochs"]);
    const auto random = nb::cast<std::vector<std::uint64_t>>(state["order"].attr("tolist")());
    detail::ensure(random.size() == 4, "the state's order has ", random.size(),
                   " words of random numbers, expected 4");
    s.order.set_state({random[0], random[1], random[2], random[3]});
    const Names trained =
        state.contains("feature_names") ? nb::cast<Names>(state["feature_names"]) : given_;
    detail::ensure(given_.empty() || trained == given_,
                   "the state is of a training with other feature names");
    Typed taken = named(trained);
    taken.set_state(std::move(s));
    trainer_ = std::move(taken);
  }

  nb::dict tensors() const override {
    const auto& s = trainer_.state();
    nb::dict tensors;
    for (const auto& place : detail::tensor_places(trainer_.net())) {
      const auto& flat = place.statistics ? s.statistics : s.parameters;
      const Scalar* first = flat.data() + place.at;
      std::vector<Scalar> numbers(first, first + place.size());
      nb::list shape;
      for (const Index size : place.shape) shape.append(size);
      tensors[place.name.c_str()] = vector_of(std::move(numbers)).attr("reshape")(nb::tuple(shape));
    }
    return tensors;
  }

  void set_tensors(const nb::dict& tensors) override {
    auto s = trainer_.state();
    std::size_t used = 0;
    for (const auto& place : detail::tensor_places(trainer_.net())) {
      if (!tensors.contains(place.name.c_str())) continue;
      ++used;
      const nb::object tensor = tensors[place.name.c_str()];
      const auto shape = nb::cast<std::vector<Index>>(tensor.attr("shape"));
      detail::ensure(shape == place.shape, "tensor ", place.name,
                     " is of another shape than the net's");
      const Numbers<Scalar> numbers(tensor.attr("reshape")(-1), place.name.c_str());
      auto& flat = place.statistics ? s.statistics : s.parameters;
      std::copy_n(numbers.data(), numbers.size(), flat.data() + place.at);
    }
    detail::ensure(used == tensors.size(), "there are ", tensors.size(),
                   " tensors, of which the net has ", used);
    trainer_.set_state(std::move(s));
  }

  Array mean_code(nb::handle X) const override {
    const Batch<Scalar> batch(X, "the batch", names());
    detail::require_training_rows<Scalar>(batch.rows(), trainer_.net().inputs());
    const auto& s = trainer_.state();
    return vector_of(without_gil([&] {
      const detail::PackedNetwork<Scalar> network(trainer_.net(), s.parameters.data(),
                                                  s.statistics.data());
      return detail::mean_code(network, s.scaler, batch.rows(), 1);
    }));
  }

 private:
  static constexpr bool remembers_radius = std::is_same_v<Objective, SoftBoundaryDeepSvdd<Scalar>>;

  using Typed = Trainer<Scalar, Objective>;

  const Names& names() const { return trainer_.options().feature_names; }
  /// A fresh trainer like this one, of features with these names.
  Typed named(const Names& names) const {
    Options options = trainer_.options();
    options.feature_names = names;
    return Typed(trainer_.net(), options, objective_);
  }

  /// train(rows, tell) under supervision.
  template <class Train>
  FitReport run(const Batch<Scalar>& batch, Supervised& supervised, Train&& train) {
    FitReport report;
    supervised.run([&] {
      report = train(batch.rows(), [&](const EpochReport& epoch) {
        return supervised.ask([&] { return nb::cast(epoch); });
      });
    });
    return report;
  }

  Objective objective_;  // as it was made
  Names given_;
  Typed trainer_;
};

template <class Scalar>
std::unique_ptr<AnyTrainer> make_trainer(const AnyNet& net, const Options& options,
                                         const ObjectiveChoice& choice) {
  const auto make = [&](auto objective) -> std::unique_ptr<AnyTrainer> {
    return std::make_unique<TrainerOf<Scalar, decltype(objective)>>(net, options, objective);
  };
  if (choice.name == Dasvdd<Scalar>::name) return make(Dasvdd<Scalar>());
  if (choice.name == Reconstruction<Scalar>::name) return make(Reconstruction<Scalar>());
  if (choice.name == DeepSvdd<Scalar>::name) return make(DeepSvdd<Scalar>());
  detail::ensure(choice.name == SoftBoundaryDeepSvdd<Scalar>::name, "the objective is \"",
                 choice.name,
                 "\", expected dasvdd, reconstruction, deep_svdd or soft_boundary_deep_svdd");
  return make(SoftBoundaryDeepSvdd<Scalar>(choice.nu, choice.warm_up));
}

}  // namespace dasvdd::python
