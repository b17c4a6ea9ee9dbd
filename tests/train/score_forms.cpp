// Every score form against plain double code: the terms of the trained net, their means and covariances.

#include <doctest/doctest.h>

#include "train/support.hpp"

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// Residuals xhat - x (n x d) and offsets z - c (n x m) of rows under a trainer's net.
struct Differences {
  RowMatrix<double> residuals, offsets, outputs;

  Differences(const Trainer<double>& trainer, const RowMatrix<double>& X) {
    const auto& state = trainer.state();
    const PackedNetwork<double> net(trainer.net(), state.parameters.data(),
                                    state.statistics.data());
    auto buffers = net.make_buffers(X.rows());
    const auto result = net.forward(X, buffers);
    outputs = result.output.matrix();
    residuals = outputs - X;
    offsets = result.code.matrix();
    for (Index j = 0; j < offsets.cols(); ++j) offsets.col(j).array() -= state.center.center[j];
  }
  Eigen::VectorXd r() const {
    return residuals.rowwise().squaredNorm() / static_cast<double>(residuals.cols());
  }
  Eigen::VectorXd q() const { return offsets.rowwise().squaredNorm(); }
};

/// e^T C^-1 e of each row e of E, C the mean of e e^T over the rows of `of` and 0.1 of its mean variance:
/// the squared Mahalanobis distance.
Eigen::VectorXd mahalanobis(const RowMatrix<double>& E, const RowMatrix<double>& of) {
  Eigen::MatrixXd c = of.transpose() * of / static_cast<double>(of.rows());
  c.diagonal().array() += 0.1 * c.trace() / static_cast<double>(c.rows());
  const Eigen::MatrixXd solved = c.llt().solve(E.transpose());
  return (E.transpose().array() * solved.array()).colwise().sum().transpose();
}

/// The whitened score of each row by the covariance of all others.
Eigen::VectorXd whitened_without(const RowMatrix<double>& E) {
  Eigen::VectorXd lengths(E.rows());
  for (Index i = 0; i < E.rows(); ++i) {
    RowMatrix<double> others(E.rows() - 1, E.cols());
    others << E.topRows(i), E.bottomRows(E.rows() - 1 - i);
    lengths[i] = mahalanobis(E.row(i), others)[0];
  }
  return lengths / static_cast<double>(E.cols());
}

/// The mean squared difference of each row from the nearest of the centers.
Eigen::VectorXd nearest(const RowMatrix<double>& rows, const RowMatrix<double>& centers) {
  Eigen::VectorXd least(rows.rows());
  for (Index i = 0; i < rows.rows(); ++i) {
    least[i] = (centers.rowwise() - rows.row(i)).rowwise().squaredNorm().minCoeff();
  }
  return least / static_cast<double>(rows.cols());
}

/// Three rounds of k-means from rows spread evenly.
RowMatrix<double> k_means(const RowMatrix<double>& rows, Index count) {
  RowMatrix<double> centers(count, rows.cols());
  for (Index c = 0; c < count; ++c) centers.row(c) = rows.row(c * rows.rows() / count);
  for (int round = 0; round < 3; ++round) {
    RowMatrix<double> sums = RowMatrix<double>::Zero(count, rows.cols());
    Eigen::VectorXd members = Eigen::VectorXd::Zero(count);
    for (Index i = 0; i < rows.rows(); ++i) {
      Index c;
      (centers.rowwise() - rows.row(i)).rowwise().squaredNorm().minCoeff(&c);
      sums.row(c) += rows.row(i);
      members[c] += 1;
    }
    for (Index c = 0; c < count; ++c) {
      if (members[c] > 0) centers.row(c) = sums.row(c) / members[c];
    }
  }
  return centers;
}

/// Between the values next to rank 0.9 (n + 1).
double ninety(Eigen::VectorXd x) {
  std::sort(x.data(), x.data() + x.size());
  const double rank = 0.9 * static_cast<double>(x.size() + 1), below = std::floor(rank);
  const auto at = static_cast<Index>(below);
  return x[at - 1] + (rank - below) * (x[at] - x[at - 1]);
}

/// The scores of rows `some` by the form's definition, the trained rows being `all`.
Eigen::VectorXd defined(ScoreForm form, const Differences& some, const Differences& all,
                        double gamma) {
  if (form == ScoreForm::published) return some.r() + gamma * some.q();
  if (form == ScoreForm::balanced) return some.r() / all.r().mean() + some.q() / all.q().mean();
  if (form == ScoreForm::latent_whitened) {
    return some.r() / all.r().mean() +
           mahalanobis(some.offsets, all.offsets) / mahalanobis(all.offsets, all.offsets).mean();
  }
  const Eigen::VectorXd whitened =
      mahalanobis(some.residuals, all.residuals) / static_cast<double>(some.residuals.cols());
  if (form == ScoreForm::whitened) return whitened;
  const RowMatrix<double> centers = k_means(all.outputs, all.outputs.rows() / 2);
  return whitened / ninety(whitened_without(all.residuals)) +
         (1 - 6.0 / 120) * nearest(some.outputs, centers) / ninety(nearest(all.outputs, centers));
}

