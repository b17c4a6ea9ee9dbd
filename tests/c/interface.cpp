// The C interface gives what the C++ library gives, and refuses what it refuses, in sentences.

#include <dasvdd/c/dasvdd.h>

#include "c/support.hpp"

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/detect/drift_watch.hpp>
#include <dasvdd/io/model_file.hpp>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace c_tests;

namespace {

/// The same fit by the C++ library.
template <class Scalar>
dasvdd::Detector<Scalar> same_fit(const dasvdd::RowMatrix<Scalar>& X) {
  dasvdd::FitOptions options;
  options.seed = 7;
  options.ensemble_size = 2;
  options.steps = 60;
  options.threads = 1;
  return dasvdd::fit(X, options);
}

template <class Vector>
std::vector<double> wide(const Vector& values) {
  return std::vector<double>(values.data(), values.data() + values.size());
}

template <class Scalar>
void check_all_functions() {
  const auto X = curve<Scalar>(150, 1), fresh = curve<Scalar>(20, 2);
  const auto expected = same_fit<Scalar>(X);
  const Handle handle = fitted(X);
  const dasvdd_detector* detector = handle.get();
  const dasvdd_rows rows = view(fresh);
  const std::size_t n = 20, d = 3;

  CHECK(dasvdd_features(detector) == 3);
  CHECK(dasvdd_ensemble_size(detector) == 2);
  CHECK(dasvdd_bits(detector) == 8 * int(sizeof(Scalar)));
  CHECK(dasvdd_calibration_size(detector) == std::int64_t(expected.calibration().scores().size()));
  CHECK(std::string(dasvdd_kernels(detector)) == expected.kernels());
  CHECK(dasvdd_threshold(detector) == expected.threshold());

  dasvdd_error error;
  std::vector<double> scores(n), more(n), p(n);
  std::vector<std::int32_t> labels(n);
  CHECK(dasvdd_score(detector, &rows, 1, scores.data(), &error) == DASVDD_OK);
  CHECK(error.status == DASVDD_OK);
  CHECK(std::string(error.message).empty());
  CHECK(scores == wide(expected.score(fresh)));
  CHECK(dasvdd_score_parts(detector, &rows, 0, p.data(), more.data(), nullptr) == DASVDD_OK);
  const auto parts = expected.score_parts(fresh);
  CHECK(p == wide(parts.reconstruction));
  CHECK(more == wide(parts.latent));
  CHECK(dasvdd_score_parts(detector, &rows, 0, nullptr, p.data(), nullptr) == DASVDD_OK);
  CHECK(p == more);

  CHECK(dasvdd_predict(detector, &rows, 1, labels.data(), nullptr) == DASVDD_OK);
  const auto predicted = expected.predict(fresh);
  CHECK(labels == std::vector<std::int32_t>(predicted.data(), predicted.data() + n));
  CHECK(predicted.sum() > 0);
  CHECK(predicted.sum() < 20);
  for (std::size_t i = 0; i < n; ++i) CHECK(dasvdd_is_anomaly(detector, scores[i]) == labels[i]);
  CHECK(dasvdd_p_value(detector, scores.data(), 20, p.data(), nullptr) == DASVDD_OK);
  CHECK(p == wide(expected.p_value(expected.score(fresh))));
  CHECK(dasvdd_select(detector, &rows, 0.3, 1, labels.data(), nullptr) == DASVDD_OK);
  const auto selected = expected.select(fresh, 0.3);
  CHECK(labels == std::vector<std::int32_t>(selected.data(), selected.data() + n));

  const dasvdd_rows last = view(fresh, 19, 1);
  std::vector<double> shares(d), instead(d);
  CHECK(dasvdd_explain(detector, &last, shares.data(), instead.data(), nullptr) == DASVDD_OK);
  const auto explanation = expected.explain(fresh.row(19));
  CHECK(shares == explanation.features);
  CHECK(instead == explanation.expected);
  CHECK(dasvdd_explain(detector, &last, shares.data(), nullptr, nullptr) == DASVDD_OK);

  const auto same_scores = [&](const Handle& other, const dasvdd::Detector<Scalar>& by) {
    std::vector<double> s(n);
    CHECK(dasvdd_score(other.get(), &rows, 1, s.data(), nullptr) == DASVDD_OK);
    CHECK(s == wide(by.score(fresh)));
    CHECK(dasvdd_threshold(other.get()) == by.threshold());
    CHECK(dasvdd_calibration_size(other.get()) == std::int64_t(by.calibration().scores().size()));
  };
  const dasvdd_rows held_out = view(X);
  dasvdd_detector* made = nullptr;
  CHECK(dasvdd_calibrated(detector, &held_out, 0.05, 1, &made, nullptr) == DASVDD_OK);
  same_scores(Handle(made), expected.calibrated(X, dasvdd::false_alarm_rate(0.05)));
  CHECK(dasvdd_with_false_alarm_rate(detector, 0.2, &made, nullptr) == DASVDD_OK);
  same_scores(Handle(made), expected.with_threshold(
                                expected.calibration().threshold(dasvdd::false_alarm_rate(0.2))));
  CHECK(dasvdd_with_threshold(detector, 3, &made, nullptr) == DASVDD_OK);
  same_scores(Handle(made), expected.with_threshold(3));
  CHECK(dasvdd_compacted(detector, &made, nullptr) == DASVDD_OK);
  same_scores(Handle(made), expected.compacted());

  // By memory, and by a file.
  void* bytes = nullptr;
  std::size_t size = 0;
  CHECK(dasvdd_save_memory(detector, &bytes, &size, nullptr) == DASVDD_OK);
  CHECK(std::string(static_cast<char*>(bytes), size) ==
        dasvdd::detail::to_tensor_file(expected).serialize());
  CHECK(dasvdd_load_memory(bytes, size, &made, nullptr) == DASVDD_OK);
  dasvdd_free(bytes);
  same_scores(Handle(made), expected);
  const std::string path = std::filesystem::temp_directory_path() /
                           ("dasvdd_c_\xc3\xa9" + std::to_string(sizeof(Scalar)));
  CHECK(dasvdd_save(detector, path.c_str(), nullptr) == DASVDD_OK);
  CHECK(dasvdd_load(path.c_str(), &made, nullptr) == DASVDD_OK);
  std::filesystem::remove(path);
  same_scores(Handle(made), expected);

  CHECK(dasvdd_warning_count(detector) == std::int64_t(expected.warnings().size()));
  CHECK(dasvdd_fact_count(detector) == std::int64_t(expected.facts().size()));
  std::int64_t i = 0;
  for (const auto& [name, word] : expected.facts()) {
    CHECK(dasvdd_fact_name(detector, i++) == name);
    CHECK(dasvdd_fact(detector, name.c_str()) == word);
  }
  CHECK(dasvdd_fact_name(detector, i) == nullptr);
  CHECK(dasvdd_fact_name(detector, -1) == nullptr);
  CHECK(dasvdd_fact(detector, "no such fact") == nullptr);
}

}  // namespace

