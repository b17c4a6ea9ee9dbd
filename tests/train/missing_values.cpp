// Training on rows that lack values.

#include <Eigen/LU>

#include <dasvdd/train/covariance.hpp>
#include <dasvdd/train/held_out.hpp>
#include <dasvdd/train/row_numbers.hpp>

#include <cmath>
#include <limits>

#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

constexpr double lost = std::numeric_limits<double>::quiet_NaN();

/// A share of the values of X taken away; of no row all.
template <class Scalar>
void lose(RowMatrix<Scalar>& X, double share, std::uint64_t seed) {
  Random random(seed);
  for (Index i = 0; i < X.rows(); ++i) {
    for (Index j = 0; j < X.cols(); ++j) {
      if (j != i % X.cols() && random.uniform() < share) X(i, j) = static_cast<Scalar>(lost);
    }
  }
}

Options masking() {
  Options options;
  options.missing = Options::Missing::mask;
  options.gamma = GammaRule::value(0.3);
  options.threads = 1;
  return options;
}

}  // namespace

TEST_CASE("the standardizer passes over missing values") {
  RowMatrix<double> X(5, 2);
  X << 1, 7, lost, 7, 3, lost, 5, 7, lost, 7;
  const auto scaler = Standardizer<double>::of(X);
  CHECK(scaler.mean()[0] == 3);
  CHECK(scaler.scale()[0] == doctest::Approx(std::sqrt(8.0 / 3)));
  CHECK(scaler.mean()[1] == 7);
  CHECK(scaler.scale()[1] == 1);
}

TEST_CASE("a step's loss and gradient leave masked residuals out") {
  RowMatrix<double> X = curve<double>(40, 6, 3);
  lose(X, 0.3, 1);
  const auto net = dense_autoencoder<double>(6, {8, 3}, sigmoid());
  Options options = masking();
  options.kappa = 1;
  options.center = CenterRule::fixed();
  options.batch_size = 40;
  options.epochs = 1;
  options.standardize = true;
  options.adam.learning_rate = 1e-12;  // the state keeps what was drawn
  Trainer<double> trainer(net, options);
  trainer.train(X);
  const auto state = trainer.state();
  const auto& scaler = std::get<Standardizer<double>>(state.scaler.kind());

  // r and q of each row, written out.
  RowMatrix<double> filled(40, 6);
  for (Index i = 0; i < 40; ++i) {
    for (Index j = 0; j < 6; ++j) {
      const std::size_t at = static_cast<std::size_t>(j);
      filled(i, j) = std::isnan(X(i, j)) ? 0 : (X(i, j) - scaler.mean()[at]) / scaler.scale()[at];
    }
  }
  const auto loss = [&](const AlignedBuffer<double>& parameters) {
    const PackedNetwork<double> packed(net, parameters.data(), nullptr);
    double sum = 0;
    forward_rows(packed, Scaler<double>(), AnyRows(Rows<const double>(filled)), 1, true,
                 [&](Index first, Rows<const double> x, const auto& result) {
                   for (Index i = 0; i < x.rows(); ++i) {
                     double squares = 0, count = 0, q = 0;
                     for (Index j = 0; j < 6; ++j) {
                       if (std::isnan(X(first + i, j))) continue;
                       squares += std::pow(result.output(i, j) - x(i, j), 2);
                       count += 1;
                     }
                     for (Index j = 0; j < 3; ++j)
                       q += std::pow(result.code(i, j) - state.center.center[j], 2);
                     sum += squares / count + 0.3 * q;
                   }
                 });
    return sum / 40;
  };
  const double expected = loss(state.parameters);
  CHECK(trainer.step(X).loss == doctest::Approx(expected).epsilon(1e-9));
  trainer.set_state(state);
  CHECK(mean_loss(PackedNetwork<double>(net, state.parameters.data(), nullptr), state.scaler,
                  AnyRows(Rows<const double>(X)), state.center.center.data(), 1, 0.3,
                  1) == doctest::Approx(expected).epsilon(1e-12));

  const auto gradient = trainer.gradient(X);
  double largest = 0;
  for (const double g : gradient) largest = (std::max)(largest, std::abs(g));
  AlignedBuffer<double> moved = state.parameters;
  for (Index p = 0; p < moved.size(); p += 5) {
    if (gradient[p] == 0) continue;  // a gap between tensors
    CAPTURE(p);
    const double here = moved[p], step = 1e-5;
    moved[p] = here + step;
    const double above = loss(moved);
    moved[p] = here - step;
    const double below = loss(moved);
    moved[p] = here;
    // The leaky ReLU's bend lies within a step for few parameters, and the loss has 16 digits.
    CHECK(std::abs((above - below) / (2 * step) - gradient[p]) < 1e-6 * largest + 1e-9);
  }
}

