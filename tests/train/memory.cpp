// What training takes from the heap: a few times the parameters, all of it before the second step.

#include <doctest/doctest.h>

#include "heap.hpp"
#include "train/support.hpp"

#if DASVDD_TEST_COUNTS_MEMORY

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

Options settings(Index epochs, Index batch_size) {
  Options options;
  options.epochs = epochs;
  options.batch_size = batch_size;
  options.threads = 2;
  return options;
}

/// Bytes of the parameters, and of what one mini-batch makes of every layer.
struct Size {
  double parameters, activations;
};

Size size_of(const Autoencoder<float>& net, Index batch) {
  Index outputs = net.inputs();
  for (const auto& step : net.joined().steps()) outputs += step.outputs;
  return {static_cast<double>(net.parameters()) * sizeof(float),
          static_cast<double>(outputs * batch) * sizeof(float)};
}

}  // namespace

TEST_CASE("the heap's high-water mark is what was held at the worst moment") {
  const long most = heap::most_bytes_in([] {
    {
      const AlignedBuffer<float> first(1000000);
      heap::keep(first.data());
    }
    const AlignedBuffer<float> second(500000), third(600000);
    heap::keep(second.data());
    heap::keep(third.data());
  });
  CHECK(most >= 4400000);
  CHECK(most < 4500000);
}

TEST_CASE("training takes at most five times the parameters and one mini-batch's activations") {
  // Two and a quarter million parameters, as in the paper's net for images; fit also estimates gamma
  // and makes a detector, which holds the parameters twice.
  const auto net = dense_autoencoder<float>(784, {1024, 256, 256}, sigmoid());
  const auto X = curve<float>(400, 784, 1);
  const Size size = size_of(net, 200);
  const auto most = static_cast<double>(heap::most_bytes_in([&] {
    Trainer<float> trainer(net, settings(2, 200));
    trainer.fit(X);
    trainer.partial_fit(X);
  }));
  CHECK(most < 5 * size.parameters + size.activations);
  // A run of the parameters, two moments and a copy of the last good parameters can't do with less.
  CHECK(most > 4 * size.parameters);
}

TEST_CASE("a fit whose member finds no memory says so, and its thread begins no other") {
  FitOptions settings;
  settings.ensemble_size = 5;
  settings.epochs = 3;
  settings.threads = 2;
  std::vector<Index> epochs(5);
  const auto progress = [&](const FitProgress& at) {
    ++epochs[static_cast<std::size_t>(at.member)];
    if (at.member == 0 && at.epoch.epoch == 3) heap::fail_next();
  };
  CHECK_THROWS_AS(fit(curve<float>(60, 4, 1), settings, progress), std::bad_alloc);
  CHECK(epochs[0] == 3);
  CHECK(epochs[2] + epochs[4] == 0);
}

TEST_CASE("after its first epoch a run allocates nothing until it ends") {
  const auto X = curve<float>(120, 64, 1);
  Trainer<float> trainer(dense_autoencoder<float>(64, {256, 32}, sigmoid()), settings(5, 50));
  std::vector<long> seen(5);
  trainer.fit(X, [&](const EpochReport& e) {
    seen[static_cast<std::size_t>(e.epoch) - 1] = heap::allocations;
  });
  CHECK(seen[1] == seen[0]);
  CHECK(seen[4] == seen[0]);
}

TEST_CASE("a step allocates nothing after the first") {
  const auto X = curve<float>(50, 64, 1);
  Trainer<float> trainer(dense_autoencoder<float>(64, {256, 32}, sigmoid()), settings(1, 50));
  CHECK(heap::allocations_in([&] { trainer.step(X); }) > 0);
  CHECK(heap::allocations_in([&] { trainer.step(X); }) == 0);
  CHECK(heap::allocations_in([&] { trainer.step(X.topRows(20)); }) == 0);
}

#endif