void check_form(ScoreForm form) {
  const RowMatrix<double> X = curve<double>(120, 6, 3), others = curve<double>(30, 6, 4);
  Options options;
  options.epochs = 20;
  options.batch_size = 30;
  options.threads = 1;
  options.gamma = GammaRule::value(0.1);
  options.score = form;
  Trainer<double> trainer(dense_autoencoder<double>(6, {8, 3}, {}), options);
  trainer.fit(X);
  const Differences all(trainer, X), some(trainer, others);
  const Eigen::VectorXd expected = defined(form, some, all, 0.1);
  const Eigen::VectorXd scores = trainer.detector().score(others);
  for (Index i = 0; i < others.rows(); ++i) {
    // Sums in another order, through a covariance whose condition the ridge keeps below 100. With
    // several centers the quantile is of rows measured without themselves, nearly (see Covariance).
    const double tolerance = form == ScoreForm::several_centers ? 1e-3 : 1e-11;
    CHECK(scores[i] == doctest::Approx(expected[i]).epsilon(tolerance));
  }
}

}  // namespace

TEST_CASE("the 0.9 quantile lies at rank 0.9 (n + 1), whether of all values or of all but one") {
  // 1, ..., n: their quantile is the rank itself.
  for (const int n : {9, 10, 19, 24, 99, 100}) {
    CAPTURE(n);
    std::vector<double> values;
    for (int i = n; i > 0; --i) values.push_back(i);
    const dasvdd::detail::Ninety ninety(values, 0);
    CHECK(ninety.of_all() == doctest::Approx(0.9 * (n + 1)).epsilon(1e-14));
    // Without a value below them the others are counted from one further on; without the largest, which
    // the quantile of n - 1 values lies below, nothing changes but the rank.
    const double rank = (std::min)(0.9 * n, n - 1.0);
    CHECK(ninety.without(1) == doctest::Approx(rank + 1).epsilon(1e-14));
    CHECK(ninety.without(n) == doctest::Approx(rank).epsilon(1e-14));
  }
  CHECK(dasvdd::detail::Ninety({5, 1, 2, 4, 3, 9, 8, 7, 10, 6}, 0).without(9) == 10);
  CHECK(dasvdd::detail::Ninety({3, 3, 3}, 0.5).without(3) == 3);
  CHECK(dasvdd::detail::Ninety({0.1, 0.2}, 0.5).without(0.2) == 0.5);
  CHECK(dasvdd::detail::Ninety({0, 0}, 0).of_all() == 1);
  CHECK(dasvdd::detail::Ninety({7}, 0).without(7) == 7);
}

TEST_CASE("the published score is r + gamma q") { check_form(ScoreForm::published); }

TEST_CASE("the balanced score divides both terms by their training means") {
  check_form(ScoreForm::balanced);
}

TEST_CASE("the latent-whitened score has the latent code's Mahalanobis distance from the center") {
  check_form(ScoreForm::latent_whitened);
}

TEST_CASE("the whitened score is the residual's Mahalanobis distance, a mean over the features") {
  check_form(ScoreForm::whitened);
}

TEST_CASE("the score with several centers adds the decoded code's distance from the nearest") {
  check_form(ScoreForm::several_centers);
}

TEST_CASE("rows the net was not trained on are scored as if they had no part in the score") {
  // Of 60 rows a net was not trained on every third. Each form's left-out score against the detector
  // that is made without that row.
  const Index n = 60;
  const RowMatrix<double> X = curve<double>(n, 4, 5);
  Options options;
  options.epochs = 10;
  options.threads = 1;
  options.gamma = GammaRule::value(0.1);
  Trainer<double> trainer(dense_autoencoder<double>(4, {6, 2}, {}), options);
  trainer.fit(X);
  const auto& state = trainer.state();
  const auto trained =
      trained_net(trainer.net(), state, state.parameters, state.scaler, Dasvdd<double>());
  LeftOut left_out;
  for (Index i = 0; i < n; i += 3) left_out.rows.push_back(i);
  FitReport report;
  for (const ScoreForm form : {ScoreForm::published, ScoreForm::balanced,
                               ScoreForm::latent_whitened, ScoreForm::whitened}) {
    options.score = form;
    CAPTURE(static_cast<int>(form));
    REQUIRE(finish<double>(trained, options, X, 1, report, &left_out).has_value());
    REQUIRE(left_out.scores.size() == left_out.rows.size());
    for (std::size_t i = 0; i < left_out.rows.size(); ++i) {
      const Index row = left_out.rows[i];
      RowMatrix<double> others(n - 1, 4);
      others << X.topRows(row), X.bottomRows(n - 1 - row);
      const auto without = finish<double>(trained, options, others, 1, report);
      const double expected = without->score(X.row(row))[0];
      // The ridge's share, and in the latent-whitened score the mean of t that the row is part of.
      const double tolerance = form == ScoreForm::published  ? 1e-12
                               : form == ScoreForm::balanced ? 1e-9
                                                             : 0.05;
      CHECK(left_out.scores[i] == doctest::Approx(expected).epsilon(tolerance));
    }
  }
}

TEST_CASE("a score form that is none is refused") {
  Options options;
  options.epochs = 1;
  options.score = static_cast<ScoreForm>(9);
  Trainer<double> trainer(dense_autoencoder<double>(4, {3, 2}, {}), options);
  CHECK_THROWS_WITH_AS(trainer.fit(curve<double>(20, 4, 1)),
                       "the score form is 9, expected one of the enumerators of ScoreForm",
                       InvalidArgument);
}
