#include "detector.hpp"

#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <dasvdd/core/parallel.hpp>
#include <dasvdd/detect/ensemble.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace dasvdd::python {
namespace {

using namespace nb::literals;

/// Work that takes less than giving up the GIL and getting it back may: some ten microseconds.
constexpr std::int64_t little_work = 200000;

template <class Scalar>
std::int64_t work(const Detector<Scalar>& detector, Index rows) {
  return detail::row_cost(detector.model().multiply_adds()) * rows;
}

/// Scores into `scores`, in a workspace of the pool.
template <class Scalar>
void score_few(const Scorer<Scalar>& scorer, const detail::AnyRows& X, Scalar* scores) {
  typename WorkspacePool<Scalar>::Loan loan(*scorer.pool, scorer.detector);
  scorer.detector.score(X, loan.workspace(), scores);
}

Array score(const AnyDetector& self, const ArrayLike& X, int threads) {
  return self.visit([&](const auto& scorer) -> Array {
    using Scalar = typename std::decay_t<decltype(scorer)>::Scalar;
    const Batch<Scalar> batch(X, "the batch", scorer.detector.feature_names());
    const detail::AnyRows rows = batch.rows();
    detail::ensure(threads >= 0, "threads is ", threads, ", expected 0 (all) or a positive number");
    if (rows.cols() == scorer.detector.features() &&
        work(scorer.detector, rows.rows()) <= little_work) {
      NewArray<Scalar> result(rows.rows());
      score_few(scorer, rows, result.data());
      return result.array();
    }
    const ThreadShare share(threads);
    return vector_of(without_gil([&] { return scorer.detector.score(rows, share.threads()); }));
  });
}

double score_one(const AnyDetector& self, const ArrayLike& row) {
  return self.visit([&](const auto& scorer) -> double {
    using Scalar = typename std::decay_t<decltype(scorer)>::Scalar;
    const Batch<Scalar> batch(row, "the row", scorer.detector.feature_names(), 1);
    const detail::AnyRows rows = batch.rows();
    Scalar score;
    if (work(scorer.detector, 1) <= little_work) {
      score_few(scorer, rows, &score);
    } else {
      const nb::gil_scoped_release release;
      score_few(scorer, rows, &score);
    }
    return static_cast<double>(score);
  });
}

/// f(detector, its rows in X, threads) without the GIL.
template <class F>
auto with_rows(const AnyDetector& self, const ArrayLike& X, int threads, F&& f) {
  return self.with([&](const auto& detector) {
    using Scalar = typename std::decay_t<decltype(detector)>::Scalar;
    const Batch<Scalar> batch(X, "the batch", detector.feature_names());
    const ThreadShare share(threads);
    return f(detector, batch.rows(), share.threads());
  });
}

nb::tuple score_parts(const AnyDetector& self, const ArrayLike& X, int threads) {
  return with_rows(self, X, threads, [](const auto& detector, auto rows, int team) {
    auto parts = without_gil([&] { return detector.score_parts(rows, team); });
    return nb::make_tuple(vector_of(std::move(parts.reconstruction)),
                          vector_of(std::move(parts.latent)));
  });
}

Array predict(const AnyDetector& self, const ArrayLike& X, int threads) {
  return with_rows(self, X, threads, [](const auto& detector, auto rows, int team) {
    return vector_of(without_gil([&] { return detector.predict(rows, team); }));
  });
}

Array select(const AnyDetector& self, const ArrayLike& X, double fdr, int threads) {
  return with_rows(self, X, threads, [&](const auto& detector, auto rows, int team) {
    return vector_of(without_gil([&] { return detector.select(rows, fdr, team); }));
  });
}

nb::object p_value(const AnyDetector& self, const ArrayLike& scores) {
  const Calibration& calibration =
      self.with([](const auto& detector) -> const Calibration& { return detector.calibration(); });
  if (PyFloat_Check(scores.ptr()) || PyLong_Check(scores.ptr()))
    return nb::cast(calibration.p_value(nb::cast<double>(scores)));
  calibration.require_scores();
  const Numbers<double> numbers(scores, "scores");
  Eigen::VectorXd values(numbers.size());
  for (Index i = 0; i < values.size(); ++i) values[i] = calibration.p_value(numbers.data()[i]);
  return vector_of(std::move(values));
}

AnyDetector calibrated(const AnyDetector& self, const ArrayLike& X_held_out, double rate,
                       int threads) {
  return with_rows(self, X_held_out, threads, [&](const auto& detector, auto rows, int team) {
    return without_gil(
        [&] { return AnyDetector(detector.calibrated(rows, false_alarm_rate(rate), team)); });
  });
}

/// The member that was named, or what the library says where there is no choice.
template <class Scalar, class F>
auto of_member(const Detector<Scalar>& detector, std::optional<Index> member, F&& f) {
  return without_gil([&] { return member ? f(detector, *member) : f(detector); });
}

Array encode(const AnyDetector& self, const ArrayLike& X, std::optional<Index> member) {
  return with_rows(self, X, 1, [&](const auto& detector, auto rows, int) {
    return matrix_of(of_member(
        detector, member, [&](const auto& d, auto... which) { return d.encode(rows, which...); }));
  });
}

Array reconstruct(const AnyDetector& self, const ArrayLike& X, std::optional<Index> member) {
  return with_rows(self, X, 1, [&](const auto& detector, auto rows, int) {
    return matrix_of(of_member(detector, member, [&](const auto& d, auto... which) {
      return d.reconstruct(rows, which...);
    }));
  });
}

Explanation explain(const AnyDetector& self, const ArrayLike& row) {
  return self.with([&](const auto& detector) {
    using Scalar = typename std::decay_t<decltype(detector)>::Scalar;
    const Batch<Scalar> batch(row, "the row", detector.feature_names(), 1);
    const detail::AnyRows rows = batch.rows();
    detail::ensure(rows.cols() == detector.features(), "explain: the row has ", rows.cols(),
                   " numbers, expected ", detector.features());
    return without_gil(
        [&] { return rows.visit([&](auto numbers) { return detector.explain(numbers.data()); }); });
  });
}

std::string text(const AnyDetector& self) {
  return self.with([](const auto& detector) {
    using Scalar = typename std::decay_t<decltype(detector)>::Scalar;
    const bool single = detector.ensemble_size() == 1;
    return detail::sentence("<dasvdd.Detector: ", detector.features(), " features, ",
                            detector.ensemble_size(), single ? " net" : " nets", ", ",
                            dtype_name<Scalar>, ", threshold ", detector.threshold(), ">");
  });
}

template <class Scalar>
AnyDetector joined(const std::vector<const AnyDetector*>& detectors, double threshold,
                   const Words& facts) {
  std::vector<Detector<Scalar>> members;
  for (const AnyDetector* any : detectors) {
    any->with([&](const auto& detector) {
      using Other = typename std::decay_t<decltype(detector)>::Scalar;
      detail::ensure(std::is_same_v<Other, Scalar>, "detector ", members.size(),
                     " of the ensemble is of ", dtype_name<Other>, ", the first one of ",
                     dtype_name<Scalar>);
      if constexpr (std::is_same_v<Other, Scalar>) members.push_back(detector);
    });
  }
  return AnyDetector(ensemble(members, threshold, facts));
}

AnyDetector ensemble_of(const std::vector<const AnyDetector*>& detectors, double threshold,
                        const Words& facts) {
  for (const AnyDetector* any : detectors) {
    if (!any) throw nb::type_error("a detector of the ensemble is None");
  }
  detail::ensure(!detectors.empty(), "an ensemble needs at least one detector");
  return detectors.front()->with([&](const auto& first) {
    return joined<typename std::decay_t<decltype(first)>::Scalar>(detectors, threshold, facts);
  });
}

void bind_explanation(nb::module_& m) {
  const auto numbers = [](const std::vector<double>& values) {
    return vector_of(std::vector<double>(values));
  };
  nb::class_<Explanation>(
      m, "Explanation",
      "A row's score, split into shares of its features, and what was expected in the row's "
      "place.")
      .def_ro("score", &Explanation::score, "The row's score.")
      .def_ro("reconstruction", &Explanation::reconstruction,
              "The reconstruction term, weight included.")
      .def_ro("latent", &Explanation::latent, "The latent term, gamma included.")
      .def_prop_ro(
          "features", [=](const Explanation& e) { return numbers(e.features); },
          "Shares of the score, shape (d,), none negative. Their sum is the score.")
      .def_prop_ro(
          "expected", [=](const Explanation& e) { return numbers(e.expected); },
          "The row as the detector reconstructs it, shape (d,), in the row's units; in an ensemble "
          "the nets' mean.")
      .def_prop_ro(
          "observed", [=](const Explanation& e) { return numbers(e.observed); },
          "The row itself, shape (d,).");
}

}  // namespace

