#include "calibration.hpp"

#include "arrays.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <dasvdd/detect/calibration.hpp>
#include <dasvdd/detect/drift_watch.hpp>
#include <dasvdd/detect/false_discovery.hpp>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dasvdd::python {
namespace {

using namespace nb::literals;

void bind_calibration_scores(nb::module_& m) {
  nb::class_<Calibration>(
      m, "Calibration",
      "Scores of normal rows that were not trained on, sorted: behind thresholds and p-values.")
      .def(
          "__init__",
          [](Calibration* self, const ArrayLike& scores) {
            new (self) Calibration(Numbers<double>(scores, "calibration scores").vector());
          },
          "scores"_a, "Of held-out normal rows, an array_like of shape (n,), finite, in any order.")
      .def_prop_ro(
          "scores", [](const Calibration& c) { return vector_of(std::vector<double>(c.scores())); },
          "The scores, float64, shape (n,), ascending.")
      .def("__len__", [](const Calibration& c) { return c.scores().size(); })
      .def(
          "threshold",
          [](const Calibration& c, double rate) { return c.threshold(false_alarm_rate(rate)); },
          "false_alarm_rate"_a,
          R"(The threshold that a new normal row exceeds with probability at most `false_alarm_rate`.

Raises
------
ValueError
    Where there are too few scores for the rate.)")
      .def("p_value", &Calibration::p_value, "score"_a,
           "The probability that a normal row scores at least as high.")
      .def("__getstate__",
           [](const Calibration& c) { return vector_of(std::vector<double>(c.scores())); })
      .def("__setstate__",
           [](Calibration& self, const Array& scores) {
             new (&self) Calibration(scores.attr("size").equal(nb::int_(0))
                                         ? std::vector<double>()
                                         : Numbers<double>(scores, "calibration scores").vector());
           })
      .def("__repr__", [](const Calibration& c) {
        return detail::sentence("<dasvdd.Calibration: ", c.scores().size(), " scores>");
      });
}

nb::dict dict_of(const OnlineSelect::State& s) {
  nb::dict state;
  state["fdr"] = s.fdr;
  state["span"] = s.span;
  state["memory"] = s.memory;
  state["fund"] = s.fund;
  state["rows"] = s.rows;
  state["selected"] = s.selected;
  return state;
}

OnlineSelect::State select_state(const nb::dict& state) {
  OnlineSelect::State s;
  s.fdr = nb::cast<double>(state["fdr"]);
  s.span = nb::cast<double>(state["span"]);
  s.memory = nb::cast<double>(state["memory"]);
  s.fund = nb::cast<double>(state["fund"]);
  s.rows = nb::cast<std::uint64_t>(state["rows"]);
  s.selected = nb::cast<std::uint64_t>(state["selected"]);
  return s;
}

void bind_online_select(nb::module_& m) {
  nb::class_<OnlineSelect>(m, "OnlineSelect",
                           R"(Detector.select() for rows that come one by one (LORD++).

Parameters
----------
fdr : float
    The false discovery rate, between 0 and 1.
calibration_rows : int
    Scores of the detector's calibration, len(detector.calibration).
memory : float, optional
    Rows after which the past counts less; None: it counts for good.)")
      .def(
          "__init__",
          [](OnlineSelect* self, double fdr, std::size_t calibration_rows,
             std::optional<double> memory) {
            new (self) OnlineSelect(fdr, calibration_rows,
                                    memory.value_or(std::numeric_limits<double>::infinity()));
          },
          "fdr"_a, "calibration_rows"_a, "memory"_a = nb::none())
      .def("add", &OnlineSelect::add, "p"_a,
           "The next row's p-value, from 0 to 1; returns whether the row is selected.")
      .def_prop_ro("level", &OnlineSelect::level,
                   "The largest p-value that would be selected next.")
      .def_prop_ro(
          "rows", [](const OnlineSelect& s) { return s.state().rows; }, "Rows seen.")
      .def_prop_ro(
          "selected", [](const OnlineSelect& s) { return s.state().selected; }, "Rows selected.")
      .def("__getstate__", [](const OnlineSelect& s) { return dict_of(s.state()); })
      .def("__setstate__", [](OnlineSelect& self, const nb::dict& state) {
        new (&self) OnlineSelect(select_state(state));
      });
}

nb::dict dict_of(const DriftWatch::State& s) {
  nb::list tests;
  for (const auto& test : s.tests)
    tests.append(nb::make_tuple(test.edges, test.tie_breaks, test.masses, test.wealth, test.peak));
  nb::dict state;
  state["false_alarms"] = s.false_alarms;
  state["rows"] = s.rows;
  state["alarm_row"] = s.alarm_row;
  state["random"] = std::vector<std::uint64_t>(s.random.begin(), s.random.end());
  state["tests"] = tests;
  return state;
}

DriftWatch::State watch_state(const nb::dict& state) {
  DriftWatch::State s;
  s.false_alarms = nb::cast<double>(state["false_alarms"]);
  s.rows = nb::cast<std::uint64_t>(state["rows"]);
  s.alarm_row = nb::cast<std::uint64_t>(state["alarm_row"]);
  const auto random = nb::cast<std::vector<std::uint64_t>>(state["random"]);
  detail::ensure(random.size() == s.random.size(), "the state of a drift watch has ", random.size(),
                 " words of its random numbers, expected ", s.random.size());
  std::copy(random.begin(), random.end(), s.random.begin());
  for (nb::handle test : nb::list(state["tests"])) {
    using Numbers = std::vector<double>;
    s.tests.push_back({nb::cast<Numbers>(test[0]), nb::cast<Numbers>(test[1]),
                       nb::cast<Numbers>(test[2]), nb::cast<Numbers>(test[3]),
                       nb::cast<double>(test[4])});
  }
  return s;
}

/// \param X the row's features where they are watched
bool add(DriftWatch& watch, double score, const std::optional<ArrayLike>& row) {
  if (!row) return watch.add(score);
  const Numbers<double> numbers(*row, "the row");
  detail::ensure(numbers.size() == watch.features(), "the row has ", numbers.size(),
                 " numbers, the drift watch watches ", watch.features(), " features");
  return watch.add(score, numbers.data());
}

void bind_drift_watch(nb::module_& m) {
  nb::class_<DriftWatch>(
      m, "DriftWatch",
      R"(Watches a stream of rows, by their scores and, if wanted, each feature by itself.

If the stream's rows are exchangeable with the calibration's, the probability that `alarmed` is ever true, on a stream
without end, is at most `false_alarms`.

    watched = detector.watched()
    watch = dasvdd.DriftWatch(watched.calibration.scores)
    if watch.add(watched.score_one(row)): ...  # the stream has changed

Parameters
----------
calibration : array_like of shape (n,)
    The scores of normal rows that the detector was not trained on.
rows : array_like of shape (k, d), optional
    Normal rows, for watching each feature too.
false_alarms : float
    The probability of a false alarm over all time, between 0 and 1.
seed : int
    Of the random order of equal values.)")
      .def(
          "__init__",
          [](DriftWatch* self, const ArrayLike& calibration, const std::optional<ArrayLike>& rows,
             double false_alarms, std::uint64_t seed) {
            const auto scores = Numbers<double>(calibration, "the calibration").vector();
            if (rows) {
              const BatchOf<double> batch(*rows, "the drift watch's batch");
              new (self) DriftWatch(scores, batch.rows(), false_alarms, seed);
            } else {
              new (self) DriftWatch(scores, false_alarms, seed);
            }
          },
          "calibration"_a, "rows"_a = nb::none(), "false_alarms"_a = 0.01, "seed"_a = 0)
      .def(
          "add", &add, "score"_a, "row"_a = nb::none(),
          R"(The next row's score, and the row where features are watched: an array_like of shape (d,).

Returns
-------
bool: whether there has been an alarm)")
      .def_prop_ro("alarmed", &DriftWatch::alarmed, "Whether there has been an alarm.")
      .def_prop_ro("alarm_row", &DriftWatch::alarm_row,
                   "The row, counted from 1, that raised the alarm; 0 if there was none.")
      .def_prop_ro("rows", &DriftWatch::rows, "Rows seen.")
      .def_prop_ro("features", &DriftWatch::features, "Features that are watched, 0 if none.")
      .def_prop_ro("evidence", &DriftWatch::evidence,
                   "The evidence in the scores that the stream has changed; it starts at 1.")
      .def_prop_ro(
          "moved_features",
          [](const DriftWatch& watch) {
            std::vector<std::pair<Index, double>> moved;
            for (const auto& feature : watch.moved_features())
              moved.emplace_back(feature.feature, feature.evidence);
            return moved;
          },
          "The features that have moved, as (feature, evidence), most evidence first.")
      .def("__getstate__", [](const DriftWatch& watch) { return dict_of(watch.state()); })
      .def("__setstate__", [](DriftWatch& self, const nb::dict& state) {
        new (&self) DriftWatch(watch_state(state));
      });
}

}  // namespace

void bind_calibration(nb::module_& m) {
  bind_calibration_scores(m);
  bind_online_select(m);
  bind_drift_watch(m);
}

}  // namespace dasvdd::python
