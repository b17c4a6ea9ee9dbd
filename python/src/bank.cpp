#include "bank.hpp"

#include "arrays.hpp"
#include "detector.hpp"
#include "supervised.hpp"
#include "threads.hpp"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <dasvdd/fit/fit_many.hpp>
#include <dasvdd/io/bank_file.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dasvdd::python {
namespace {

using namespace nb::literals;

/// str() of each key.
std::vector<std::string> words_of(nb::handle keys) {
  std::vector<std::string> words;
  // NumPy's own strings and numbers are slow to iterate over; a list of Python's is not.
  const nb::object list = nb::hasattr(keys, "tolist") ? keys.attr("tolist")() : nb::borrow(keys);
  for (const nb::handle key : list) words.push_back(nb::cast<std::string>(nb::str(key)));
  return words;
}
/// A key a row; one string stands for all rows.
std::vector<std::string> words_of(nb::handle keys, Index n) {
  if (nb::isinstance<nb::str>(keys))
    return std::vector<std::string>(static_cast<std::size_t>(n), nb::cast<std::string>(keys));
  return words_of(keys);
}

Bank fit(const ArrayLike& X, const nb::object& keys, nb::object progress,
         const std::string& on_interrupt, std::uint64_t seed, int threads, Index steps,
         Index least_rows, const Names& feature_names) {
  BankOptions options;
  options.seed = seed;
  options.threads = threads;
  options.steps = steps;
  options.least_rows = least_rows;
  options.feature_names = feature_names;
  options.validate();
  const Batch<float> batch(X, "the training set", feature_names);
  const std::vector<std::string> words = words_of(keys, batch.rows().rows());
  const ThreadShare share(options.threads);
  options.threads = share.threads();
  Supervised supervised(std::move(progress), on_interrupt);
  Bank bank;
  supervised.run([&] {
    const detail::AnyRows rows = batch.rows();
    bank = detail::fit_groups<float>(rows, detail::groups_of(words, rows.rows()), options,
                                     [&](const FitProgress& at) -> bool {
                                       return supervised.ask([&] { return nb::cast(at); });
                                     });
  });
  return bank;
}

Array score(const Bank& self, const ArrayLike& X, const nb::object& keys, int threads) {
  const Batch<float> batch(X, "the batch", self.feature_names());
  const detail::AnyRows rows = batch.rows();
  detail::ensure(threads >= 0, "threads is ", threads, ", expected 0 (all) or a positive number");
  const auto words = words_of(keys, rows.rows());
  const ThreadShare share(threads);
  return vector_of(without_gil([&] { return self.score_many(rows, words, share.threads()); }));
}

Array predict(const Bank& self, const ArrayLike& X, const nb::object& keys, int threads) {
  const Batch<float> batch(X, "the batch", self.feature_names());
  const detail::AnyRows rows = batch.rows();
  const auto words = words_of(keys, rows.rows());
  const ThreadShare share(threads);
  return vector_of(without_gil([&] { return self.predict(rows, words, share.threads()); }));
}

Array p_value(const Bank& self, const ArrayLike& scores, const nb::object& keys) {
  const Numbers<float> numbers(scores, "scores");
  const std::vector<Index> groups = self.places(words_of(keys, numbers.size()), numbers.size());
  Eigen::VectorXd values(numbers.size());
  for (Index i = 0; i < values.size(); ++i) {
    const Index group = groups[static_cast<std::size_t>(i)];
    values[i] = group < 0 ? std::numeric_limits<double>::quiet_NaN()
                          : self.p_value(group, numbers.data()[i]);
  }
  return vector_of(std::move(values));
}

/// The place of a group that has a detector.
Index place(const Bank& self, const nb::object& key) {
  const std::string word = nb::cast<std::string>(nb::str(key));
  const Index group = self.find(word);
  if (group < 0) throw nb::key_error(word.c_str());
  return group;
}

Bank load(const std::filesystem::path& path, const nb::object& keys) {
  std::optional<std::vector<std::string>> words;
  if (!keys.is_none()) words = nb::isinstance<nb::str>(keys) ? words_of(keys, 1) : words_of(keys);
  return without_gil([&] {
    Bank bank;
    if (words) {
      dasvdd::load(bank, path, *words);
    } else {
      dasvdd::load(bank, path);
    }
    return bank;
  });
}

nb::bytes to_bytes(const Bank& self) {
  const std::string bytes = without_gil([&] { return detail::to_tensor_file(self).serialize(); });
  return nb::bytes(bytes.data(), bytes.size());
}
Bank from_bytes(const nb::bytes& bytes) {
  const std::string_view view(bytes.c_str(), bytes.size());
  return without_gil(
      [&] { return detail::bank_from_tensor_file(detail::TensorFile::parse(view)); });
}

}  // namespace