TEST_CASE("without a value missing, masking has the bits of refusing") {
  const RowMatrix<float> X = curve<float>(60, 6, 3);
  for (const ScoreForm form : {ScoreForm::published, ScoreForm::several_centers}) {
    Options options = masking();
    options.epochs = 3;
    options.batch_size = 20;
    options.standardize = true;
    options.score = form;
    const auto net = dense_autoencoder<float>(6, {8, 3}, Activation());
    Trainer<float> masked(net, options);
    masked.fit(X);
    options.missing = Options::Missing::refuse;
    Trainer<float> plain(net, options);
    plain.fit(X);
    CHECK(same_bits(masked.state().parameters, plain.state().parameters));
    CHECK(masked.detector().score(X) == plain.detector().score(X));
    CHECK(masked.detector().threshold() == plain.detector().threshold());
  }
}

TEST_CASE(
    "masked training has the same bits with any number of threads, and its scores are the "
    "detector's") {
  RowMatrix<float> X = curve<float>(300, 30, 3);
  lose(X, 0.2, 2);
  for (const ScoreForm form : {ScoreForm::published, ScoreForm::balanced, ScoreForm::whitened,
                               ScoreForm::latent_whitened, ScoreForm::several_centers}) {
    CAPTURE(static_cast<int>(form));
    Options options = masking();
    options.gamma = GammaRule::ratio_of_means(2);
    options.epochs = 2;
    options.batch_size = 100;
    options.standardize = true;
    options.score = form;
    options.validation = 0.2;
    const auto net = dense_autoencoder<float>(30, {300, 200, 3}, Activation());
    std::vector<Trainer<float>> trainers;
    for (const int threads : {1, 3}) {
      options.threads = threads;
      trainers.emplace_back(net, options);
      trainers.back().fit(X);
    }
    CHECK(same_bits(trainers[0].state().parameters, trainers[1].state().parameters));
    const auto detector = trainers[0].detector();
    const auto scores = detector.score(X);
    CHECK(scores.allFinite());
    CHECK(scores == trainers[1].detector().score(X));
    std::vector<double> sorted(scores.begin(), scores.end());
    CHECK(detector.threshold() == quantile(std::move(sorted), options.training_quantile));
  }
}

TEST_CASE("a residual that is missing takes no variance away") {
  const Index n = 4000, d = 6;
  const std::vector<float> e = correlated(n, d);
  RowMatrix<float> X = Eigen::Map<const RowMatrix<float>>(e.data(), n, d);
  lose(X, 0.25, 1);
  const MissingPlaces missing{AnyRows(Rows<const float>(X))};
  const RowMatrix<float> zeros = X.unaryExpr([](float x) { return std::isnan(x) ? 0.f : x; });
  const auto whitening = [&](const float* rows, const MissingPlaces& places) {
    const auto a = Covariance(rows, n, d, places).whitening<double>();
    return RowMatrix<double>(Rows<const double>(a.data(), d, d).matrix());
  };
  const RowMatrix<double> A = whitening(e.data(), {}), B = whitening(zeros.data(), missing);
  const RowMatrix<double> whole = (A.transpose() * A).inverse(),
                          masked = (B.transpose() * B).inverse();
  for (Index i = 0; i < d; ++i) {
    // 4,000 draws of variance about 1.3: three quarters of them tell it to about 3 %, three times over.
    CHECK(masked(i, i) == doctest::Approx(whole(i, i)).epsilon(0.1));
    for (Index j = 0; j < i; ++j) {
      // Drawn towards zero by the share of rows that have both.
      const double shrunk = 0.79 * whole(i, j);
      CHECK(std::abs(masked(i, j) - shrunk) < 0.1);
    }
  }
}

