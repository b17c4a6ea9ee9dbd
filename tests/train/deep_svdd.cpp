// Deep SVDD in training: the center's start, the radius, gradients through the net, and nets it refuses.

#include <doctest/doctest.h>

#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

Options options_for(Index epochs) {
  Options options;
  options.epochs = epochs;
  options.batch_size = 50;
  options.seed = 1;
  options.threads = 1;
  return options;
}

Autoencoder<double> encoder_of(bool bias = false) {
  Network<double> encoder;
  encoder.add(dense<double>(6, 16, false)).add(leaky_relu());
  encoder.add(Dense<double>(16, 4, bias));
  return Autoencoder<double>(encoder, Network<double>());
}

/// Mean codes of the rows under a state.
template <class T>
RowMatrix<double> codes(const T& trainer, const RowMatrix<double>& X) {
  const auto& state = trainer.state();
  PackedNetwork<double> net(trainer.net(), state.parameters.data(), state.statistics.data());
  auto buffers = net.make_buffers(X.rows());
  return net.forward(X, buffers, false).code.matrix();
}

/// q of every row, by plain loops.
template <class T>
std::vector<double> distances(const T& trainer, const RowMatrix<double>& X) {
  const RowMatrix<double> z = codes(trainer, X);
  std::vector<double> q(static_cast<std::size_t>(X.rows()));
  for (Index i = 0; i < X.rows(); ++i) {
    for (Index j = 0; j < z.cols(); ++j) {
      const double e = z(i, j) - trainer.state().center.center[j];
      q[static_cast<std::size_t>(i)] += e * e;
    }
  }
  return q;
}

template <class Objective>
void check_healthy(const Objective& objective) {
  const auto X = curve<double>(400, 6, 3);
  Trainer<double, Objective> trainer(encoder_of(), options_for(60), objective);
  const auto before = trainer.state().parameters;
  const FitReport report = trainer.fit(X);
  for (const auto& warning : report.warnings) MESSAGE(warning);
  CHECK(report.healthy());
  CHECK(report.gamma == 0);
  CHECK(report.epochs.back().loss < 0.5 * report.epochs.front().loss);
  for (const auto& step : trainer.net().joined().steps()) {
    for (Index i = 0; i < step.weights(); ++i) {
      CHECK(trainer.state().parameters[step.weight_at + i] != before[step.weight_at + i]);
    }
  }
  const auto detector = trainer.detector();
  const Vector<double> scores = detector.score(X);
  const std::vector<double> q = distances(trainer, X);
  for (Index i = 0; i < X.rows(); ++i) {
    CHECK(scores[i] == doctest::Approx(q[static_cast<std::size_t>(i)]).epsilon(1e-10));
  }
  RowMatrix<double> off = X.topRows(20);
  off.col(0).array() += 2;
  CHECK(detector.score(off).minCoeff() > scores.maxCoeff());
}

/// y = x + w, the example of layer.hpp, which says nothing of biases.
struct Shift {
  using Scalar = double;
  Index size;
  Index inputs() const { return size; }
  Index outputs() const { return size; }
  Index parameters() const { return size; }
  void forward(const double* w, Rows<const double> x, Rows<double> y) const {
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index j = 0; j < size; ++j) y.row(i)[j] = x(i, j) + w[j];
    }
  }
  void backward(const double*, Rows<const double>, Rows<const double>, Rows<const double> dy,
                Rows<double> dx, double* dw) const {
    for (Index i = 0; i < dy.rows(); ++i) {
      for (Index j = 0; j < size; ++j) {
        dw[j] += dy(i, j);
        if (dx.data()) dx.row(i)[j] = dy(i, j);
      }
    }
  }
};

/// y = w x, which says that it has none.
struct Scale : Shift {
  bool has_bias() const { return false; }
  void forward(const double* w, Rows<const double> x, Rows<double> y) const {
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index j = 0; j < size; ++j) y.row(i)[j] = x(i, j) * w[j];
    }
  }
};

/// A layer of the run-time interface that says nothing of biases.
struct RunTimeShift : Layer<double> {
  Index count;  ///< its parameters
  explicit RunTimeShift(Index parameters) : count(parameters) {}
  Index inputs() const override { return 6; }
  Index outputs() const override { return 6; }
  Index parameters() const override { return count; }
  void forward(const double*, const double*, Rows<const double> x, Rows<double> y,
               double*) const override {
    y.matrix() = x.matrix();
  }
  void backward(const double*, Rows<const double>, Rows<const double>, Rows<const double> dy,
                Rows<double> dx, double*, double*) const override {
    if (dx.data()) dx.matrix() = dy.matrix();
  }
};

