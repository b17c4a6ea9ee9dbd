// Whether explanations find the feature that was disturbed.

#include <dasvdd/core/random.hpp>
#include <dasvdd/fit/fit.hpp>

#include <doctest/doctest.h>
#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

using namespace dasvdd;

namespace {

constexpr Index features = 12;

/// Rows of correlated normal features: four causes in common and noise of each feature's own.
class Table {
 public:
  Table() : mix_(features, 4), noise_(features) {
    Random random(1);
    for (Index i = 0; i < mix_.size(); ++i) mix_.data()[i] = random.normal();
    for (Index j = 0; j < features; ++j) noise_[j] = 0.2 + 0.4 * random.uniform();
    const Eigen::MatrixXd covariance =
        mix_ * mix_.transpose() + Eigen::MatrixXd(noise_.cwiseAbs2().asDiagonal());
    const Eigen::MatrixXd precision =
        covariance.llt().solve(Eigen::MatrixXd::Identity(features, features));
    deviation_ = precision.diagonal().cwiseInverse().cwiseSqrt();
  }

  RowMatrix<float> rows(Index n, std::uint64_t seed) const {
    Random random(seed);
    RowMatrix<float> X(n, features);
    Eigen::VectorXd causes(mix_.cols());
    for (Index i = 0; i < n; ++i) {
      for (double& cause : causes) cause = random.normal();
      const Eigen::VectorXd common = mix_ * causes;
      for (Index j = 0; j < features; ++j) {
        // Different units, as in a real table.
        const double value = common[j] + noise_[j] * random.normal();
        X(i, j) = static_cast<float>(unit(j) * value + 10 * static_cast<double>(j));
      }
    }
    return X;
  }
  /// The standard deviation of feature j given all others, in its units.
  double deviation(Index j) const { return unit(j) * deviation_[j]; }

 private:
  static double unit(Index j) { return std::pow(3, static_cast<double>(j % 5) - 2); }

  Eigen::MatrixXd mix_;
  Eigen::VectorXd noise_, deviation_;
};

/// How many of `shares` are above the share of j.
std::ptrdiff_t place(const std::vector<double>& shares, Index j) {
  const double own = shares[static_cast<std::size_t>(j)];
  return std::count_if(shares.begin(), shares.end(), [&](double s) { return s > own; });
}

/// score(x) - score(x with the expected value in feature j's place), for each j.
std::vector<double> differences(const Detector<float>& detector, const RowMatrix<float>& row,
                                const Explanation& e) {
  RowMatrix<float> replaced = row.replicate(features, 1);
  for (Index j = 0; j < features; ++j) {
    replaced(j, j) = static_cast<float>(e.expected[static_cast<std::size_t>(j)]);
  }
  const Eigen::VectorXf scores = detector.score(replaced, 1);
  std::vector<double> result;
  for (const float score : scores) result.push_back(e.score - static_cast<double>(score));
  return result;
}

struct Found {
  int first = 0, of_three = 0, first_by_difference = 0, of_three_by_difference = 0;
};

Found search(const Table& table, const Detector<float>& detector, double deviations) {
  const RowMatrix<float> X = table.rows(200, 3);
  Found found;
  for (Index i = 0; i < X.rows(); ++i) {
    const Index j = i % features;
    RowMatrix<float> row = X.row(i);
    const double sign = i / features % 2 == 0 ? 1 : -1;
    row(0, j) += static_cast<float>(sign * deviations * table.deviation(j));
    const Explanation e = detector.explain(row);
    const std::ptrdiff_t at = place(e.features, j),
                         by_difference = place(differences(detector, row, e), j);
    found.first += at == 0;
    found.of_three += at < 3;
    found.first_by_difference += by_difference == 0;
    found.of_three_by_difference += by_difference < 3;
  }
  return found;
}

void report(const char* form, const Table& table, const Detector<float>& detector) {
  for (const double deviations : {4.0, 6.0, 8.0}) {
    const Found found = search(table, detector, deviations);
    MESSAGE(std::string(form), ", moved by ", deviations,
            " deviations, of 200 rows: largest share ", found.first, ", of the three largest ",
            found.of_three, "; by differences ", found.first_by_difference, " and ",
            found.of_three_by_difference);
    if (deviations > 4) CHECK(found.of_three >= 190);
  }
}

}  // namespace

TEST_CASE("a disturbed feature is among the three largest shares") {
  const Table table;
  const RowMatrix<float> X = table.rows(2000, 2);
  FitOptions settings;
  settings.ensemble_size = 2;
  settings.steps = 600;
  settings.threads = 1;
  report("whitened", table, fit(X, settings));

  Options options;
  options.standardize = true;
  options.epochs = 60;
  options.batch_size = 50;
  options.threads = 1;
  for (const ScoreForm form :
       {ScoreForm::published, ScoreForm::balanced, ScoreForm::latent_whitened}) {
    options.score = form;
    Trainer<float> trainer(
        dense_autoencoder<float>(features, {32, 4}, Activation(), Activation("tanh"), Activation()),
        options);
    trainer.fit(X);
    report(form == ScoreForm::published  ? "published"
           : form == ScoreForm::balanced ? "balanced"
                                         : "latent_whitened",
           table, trainer.detector());
  }
}
