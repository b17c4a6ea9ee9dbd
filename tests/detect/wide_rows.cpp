// Rows of double for nets in float, and of float for nets in double.

#include "detect/support.hpp"

#include <dasvdd/nn/autoencoder.hpp>

#include <cmath>
#include <limits>

using namespace detect_tests;

namespace {

std::vector<Scaler<float>> scalers() {
  return {Scaler<float>(),
          Scaler<float>(Standardizer<float>({1, -2, 300, 0.1, 5, 6}, {0.5, 2, 3, 0.3, 5, 6})),
          Scaler<float>(ContrastNormalizer<float>(0.25)),
          Scaler<float>(Softener<float>({1, 2, 3}))};
}

/// A detector whose score is the squared length of the scaled row: the net's output is zero.
Detector<float> of_length(Index d, Scaler<float> scaler) {
  const auto net = dense_autoencoder<float>(d, {2});
  Member<float> member = published_member(net, 1);
  std::fill(member.parameters.begin(), member.parameters.end(), 0.0f);
  member.network = PackedNetwork<float>(net, member.parameters.data(), member.statistics.data());
  member.latent = ScoreTerm<float>(net.code(), 0, 1);
  return detector_of<float>({std::move(member)}, std::move(scaler));
}

}  // namespace

TEST_CASE("rows that a float holds score the same bits as rows of double") {
  const auto X = random_rows<float>(203, 6, 3, 2);
  const RowMatrix<double> wide = X.cast<double>();
  // A narrow net and one that is not.
  for (const std::vector<Index>& widths : {std::vector<Index>{5, 3}, std::vector<Index>{40, 3}}) {
    for (const Scaler<float>& scaler : scalers()) {
      CAPTURE(scaler.text());
      const auto detector =
          detector_of<float>({published_member(dense_autoencoder<float>(6, widths), 4)}, scaler);
      CHECK(detector.score(X) == detector.score(wide));
      CHECK(detector.encode(X) == detector.encode(wide));
      CHECK(detector.reconstruct(X) == detector.reconstruct(wide));
      CHECK(detector.predict(X) == detector.predict(wide));
      auto workspace = detector.make_workspace(1);
      CHECK(detector.score_one(X.row(7).data(), workspace) ==
            detector.score_one(wide.row(7).data(), workspace));
      CHECK(detector.explain(X.row(7)).features == detector.explain(wide.row(7)).features);
      // Rows that lie apart, and some of them.
      const Rows<const double> apart(wide.data(), 100, 6, 12);
      const auto scores = detector.score(apart), all = detector.score(X);
      for (Index i = 0; i < 100; ++i) CHECK(scores[i] == all[2 * i]);
    }
  }
}

TEST_CASE("what varies beside a large mean is kept: the mean is subtracted in double") {
  const double now = 1.7e9, pascal = 101325;
  const auto detector =
      of_length(2, Scaler<float>(Standardizer<float>({now + 0.25, pascal + 1e-4}, {2, 1e-3})));
  RowMatrix<double> X(2, 2);
  X << now + 4.25, pascal + 1e-4, now + 0.25, pascal + 3.1e-3;
  const auto scores = detector.score(X);
  CHECK(scores[0] == doctest::Approx(2.0 * 2.0 / 2).epsilon(1e-6));
  CHECK(scores[1] == doctest::Approx(3.0 * 3.0 / 2).epsilon(1e-6));
  // As floats the two are 128 seconds, and an eighth of a pascal, from the next number.
  const RowMatrix<float> rounded = X.cast<float>();
  CHECK(detector.score(rounded)[0] != doctest::Approx(2.0).epsilon(0.1));

  const Explanation why = detector.explain(X.row(0));
  CHECK(why.observed == std::vector<double>{now + 4.25, pascal + 1e-4});
  CHECK(why.expected == std::vector<double>{now + 0.25, pascal + 1e-4});
}

TEST_CASE("a net in double takes rows of float") {
  const auto X = random_rows<float>(50, 6, 3);
  const RowMatrix<double> wide = X.cast<double>();
  for (const Scaler<double>& scaler :
       {Scaler<double>(),
        Scaler<double>(Standardizer<double>({1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6})),
        Scaler<double>(ContrastNormalizer<double>(0.25)),
        Scaler<double>(Softener<double>({1, 2, 3}))}) {
    CAPTURE(scaler.text());
    const auto detector =
        detector_of<double>({published_member(dense_autoencoder<double>(6, {5, 3}), 4)}, scaler);
    CHECK(detector.score(X) == detector.score(wide));
  }
}

TEST_CASE("rows of double are checked as rows of float are, and far ones score infinity") {
  const auto detector = of_length(3, Scaler<float>());
  RowMatrix<double> X = RowMatrix<double>::Zero(300, 3);
  X(250, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(detector.score(X),
                       "the batch has NaN in row 250, column 1; every value must be finite",
                       InvalidArgument);
  auto workspace = detector.make_workspace();
  Vector<float> scores(300);
  CHECK_THROWS_AS(detector.score(X, workspace, scores.data()), InvalidArgument);
  CHECK_THROWS_WITH_AS(detector.score(RowMatrix<double>(RowMatrix<double>::Zero(5, 4))),
                       "the batch is 5 x 4, expected 3 columns (one sample a row)",
                       InvalidArgument);
  // A double that no float is: further out than any.
  X(250, 1) = 1e300;
  CHECK(detector.score(X)[250] == std::numeric_limits<float>::infinity());
}
