// Options::stop: a training that ends after a mini-batch.

#include <atomic>
#include <memory>

#include "train/support.hpp"

using namespace dasvdd;

namespace {

/// The identity, which says stop at its so many-th row.
struct Stopping {
  using Scalar = float;
  Index size;
  std::atomic<bool>* stop;
  Index last_row;
  std::shared_ptr<std::atomic<Index>> rows = std::make_shared<std::atomic<Index>>(0);
  Index inputs() const { return size; }
  Index outputs() const { return size; }
  Index parameters() const { return 0; }
  void forward(const float*, Rows<const float> x, Rows<float> y) const {
    if ((*rows += x.rows()) >= last_row) *stop = true;
    y.matrix() = x.matrix();
  }
  void backward(const float*, Rows<const float>, Rows<const float>, Rows<const float> dy,
                Rows<float> dx, float*) const {
    dx.matrix() = dy.matrix();
  }
};

Autoencoder<float> net_with(const Stopping& layer) {
  Network<float> encoder, decoder;
  // Wide enough for a team of three to be worth its while.
  encoder.add(dense<float>(600, layer.size)).add(layer).add(dense<float>(layer.size, 4));
  decoder.add(dense<float>(4, 600));
  return autoencoder(encoder, decoder);
}

}  // namespace

TEST_CASE("a training that is told to stop ends after its mini-batch, whatever the team") {
  const RowMatrix<float> X = curve<float>(100, 600, 3);
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    std::atomic<bool> stop{false};
    Options options;
    options.gamma = GammaRule::value(0.3);
    options.kappa = 1;
    options.center = CenterRule::fixed();
    options.batch_size = 10;
    options.epochs = 5;
    options.shuffle = false;
    options.threads = threads;
    options.stop = &stop;
    // Row 31 is in the fourth mini-batch; the fifth sees it and is the last.
    Trainer<float> trainer(net_with({1200, &stop, 31}), options);
    const FitReport report = trainer.train(X);
    CHECK(report.stopped);
    CHECK(report.threads == threads);
    CHECK(report.epochs.empty());
    CHECK(trainer.state().epochs == 0);
    std::atomic<bool> never{false};
    options.stop = nullptr;
    Trainer<float> steps(net_with({1200, &never, 100000}), options);
    auto start = steps.state();
    start.gamma = 0.3;
    steps.set_state(start);
    for (Index b = 0; b < 5; ++b) steps.step(X.middleRows(10 * b, 10));
    CHECK(same_bits(trainer.state().parameters, steps.state().parameters));
    CHECK(trainer.detector(X).score(X).allFinite());
  }
}

TEST_CASE("a fit that is told to stop gives a detector of the nets there are") {
  const RowMatrix<float> X = curve<float>(60, 6, 3);
  std::atomic<bool> stop{true};
  FitOptions options;
  options.ensemble_size = 3;
  options.epochs = 4;
  options.threads = 1;
  options.stop = &stop;
  // One net, of one mini-batch: of nothing no detector could be made.
  const auto go_on = [&](const FitProgress&) { return !stop; };
  CHECK(fit(X, options, go_on).ensemble_size() == 1);
  // In the first epoch of the second net: the first alone.
  stop = false;
  const auto until = [&](const FitProgress& at) {
    if (at.done == 4) stop = true;
    return at.done <= 4;
  };
  CHECK(fit(X, options, until).ensemble_size() == 1);
  options.contamination = 0.1;
  stop = true;
  CHECK(fit(X, options, go_on).score(X).allFinite());
}

TEST_CASE("an epoch that was broken off is done again, to the same bits") {
  const RowMatrix<float> X = curve<float>(60, 6, 3);
  FitOptions options;
  options.ensemble_size = 2;
  options.epochs = 5;
  options.threads = 1;
  const auto whole = fit(X, options).score(X);
  Checkpoint<float> checkpoint;
  for (const Index epochs : {1, 3, 7}) {
    std::atomic<bool> stop{false};
    options.stop = &stop;
    // Two mini-batches an epoch: the next epoch ends after its first.
    fit(
        X, options,
        [&](const FitProgress& at) {
          const bool before = !stop;
          if (at.done >= epochs) stop = true;
          return before;
        },
        &checkpoint);
    CHECK(checkpoint.epochs() == epochs);
  }
  options.stop = nullptr;
  CHECK(fit(X, options, detail::NoProgress(), &checkpoint).score(X) == whole);
}