/// Whether Deep SVDD refuses a net that begins with a layer of 6 numbers for its biases.
template <class L>
bool refused(const L& layer) {
  Network<double> encoder;
  encoder.add(layer).add(Dense<double>(6, 3, false));
  try {
    Trainer<double, DeepSvdd<double>> trainer(Autoencoder<double>(encoder, Network<double>()));
  } catch (const InvalidArgument& e) {
    return std::string(e.what()).find("needs a net without biases") != std::string::npos;
  }
  return false;
}

}  // namespace

TEST_CASE("Deep SVDD: a healthy run ranks rows off the curve above all others") {
  check_healthy(DeepSvdd<double>());
}

TEST_CASE("Deep SVDD with a soft boundary: a healthy run") {
  check_healthy(SoftBoundaryDeepSvdd<double>(0.1));
}

TEST_CASE("Deep SVDD's center is the untrained net's mean code, pushed off zero, and stays") {
  RowMatrix<double> X = curve<double>(301, 6, 3);
  X.col(2) *= 40;  // standardizing matters
  Options options = options_for(3);
  options.standardize = true;
  Trainer<double, DeepSvdd<double>> trainer(encoder_of(), options);
  const RowMatrix<double> scaled =
      (X.rowwise() - X.colwise().mean()).array().rowwise() /
      ((X.rowwise() - X.colwise().mean()).array().square().colwise().mean().sqrt());
  const RowMatrix<double> mean = codes(trainer, scaled).colwise().mean();
  trainer.fit(X);
  Index pushed = 0;
  for (Index j = 0; j < 4; ++j) {
    const double c = trainer.state().center.center[j];
    const double expected = std::abs(mean(0, j)) >= 0.1 ? mean(0, j) : mean(0, j) < 0 ? -0.1 : 0.1;
    CHECK(c == doctest::Approx(expected).epsilon(1e-10));
    pushed += std::abs(mean(0, j)) < 0.1;
  }
  CHECK(pushed > 0);
  CHECK(pushed < 4);
}

TEST_CASE("the soft boundary's radius is the 1 - nu quantile of the distances, past the warm-up") {
  const auto X = curve<double>(200, 6, 3);
  using Soft = SoftBoundaryDeepSvdd<double>;
  Trainer<double, Soft> trainer(encoder_of(), options_for(4), Soft(0.25, 3));
  std::vector<double> radii;
  const auto report = trainer.fit(
      X, [&](const EpochReport&) { radii.push_back(trainer.state().objective.squared_radius); });
  REQUIRE(radii.size() == 4);
  CHECK(radii[0] == 0);
  CHECK(radii[1] == 0);
  CHECK(radii[2] > 0);
  CHECK(radii[3] != radii[2]);
  // Without a radius the loss is the mean distance over nu.
  CHECK(report.epochs[0].loss == doctest::Approx(report.epochs[0].latent / 0.25).epsilon(1e-12));
  CHECK(report.epochs[3].loss > radii[2]);
  std::vector<double> q = distances(trainer, X);
  std::sort(q.begin(), q.end());
  CHECK(radii[3] == doctest::Approx(q[149]).epsilon(1e-12));  // the 150th of 200
}

TEST_CASE("Trainer's gradients of Deep SVDD against central differences") {
  const auto X = curve<double>(12, 6, 5);
  using Soft = SoftBoundaryDeepSvdd<double>;
  Trainer<double, DeepSvdd<double>> one_class(encoder_of(), options_for(1));
  Trainer<double, Soft> soft(encoder_of(), options_for(1), Soft(0.3, 1));
  one_class.fit(X);
  soft.fit(X);
  // Away from every row's distance: the loss has a corner there.
  auto state = soft.state();
  std::vector<double> q = distances(soft, X);
  std::sort(q.begin(), q.end());
  const double squared_radius = state.objective.squared_radius = 0.5 * (q[5] + q[6]);
  soft.set_state(state);

  const auto check = [&](auto& trainer, auto&& loss) {
    const auto gradient = trainer.gradient(X);
    const auto at = trainer.state();
    // Rounding, 1e-16 L / h, and the third derivative, h^2, are both some 1e-10.
    const double h = 1e-6;
    double worst = 0, largest = 0;
    for (const auto& step : trainer.net().joined().steps()) {
      for (Index i = step.weight_at; i < step.weight_at + step.weights(); ++i) {
        auto shifted = at;
        shifted.parameters[i] = at.parameters[i] + h;
        trainer.set_state(shifted);
        const double above = loss(distances(trainer, X));
        shifted.parameters[i] = at.parameters[i] - h;
        trainer.set_state(shifted);
        const double slope = (above - loss(distances(trainer, X))) / (2 * h);
        worst = std::max(worst, std::abs(slope - gradient[i]));
        largest = std::max(largest, std::abs(slope));
      }
    }
    CHECK(largest > 0.01);
    CHECK(worst < 1e-7);
  };
  check(one_class, [](const std::vector<double>& d) {
    double sum = 0;
    for (double v : d) sum += v / 12;
    return sum;
  });
  check(soft, [&](const std::vector<double>& d) {
    double sum = 0;
    for (double v : d) sum += std::max(0.0, v - squared_radius) / 12;
    return squared_radius + sum / 0.3;
  });
}

