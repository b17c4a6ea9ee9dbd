#include "trainer.hpp"

#include "options.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <utility>

namespace dasvdd::python {
namespace {

using namespace nb::literals;

std::unique_ptr<AnyTrainer> make(const AnyNet& net, const std::string& dtype,
                                 const ObjectiveChoice& objective, const nb::dict& words) {
  const auto options = options_of<Options>(words);
  return dtype == "float64" ? make_trainer<double>(net, options, objective)
                            : make_trainer<float>(net, options, objective);
}

}  // namespace

void bind_trainer(nb::module_& m) {
  nb::class_<FitReport>(m, "FitReport", "One run of a Trainer.")
      .def_ro("epochs", &FitReport::epochs, "An EpochReport each.")
      .def_ro("best_epoch", &FitReport::best_epoch,
              "The epoch whose net was kept, with the option validation; else 0.")
      .def_ro("gamma", &FitReport::gamma, "The weight of the latent term.")
      .def_prop_ro(
          "center", [](const FitReport& r) { return vector_of(std::vector<double>(r.center)); },
          "The center at the end, float64, shape (m,).")
      .def_ro("seconds", &FitReport::seconds)
      .def_ro("gamma_seconds", &FitReport::gamma_seconds, "Of those, for the estimate of gamma.")
      .def_ro("threads", &FitReport::threads, "Threads that trained.")
      .def_ro("stopped", &FitReport::stopped,
              "Whether the progress callback, Ctrl-C or the option patience ended it.")
      .def_ro("warnings", &FitReport::warnings, "One sentence each; empty after a healthy run.")
      .def_prop_ro("healthy", &FitReport::healthy, "Whether there are no warnings.");

  nb::class_<AnyTrainer>(m, "TrainerOfAnyType", "The compiled part of dasvdd.Trainer.")
      .def_prop_ro("dtype", &AnyTrainer::dtype)
      .def_prop_ro("objective", &AnyTrainer::objective)
      .def(
          "fit",
          [](AnyTrainer& self, nb::handle X, const Names& feature_names, nb::object progress,
             const std::string& on_interrupt) {
            Supervised supervised(std::move(progress), on_interrupt);
            return self.fit(X, feature_names, supervised);
          },
          "X"_a, "feature_names"_a, "progress"_a.none(), "on_interrupt"_a)
      .def(
          "partial_fit",
          [](AnyTrainer& self, nb::handle X, Index epochs, nb::object progress,
             const std::string& on_interrupt) {
            Supervised supervised(std::move(progress), on_interrupt);
            return self.partial_fit(X, epochs, supervised);
          },
          "X"_a, "epochs"_a, "progress"_a.none(), "on_interrupt"_a)
      .def("step", &AnyTrainer::step, "X"_a)
      .def("detector", &AnyTrainer::detector)
      .def("detector_for", &AnyTrainer::detector_for, "X"_a)
      .def("state", &AnyTrainer::state)
      .def("set_state", &AnyTrainer::set_state, "state"_a)
      .def("tensors", &AnyTrainer::tensors)
      .def("set_tensors", &AnyTrainer::set_tensors, "tensors"_a)
      .def("mean_code", &AnyTrainer::mean_code, "X"_a);
  m.def(
      "make_trainer",
      [](const AnyNet& net, const std::string& dtype, const std::string& objective, double nu,
         Index warm_up, const nb::dict& options) {
        return make(net, dtype, {objective, nu, warm_up}, options);
      },
      "net"_a, "dtype"_a, "objective"_a, "nu"_a, "warm_up"_a, "options"_a);
  m.def(
      "_trainer_numbers", [] { return numbers_of(Options()); }, "Defaults of Trainer.");
}

}  // namespace dasvdd::python
