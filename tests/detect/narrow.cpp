// Narrow nets score sixteen rows at once; that must not show in any bit.

#include "detect/support.hpp"

#include <dasvdd/dasvdd.hpp>

#include <doctest/doctest.h>

#include <cstring>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

template <class Scalar>
RowMatrix<Scalar> rows(Index n, Index d) {
  Random random(11);
  RowMatrix<Scalar> X(n, d);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < d; ++j) X(i, j) = static_cast<Scalar>(3 * random.normal());
  }
  return X;
}

/// Scores in one batch (sixteen rows at once, the last few not) against each row alone.
template <class Scalar>
void check_same(const Autoencoder<Scalar>& net, bool standardize) {
  const RowMatrix<Scalar> X = rows<Scalar>(70, net.inputs());
  Options options;
  options.epochs = 2;
  options.batch_size = 20;
  options.threads = 1;
  options.standardize = standardize;
  Trainer<Scalar> trainer(net, options);
  trainer.fit(X);
  const auto detector = trainer.detector();
  REQUIRE(workspace_size(detector.model(), 96).narrow() > 0);
  const typename Detector<Scalar>::ScoreParts parts = detector.score_parts(X, 1);
  auto workspace = detector.make_workspace();
  Vector<Scalar> scores(70);
  detector.score(X, workspace, scores.data());
  for (Index i = 0; i < 70; ++i) {
    // A batch of one is too short for a block.
    const typename Detector<Scalar>::ScoreParts alone = detector.score_parts(X.middleRows(i, 1), 1);
    CHECK(std::memcmp(&parts.reconstruction[i], &alone.reconstruction[0], sizeof(Scalar)) == 0);
    CHECK(std::memcmp(&parts.latent[i], &alone.latent[0], sizeof(Scalar)) == 0);
    CHECK(scores[i] == parts.reconstruction[i] + parts.latent[i]);
  }
}

}  // namespace

TEST_CASE("a narrow net gives sixteen rows at once the bits of each row alone") {
  check_same(dense_autoencoder<float>(8, {10, 4, 4}, Activation()), true);
  check_same(dense_autoencoder<double>(8, {10, 4, 4}, Activation()), false);
  // More features than lanes of the sums, widths that are no multiples of anything, other activations.
  check_same(dense_autoencoder<float>(29, {31, 17, 5}, sigmoid(), tanh(), Activation("gelu")),
             true);
  // An activation that is a step of its own, and a layer without a bias.
  check_same(
      autoencoder(chain(dense<float>(3, 7, false), relu(), Activation("silu"), dense<float>(7, 1)),
                  chain(dense<float>(1, 3), Activation("softplus"), Activation("elu"))),
      false);
}

TEST_CASE("an ensemble of narrow nets gives whole strips the bits of each row alone") {
  using namespace detect_tests;
  // The first member without a decoder: its reconstruction term is zero and the second's is added.
  const auto net = small_net<float>();
  const auto detector = detector_of<float>(
      {make_member(net, 1, ScoreTerm<float>(9, 0, 9), ScoreTerm<float>(4, 0.3, 1)),
       published_member(net, 2), published_member(net, 3)},
      some_scaler<float>(9));
  REQUIRE(workspace_size(detector.model(), 96).narrow() > 0);
  const auto X = random_rows<float>(200, 9, 4);
  const auto parts = detector.score_parts(X, 2);
  for (Index i = 0; i < 200; ++i) {
    const auto alone = detector.score_parts(X.middleRows(i, 1), 1);
    CHECK(parts.reconstruction[i] == alone.reconstruction[0]);
    CHECK(parts.latent[i] == alone.latent[0]);
    CHECK(alone.reconstruction[0] > 0);
  }
}

TEST_CASE("wide nets and whitened scores take the ordinary way") {
  const RowMatrix<float> X = rows<float>(40, 4);
  Options options;
  options.epochs = 1;
  options.threads = 1;
  Trainer<float> wide(dense_autoencoder<float>(4, {33, 2}, Activation()), options);
  wide.fit(X);
  CHECK(workspace_size(wide.detector().model(), 96).narrow() == 0);
  options.score = ScoreForm::whitened;
  Trainer<float> whitened(dense_autoencoder<float>(4, {5, 2}, Activation()), options);
  whitened.fit(X);
  CHECK(workspace_size(whitened.detector().model(), 96).narrow() == 0);
}