TEST_CASE("a detector of floats is that of the C++ library, to the bit") {
  check_all_functions<float>();
}
TEST_CASE("a detector of doubles is that of the C++ library, to the bit") {
  check_all_functions<double>();
}

TEST_CASE("a workspace gives the same scores, for rows of any type, number and stride") {
  const Handle of_float = fitted(curve<float>(100, 1)), of_double = fitted(curve<double>(100, 1));
  const auto X = curve<double>(230, 3);
  const dasvdd::RowMatrix<float> X32 = X.cast<float>();
  for (const dasvdd_detector* detector : {of_float.get(), of_double.get()}) {
    for (const std::int64_t tile : {1, 7, 96, 1000}) {
      const Workspace workspace = workspace_of(detector, tile);
      for (const dasvdd_rows& rows : {view(X), view(X32)}) {
        std::vector<double> expected(230), scores(230);
        REQUIRE(dasvdd_score(detector, &rows, 1, expected.data(), nullptr) == DASVDD_OK);
        CHECK(dasvdd_workspace_score(workspace.get(), &rows, scores.data(), nullptr) == DASVDD_OK);
        CHECK(scores == expected);
        double one = 0;
        CHECK((rows.f32 ? dasvdd_score_one_f32(workspace.get(), rows.f32 + 3 * 229, &one, nullptr)
                        : dasvdd_score_one_f64(workspace.get(), rows.f64 + 3 * 229, &one,
                                               nullptr)) == DASVDD_OK);
        CHECK(one == expected[229]);
        // Every second row, by a stride.
        dasvdd_rows second = rows;
        second.rows = 115;
        second.stride = 6;
        std::vector<double> strided(115);
        CHECK(dasvdd_workspace_score(workspace.get(), &second, strided.data(), nullptr) ==
              DASVDD_OK);
        for (std::size_t i = 0; i < 115; ++i) CHECK(strided[i] == expected[2 * i]);
        CHECK(dasvdd_score(detector, &second, 1, strided.data(), nullptr) == DASVDD_OK);
        for (std::size_t i = 0; i < 115; ++i) CHECK(strided[i] == expected[2 * i]);
      }
    }
  }
}

TEST_CASE("a workspace outlives its detector, and detectors made of one outlive it") {
  const auto X = curve<float>(60, 1);
  Handle detector = fitted(X);
  const Workspace workspace = workspace_of(detector.get(), 1);
  dasvdd_detector* made = nullptr;
  REQUIRE(dasvdd_with_threshold(detector.get(), 1, &made, nullptr) == DASVDD_OK);
  const Handle changed(made);
  double before = 0, after = 0;
  const dasvdd_rows first = view(X, 0, 1);
  REQUIRE(dasvdd_score(detector.get(), &first, 1, &before, nullptr) == DASVDD_OK);
  detector.reset();
  CHECK(dasvdd_score_one_f32(workspace.get(), X.data(), &after, nullptr) == DASVDD_OK);
  CHECK(after == before);
  CHECK(dasvdd_score(changed.get(), &first, 1, &after, nullptr) == DASVDD_OK);
  CHECK(after == before);
}

TEST_CASE("many threads score with one detector, a workspace each") {
  const Handle detector = fitted(curve<float>(60, 1));
  const auto X = curve<float>(200, 4);
  const dasvdd_rows rows = view(X);
  std::vector<double> expected(200);
  REQUIRE(dasvdd_score(detector.get(), &rows, 1, expected.data(), nullptr) == DASVDD_OK);
  std::vector<std::vector<double>> scores(4, std::vector<double>(200));
  std::vector<std::string> messages(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const Workspace workspace = workspace_of(detector.get(), 1);
      for (std::size_t i = 0; i < 200; ++i)
        dasvdd_score_one_f32(workspace.get(), X.data() + 3 * i, &scores[t][i], nullptr);
      // Errors at the same time reach their own callers.
      dasvdd_error error;
      dasvdd_rows wrong = rows;
      wrong.columns = std::int64_t(t) + 4;
      dasvdd_workspace_score(workspace.get(), &wrong, nullptr, &error);
      wrong.rows = 1;
      double score = 0;
      dasvdd_workspace_score(workspace.get(), &wrong, &score, &error);
      messages[t] = error.message;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < 4; ++t) {
    CHECK(scores[t] == expected);
    CHECK(messages[t].find("1 x " + std::to_string(t + 4)) != std::string::npos);
  }
}

TEST_CASE("bits decides what a detector computes in") {
  const auto X = curve<double>(60, 1);
  const dasvdd_rows rows = view(X);
  dasvdd_fit_options options = fast_options();
  options.bits = 32;
  dasvdd_detector* made = nullptr;
  REQUIRE(dasvdd_fit(&rows, &options, nullptr, nullptr, &made, nullptr) == DASVDD_OK);
  const Handle floats(made);
  CHECK(dasvdd_bits(floats.get()) == 32);
  // Of doubles as they are; rounded to floats they would give another in the last digits.
  CHECK(dasvdd_threshold(floats.get()) ==
        doctest::Approx(same_fit<float>(dasvdd::RowMatrix<float>(X.cast<float>())).threshold())
            .epsilon(1e-3));
  options.bits = 64;
  const dasvdd::RowMatrix<float> X32 = X.cast<float>();
  const dasvdd_rows rows32 = view(X32);
  REQUIRE(dasvdd_fit(&rows32, &options, nullptr, nullptr, &made, nullptr) == DASVDD_OK);
  CHECK(dasvdd_bits(Handle(made).get()) == 64);
  options.bits = 16;
  CHECK(refused([&](auto* error) {
          return dasvdd_fit(&rows, &options, nullptr, nullptr, &made, error);
        }) == "bits is 16, expected 0, 32 or 64");
}

