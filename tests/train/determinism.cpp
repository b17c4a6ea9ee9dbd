// Same seed, same bits: whatever the number of threads; and what a seed covers.

#include <doctest/doctest.h>

#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

Options short_run(int threads) {
  Options options;
  options.epochs = 2;
  options.batch_size = 90;
  options.seed = 5;
  options.threads = threads;
  return options;
}

}  // namespace

TEST_CASE("training and scoring give the same bits at 1, 2, 3 and 4 threads") {
  // 250 rows in batches of 90: the last one is short. Wide enough to be worth a team of four.
  const auto X = curve<float>(250, 256, 1);
  const auto net = dense_autoencoder<float>(256, {512, 100}, sigmoid());
  Trainer<float> reference(net, short_run(1));
  const FitReport first = reference.fit(X);
  CHECK(first.threads == 1);
  const auto scores = reference.detector().score(X, 1);
  for (int threads : {2, 3, 4}) {
    CAPTURE(threads);
    Trainer<float> trainer(net, short_run(threads));
    const FitReport report = trainer.fit(X);
#if DASVDD_OPENMP
    REQUIRE(report.threads == threads);
#endif
    CHECK(same_bits(trainer.state().parameters, reference.state().parameters));
    CHECK(same_bits(trainer.state().second_moments, reference.state().second_moments));
    CHECK(same_bits(trainer.state().center.center, reference.state().center.center));
    CHECK(report.gamma == first.gamma);
    for (std::size_t e = 0; e < first.epochs.size(); ++e)
      CHECK(report.epochs[e].loss == first.epochs[e].loss);
    CHECK(trainer.detector().threshold() == reference.detector().threshold());
    CHECK(same_bits(trainer.detector().score(X, threads), scores));
  }
}

#if DASVDD_OPENMP
TEST_CASE("inside a parallel region of the caller's, training takes the calling thread alone") {
  const auto X = curve<float>(250, 256, 1);
  const auto net = dense_autoencoder<float>(256, {512, 100}, sigmoid());
  Trainer<float> reference(net, short_run(1));
  reference.fit(X);
  Index threads[2] = {0, 0};
  bool same[2] = {false, false};
#pragma omp parallel num_threads(2)
  {
    const int member = omp_get_thread_num();
    Trainer<float> trainer(net, short_run(4));
    threads[member] = trainer.fit(X).threads;
    same[member] = same_bits(trainer.state().parameters, reference.state().parameters);
  }
  for (int member : {0, 1}) {
    CHECK(threads[member] == 1);
    CHECK(same[member]);
  }
}
#endif

TEST_CASE("a seed covers initialization, center, gamma and the order of rows") {
  const auto X = curve<double>(60, 6, 2);
  const auto net = dense_autoencoder<double>(6, {8, 3}, Activation());
  Options options = short_run(1);
  Trainer<double> a(net, options), b(net, options);
  CHECK(same_bits(a.state().parameters, b.state().parameters));
  a.fit(X);
  b.fit(X);
  CHECK(same_bits(a.state().parameters, b.state().parameters));
  options.seed = 6;
  Trainer<double> other(net, options);
  CHECK_FALSE(
      same_bits(Trainer<double>(net, short_run(1)).state().parameters, other.state().parameters));
  CHECK_FALSE(same_bits(Trainer<double>(net, short_run(1)).state().center.center,
                        other.state().center.center));
  CHECK(other.fit(X).gamma != a.state().gamma);
}

TEST_CASE("fit starts afresh each time; partial_fit goes on") {
  const auto X = curve<double>(60, 6, 2);
  const auto net = dense_autoencoder<double>(6, {8, 3}, Activation());
  Options options = short_run(1);
  Trainer<double> twice(net, options), once(net, options);
  twice.fit(X);
  twice.fit(X);
  once.fit(X);
  CHECK(same_bits(twice.state().parameters, once.state().parameters));

  // Two epochs and then two more are four at once: same order of rows, same Adam, same center.
  once.partial_fit(X, 2);
  options.epochs = 4;
  Trainer<double> whole(net, options);
  whole.fit(X);
  CHECK(once.state().epochs == 4);
  CHECK(same_bits(once.state().parameters, whole.state().parameters));
  CHECK(same_bits(once.state().center.center, whole.state().center.center));
}

TEST_CASE("a state put into another trainer continues to the same bits") {
  const auto X = curve<float>(60, 6, 2);
  const auto net = dense_autoencoder<float>(6, {8, 3}, Activation());
  Options options = short_run(1);
  options.standardize = true;
  Trainer<float> first(net, options);
  first.fit(X);
  Trainer<float> second(net, options);
  second.set_state(first.state());
  first.partial_fit(X, 3);
  second.partial_fit(X, 3);
  CHECK(same_bits(first.state().parameters, second.state().parameters));
  CHECK(same_bits(first.detector().score(X), second.detector().score(X)));
  Trainer<float> narrow(dense_autoencoder<float>(6, {4, 3}, Activation()), options);
  CHECK_THROWS_WITH_AS(narrow.set_state(first.state()),
                       doctest::Contains("the state belongs to another net"), InvalidArgument);
}
