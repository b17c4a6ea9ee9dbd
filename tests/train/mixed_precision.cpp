// Training in mixed precision: close to float, the same bits on all threads, and said so.

#include <doctest/doctest.h>

#include "train/support.hpp"

#include <dasvdd/train/mixed_precision.hpp>

#include <algorithm>
#include <cmath>
#include <string>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// Every set that this CPU runs; where there is none, mixed precision trains in float.
std::vector<Precision> precisions() {
  std::vector<Precision> all;
  for (const kernels::MixedRow& set : kernels::mixed_sets) {
    if (set.runs()) {
      all.push_back(mixed_precision(set.name));
    } else {
      MESSAGE("this CPU has no ", set.name, ": not tested");
    }
  }
  return all;
}

Options short_run(Precision precision, int threads = 1) {
  Options options;
  options.epochs = 3;
  options.batch_size = 90;
  options.seed = 5;
  options.threads = threads;
  options.precision = precision;
  return options;
}

/// |a - b| / |b|.
template <class Vector>
double distance(const Vector& a, const Vector& b) {
  double apart = 0, size = 0;
  for (Index i = 0; i < b.size(); ++i) {
    apart += std::pow(double(a[i]) - double(b[i]), 2);
    size += std::pow(double(b[i]), 2);
  }
  return std::sqrt(apart / size);
}

}  // namespace

TEST_CASE("gradients in mixed precision are float's but for the rounding of factors") {
  // Sizes that fill no strip and no unit of depth; activations that keep their results and their arguments;
  // a code in the middle.
  Network<float> encoder, decoder;
  encoder.add(dense<float>(45, 70))
      .add(Activation("gelu"))
      .add(dense<float>(70, 33))
      .add(leaky_relu());
  decoder.add(dense<float>(33, 70)).add(tanh()).add(dense<float>(70, 45, false)).add(sigmoid());
  const Autoencoder<float> dense_net(encoder, decoder);
  // A layer of another kind before a dense one, whose input nobody has rounded yet.
  Network<float> image_encoder, image_decoder;
  image_encoder.add(conv2d<float>({1, 8, 8}, 4, 3, 1, 1))
      .add(Activation("elu"))
      .add(dense<float>(256, 6));
  image_decoder.add(dense<float>(6, 64)).add(sigmoid());
  const Autoencoder<float> image_net(image_encoder, image_decoder);
  for (const Precision precision : precisions()) {
    const std::string set = precision.name();
    CAPTURE(set);
    for (const auto& net : {dense_net, image_net}) {
      // 33 rows are one unit of depth and a row more.
      for (const Index rows : {Index(2), Index(33), Index(50)}) {
        CAPTURE(rows);
        CAPTURE(net.inputs());
        const auto X = curve<float>(rows, net.inputs(), 3);
        Trainer<float> exact(net, short_run({})), mixed(net, short_run(precision));
        const auto expected = exact.gradient(X), got = mixed.gradient(X);
        // A factor rounded to eight bits is off by 2^-9 of itself at most; four layers forward and back make that
        // about 2^-7 of the gradient; twice is left for chance.
        CHECK(distance(got, expected) < 0x1p-6);
        CHECK(distance(got, expected) > 0);
      }
    }
  }
}

TEST_CASE("training in mixed precision gives the same bits at 1, 2, 3 and 4 threads") {
  const auto X = curve<float>(250, 256, 1);
  const auto net = dense_autoencoder<float>(256, {512, 100}, sigmoid());
  for (const Precision precision : precisions()) {
    const std::string set = precision.name();
    CAPTURE(set);
    Trainer<float> reference(net, short_run(precision));
    reference.fit(X);
    for (const int threads : {2, 3, 4}) {
      CAPTURE(threads);
      Trainer<float> trainer(net, short_run(precision, threads));
      const FitReport report = trainer.fit(X);
#if DASVDD_OPENMP
      REQUIRE(report.threads == threads);
#endif
      CHECK(same_bits(trainer.state().parameters, reference.state().parameters));
      CHECK(same_bits(trainer.state().center.center, reference.state().center.center));
      CHECK(trainer.detector().threshold() == reference.detector().threshold());
    }
  }
}

TEST_CASE("a net trained in mixed precision learns what it learns in float") {
  const auto X = curve<float>(300, 40, 1);
  const auto net = dense_autoencoder<float>(40, {64, 16}, sigmoid());
  for (const Precision precision : precisions()) {
    const std::string set = precision.name();
    CAPTURE(set);
    Options options = short_run(precision);
    options.epochs = 30;
    Trainer<float> mixed(net, options);
    const FitReport report = mixed.fit(X);
    options.precision = {};
    Trainer<float> exact(net, options);
    const FitReport expected = exact.fit(X);
    CHECK(expected.epochs.back().loss < 0.5 * expected.epochs.front().loss);
    // Two runs whose steps differ by roundings drift apart, to nets that are as good as each other.
    CHECK(std::fabs(report.epochs.back().loss / expected.epochs.back().loss - 1) < 0.05);
    CHECK(mixed.detector().facts().at("precision") == precision.name());
    CHECK(exact.detector().facts().at("precision") == "own");
  }
}

TEST_CASE("mixed precision is the fastest set that pays, and float where there is none") {
  const Precision best = mixed_precision();
  // The sets stand in the order of their speed.
  const auto fits = [](const kernels::MixedRow& set) { return set.runs() && set.pays(); };
  const auto expected = std::find_if(kernels::mixed_sets.begin(), kernels::mixed_sets.end(), fits);
  CHECK(std::string(best.name()) ==
        (expected == kernels::mixed_sets.end() ? "own" : expected->name));
  if (kernels::name_of(kernels::best_set()) != std::string("avx512")) {
    CHECK(std::string(best.name()) == "own");
  }
  CHECK_THROWS_WITH_AS(mixed_precision("fp8"),
                       "mixed precision by \"fp8\", expected one of amx, avx512_bf16",
                       InvalidArgument);
}

TEST_CASE("a net in double is not trained in mixed precision") {
  const auto net = dense_autoencoder<double>(6, {8, 3}, Activation());
  const kernels::MixedTable some{};
  CHECK_THROWS_WITH_AS(Trainer<double>(net, short_run({&some})),
                       "mixed precision trains nets in float; this net is in double",
                       InvalidArgument);
}

TEST_CASE(
    "mixed precision: rows that wait for their center step leave the weight gradients alone") {
  const auto X = curve<float>(110, 40, 3);
  for (const Precision& precision : precisions()) {
    CAPTURE(precision.name());
    Options options = short_run(precision);
    // 32 of them in the network step: a whole unit of depth, as 35 are not.
    options.batch_size = 35;
    check_fit_is_its_steps(dense_autoencoder<float>(40, {70, 20}, sigmoid()), options, X);
  }
}