void bind_detector(nb::module_& m) {
  bind_explanation(m);
  nb::class_<AnyDetector> detector(
      m, "Detector",
      R"(A fitted detector. Larger scores are more anomalous; predict() gives 1 for an anomaly.

fit(), fit_images(), Trainer and load() make detectors; there is no unfitted one. A detector never changes, any number
of threads may score with one, and pickling it writes the bytes of its model file. A row's score has the same bits in
any batch and on any number of threads.

Rows are array_like of shape (n, d). C-contiguous rows of float32 or float64, and views of such with gaps between
rows, are read where they are, whatever the detector's `dtype`; anything else is copied and converted by NumPy. Rows
must not be written to while a call runs. Work of more than some ten microseconds releases the GIL.

Where the detector has `feature_names`, the columns of a data frame are found by their names, in any order, and so is a
single row that is a pandas Series. Arrays, and frames without a name of type str, go by position. What comes back a
feature has the order of `feature_names`.

ValueError is raised for rows of another width, or with NaN or infinity, and for columns that are missing, unknown or
there twice.)");
  bind_model_files(m, detector);
  detector
      .def("score", &score, "X"_a, "threads"_a = 0, R"(The score of each row.

Parameters
----------
X : array_like of shape (n, d)
threads : int
    0: as many as OpenMP would use, shared with other calls that run at the time.

Returns
-------
ndarray of shape (n,), of the detector's dtype
    Infinity for a row so far out that the net overflows.)")
      .def("score_one", &score_one, "row"_a,
           "The score of one row, an array_like of shape (d,), as a Python float.")
      .def("score_parts", &score_parts, "X"_a, "threads"_a = 0,
           nb::sig("def score_parts(self, X: numpy.typing.ArrayLike, threads: int = 0) -> "
                   "tuple[numpy.ndarray, "
                   "numpy.ndarray]"),
           R"(The two terms of each row's score, which add up to it to the bit.

Returns
-------
reconstruction, latent : ndarray of shape (n,)
    The reconstruction term, weight included, and the latent term, gamma included.)")
      .def("predict", &predict, "X"_a, "threads"_a = 0, R"(1 for an anomaly, 0 for a normal row.

Returns
-------
ndarray of int32, shape (n,): score > threshold)")
      .def("p_value", &p_value, "scores"_a,
           nb::sig("def p_value(self, scores: numpy.typing.ArrayLike) -> float | numpy.ndarray"),
           R"(The probability that a normal row scores at least as high; small means anomalous.

Detectors of fit(), fit_images() and calibrated() have p-values; others raise ValueError.

Parameters
----------
scores : float or array_like of shape (n,)

Returns
-------
float or ndarray of float64, shape (n,))")
      .def("select", &select, "X"_a, "fdr"_a = 0.1, "threads"_a = 0,
           R"(Selects anomalies so that, of those selected, at most about the share `fdr` is normal.

Benjamini & Hochberg's procedure on the rows' p-values, for batches in which some rows are worth a look and false ones
cost. For rows that come one by one see OnlineSelect.

Parameters
----------
X : array_like of shape (n, d)
fdr : float
    The false discovery rate, between 0 and 1.

Returns
-------
ndarray of int32, shape (n,): 1 for a row that is selected)")
      .def("explain", &explain, "row"_a,
           R"(Splits the score of one row by feature, in the order of `feature_names`.

Parameters
----------
row : array_like of shape (d,))")
      .def("calibrated", &calibrated, "X_held_out"_a, "false_alarm_rate"_a = 0.01, "threads"_a = 0,
           R"(The same detector with p-values, and with a threshold for a rate of false alarms.

Parameters
----------
X_held_out : array_like of shape (n, d)
    Normal rows that were not trained on.
false_alarm_rate : float
    A new normal row exceeds the threshold with probability at most this.

Raises
------
ValueError
    Also where n is too small for the rate: 1 / false_alarm_rate - 1 rows are needed.)")
      .def(
          "with_threshold",
          [](const AnyDetector& self, double threshold) {
            return self.with(
                [&](const auto& d) { return AnyDetector(d.with_threshold(threshold)); });
          },
          "threshold"_a, "The same detector with another threshold, a finite number.")
      .def(
          "watched",
          [](const AnyDetector& self) {
            return self.with([](const auto& d) { return AnyDetector(d.watched()); });
          },
          R"(The detector whose scores a DriftWatch may compare with its calibration.

For a detector of fit() or fit_images() its first net alone, with that net's scores of the rows that it left out. A
detector of calibrated() is returned as it is.)")
      .def(
          "compacted",
          [](const AnyDetector& self) {
            return self.with([](const auto& d) {
              return without_gil([&] { return AnyDetector(d.compacted()); });
            });
          },
          R"(The same detector with the weights of its dense layers rounded to bfloat16, in two bytes each.

Faster where rows are scored singly and the net does not fit in a core's cache. Scores change by about a thousandth.)")
      .def("encode", &encode, "X"_a, "member"_a = nb::none(),
           R"(The latent code of each row, by one net.

Parameters
----------
X : array_like of shape (n, d)
member : int, optional
    The net of the ensemble, from 0. May be left out where there is only one.

Returns
-------
ndarray of shape (n, m))")
      .def("reconstruct", &reconstruct, "X"_a, "member"_a = nb::none(),
           R"(Each row as one net reconstructs it, in the units of X.

Parameters
----------
X : array_like of shape (n, d)
member : int, optional
    The net of the ensemble, from 0. May be left out where there is only one.

Returns
-------
ndarray of shape (n, d))")
      .def_prop_ro(
          "dtype",
          [](const AnyDetector& self) {
            const char* name = self.with([](const auto& d) {
              return dtype_name<typename std::decay_t<decltype(d)>::Scalar>;
            });
            return nb::module_::import_("numpy").attr("dtype")(name);
          },
          nb::sig("def dtype(self) -> numpy.dtype"),
          "float32 or float64: what the nets compute in, and the dtype of scores.")
      .def_prop_ro(
          "features",
          [](const AnyDetector& s) { return s.with([](const auto& d) { return d.features(); }); },
          "d, the numbers that a row must have.")
      .def_prop_ro(
          "feature_names",
          [](const AnyDetector& s) {
            return s.with([](const auto& d) { return d.feature_names(); });
          },
          "The features' names, d, as training was told; empty where it was told none.")
      .def_prop_ro(
          "ensemble_size",
          [](const AnyDetector& s) {
            return s.with([](const auto& d) { return d.ensemble_size(); });
          },
          "Nets in the ensemble; 1 where the detector is a single net.")
      .def_prop_ro(
          "threshold",
          [](const AnyDetector& s) { return s.with([](const auto& d) { return d.threshold(); }); },
          "A row whose score is above it is called an anomaly.")
      .def_prop_ro(
          "calibration",
          [](const AnyDetector& s) {
            return s.with([](const auto& d) { return d.calibration(); });
          },
          "The scores of normal rows behind p-values, a Calibration; empty where there are none.")
      .def_prop_ro(
          "warnings",
          [](const AnyDetector& s) { return s.with([](const auto& d) { return d.warnings(); }); },
          "What training warned of, one sentence each.")
      .def_prop_ro(
          "facts",
          [](const AnyDetector& s) { return s.with([](const auto& d) { return d.facts(); }); },
          "Words kept in the model file: training options, the seed, and those given to save().")
      .def_prop_ro(
          "kernels",
          [](const AnyDetector& s) { return s.with([](const auto& d) { return d.kernels(); }); },
          "The instruction set that scores rows: \"avx512\", \"avx2\" or \"portable\".")
      .def(
          "__copy__", [](nb::handle self) { return nb::borrow(self); },
          nb::sig("def __copy__(self) -> Detector"))
      .def(
          "__deepcopy__", [](nb::handle self, nb::handle) { return nb::borrow(self); }, "memo"_a,
          nb::sig("def __deepcopy__(self, memo: dict) -> Detector"))
      .def("__repr__", &text);

  m.def("ensemble", &ensemble_of, "detectors"_a, "threshold"_a, "facts"_a = Words(),
        R"(One detector whose score is the mean of the scores of all nets in `detectors`.

Parameters
----------
detectors : list of Detector
    Of one dtype, fitted on rows scaled alike, with score forms that are normalized.
threshold : float
    Rows with scores above it are called anomalies.)");
}

}  // namespace dasvdd::python