TEST_CASE("missing values and feature names are as in the C++ library") {
  dasvdd::RowMatrix<float> X = curve<float>(60, 1);
  const dasvdd::Index d = X.cols();
  X(3, 1) = X(40, 2) = std::numeric_limits<float>::quiet_NaN();
  const dasvdd_rows rows = view(X);
  dasvdd_fit_options options = fast_options();
  dasvdd_detector* made = nullptr;
  const auto error_of = [&] {
    return refused(
        [&](auto* error) { return dasvdd_fit(&rows, &options, nullptr, nullptr, &made, error); });
  };
  CHECK(error_of().find("NaN in row 3, column 1") != std::string::npos);
  std::vector<std::string> names;
  std::vector<const char*> pointers;
  for (dasvdd::Index j = 0; j < d; ++j) names.push_back("feature " + std::to_string(j));
  for (const std::string& name : names) pointers.push_back(name.c_str());
  options.feature_names = pointers.data();
  for (const int missing : {DASVDD_MISSING_MASK, DASVDD_MISSING_IMPUTE}) {
    options.missing = missing;
    REQUIRE(dasvdd_fit(&rows, &options, nullptr, nullptr, &made, nullptr) == DASVDD_OK);
    const Handle detector(made);
    dasvdd::FitOptions same;
    same.seed = options.seed;
    same.ensemble_size = options.ensemble_size;
    same.steps = options.steps;
    same.threads = options.threads;
    same.feature_names = names;
    same.missing = missing == DASVDD_MISSING_MASK ? dasvdd::FitOptions::Missing::mask
                                                  : dasvdd::FitOptions::Missing::impute;
    CHECK(dasvdd_threshold(detector.get()) == dasvdd::fit(X, same).threshold());
    CHECK(dasvdd_feature_name(detector.get(), 1) == names[1]);
    CHECK(dasvdd_feature_name(detector.get(), d) == nullptr);
    CHECK(dasvdd_feature_name(detector.get(), -1) == nullptr);
    CHECK(dasvdd_feature_name(nullptr, 0) == nullptr);
  }
  options.missing = 3;
  CHECK(error_of() == "missing is 3, expected one of DASVDD_MISSING_..., 0 to 2");
  options.missing = DASVDD_MISSING_MASK;
  options.reserved = 1;
  CHECK(error_of() == "reserved is 1, expected 0");
  options.reserved = 0;
  pointers[1] = nullptr;
  CHECK(error_of() == "feature_names[1] is NULL");
}

TEST_CASE("images are fitted as by the C++ library") {
  dasvdd::RowMatrix<float> X = curve<float>(24, 5, 16).cwiseAbs().cwiseMin(1);
  const dasvdd_rows rows = view(X);
  dasvdd_image_options options;
  dasvdd_image_options_init(&options, sizeof options);
  options.seed = 3;
  options.ensemble_size = 1;
  options.epochs = 1;
  options.threads = 1;
  options.kind = DASVDD_PHOTOGRAPHS;
  dasvdd_detector* made = nullptr;
  REQUIRE(dasvdd_fit_images(&rows, &options, nullptr, nullptr, &made, nullptr) == DASVDD_OK);
  dasvdd::ImageOptions same;
  same.seed = 3;
  same.ensemble_size = 1;
  same.epochs = 1;
  same.threads = 1;
  same.kind = dasvdd::ImageOptions::Kind::photographs;
  CHECK(dasvdd_threshold(Handle(made).get()) == dasvdd::fit_images(X, same).threshold());

  const auto error_of = [&] {
    return refused([&](auto* error) {
      return dasvdd_fit_images(&rows, &options, nullptr, nullptr, &made, error);
    });
  };
  options.kind = 2;
  CHECK(error_of() == "kind is 2, expected DASVDD_OBJECTS or DASVDD_PHOTOGRAPHS");
  options.kind = DASVDD_OBJECTS;
  options.channels = 1;
  options.height = 3;
  options.width = 5;
  CHECK(error_of() == "images of 1 x 3 x 5 have 15 numbers, the rows have 16");
}

