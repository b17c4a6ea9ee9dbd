// Every score form against plain double code: the terms of the trained net, their means and covariances.

#include <doctest/doctest.h>

#include "train/support.hpp"

#include <Eigen/Cholesky>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// Residuals xhat - x (n x d) and offsets z - c (n x m) of rows under a trainer's net.
struct Differences {
  RowMatrix<double> residuals, offsets;

  Differences(const Trainer<double>& trainer, const RowMatrix<double>& X) {
    const auto& state = trainer.state();
    const PackedNetwork<double> net(trainer.net(), state.parameters.data(),
                                    state.statistics.data());
    auto buffers = net.make_buffers(X.rows());
    const auto result = net.forward(X, buffers);
    residuals = result.output.matrix() - X;
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

/// The scores of rows `some` by the form's definition, the trained rows being `all`.
Eigen::VectorXd defined(ScoreForm form, const Differences& some, const Differences& all,
                        double gamma) {
  if (form == ScoreForm::published) return some.r() + gamma * some.q();
  if (form == ScoreForm::balanced) return some.r() / all.r().mean() + some.q() / all.q().mean();
  if (form == ScoreForm::latent_whitened) {
    return some.r() / all.r().mean() +
           mahalanobis(some.offsets, all.offsets) / mahalanobis(all.offsets, all.offsets).mean();
  }
  return mahalanobis(some.residuals, all.residuals) / static_cast<double>(some.residuals.cols());
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
    // Sums in another order, through a covariance whose condition the ridge keeps below 100.
    CHECK(scores[i] == doctest::Approx(expected[i]).epsilon(1e-11));
  }
}

}  // namespace

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

TEST_CASE("a score form that is none is refused") {
  Options options;
  options.epochs = 1;
  options.score = static_cast<ScoreForm>(9);
  Trainer<double> trainer(dense_autoencoder<double>(4, {3, 2}, {}), options);
  CHECK_THROWS_WITH_AS(trainer.fit(curve<double>(20, 4, 1)),
                       "the score form is 9, expected one of the enumerators of ScoreForm",
                       InvalidArgument);
}
