// Each wrong argument gets its sentence and changes nothing.

#include <doctest/doctest.h>

#include <atomic>
#include <limits>
#include <memory>
#include <stdexcept>

#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

const auto small_net = [] { return dense_autoencoder<float>(6, {8, 3}, Activation()); };

template <class Change>
void check_refused(const char* sentence, Change&& change) {
  Options options;
  change(options);
  CHECK_THROWS_WITH_AS(Trainer<float>(small_net(), options), doctest::Contains(sentence),
                       InvalidArgument);
}

void check_rows_refused(const char* sentence, const RowMatrix<float>& X) {
  Options options;
  options.epochs = 1;
  Trainer<float> trainer(small_net(), options);
  const auto before = trainer.state().parameters;
  CHECK_THROWS_WITH_AS(trainer.fit(X), doctest::Contains(sentence), InvalidArgument);
  CHECK(same_bits(trainer.state().parameters, before));
  CHECK_THROWS_WITH_AS(trainer.detector(), doctest::Contains("there is no detector before fit"),
                       InvalidArgument);
}

/// The identity, which fails at a call of its own choice.
struct Failing {
  using Scalar = float;
  Index size;
  std::shared_ptr<std::atomic<int>> calls_left = std::make_shared<std::atomic<int>>(1000000);
  Index inputs() const { return size; }
  Index outputs() const { return size; }
  Index parameters() const { return 0; }
  void forward(const float*, Rows<const float> x, Rows<float> y) const {
    if ((*calls_left)-- == 0) throw std::runtime_error("a layer failed");
    y.matrix() = x.matrix();
  }
  void backward(const float*, Rows<const float>, Rows<const float>, Rows<const float> dy,
                Rows<float> dx, float*) const {
    dx.matrix() = dy.matrix();
  }
};

}  // namespace

TEST_CASE("an exception in the middle of an epoch leaves the net of the epoch before") {
  const Failing layer{2000};
  Network<float> encoder, decoder;
  encoder.add(dense<float>(6, 2000)).add(layer).add(dense<float>(2000, 3));
  decoder.add(dense<float>(3, 2000)).add(tanh()).add(dense<float>(2000, 6));
  const auto net = autoencoder(encoder, decoder);
  const auto X = curve<float>(300, 6, 1);
  for (const int threads : {1, 2}) {
    Options options;
    options.batch_size = 100;
    options.threads = threads;
    options.gamma = GammaRule::value(0.1);
    Trainer<float> trainer(net, options);
    AlignedBuffer<float> parameters, center;
    const auto progress = [&](const EpochReport& epoch) {
      parameters = trainer.state().parameters;
      center = trainer.state().center.center;
      if (epoch.epoch == 2) *layer.calls_left = 3 * threads;  // fails in the second mini-batch
    };
    CHECK_THROWS_WITH_AS(trainer.fit(X, progress), "a layer failed", std::runtime_error);
    CHECK(trainer.state().epochs == 2);
    CHECK(same_bits(trainer.state().parameters, parameters));
    CHECK(same_bits(trainer.state().center.center, center));
    CHECK(trainer.partial_fit(X, 2).epochs.size() == 2);
  }
}

TEST_CASE("a batch size without a bound takes all rows") {
  const auto X = curve<float>(50, 6, 1);
  Options options;
  options.epochs = 3;
  options.batch_size = 50;
  Trainer<float> all(small_net(), options);
  all.fit(X);
  options.batch_size = std::numeric_limits<Index>::max();
  Trainer<float> unbounded(small_net(), options);
  unbounded.fit(X);
  CHECK(same_bits(unbounded.state().parameters, all.state().parameters));
}