TEST_CASE("the defaults are the C++ library's") {
  const auto X = curve<float>(12, 1);
  const dasvdd_rows rows = view(X);
  dasvdd_fit_options options;
  dasvdd_fit_options_init(&options, sizeof options);
  options.epochs = 1;
  dasvdd_detector* made = nullptr;
  REQUIRE(dasvdd_fit(&rows, &options, nullptr, nullptr, &made, nullptr) == DASVDD_OK);
  const Handle detector(made);
  dasvdd::FitOptions same;
  same.epochs = 1;
  const auto expected = dasvdd::fit(X, same);
  CHECK(dasvdd_ensemble_size(detector.get()) == same.ensemble_size);
  CHECK(dasvdd_threshold(detector.get()) == expected.threshold());
  for (const auto& [name, word] : expected.facts())
    CHECK(dasvdd_fact(detector.get(), name.c_str()) == word);
  // What training warned of, too: twelve rows are too few for one false alarm in a hundred.
  REQUIRE(dasvdd_warning_count(detector.get()) == std::int64_t(expected.warnings().size()));
  REQUIRE(!expected.warnings().empty());
  CHECK(dasvdd_warning(detector.get(), 0) == expected.warnings().front());
  CHECK(dasvdd_warning(detector.get(), std::int64_t(expected.warnings().size())) == nullptr);
  CHECK(dasvdd_warning(detector.get(), -1) == nullptr);

  // Every option reaches the library: each out of its range is refused in the library's words.
  const auto error_with = [&](auto set) {
    dasvdd_fit_options bad;
    dasvdd_fit_options_init(&bad, sizeof bad);
    set(bad);
    return refused(
        [&](auto* error) { return dasvdd_fit(&rows, &bad, nullptr, nullptr, &made, error); });
  };
  CHECK(contains(error_with([](auto& o) { o.threads = -1; }), "threads is -1"));
  CHECK(contains(error_with([](auto& o) { o.ensemble_size = 0; }), "ensemble_size is 0"));
  CHECK(contains(error_with([](auto& o) { o.ensemble_size = -1; }), "ensemble_size is -1"));
  CHECK(contains(error_with([](auto& o) { o.steps = 0; }), "steps is 0"));
  CHECK(contains(error_with([](auto& o) { o.epochs = -2; }), "epochs is -2"));
  CHECK(contains(error_with([](auto& o) { o.batch_size = 0; }), "batch size is 0"));
  CHECK(contains(error_with([](auto& o) { o.score = 5; }), "score is 5"));
  CHECK(contains(error_with([](auto& o) { o.contamination = 0.5; }), "contamination is 0.5"));
  CHECK(contains(error_with([](auto& o) { o.gamma = NAN; }), "gamma is nan"));
  CHECK(contains(error_with([](auto& o) { o.kappa = 2; }), "kappa is 2"));
  CHECK(contains(error_with([](auto& o) { o.learning_rate = 0; }), "learning rate is 0"));
  CHECK(contains(error_with([](auto& o) { o.weight_decay = -1; }), "weight decay is -1"));
  CHECK(contains(error_with([](auto& o) { o.center_learning_rate = 0; }),
                 "center's learning rate is 0"));
}

TEST_CASE("options of an older or newer header are taken for what they are") {
  const auto X = curve<float>(12, 1);
  const dasvdd_rows rows = view(X);
  dasvdd_detector* made = nullptr;
  // A later version's struct: longer. What it adds is 0 until it is set.
  struct Longer {
    dasvdd_fit_options known;
    std::int64_t added;
  } longer;
  std::memset(&longer, 0xff, sizeof longer);
  dasvdd_fit_options_init(&longer.known, sizeof longer);
  CHECK(longer.known.size == sizeof longer);
  CHECK(longer.added == 0);
  longer.known.epochs = 1;
  longer.known.ensemble_size = 1;
  REQUIRE(dasvdd_fit(&rows, &longer.known, nullptr, nullptr, &made, nullptr) == DASVDD_OK);
  dasvdd_detector_free(made);
  longer.added = 1;
  const auto error_of = [&] {
    return refused([&](auto* error) {
      return dasvdd_fit(&rows, &longer.known, nullptr, nullptr, &made, error);
    });
  };
  CHECK(contains(error_of(), "a field that this library (0.1.0) doesn't know"));
  longer.known.version = 2;
  CHECK(contains(error_of(), "the options are of version 2"));
  longer.known.version = 0;
  longer.known.size = 0;
  CHECK(contains(error_of(), "the options say that they have 0 bytes"));
  // An earlier version's struct: shorter. What it lacks keeps its default, and is not read.
  dasvdd_fit_options shorter;
  std::memset(&shorter, 0xff, sizeof shorter);
  dasvdd_fit_options_init(&shorter, offsetof(dasvdd_fit_options, feature_names));
  shorter.epochs = 1;
  shorter.ensemble_size = 1;
  REQUIRE(dasvdd_fit(&rows, &shorter, nullptr, nullptr, &made, nullptr) == DASVDD_OK);
  CHECK(dasvdd_feature_name(Handle(made).get(), 0) == nullptr);
  // Only so much is written as there is room for.
  unsigned char bytes[24];
  std::memset(bytes, 0xff, sizeof bytes);
  dasvdd_fit_options_init(reinterpret_cast<dasvdd_fit_options*>(bytes), 16);
  CHECK(bytes[15] == 0);
  CHECK(bytes[16] == 0xff);
  dasvdd_fit_options_init(nullptr, 16);
}

TEST_CASE("progress is told after each epoch, and ends the fit where it says so") {
  struct Seen {
    std::vector<dasvdd_progress> calls;
    std::size_t most;
  };
  const auto note = [](const dasvdd_progress* at, void* user) -> std::int32_t {
    Seen& seen = *static_cast<Seen*>(user);
    seen.calls.push_back(*at);
    return seen.calls.size() >= seen.most;
  };
  const auto X = curve<float>(60, 1);
  const dasvdd_rows rows = view(X);
  dasvdd_fit_options options = fast_options();
  options.epochs = 3;
  dasvdd_detector* made = nullptr;
  Seen seen{{}, 100};
  REQUIRE(dasvdd_fit(&rows, &options, note, &seen, &made, nullptr) == DASVDD_OK);
  CHECK(dasvdd_ensemble_size(Handle(made).get()) == 2);
  REQUIRE(seen.calls.size() == 6);
  const dasvdd_progress& last = seen.calls.back();
  CHECK(last.size == sizeof last);
  CHECK(last.version == 1);
  CHECK(last.screening == 0);
  CHECK(last.reserved == 0);
  CHECK(last.member == 1);
  CHECK(last.ensemble_size == 2);
  CHECK(last.epoch == 3);
  CHECK(last.epochs == 3);
  CHECK(last.done == 6);
  CHECK(last.total == 6);
  CHECK(last.loss > 0);

  seen = {{}, 2};
  REQUIRE(dasvdd_fit(&rows, &options, note, &seen, &made, nullptr) == DASVDD_OK);
  CHECK(seen.calls.size() == 2);
  CHECK(dasvdd_ensemble_size(Handle(made).get()) == 1);
}

