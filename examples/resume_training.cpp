// Lesson: stop, go on later, and end with the same bits; then keep learning from new rows.

#include "pump.hpp"

#include <cstdio>

int main() {
  const dasvdd::RowMatrix<float> X = pump::readings(2000, 1);
  const auto net = dasvdd::dense_autoencoder<float>(X.cols(), {16, 3}, dasvdd::Activation());
  dasvdd::Options options;
  options.epochs = 30;
  options.standardize = true;

  dasvdd::Trainer<float> without_a_break(net, options);
  without_a_break.fit(X);

  // Returning false from the progress callback stops after that epoch. The state is a value: keep it anywhere.
  dasvdd::Trainer<float> first(net, options);
  first.fit(X, [](const dasvdd::EpochReport& epoch) { return epoch.epoch < 10; });
  const dasvdd::Trainer<float>::State checkpoint = first.state();

  // Another trainer, of the same net and options, takes it up; partial_fit draws nothing anew.
  dasvdd::Trainer<float> second(net, options);
  second.set_state(checkpoint);
  second.partial_fit(X, 20);
  const auto detector = second.detector();
  const bool same = detector.score(X) == without_a_break.detector().score(X);
  std::printf("10 + 20 epochs give %s 30\n", same ? "the bits of" : "something else than");

  // The pump has aged a little, and that is its new normal. Scaler and gamma stay; the older detector does too.
  const dasvdd::RowMatrix<float> aged = pump::readings(2000, 2, 0.15);
  second.partial_fit(aged, 30);
  std::printf("mean score of the aged pump: before %.4f, after %.4f\n", detector.score(aged).mean(),
              second.detector().score(aged).mean());
  return same && second.detector().score(aged).mean() < detector.score(aged).mean() ? 0 : 1;
}
