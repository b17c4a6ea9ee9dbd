#include "fit.hpp"

#include "arrays.hpp"
#include "detector.hpp"
#include "options.hpp"
#include "supervised.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <dasvdd/fit/fit.hpp>
#include <dasvdd/fit/fit_images.hpp>

#include <optional>
#include <string>

namespace dasvdd::python {
namespace {

using namespace nb::literals;

/// fit() or fit_images() of rows of one type.
/// \param train called as train(a number of the detector's type, rows, options, progress)
template <class Scalar, class AnyOptions, class Train>
AnyDetector fitted(nb::handle X, AnyOptions options, nb::object progress,
                   const std::string& on_interrupt, Train&& train) {
  const Batch<Scalar> batch(X, "the training set", options.feature_names);
  const ThreadShare share(options.threads);
  options.threads = share.threads();
  Supervised supervised(std::move(progress), on_interrupt);
  std::optional<Detector<Scalar>> detector;
  supervised.run([&] {
    detector = train(Scalar(), batch.rows(), options, [&](const FitProgress& at) -> bool {
      return supervised.ask([&] { return nb::cast(at); });
    });
  });
  return AnyDetector(std::move(*detector));
}

bool is_double(const std::string& dtype) {
  detail::ensure(dtype == "float32" || dtype == "float64", "dtype is \"", dtype,
                 "\", expected \"float32\" or \"float64\"");
  return dtype == "float64";
}

AnyDetector fit_rows(nb::handle X, const std::string& dtype, nb::object progress,
                     const std::string& on_interrupt, const nb::dict& words) {
  const auto options = options_of<FitOptions>(words);
  const auto train = [](auto number, const detail::AnyRows& rows, const auto& chosen,
                        const auto& tell) {
    return detail::fit_table<decltype(number)>(rows, chosen, tell, nullptr);
  };
  return is_double(dtype) ? fitted<double>(X, options, std::move(progress), on_interrupt, train)
                          : fitted<float>(X, options, std::move(progress), on_interrupt, train);
}

AnyDetector fit_pixels(nb::handle X, const std::string& dtype, nb::object progress,
                       const std::string& on_interrupt, const nb::dict& words) {
  const auto options = options_of<ImageOptions>(words);
  const auto train = [](auto number, const detail::AnyRows& rows, const auto& chosen,
                        const auto& tell) {
    return detail::fit_image_ensemble<decltype(number)>(rows, chosen, tell, nullptr);
  };
  return is_double(dtype) ? fitted<double>(X, options, std::move(progress), on_interrupt, train)
                          : fitted<float>(X, options, std::move(progress), on_interrupt, train);
}

}  // namespace

void bind_fit(nb::module_& m) {
  nb::class_<EpochReport>(
      m, "EpochReport",
      "One epoch: means over the rows of the network share, each taken before its mini-batch's "
      "update.")
      .def_ro("epoch", &EpochReport::epoch, "From 1.")
      .def_ro("epochs", &EpochReport::epochs, "In all.")
      .def_ro("loss", &EpochReport::loss, "reconstruction + gamma * latent.")
      .def_ro("reconstruction", &EpochReport::reconstruction, "The mean of ||xhat - x||^2 / d.")
      .def_ro("latent", &EpochReport::latent, "The mean of ||z - c||^2.")
      .def_ro("validation_loss", &EpochReport::validation_loss,
              "Of the held-out rows, after the epoch; 0 without the option validation.")
      .def_ro("seconds", &EpochReport::seconds)
      .def("__repr__", [](const EpochReport& e) {
        return detail::sentence("<dasvdd.EpochReport: epoch ", e.epoch, " of ", e.epochs, ", loss ",
                                e.loss, ">");
      });
  nb::class_<FitProgress>(
      m, "FitProgress",
      "How far fit() or fit_images() has come, after an epoch of one of its nets.")
      .def_ro("screening", &FitProgress::screening,
              "True while the rows to train on are still chosen (contamination).")
      .def_ro("member", &FitProgress::member, "Which net of the ensemble, from 0.")
      .def_ro("ensemble_size", &FitProgress::ensemble_size, "Nets of the finished ensemble.")
      .def_ro("epoch", &FitProgress::epoch, "The epoch that has just ended, an EpochReport.")
      .def_ro("done", &FitProgress::done, "Epochs done, of all nets.")
      .def_ro("total", &FitProgress::total, "What `done` ends at.")
      .def("__repr__", [](const FitProgress& p) {
        return detail::sentence("<dasvdd.FitProgress: ", p.done, " of ", p.total, " epochs>");
      });
  nb::class_<GammaRule>(m, "GammaRule",
                        R"(Where gamma, the weight of the latent term in training, comes from.

GammaRule.ratio_of_means() and mean_of_ratios() estimate it from untrained nets, value() is a number.)")
      .def_static(
          "ratio_of_means", &GammaRule::ratio_of_means, "initializations"_a = 10,
          "The mean over untrained nets of [mean r] / [mean ||z||^2]: the published code's rule.")
      .def_static(
          "mean_of_ratios", &GammaRule::mean_of_ratios, "initializations"_a = 10,
          "The mean over untrained nets and rows of r(x) / ||z - c||^2: the paper's formula.")
      .def_static("value", &GammaRule::value, "gamma"_a, "A number; 0 leaves a plain autoencoder.")
      .def("times", &GammaRule::times, "factor"_a, "The same rule with its gamma multiplied.")
      .def(
          "__eq__",
          [](const GammaRule& a, const GammaRule& b) {
            return a.kind == b.kind && a.number == b.number &&
                   a.initializations == b.initializations && a.factor == b.factor;
          },
          nb::sig("def __eq__(self, other: object) -> bool"), nb::is_operator())
      .def("__hash__",
           [](const GammaRule& a) {
             return nb::hash(nb::make_tuple(int(a.kind), a.number, a.initializations, a.factor));
           })
      .def(
          "__getstate__",
          [](const GammaRule& a) {
            return nb::make_tuple(static_cast<int>(a.kind), a.number, a.initializations, a.factor);
          },
          nb::sig("def __getstate__(self) -> tuple"))
      .def(
          "__setstate__",
          [](GammaRule& a, const nb::tuple& state) {
            const int kind = nb::cast<int>(state[0]);
            detail::ensure(nb::len(state) == 4 && kind >= 0 && kind <= 2,
                           "this is no state of a GammaRule");
            new (&a) GammaRule{static_cast<GammaRule::Kind>(kind), nb::cast<double>(state[1]),
                               nb::cast<int>(state[2]), nb::cast<double>(state[3])};
          },
          nb::sig("def __setstate__(self, state: tuple) -> None"))
      .def("__repr__", [](const GammaRule& a) {
        const bool number = a.kind == GammaRule::Kind::value;
        const std::string times = a.factor == 1 ? "" : detail::sentence(".times(", a.factor, ")");
        return detail::sentence("GammaRule.", GammaRule{a.kind}.text(), "(",
                                number ? a.number : a.initializations, ")", times);
      });

  m.def("fit", &fit_rows, "X"_a, "dtype"_a, "progress"_a.none(), "on_interrupt"_a, "options"_a,
        "See dasvdd.fit().");
  m.def("fit_images", &fit_pixels, "X"_a, "dtype"_a, "progress"_a.none(), "on_interrupt"_a,
        "options"_a, "See dasvdd.fit_images().");
  m.def(
      "_fit_numbers", [] { return numbers_of(FitOptions()); }, "Defaults of fit().");
  m.def(
      "_image_numbers", [] { return numbers_of(ImageOptions()); }, "Defaults of fit_images().");
}

}  // namespace dasvdd::python