TEST_CASE("what a progress function throws ends as an error") {
  const auto X = curve<float>(60, 1);
  const dasvdd_rows rows = view(X);
  const dasvdd_fit_options options = fast_options();
  dasvdd_detector* made = nullptr;
  dasvdd_error error;
  const auto thrower = [](const dasvdd_progress*, void*) -> std::int32_t {
    throw std::runtime_error("told to");
  };
  CHECK(dasvdd_fit(&rows, &options, thrower, nullptr, &made, &error) == DASVDD_FAILED);
  CHECK(std::string(error.message) == "told to");
  const auto odd = [](const dasvdd_progress*, void*) -> std::int32_t { throw 7; };
  CHECK(dasvdd_fit(&rows, &options, odd, nullptr, &made, &error) == DASVDD_FAILED);
  CHECK(std::string(error.message) == "something was thrown that is no std::exception");
  CHECK(made == nullptr);
}

TEST_CASE("a detector of floats scales doubles as doubles, also those that no float holds") {
  // Times about 1.7e9 that vary by seconds: as floats they would be 128 apart.
  auto X = curve<double>(60, 1);
  X.col(0).array() += 1.7e9;
  const auto narrow = curve<double>(60, 1);
  dasvdd_fit_options options = fast_options();
  options.bits = 32;
  const auto fit = [&](const dasvdd::RowMatrix<double>& some) {
    const dasvdd_rows rows = view(some);
    dasvdd_detector* made = nullptr;
    REQUIRE(dasvdd_fit(&rows, &options, nullptr, nullptr, &made, nullptr) == DASVDD_OK);
    return Handle(made);
  };
  const Handle far_off = fit(X), near_by = fit(narrow);
  CHECK(dasvdd_bits(far_off.get()) == 32);
  std::vector<double> a(60), b(60);
  const dasvdd_rows x = view(X), y = view(narrow);
  REQUIRE(dasvdd_score(far_off.get(), &x, 1, a.data(), nullptr) == DASVDD_OK);
  REQUIRE(dasvdd_score(near_by.get(), &y, 1, b.data(), nullptr) == DASVDD_OK);
  // A double has 2e-7 of a second left there, and a score's error is twice that of its row.
  for (std::size_t i = 0; i < 60; ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-3));
  X(3, 1) = 1e300;
  REQUIRE(dasvdd_score(far_off.get(), &x, 1, a.data(), nullptr) == DASVDD_OK);
  CHECK(std::isinf(a[3]));
}

TEST_CASE("bad rows are refused by row and column, and nothing is written") {
  const Handle detector = fitted(curve<float>(60, 1));
  const Workspace workspace = workspace_of(detector.get(), 1);
  auto X = curve<double>(5, 2);
  const dasvdd_rows rows = view(X);
  std::vector<double> scores(5, -7);
  X(3, 1) = NAN;
  CHECK(contains(refused([&](auto* e) {
                   return dasvdd_workspace_score(workspace.get(), &rows, scores.data(), e);
                 }),
                 "NaN in row 3, column 1"));
  CHECK(contains(
      refused([&](auto* e) { return dasvdd_score(detector.get(), &rows, 1, scores.data(), e); }),
      "NaN in row 3, column 1"));
  CHECK(contains(refused([&](auto* e) {
                   return dasvdd_score_one_f64(workspace.get(), &X(3, 0), scores.data(), e);
                 }),
                 "NaN in row 0, column 1"));
  CHECK(scores == std::vector<double>(5, -7));
  std::vector<std::int32_t> labels(5, -7);
  CHECK(contains(
      refused([&](auto* e) { return dasvdd_predict(detector.get(), &rows, 1, labels.data(), e); }),
      "NaN in row 3, column 1"));
  CHECK(labels == std::vector<std::int32_t>(5, -7));

  const auto error_of = [&](dasvdd_rows bad) {
    return refused(
        [&](auto* e) { return dasvdd_score(detector.get(), &bad, 1, scores.data(), e); });
  };
  CHECK(contains(error_of({nullptr, X.data(), 5, 4, 0}), "the batch is 5 x 4, expected 3 columns"));
  CHECK(contains(error_of({nullptr, X.data(), -1, 3, 0}), "the batch's number of rows is -1"));
  CHECK(contains(error_of({nullptr, X.data(), 5, -3, 0}), "the batch's number of columns is -3"));
  CHECK(contains(error_of({nullptr, X.data(), 5, 3, 2}), "the batch's stride is 2"));
  CHECK(contains(error_of({nullptr, X.data(), 5, 3, -3}), "the batch's stride is -3"));
  CHECK(contains(error_of({nullptr, nullptr, 5, 3, 0}), "neither f32 nor f64"));
  const float number = 0;
  CHECK(contains(error_of({&number, X.data(), 5, 3, 0}), "both f32 and f64"));
  // No rows give no scores.
  const dasvdd_rows none = {nullptr, nullptr, 0, 3, 0};
  CHECK(dasvdd_score(detector.get(), &none, 1, nullptr, nullptr) == DASVDD_OK);
  CHECK(dasvdd_workspace_score(workspace.get(), &none, nullptr, nullptr) == DASVDD_OK);
}

