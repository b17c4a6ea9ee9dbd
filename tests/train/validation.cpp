// Rows kept out of the training decide which epoch's net is kept.

#include <doctest/doctest.h>

#include <set>

#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

Autoencoder<float> small_net() { return dense_autoencoder<float>(6, {32, 4}, Activation()); }
Options watching() {
  Options options;
  options.epochs = 60;
  options.batch_size = 16;
  options.validation = 0.25;
  options.adam.learning_rate = 0.01;
  return options;
}

}  // namespace

TEST_CASE("rows kept out are a share of all, drawn by the seed, and the others are the rest") {
  RowMatrix<float> X(40, 2);
  for (Index i = 0; i < 40; ++i) X.row(i).setConstant(static_cast<float>(i));
  const auto numbers = [](const detail::AnyRows& rows) {
    std::vector<float> values;
    for (Index i = 0; i < rows.rows(); ++i) values.push_back(static_cast<float>(rows(i, 1)));
    return values;
  };
  const detail::HeldOut split(X, 0.25, 3);
  std::vector<float> watched = numbers(split.watched()), all = numbers(split.trained());
  CHECK(watched.size() == 10);
  CHECK(all.size() == 30);
  CHECK(std::is_sorted(all.begin(), all.end()));
  all.insert(all.end(), watched.begin(), watched.end());
  CHECK(std::set<float>(all.begin(), all.end()).size() == 40);
  CHECK(numbers(detail::HeldOut(X, 0.25, 4).watched()) != watched);
  // At least one is watched, and two are left to train on.
  CHECK(detail::HeldOut(X, 0.001, 3).watched().rows() == 1);
  CHECK(detail::HeldOut(X, 0.999, 3).trained().rows() == 2);
}

TEST_CASE("a watched run ends with the net and center of its best epoch") {
  const RowMatrix<float> X = curve<float>(60, 6, 1);
  const Options options = watching();
  Trainer<float> trainer(small_net(), options);
  std::vector<Trainer<float>::State> after;
  const FitReport report = trainer.fit(X, [&](const EpochReport& epoch) {
    CHECK(epoch.validation_loss > 0);
    after.push_back(trainer.state());
  });
  REQUIRE(report.epochs.size() == 60);
  REQUIRE(report.best_epoch >= 1);
  const auto lowest = std::min_element(
      report.epochs.begin(), report.epochs.end(),
      [](const auto& a, const auto& b) { return a.validation_loss < b.validation_loss; });
  CHECK(report.best_epoch == lowest->epoch);
  CHECK(report.best_epoch < 60);  // or the last two checks would not tell it from a run unwatched
  const auto& best = after[static_cast<std::size_t>(report.best_epoch - 1)];
  CHECK(same_bits(trainer.state().parameters, best.parameters));
  CHECK(same_bits(trainer.state().center.center, best.center.center));
  CHECK(trainer.state().epochs == report.best_epoch);

  // The loss is that of the rows kept out, by the net after the epoch; the detector is made of the best net.
  const detail::HeldOut split(X, options.validation, options.seed);
  const Vector<float> scores = trainer.detector().score(split.watched());
  CHECK(scores.cast<double>().mean() == doctest::Approx(lowest->validation_loss).epsilon(1e-5));
}

TEST_CASE("patience ends a watched run, and never changes the epochs before") {
  const RowMatrix<float> X = curve<float>(60, 6, 1);
  Options options = watching();
  Trainer<float> patient(small_net(), options);
  const FitReport whole = patient.fit(X);
  options.patience = 3;
  Trainer<float> trainer(small_net(), options);
  const FitReport report = trainer.fit(X);
  CHECK(report.stopped);
  REQUIRE(report.epochs.size() < 60);
  CHECK(static_cast<Index>(report.epochs.size()) == report.best_epoch + 3);
  for (std::size_t e = 0; e < report.epochs.size(); ++e) {
    CHECK(report.epochs[e].validation_loss == whole.epochs[e].validation_loss);
  }
  options.threads = 3;
  Trainer<float> again(small_net(), options);
  again.fit(X);
  CHECK(same_bits(again.state().parameters, trainer.state().parameters));
}

TEST_CASE("of epochs with the same loss the first is the best, and patience counts from it") {
  // Steps too small to change a number, and a center that stays: every epoch's loss is the same.
  const RowMatrix<float> X = curve<float>(60, 6, 1);
  Options options = watching();
  options.adam.learning_rate = 1e-30;
  options.center = CenterRule::fixed();
  options.patience = 2;
  for (const Index epochs : {4, 3}) {
    CAPTURE(epochs);
    options.epochs = epochs;
    Trainer<float> trainer(small_net(), options);
    const FitReport report = trainer.fit(X);
    REQUIRE(report.epochs.size() == 3);
    CHECK(report.epochs[1].validation_loss == report.epochs[0].validation_loss);
    CHECK(report.epochs[2].validation_loss == report.epochs[0].validation_loss);
    CHECK(report.best_epoch == 1);
    CHECK(trainer.state().epochs == 1);
    // Patience that ends with the last epoch has cut nothing off.
    CHECK(report.stopped == (epochs == 4));
  }
}