TEST_CASE("an objective without center steps trains on all rows of a batch, whatever kappa") {
  const auto X = curve<double>(10, 6, 4);
  Options options = options_for(1);
  options.kappa = 0.5;
  Trainer<double, DeepSvdd<double>> half(encoder_of(), options);
  options.kappa = 1;
  Trainer<double, DeepSvdd<double>> all(encoder_of(), options);
  half.fit(X);
  all.fit(X);
  CHECK(same_bits(half.state().parameters, all.state().parameters));
}

TEST_CASE("Deep SVDD gives the same bits for any number of threads, and weight decay shrinks") {
  const auto X = curve<double>(300, 6, 3);
  using Soft = SoftBoundaryDeepSvdd<double>;
  Options options = options_for(12);
  Trainer<double, Soft> one(encoder_of(), options);
  one.fit(X);
  options.threads = 3;
  Trainer<double, Soft> three(encoder_of(), options);
  three.fit(X);
  CHECK(same_bits(one.state().parameters, three.state().parameters));
  CHECK(one.state().objective.squared_radius > 0);
  CHECK(one.state().objective.squared_radius == three.state().objective.squared_radius);
  options.adam.weight_decay = 5;
  Trainer<double, Soft> decayed(encoder_of(), options);
  decayed.fit(X);
  const auto size = [](const auto& trainer) {
    double sum = 0;
    for (double w : trainer.state().parameters) sum += w * w;
    return sum;
  };
  CHECK(size(decayed) < 0.9 * size(one));
}

TEST_CASE("Deep SVDD refuses biases and a decoder, each with a sentence") {
  using OneClass = Trainer<double, DeepSvdd<double>>;
  const char* biases = "the objective deep_svdd needs a net without biases";
  CHECK_THROWS_WITH_AS(OneClass(encoder_of(true)), doctest::Contains(biases), InvalidArgument);
  Network<double> encoder;
  const auto conv = conv2d<double>({1, 4, 4}, 2, 3, 1, 1, true);
  encoder.add(conv);
  CHECK_THROWS_WITH_AS(OneClass(Autoencoder<double>(encoder, {})), doctest::Contains(biases),
                       InvalidArgument);
  Network<double> normed;  // batch norm's shift is a bias
  const auto plain = conv2d<double>({1, 4, 4}, 2, 3, 1, 1, false);
  normed.add(plain).add(batch_norm<double>(plain.output_shape()));
  CHECK_THROWS_WITH_AS(OneClass(Autoencoder<double>(normed, {})), doctest::Contains(biases),
                       InvalidArgument);
  Network<double> bare;
  bare.add(plain).add(leaky_relu());
  CHECK_NOTHROW(OneClass(Autoencoder<double>(bare, {})));
  CHECK_THROWS_WITH_AS(OneClass(dense_autoencoder<double>(6, {8, 3}, Activation())),
                       doctest::Contains("the objective deep_svdd trains no decoder"),
                       InvalidArgument);
}

TEST_CASE("a layer with parameters has a bias unless it says otherwise") {
  CHECK(refused(Shift{6}));
  CHECK_FALSE(refused(Scale{{6}}));
  CHECK(refused(RunTimeShift(6)));
  CHECK_FALSE(refused(RunTimeShift(0)));
  CHECK(refused(Dense<double>(6, 6, true)));
  CHECK_FALSE(refused(Dense<double>(6, 6, false)));
}

TEST_CASE("Deep SVDD refuses scores made of residuals") {
  Options options;
  for (const ScoreForm form :
       {ScoreForm::balanced, ScoreForm::latent_whitened, ScoreForm::whitened}) {
    options.score = form;
    CHECK_THROWS_WITH_AS((Trainer<double, DeepSvdd<double>>(encoder_of(), options)),
                         "the objective deep_svdd has the published score only: the other forms "
                         "are made of residuals",
                         InvalidArgument);
  }
}