TEST_CASE("a watch and a selection are those of the C++ library, row by row") {
  const auto X = curve<double>(150, 1), held_out = curve<double>(40, 2);
  const Handle handle = fitted(X);
  const dasvdd_detector* detector = handle.get();
  const auto expected = same_fit<double>(X);
  const std::vector<double>& calibration = expected.calibration().scores();
  // 60 rows as before, then 60 of which one feature has moved.
  dasvdd::RowMatrix<double> stream = curve<double>(120, 3);
  stream.col(1).tail(60).array() += 30;
  const dasvdd::RowMatrix<float> narrow = stream.cast<float>();
  const std::vector<double> scores = wide(expected.score(stream));
  const std::vector<double> p = wide(expected.p_value(expected.score(stream)));

  dasvdd::DriftWatch watch(calibration, held_out, 0.05, 9), of_scores(calibration, 0.05, 9);
  dasvdd::OnlineSelect selection(0.5, calibration.size()), forgetful(0.5, calibration.size(), 10);
  dasvdd_watch *made = nullptr, *simple = nullptr;
  dasvdd_selection *chosen = nullptr, *short_chosen = nullptr;
  const dasvdd_rows rows = view(held_out);
  REQUIRE(dasvdd_watch_new(detector, &rows, 0.05, 9, &made, nullptr) == DASVDD_OK);
  REQUIRE(dasvdd_watch_new(detector, nullptr, 0.05, 9, &simple, nullptr) == DASVDD_OK);
  REQUIRE(dasvdd_selection_new(detector, 0.5, 0, &chosen, nullptr) == DASVDD_OK);
  REQUIRE(dasvdd_selection_new(detector, 0.5, 10, &short_chosen, nullptr) == DASVDD_OK);
  int selected = 0;  // by the forgetful one, whose level never falls below the smallest p-value
  for (dasvdd::Index i = 0; i < 120; ++i) {
    const std::size_t at = static_cast<std::size_t>(i);
    std::int32_t answer = -7;
    // Rows of either type, and a look at the alarm or none.
    const dasvdd_rows row = i % 2 == 0 ? view(stream, i, 1) : view(narrow, i, 1);
    const bool alarmed = i % 2 == 0 ? watch.add(scores[at], stream.row(i).data())
                                    : watch.add(scores[at], narrow.row(i).data());
    CHECK(dasvdd_watch_add(made, scores[at], &row, i % 3 == 0 ? nullptr : &answer, nullptr) ==
          DASVDD_OK);
    CHECK(answer == (i % 3 == 0 ? -7 : int(alarmed)));
    CHECK(dasvdd_watch_add(simple, scores[at], nullptr, &answer, nullptr) == DASVDD_OK);
    CHECK(answer == int(of_scores.add(scores[at])));
    CHECK(dasvdd_selection_add(chosen, p[at], &answer, nullptr) == DASVDD_OK);
    CHECK(answer == int(selection.add(p[at])));
    CHECK(dasvdd_selection_add(short_chosen, p[at], &answer, nullptr) == DASVDD_OK);
    CHECK(answer == int(forgetful.add(p[at])));
    selected += answer;
  }
  CHECK(dasvdd_watch_alarm_row(made) == watch.alarm_row());
  CHECK(watch.alarm_row() > 60);
  CHECK(dasvdd_watch_evidence(made) == watch.evidence());
  CHECK(dasvdd_watch_evidence(simple) == of_scores.evidence());
  std::vector<double> evidence(3, -7);
  CHECK(dasvdd_watch_moved(made, evidence.data(), nullptr) == DASVDD_OK);
  std::vector<double> moved(3);
  for (const auto& feature : watch.moved_features())
    moved[static_cast<std::size_t>(feature.feature)] = feature.evidence;
  CHECK(evidence == moved);
  CHECK(evidence[1] > 0);
  CHECK(dasvdd_watch_moved(simple, nullptr, nullptr) == DASVDD_OK);
  CHECK(dasvdd_selection_level(chosen) == selection.level());
  CHECK(dasvdd_selection_level(short_chosen) == forgetful.level());
  CHECK(selected > 0);

  // Refused, and nothing has changed.
  const auto four = curve<double>(1, 1, 4);
  const dasvdd_rows two = view(stream, 0, 2), wide_rows = view(four);
  CHECK(contains(refused([&](auto* e) { return dasvdd_watch_add(made, 1, nullptr, nullptr, e); }),
                 "needs the row's 3 features"));
  CHECK(refused([&](auto* e) { return dasvdd_watch_add(made, 1, &two, nullptr, e); }) ==
        "the batch has 2 rows, expected one");
  CHECK(
      contains(refused([&](auto* e) { return dasvdd_watch_add(made, 1, &wide_rows, nullptr, e); }),
               "expected 3 columns"));
  CHECK(
      contains(refused([&](auto* e) { return dasvdd_watch_add(simple, NAN, nullptr, nullptr, e); }),
               "the score is NaN"));
  std::int32_t flag = -7;
  CHECK(contains(refused([&](auto* e) { return dasvdd_selection_add(chosen, 2, &flag, e); }),
                 "the p-value is 2"));
  CHECK(flag == -7);
  CHECK(dasvdd_watch_evidence(made) == watch.evidence());
  CHECK(contains(
      refused([&](auto* e) { return dasvdd_watch_new(detector, &wide_rows, 0.1, 0, &made, e); }),
      "expected 3 columns"));
  CHECK(contains(
      refused([&](auto* e) { return dasvdd_watch_new(detector, nullptr, 1, 0, &made, e); }),
      "the rate of false alarms is 1"));
  CHECK(contains(refused([&](auto* e) { return dasvdd_selection_new(detector, 0, 0, &chosen, e); }),
                 "the false discovery rate is 0"));
  dasvdd_watch_free(made);
  dasvdd_watch_free(simple);
  dasvdd_selection_free(chosen);
  dasvdd_selection_free(short_chosen);
}

