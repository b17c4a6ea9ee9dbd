// A fit that is stopped, by its progress or by the end of its process, goes on to the bits of one that was not.

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/checkpoint_file.hpp>
#include <dasvdd/io/model_file.hpp>

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include "file_error.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

namespace {

using namespace dasvdd;

RowMatrix<float> rows(Index n, Index d, std::uint64_t seed = 3) {
  RowMatrix<float> X(n, d);
  Random random(seed);
  for (Index i = 0; i < X.size(); ++i) X.data()[i] = static_cast<float>(random.uniform());
  return X;
}

FitOptions quick() {
  FitOptions options;
  options.ensemble_size = 3;
  options.steps = 12;
  options.batch_size = 16;
  options.threads = 1;
  return options;
}

using Fit = std::function<Detector<float>(const std::function<bool(const FitProgress&)>&,
                                          Checkpoint<float>*)>;

std::string bytes(const Detector<float>& detector) {
  return detail::to_tensor_file(detector).serialize();
}

/// Stops the fit after each of its epochs in turn, takes it up from a file, and compares.
void check_resumes(const Fit& fit) {
  const TemporaryFolder folder;
  const std::string path = folder / "fit.checkpoint";
  Index total = 0;
  const std::string whole = bytes(fit(
      [&](const FitProgress& at) {
        total = at.total;
        return true;
      },
      nullptr));
  REQUIRE(total >= 6);
  for (Index stop = 1; stop <= total; ++stop) {
    CAPTURE(stop);
    {
      Checkpoint<float> checkpoint;
      fit(
          [&](const FitProgress& at) {
            // Written as the fit runs, not when it has ended: so does one whose process is killed.
            if (at.done == stop) save(checkpoint, path);
            return at.done < stop;
          },
          &checkpoint);
    }
    Checkpoint<float> again;
    load(again, path);
    CHECK(again.epochs() >= 1);
    Index first = 0;
    const std::string resumed = bytes(fit(
        [&](const FitProgress& at) {
          if (first == 0) first = at.done;
          CHECK(at.total == total);
          return true;
        },
        &again));
    CHECK(resumed == whole);
    // No epoch is done twice: the first one told of comes after those in the checkpoint.
    if (first > 0) CHECK(first > stop - 3);
    // What is finished stays so.
    int told = 0;
    CHECK(bytes(fit(
              [&](const FitProgress&) {
                ++told;
                return true;
              },
              &again)) == whole);
    CHECK(told == 0);
  }
}

}  // namespace

TEST_CASE("a fit goes on from a checkpoint of any epoch, to the same bits") {
  const RowMatrix<float> X = rows(60, 4);
  for (const int threads : {1, 2}) {
    CAPTURE(threads);
    FitOptions options = quick();
    options.threads = threads;
    check_resumes([&](const auto& progress, Checkpoint<float>* checkpoint) {
      return fit(X, options, progress, checkpoint);
    });
  }
}

TEST_CASE("a fit that is taken up warns of losses that rise, as the whole one does") {
  const RowMatrix<float> X = rows(60, 4);
  FitOptions options = quick();
  options.adam.learning_rate = 0.3;
  options.epochs = 6;
  const auto warnings = fit(X, options).warnings();
  REQUIRE(std::any_of(warnings.begin(), warnings.end(), [](const std::string& warning) {
    return warning.find("the loss is rising") != std::string::npos;
  }));
  check_resumes([&](const auto& progress, Checkpoint<float>* checkpoint) {
    return fit(X, options, progress, checkpoint);
  });
}

TEST_CASE("a fit that screens its rows goes on, too") {
  const RowMatrix<float> X = rows(60, 4);
  FitOptions options = quick();
  options.contamination = 0.1;
  Checkpoint<float> checkpoint;
  const std::string whole = bytes(fit(X, options));
  bool kept = false;
  fit(
      X, options,
      [&](const FitProgress& at) {
        kept = !at.screening && at.member == 1;
        return !kept;
      },
      &checkpoint);
  CHECK(kept);
  CHECK(bytes(fit(
            X, options, [](const FitProgress&) {}, &checkpoint)) == whole);
}

TEST_CASE("a fit of images goes on from a checkpoint of any epoch, to the same bits") {
  const RowMatrix<float> X = rows(12, 64);
  ImageOptions options;
  options.ensemble_size = 2;
  options.epochs = 3;
  options.threads = 1;
  check_resumes([&](const auto& progress, Checkpoint<float>* checkpoint) {
    return fit_images(X, options, progress, checkpoint);
  });
}