TEST_CASE("rows kept out are not trained on, but give the score its form and the threshold") {
  RowMatrix<float> X = curve<float>(60, 6, 1);
  const Options options = watching();
  Trainer<float> one(small_net(), options), other(small_net(), options);
  const FitReport report = one.fit(X);
  CHECK(report.best_epoch > 0);
  // A run on the others alone has the same training losses; gamma is that of all rows.
  const detail::HeldOut split(X, options.validation, options.seed);
  Options alone = options;
  alone.validation = 0;
  alone.gamma = GammaRule::value(report.gamma);
  Trainer<float> trainer(small_net(), alone);
  const FitReport unwatched = trainer.fit(split.trained());
  CHECK(unwatched.best_epoch == 0);
  REQUIRE(unwatched.epochs.size() == report.epochs.size());
  for (std::size_t e = 0; e < report.epochs.size(); ++e) {
    CHECK(unwatched.epochs[e].loss == report.epochs[e].loss);
  }
  const Vector<float> scores = one.detector().score(X);
  CHECK(one.detector().threshold() ==
        detail::quantile(std::vector<double>(scores.begin(), scores.end()), 0.99));
}

TEST_CASE("partial_fit keeps rows out too, and ends with its best epoch") {
  const RowMatrix<float> X = curve<float>(60, 6, 1), more = curve<float>(44, 6, 2);
  const Options options = watching();
  Trainer<float> trainer(small_net(), options);
  trainer.fit(X);
  const Index before = trainer.state().epochs;
  const auto start = trainer.state();
  std::vector<Trainer<float>::State> after;
  const FitReport report =
      trainer.partial_fit(more, 40, [&](const EpochReport&) { after.push_back(trainer.state()); });
  REQUIRE(report.epochs.size() == 40);
  const auto lowest = std::min_element(
      report.epochs.begin(), report.epochs.end(),
      [](const auto& a, const auto& b) { return a.validation_loss < b.validation_loss; });
  CHECK(lowest->validation_loss > 0);
  CHECK(report.best_epoch == lowest->epoch);
  REQUIRE(report.best_epoch < 40);  // or the next check would not tell it from a run unwatched
  const auto& best = after[static_cast<std::size_t>(report.best_epoch - 1)];
  CHECK(same_bits(trainer.state().parameters, best.parameters));
  CHECK(trainer.state().epochs == before + report.best_epoch);

  // It trains on the others alone.
  const HeldOut split(more, options.validation, options.seed);
  Options alone = options;
  alone.validation = 0;
  Trainer<float> unwatched(small_net(), alone);
  unwatched.set_state(start);
  const FitReport same = unwatched.partial_fit(split.trained(), 40);
  for (std::size_t e = 0; e < 40; ++e) CHECK(same.epochs[e].loss == report.epochs[e].loss);
}

TEST_CASE("patience ends partial_fit") {
  // Steps too small to change a number, and a center that stays: no epoch is better than the first.
  const RowMatrix<float> X = curve<float>(60, 6, 1);
  Options options = watching();
  options.adam.learning_rate = 1e-30;
  options.center = CenterRule::fixed();
  options.patience = 2;
  Trainer<float> trainer(small_net(), options);
  trainer.fit(X);
  const FitReport report = trainer.partial_fit(X, 10);
  CHECK(report.epochs.size() == 3);
  CHECK(report.best_epoch == 1);
  CHECK(report.stopped);
}

TEST_CASE("options of validation out of range are refused") {
  const auto refused = [](const char* sentence, auto change) {
    Options options;
    change(options);
    CHECK_THROWS_WITH_AS(Trainer<float>(small_net(), options), doctest::Contains(sentence),
                         InvalidArgument);
  };
  refused("validation is 1, expected a share", [](Options& o) { o.validation = 1; });
  refused("validation is -0.1", [](Options& o) { o.validation = -0.1; });
  refused("patience is -1", [](Options& o) { o.patience = -1; });
  refused("patience needs rows to watch", [](Options& o) { o.patience = 2; });
  Options options = watching();
  Trainer<float> trainer(small_net(), options);
  const RowMatrix<float> two = curve<float>(2, 6, 1);
  CHECK_THROWS_WITH_AS(trainer.fit(Rows<const float>(two)),
                       doctest::Contains("expected at least 3"), InvalidArgument);
  trainer.fit(Rows<const float>(curve<float>(20, 6, 1)));
  const auto before = trainer.state().parameters;
  CHECK_THROWS_WITH_AS(trainer.partial_fit(Rows<const float>(two), 1),
                       doctest::Contains("expected at least 3"), InvalidArgument);
  CHECK(same_bits(trainer.state().parameters, before));
}