TEST_CASE("a row that lacks values is measured by the covariance of all other rows") {
  const Index n = 60, d = 5;
  const std::vector<float> e = correlated(n, d);
  RowMatrix<float> X = Eigen::Map<const RowMatrix<float>>(e.data(), n, d);
  lose(X, 0.3, 4);
  const auto zeros = [](const RowMatrix<float>& rows) {
    return RowMatrix<float>(rows.unaryExpr([](float x) { return std::isnan(x) ? 0.f : x; }));
  };
  const RowMatrix<float> E = zeros(X);
  const MissingPlaces missing{AnyRows(Rows<const float>(X))};
  const auto lengths =
      Covariance(E.data(), n, d, missing).lengths_without(E.data(), all_rows(n), missing);
  double sum = 0, squares = 0;
  for (Index i = 0; i < n; ++i) {
    RowMatrix<float> others(n - 1, d);
    others << X.topRows(i), X.bottomRows(n - 1 - i);
    const RowMatrix<float> zeroed = zeros(others);
    const auto a =
        Covariance(zeroed.data(), n - 1, d, MissingPlaces(AnyRows(Rows<const float>(others))))
            .whitening<double>();
    const RowMatrix<double> A = Rows<const double>(a.data(), d, d).matrix();
    const RowMatrix<double> C = (A.transpose() * A).inverse();
    std::vector<Index> there;
    for (Index j = 0; j < d; ++j) {
      if (!std::isnan(X(i, j))) there.push_back(j);
    }
    const Index count = static_cast<Index>(there.size());
    Eigen::VectorXd row(count);
    RowMatrix<double> part(count, count);
    for (Index s = 0; s < count; ++s) {
      row[s] = static_cast<double>(X(i, there[static_cast<std::size_t>(s)]));
      for (Index t = 0; t < count; ++t) {
        part(s, t) = C(there[static_cast<std::size_t>(s)], there[static_cast<std::size_t>(t)]);
      }
    }
    const double refitted =
        row.dot(part.inverse() * row) * static_cast<double>(d) / static_cast<double>(count);
    const double ratio = lengths[static_cast<std::size_t>(i)] / refitted;
    sum += ratio / static_cast<double>(n);
    squares += (ratio - 1) * (ratio - 1) / static_cast<double>(n);
  }
  // The row's part is taken out by the mean of its features' shares of rows, and the ridge by one pole: the mean of the
  // ratios is 0.4 % off, one ratio 0.6 %. With the part 1 / n of a whole row they would be 1.4 and 2 % off.
  CHECK(sum == doctest::Approx(1).epsilon(0.01));
  CHECK(std::sqrt(squares) < 0.01);
}

TEST_CASE(
    "rows and features without a single value, and rows whose numbers hang together, are refused") {
  const auto net = dense_autoencoder<float>(6, {8, 3}, Activation());
  Options options = masking();
  RowMatrix<float> X = curve<float>(30, 6, 3);
  X(4, 2) = static_cast<float>(lost);
  CHECK_NOTHROW(Trainer<float>(net, options).step(X));
  X.row(5).setConstant(static_cast<float>(lost));
  CHECK_THROWS_WITH_AS(Trainer<float>(net, options).fit(X),
                       doctest::Contains("row 5 without a single value"), InvalidArgument);
  X.row(5) = X.row(6);
  X.col(3).setConstant(static_cast<float>(lost));
  CHECK_THROWS_WITH_AS(Trainer<float>(net, options).fit(X),
                       doctest::Contains("no value in column 3: leave the feature out"),
                       InvalidArgument);
  X.col(3).setConstant(1);
  X(7, 1) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH_AS(Trainer<float>(net, options).fit(X),
                       doctest::Contains("infinity in row 7, column 1; a value may be missing"),
                       InvalidArgument);
  options.contrast_floor = 0.1;
  CHECK_THROWS_WITH_AS(Trainer<float>(net, options), doctest::Contains("can't be masked"),
                       InvalidArgument);
  options = masking();
  options.missing = Options::Missing::impute;
  CHECK_THROWS_WITH_AS(Trainer<float>(net, options), doctest::Contains("by fit() alone"),
                       InvalidArgument);
}