void bind_bank(nb::module_& m) {
  nb::class_<Bank>(m, "Bank",
                   R"(Many small detectors, one a group of rows: a metric, a machine, a customer.

fit_many() and Bank.load() make banks. A bank never changes, any number of threads may score with one, and pickling it
writes the bytes of its file. All detectors lie in one block of memory, at most 8 KB each for up to 20 features.

Where `keys` are asked for: one a row, of which str() counts, or one string for all rows. A key that the bank has never
seen raises ValueError.)")
      .def("score", &score, "X"_a, "keys"_a, "threads"_a = 0,
           R"(The score of each row by the detector of its own group.

Parameters
----------
X : array_like of shape (n, d)
keys : array_like of shape (n,), or str
threads : int
    0: as many as OpenMP would use, shared with other calls that run at the time.

Returns
-------
ndarray of float32, shape (n,)
    NaN for a row of a group that was refused. Fastest where rows of one group follow each other.)")
      .def("predict", &predict, "X"_a, "keys"_a, "threads"_a = 0,
           R"(1 for an anomaly, 0 for a normal row, -1 for a row of a group that was refused.

Returns
-------
ndarray of int32, shape (n,))")
      .def(
          "p_value", &p_value, "scores"_a, "keys"_a,
          R"(The probability that a normal row of the group scores at least as high; small means anomalous.

Returns
-------
ndarray of float64, shape (n,))")
      .def(
          "threshold",
          [](const Bank& self, const nb::object& key) { return self.threshold(place(self, key)); },
          "key"_a, "A row of the group whose score is above it is called an anomaly.")
      .def(
          "detector",
          [](const Bank& self, const nb::object& key) {
            return AnyDetector(self.detector(self.key(place(self, key))));
          },
          "key"_a, "One group as a Detector of its own, for explain() and all else that one has.")
      .def(
          "save",
          [](const Bank& self, const std::filesystem::path& path) {
            without_gil([&] { dasvdd::save(self, path); });
          },
          "path"_a, "Writes the bank's file. Readers see the old file or the whole new one.")
      .def_static("load", &load, "path"_a, "keys"_a = nb::none(),
                  R"(Reads a bank from its file.

Parameters
----------
path : str or os.PathLike
keys : list, optional
    Only the detectors of these groups, a few kilobytes each, without reading the others.

Raises
------
FileError
    When the file can't be read, is no bank, is damaged, or has no group of a key.)")
      .def("to_bytes", &to_bytes, "The bytes of the bank's file.")
      .def_static("from_bytes", &from_bytes, "data"_a, "The bank whose file has these bytes.")
      .def_static(
          "joined", &Bank::joined, "banks"_a,
          R"(One bank of all groups of several, for groups that were fitted in several places.

It is, to the bit, what one fit_many() over all rows gives, as long as each group's rows come in the same order there.
Only the row's number in the sentence of a group refused for NaN or a value too large is that of its part.

Parameters
----------
banks : list of Bank

Raises
------
ValueError
    Where there is no bank, two have a group in common, or they differ in their features or options.)")
      .def(
          "__getstate__", [](const Bank& self) { return to_bytes(self); },
          nb::sig("def __getstate__(self) -> bytes"))
      .def(
          "__setstate__",
          [](Bank& self, const nb::bytes& bytes) { new (&self) Bank(from_bytes(bytes)); },
          nb::sig("def __setstate__(self, state: bytes) -> None"))
      .def("__len__", &Bank::size)
      .def(
          "__contains__",
          [](const Bank& self, const nb::object& key) {
            return self.find(nb::cast<std::string>(nb::str(key))) >= 0;
          },
          "key"_a)
      .def_prop_ro("keys", &Bank::keys, "The groups that have a detector, sorted.")
      .def_prop_ro(
          "refused",
          [](const Bank& self) {
            std::map<std::string, std::string> sentences;
            for (const auto& [key, sentence] : self.refused()) sentences[key] = sentence;
            return sentences;
          },
          "The groups that could get no detector: {key: why}.")
      .def_prop_ro("features", &Bank::features, "d, the numbers that a row must have.")
      .def_prop_ro(
          "feature_names", &Bank::feature_names,
          "The features' names, d; empty where fit_many() was told none. As in Detector, the "
          "columns of a data frame are found by them.")
      .def_prop_ro("facts", &Bank::facts, "Words about the fit.")
      .def_prop_ro("detector_bytes", &Bank::detector_bytes,
                   "Bytes that one detector takes, in memory and in the file.")
      .def("__repr__", [](const Bank& self) {
        return detail::sentence("<dasvdd.Bank: ", self.size(), " detectors of ", self.features(),
                                " features, ", self.refused().size(), " groups refused>");
      });
  m.def("fit_many", &fit, "X"_a, "keys"_a, "progress"_a.none(), "on_interrupt"_a, "seed"_a,
        "threads"_a, "steps"_a, "least_rows"_a, "feature_names"_a, "See dasvdd.fit_many().");
}

}  // namespace dasvdd::python