TEST_CASE("options out of range") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  check_refused("epochs is 0", [](Options& o) { o.epochs = 0; });
  check_refused("the batch size is -1", [](Options& o) { o.batch_size = -1; });
  check_refused("threads is -2", [](Options& o) { o.threads = -2; });
  check_refused("kappa is 0,", [](Options& o) { o.kappa = 0; });
  check_refused("kappa is 1.5", [](Options& o) { o.kappa = 1.5; });
  check_refused("kappa is nan", [=](Options& o) { o.kappa = nan; });
  check_refused("the learning rate is 0", [](Options& o) { o.adam.learning_rate = 0; });
  check_refused("the learning rate is nan", [=](Options& o) { o.adam.learning_rate = nan; });
  check_refused("Adam's beta1 is 1", [](Options& o) { o.adam.beta1 = 1; });
  check_refused("Adam's beta2 is -0.1", [](Options& o) { o.adam.beta2 = -0.1; });
  check_refused("the contrast's floor is -1", [](Options& o) { o.contrast_floor = -1; });
  check_refused("choose one", [](Options& o) {
    o.contrast_floor = 1;
    o.standardize = true;
  });
  check_refused("choose one", [](Options& o) {
    o.contrast_floor = 1;
    o.soften = {1, 2, 2};
  });
  check_refused("the softening: the image is 1 x 0 x 4", [](Options& o) { o.soften = {1, 0, 4}; });
  check_refused("images to soften have 35 numbers, the net takes", [](Options& o) {
    o.soften = {1, 5, 7};
  });
  check_refused("gamma's factor is -1", [](Options& o) { o.gamma.factor = -1; });
  check_refused("Adam's epsilon is 0", [](Options& o) { o.adam.epsilon = 0; });
  check_refused("the weight decay is -1", [](Options& o) { o.adam.weight_decay = -1; });
  check_refused("the center's learning rate is 0",
                [](Options& o) { o.center = CenterRule::adagrad(0); });
  check_refused("the center's decay is -1",
                [](Options& o) { o.center = CenterRule::adagrad(1, -1); });
  check_refused("the center's kind is 7, expected one of the enumerators of Kind",
                [](Options& o) { o.center.kind = static_cast<CenterRule::Kind>(7); });
  check_refused("gamma's kind is 9, expected one of the enumerators of Kind",
                [](Options& o) { o.gamma.kind = static_cast<GammaRule::Kind>(9); });
  check_refused("gamma is -1", [](Options& o) { o.gamma = GammaRule::value(-1); });
  check_refused("gamma is inf", [](Options& o) {
    o.gamma = GammaRule::value(std::numeric_limits<double>::infinity());
  });
  check_refused("gamma's initializations are 0",
                [](Options& o) { o.gamma = GammaRule::ratio_of_means(0); });
  check_refused("the final rate is 0", [](Options& o) { o.final_rate = 0; });
  check_refused("the training quantile is 1", [](Options& o) { o.training_quantile = 1; });
}

TEST_CASE("rows that can't be trained on") {
  check_rows_refused("the training set is 10 x 5, expected 6 columns",
                     RowMatrix<float>::Zero(10, 5));
  check_rows_refused("is it transposed?", RowMatrix<float>::Zero(6, 10));
  check_rows_refused("the training set is empty", RowMatrix<float>(0, 6));
  check_rows_refused("the training set has one row", RowMatrix<float>::Ones(1, 6));
  RowMatrix<float> X = curve<float>(10, 6, 1);
  X(7, 3) = std::numeric_limits<float>::quiet_NaN();
  check_rows_refused("the training set has NaN in row 7, column 3", X);
  X(7, 3) = -std::numeric_limits<float>::infinity();
  check_rows_refused("the training set has -infinity in row 7, column 3", X);
}

TEST_CASE("gamma that can't be estimated") {
  // Numbers so large that their squares overflow a float.
  check_rows_refused("gamma can't be estimated", 1e30f * RowMatrix<float>::Ones(10, 6));
  // Rows that every net reconstructs exactly: the estimate is zero, which would train a plain autoencoder.
  Network<float> encoder, decoder;
  encoder.add(Failing{6});
  decoder.add(Failing{6});
  Trainer<float> trainer(autoencoder(encoder, decoder), Options());
  CHECK_THROWS_WITH_AS(trainer.fit(curve<float>(10, 6, 1)),
                       doctest::Contains("the mean reconstruction error is 0 and"),
                       InvalidArgument);
}

TEST_CASE("a net that doesn't suit the objective") {
  Network<float> encoder;
  encoder.add(dense<float>(6, 3));
  const Autoencoder<float> net(encoder, Network<float>());
  CHECK_THROWS_WITH_AS(Trainer<float>{net}, doctest::Contains("needs a net with a decoder"),
                       InvalidArgument);
}

TEST_CASE("constant features are accepted") {
  RowMatrix<float> X = curve<float>(50, 6, 1);
  X.col(4).setConstant(0.1f);
  Options options;
  options.epochs = 3;
  options.standardize = true;
  Trainer<float> trainer(small_net(), options);
  CHECK(trainer.fit(X).epochs.size() == 3);
  CHECK(std::get<Standardizer<float>>(trainer.detector().model().scaler.kind()).scale()[4] == 1);
  CHECK(trainer.detector().score(X).allFinite());
}

TEST_CASE("partial_fit needs a fit before it") {
  Trainer<float> trainer(small_net());
  CHECK_THROWS_WITH_AS(trainer.partial_fit(curve<float>(50, 6, 1)),
                       doctest::Contains("call fit first"), InvalidArgument);
}