TEST_CASE("every NULL is refused by name, and frees nothing") {
  const Handle handle = fitted(curve<float>(60, 1));
  const dasvdd_detector* detector = handle.get();
  const Workspace workspace = workspace_of(detector, 1);
  const auto X = curve<float>(4, 2);
  const dasvdd_rows rows = view(X);
  double numbers[4];
  std::int32_t labels[4];
  dasvdd_detector* made = nullptr;
  dasvdd_workspace* memory = nullptr;
  void* bytes = nullptr;
  std::size_t size = 0;
  const auto is = [](const char* sentence, auto call) { CHECK(refused(call) == sentence); };
  is("the batch is NULL",
     [&](auto* e) { return dasvdd_fit(nullptr, nullptr, nullptr, nullptr, &made, e); });
  is("the detector's place is NULL",
     [&](auto* e) { return dasvdd_fit(&rows, nullptr, nullptr, nullptr, nullptr, e); });
  is("the detector's place is NULL",
     [&](auto* e) { return dasvdd_fit_images(&rows, nullptr, nullptr, nullptr, nullptr, e); });
  is("the path is NULL", [&](auto* e) { return dasvdd_load(nullptr, &made, e); });
  is("the path is empty, expected the name of a file",
     [&](auto* e) { return dasvdd_load("", &made, e); });
  is("the detector's place is NULL", [&](auto* e) { return dasvdd_load("x", nullptr, e); });
  is("the bytes are NULL", [&](auto* e) { return dasvdd_load_memory(nullptr, 4, &made, e); });
  is("the detector's place is NULL",
     [&](auto* e) { return dasvdd_load_memory("1234", 4, nullptr, e); });
  is("the detector is NULL", [&](auto* e) { return dasvdd_save(nullptr, "x", e); });
  dasvdd_watch* watch = nullptr;
  dasvdd_selection* selection = nullptr;
  is("the detector is NULL",
     [&](auto* e) { return dasvdd_watch_new(nullptr, nullptr, 0.1, 0, &watch, e); });
  is("the watch's place is NULL",
     [&](auto* e) { return dasvdd_watch_new(detector, nullptr, 0.1, 0, nullptr, e); });
  is("the watch is NULL",
     [&](auto* e) { return dasvdd_watch_add(nullptr, 1, nullptr, nullptr, e); });
  is("the watch is NULL", [&](auto* e) { return dasvdd_watch_moved(nullptr, numbers, e); });
  is("the detector is NULL",
     [&](auto* e) { return dasvdd_selection_new(nullptr, 0.1, 0, &selection, e); });
  is("the selection's place is NULL",
     [&](auto* e) { return dasvdd_selection_new(detector, 0.1, 0, nullptr, e); });
  is("the selection is NULL", [&](auto* e) { return dasvdd_selection_add(nullptr, 1, labels, e); });
  REQUIRE(dasvdd_watch_new(detector, &rows, 0.1, 0, &watch, nullptr) == DASVDD_OK);
  is("the evidence's place is NULL",
     [&](auto* e) { return dasvdd_watch_moved(watch, nullptr, e); });
  REQUIRE(dasvdd_selection_new(detector, 0.1, 0, &selection, nullptr) == DASVDD_OK);
  is("the flag's place is NULL",
     [&](auto* e) { return dasvdd_selection_add(selection, 1, nullptr, e); });
  dasvdd_watch_free(watch);
  dasvdd_selection_free(selection);
  dasvdd_watch_free(nullptr);
  dasvdd_selection_free(nullptr);
  CHECK(dasvdd_watch_alarm_row(nullptr) == 0);
  CHECK(std::isnan(dasvdd_watch_evidence(nullptr)));
  CHECK(std::isnan(dasvdd_selection_level(nullptr)));
  is("the path is NULL", [&](auto* e) { return dasvdd_save(detector, nullptr, e); });
  is("the detector is NULL",
     [&](auto* e) { return dasvdd_save_memory(nullptr, &bytes, &size, e); });
  is("the bytes' place is NULL",
     [&](auto* e) { return dasvdd_save_memory(detector, nullptr, &size, e); });
  is("the size's place is NULL",
     [&](auto* e) { return dasvdd_save_memory(detector, &bytes, nullptr, e); });
  is("the detector is NULL", [&](auto* e) { return dasvdd_score(nullptr, &rows, 1, numbers, e); });
  is("the batch is NULL", [&](auto* e) { return dasvdd_score(detector, nullptr, 1, numbers, e); });
  is("the scores' place is NULL",
     [&](auto* e) { return dasvdd_score(detector, &rows, 1, nullptr, e); });
  is("the detector is NULL",
     [&](auto* e) { return dasvdd_score_parts(nullptr, &rows, 1, numbers, numbers, e); });
  is("the detector is NULL", [&](auto* e) { return dasvdd_workspace_new(nullptr, 1, &memory, e); });
  is("the workspace's place is NULL",
     [&](auto* e) { return dasvdd_workspace_new(detector, 1, nullptr, e); });
  is("make_workspace: rows is 0, expected at least 1",
     [&](auto* e) { return dasvdd_workspace_new(detector, 0, &memory, e); });
  is("the workspace is NULL",
     [&](auto* e) { return dasvdd_workspace_score(nullptr, &rows, numbers, e); });
  is("the batch is NULL",
     [&](auto* e) { return dasvdd_workspace_score(workspace.get(), nullptr, numbers, e); });
  is("the scores' place is NULL",
     [&](auto* e) { return dasvdd_workspace_score(workspace.get(), &rows, nullptr, e); });
  is("the workspace is NULL",
     [&](auto* e) { return dasvdd_score_one_f32(nullptr, X.data(), numbers, e); });
  is("the row is NULL",
     [&](auto* e) { return dasvdd_score_one_f32(workspace.get(), nullptr, numbers, e); });
  is("the score's place is NULL",
     [&](auto* e) { return dasvdd_score_one_f64(workspace.get(), numbers, nullptr, e); });
  is("the detector is NULL", [&](auto* e) { return dasvdd_predict(nullptr, &rows, 1, labels, e); });
  is("the labels' place is NULL",
     [&](auto* e) { return dasvdd_predict(detector, &rows, 1, nullptr, e); });
  is("the detector is NULL",
     [&](auto* e) { return dasvdd_p_value(nullptr, numbers, 1, numbers, e); });
  is("the scores are NULL",
     [&](auto* e) { return dasvdd_p_value(detector, nullptr, 1, numbers, e); });
  is("the p-values' place is NULL",
     [&](auto* e) { return dasvdd_p_value(detector, numbers, 1, nullptr, e); });
  is("the detector is NULL",
     [&](auto* e) { return dasvdd_select(nullptr, &rows, 0.1, 1, labels, e); });
  is("the labels' place is NULL",
     [&](auto* e) { return dasvdd_select(detector, &rows, 0.1, 1, nullptr, e); });
  is("the detector is NULL",
     [&](auto* e) { return dasvdd_explain(nullptr, &rows, numbers, numbers, e); });
  is("the shares' place is NULL",
     [&](auto* e) { return dasvdd_explain(detector, &rows, nullptr, numbers, e); });
  is("the batch to explain has 4 rows, expected one",
     [&](auto* e) { return dasvdd_explain(detector, &rows, numbers, numbers, e); });
  is("the detector is NULL",
     [&](auto* e) { return dasvdd_calibrated(nullptr, &rows, 0.5, 1, &made, e); });
  is("the result's place is NULL",
     [&](auto* e) { return dasvdd_calibrated(detector, &rows, 0.5, 1, nullptr, e); });
  is("the detector is NULL",
     [&](auto* e) { return dasvdd_with_false_alarm_rate(nullptr, 0.5, &made, e); });
  is("the detector is NULL", [&](auto* e) { return dasvdd_with_threshold(nullptr, 1, &made, e); });
  is("the result's place is NULL",
     [&](auto* e) { return dasvdd_with_threshold(detector, 1, nullptr, e); });
  is("the detector is NULL", [&](auto* e) { return dasvdd_compacted(nullptr, &made, e); });
  CHECK(made == nullptr);
  CHECK(memory == nullptr);
  CHECK(bytes == nullptr);

  CHECK(dasvdd_features(nullptr) == 0);
  CHECK(dasvdd_ensemble_size(nullptr) == 0);
  CHECK(dasvdd_bits(nullptr) == 0);
  CHECK(dasvdd_calibration_size(nullptr) == 0);
  CHECK(dasvdd_kernels(nullptr) == nullptr);
  CHECK(std::isnan(dasvdd_threshold(nullptr)));
  CHECK(dasvdd_is_anomaly(nullptr, 1e9) == 0);
  CHECK(dasvdd_warning_count(nullptr) == 0);
  CHECK(dasvdd_warning(nullptr, 0) == nullptr);
  CHECK(dasvdd_fact_count(nullptr) == 0);
  CHECK(dasvdd_fact_name(nullptr, 0) == nullptr);
  CHECK(dasvdd_fact(nullptr, "seed") == nullptr);
  CHECK(dasvdd_fact(detector, nullptr) == nullptr);
  dasvdd_detector_free(nullptr);
  dasvdd_workspace_free(nullptr);
  dasvdd_free(nullptr);
}