TEST_CASE("a trainer resumes a training that was stopped, at the learning rate it would have had") {
  const RowMatrix<float> X = rows(50, 4);
  Options options;
  options.epochs = 5;
  options.batch_size = 16;
  options.final_rate = 0.1;
  const auto net = dense_autoencoder<float>(4, {6, 2}, Activation());
  Trainer<float> whole(net, options), first(net, options), second(net, options);
  whole.train(X);
  const FitReport stopped = first.train(X, [](const EpochReport& at) { return at.epoch < 2; });
  CHECK(stopped.stopped);
  CHECK_THROWS_WITH_AS(second.resume(X, [](const EpochReport&) {}),
                       "resume: the state is of 0 epochs, expected 1 to 5", InvalidArgument);
  second.set_state(first.state());
  const FitReport rest = second.resume(X, [](const EpochReport& at) { CHECK(at.epochs == 5); });
  CHECK(rest.epochs.size() == 3);
  CHECK(rest.epochs.front().epoch == 3);
  CHECK(bytes(second.detector(X)) == bytes(whole.detector(X)));
  options.validation = 0.2;
  Trainer<float> watched(net, options);
  watched.set_state(first.state());
  CHECK_THROWS_WITH_AS(watched.resume(X, [](const EpochReport&) {}),
                       "a training with validation can't be resumed", InvalidArgument);
}

TEST_CASE("a checkpoint of other rows or options is refused") {
  const RowMatrix<float> X = rows(60, 4);
  Checkpoint<float> checkpoint;
  fit(
      X, quick(), [](const FitProgress&) { return false; }, &checkpoint);
  const char* const sentence =
      "the checkpoint belongs to another fit: its rows or its options were others";
  const auto refused = [&](const RowMatrix<float>& other, const FitOptions& options) {
    CHECK_THROWS_WITH_AS(fit(
                             other, options, [](const FitProgress&) {}, &checkpoint),
                         sentence, InvalidArgument);
  };
  RowMatrix<float> other = X;
  other(59, 3) += 0.001f;
  refused(other, quick());
  FitOptions options = quick();
  options.steps = 13;
  refused(X, options);
  options = quick();
  options.seed = 1;
  refused(X, options);
  options = quick();
  options.ensemble_size = 4;
  refused(X, options);
  options = quick();
  options.adam.beta2 = 0.99;
  refused(X, options);
  options = quick();
  options.center.decay = 0.02;
  refused(X, options);
  options = quick();
  options.adam.learning_rate = std::nextafter(options.adam.learning_rate, 1.0);
  refused(X, options);
  options = quick();
  options.feature_names = {"a", "b", "c", "d"};
  refused(X, options);
  options = quick();
  options.threads = 2;  // changes no result
  fit(
      X, options, [](const FitProgress&) {}, &checkpoint);
}

TEST_CASE(
    "a checkpoint of another gamma, or another number of nets behind its estimate, is refused") {
  const RowMatrix<float> X = rows(60, 4);
  FitOptions first = quick(), second = quick();
  const auto refused = [&] {
    Checkpoint<float> checkpoint;
    fit(
        X, first, [](const FitProgress&) { return false; }, &checkpoint);
    CHECK_THROWS_AS(fit(
                        X, second, [](const FitProgress&) {}, &checkpoint),
                    InvalidArgument);
  };
  first.gamma = GammaRule::value(0.5);
  second.gamma = GammaRule::value(7);
  refused();
  first.gamma = GammaRule::ratio_of_means(2);
  second.gamma = GammaRule::ratio_of_means(9);
  refused();
}

TEST_CASE("a checkpoint of images of another shape or kind is refused") {
  const RowMatrix<float> X = rows(12, 64);
  ImageOptions options;
  options.ensemble_size = 2;
  options.epochs = 1;
  options.shape = {1, 8, 8};
  Checkpoint<float> checkpoint;
  const auto resume = [&] {
    fit_images(
        X, options, [](const FitProgress&) {}, &checkpoint);
  };
  resume();
  resume();
  options.shape = {1, 4, 16};
  CHECK_THROWS_AS(resume(), InvalidArgument);
  options.shape = {1, 8, 8};
  options.kind = ImageOptions::Kind::photographs;
  CHECK_THROWS_AS(resume(), InvalidArgument);
}

TEST_CASE("a file that is no checkpoint, or a damaged one, is refused") {
  const TemporaryFolder folder;
  const std::string path = folder / "c", model = folder / "m";
  const RowMatrix<float> X = rows(60, 4);
  Checkpoint<float> checkpoint, read;
  CHECK_THROWS_WITH_AS(save(checkpoint, path), "the checkpoint is empty: no fit has begun with it",
                       InvalidArgument);
  const auto detector = fit(
      X, quick(), [](const FitProgress& at) { return at.done < 3; }, &checkpoint);
  save(detector, model);
  save(checkpoint, path);
  CHECK(message([&] { load(read, model); }) ==
        "'" + model + "': this is no checkpoint of a dasvdd fit");
  Checkpoint<double> wide;
  CHECK(message([&] { load(wide, path); }).find("is F32, expected F64") != std::string::npos);
  std::string damaged = content(path);
  damaged[damaged.size() - 5] = static_cast<char>(damaged[damaged.size() - 5] ^ 1);
  folder.put("d", damaged);
  CHECK(message([&] { load(read, folder / "d"); }).find("the file is damaged") !=
        std::string::npos);
  CHECK(read.epochs() == 0);
}