TEST_CASE("p-values of no calibration, and of NaN, are refused") {
  const auto X = curve<float>(60, 1);
  dasvdd::Options options;
  options.epochs = 1;
  dasvdd::Trainer<float> trainer(dasvdd::dense_autoencoder<float>(3, {2}), options);
  trainer.fit(X);
  const std::string file = dasvdd::detail::to_tensor_file(trainer.detector()).serialize();
  dasvdd_detector* made = nullptr;
  REQUIRE(dasvdd_load_memory(file.data(), file.size(), &made, nullptr) == DASVDD_OK);
  const Handle detector(made);
  double p = -7;
  const double numbers[] = {1, NAN};
  CHECK(
      contains(refused([&](auto* e) { return dasvdd_p_value(detector.get(), numbers, 1, &p, e); }),
               "no held-out scores"));
  CHECK(contains(
      refused([&](auto* e) { return dasvdd_with_false_alarm_rate(detector.get(), 0.1, &made, e); }),
      "no held-out scores"));
  dasvdd_watch* watch = nullptr;
  CHECK(contains(refused([&](auto* e) {
                   return dasvdd_watch_new(detector.get(), nullptr, 0.1, 0, &watch, e);
                 }),
                 "no held-out scores"));
  const Handle calibrated = fitted(X);
  double values[] = {-7, -7};
  CHECK(refused([&](auto* e) { return dasvdd_p_value(calibrated.get(), numbers, 2, values, e); }) ==
        "score 1 is NaN, expected a number or infinity");
  CHECK(values[0] == -7);
  CHECK(p == -7);
}

TEST_CASE("files that are no models are refused by name") {
  dasvdd_detector* made = nullptr;
  dasvdd_error error;
  CHECK(dasvdd_load("/no/such/file", &made, &error) == DASVDD_FILE_ERROR);
  CHECK(std::string(error.message) == "'/no/such/file': there is no such file");
  CHECK(dasvdd_load_memory("nothing of the kind", 19, &made, &error) == DASVDD_FILE_ERROR);
  CHECK(contains(error.message, "'the model in memory': "));
  CHECK(dasvdd_load_memory(nullptr, 0, &made, &error) == DASVDD_FILE_ERROR);
  const Handle detector = fitted(curve<float>(60, 1));
  CHECK(dasvdd_save(detector.get(), "/no/such/folder/model", &error) == DASVDD_FILE_ERROR);
  CHECK(contains(error.message, "/no/such/folder"));
  CHECK(made == nullptr);
}

TEST_CASE("a long sentence is cut between two characters") {
  dasvdd_detector* made = nullptr;
  dasvdd_error error;
  // Whatever the cut falls on: é has two bytes.
  for (std::size_t before = 0; before < 3; ++before) {
    std::string path = "/" + std::string(before, 'a');
    for (int i = 0; i < 800; ++i) path += "\xc3\xa9";
    static_cast<void>(dasvdd_load(path.c_str(), &made, &error));
    CHECK(error.status == DASVDD_FILE_ERROR);
  }
  const auto thrower = [](const dasvdd_progress*, void* user) -> std::int32_t {
    throw std::runtime_error(*static_cast<std::string*>(user));
  };
  const auto X = curve<float>(60, 1);
  const dasvdd_rows rows = view(X);
  const dasvdd_fit_options options = fast_options();
  for (std::size_t before = 0; before < 2; ++before) {
    std::string sentence(before, 'a');
    for (int i = 0; i < 600; ++i) sentence += "\xc3\xa9";
    CHECK(dasvdd_fit(&rows, &options, thrower, &sentence, &made, &error) == DASVDD_FAILED);
    const std::string message = error.message;
    CHECK(message.size() >= 1018);
    CHECK(message.substr(message.size() - 3) == "...");
    CHECK(sentence.compare(0, message.size() - 3, message, 0, message.size() - 3) == 0);
    CHECK((message.size() - 3 - before) % 2 == 0);
  }
  // One that just fits is whole.
  std::string fits(1019, 'a');
  CHECK(dasvdd_fit(&rows, &options, thrower, &fits, &made, &error) == DASVDD_FAILED);
  CHECK(error.message == fits);
}

TEST_CASE("the version is the library's") {
  CHECK(std::string(dasvdd_version()) == DASVDD_VERSION_STRING);
}
