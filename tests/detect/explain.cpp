// Why a row got its score.

#include "detect/support.hpp"

#include <algorithm>
#include <numeric>

using namespace detect_tests;

namespace {

double sum(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

/// The shares add up to the parts, the parts to the score.
void check_sums(const Detector<float>& detector, const RowMatrix<float>& X) {
  const auto parts = detector.score_parts(X);
  const Vector<float> scores = detector.score(X);
  for (Index i = 0; i < X.rows(); ++i) {
    const Explanation e = detector.explain(X.row(i));
    CHECK(e.score == static_cast<double>(scores[i]));
    CHECK(e.reconstruction == static_cast<double>(parts.reconstruction[i]));
    CHECK(e.latent == static_cast<double>(parts.latent[i]));
    // Shares are computed in double from float residuals, the parts in float.
    CHECK(sum(e.features) == doctest::Approx(e.reconstruction).epsilon(1e-6));
    CHECK(sum(e.code) == doctest::Approx(e.latent).epsilon(1e-6));
    CHECK(e.features.size() == static_cast<std::size_t>(X.cols()));
  }
}

/// A detector that knows its rows: the residual of a zero row is the bias alone, and small.
Detector<float> zero_output_detector(Scaler<float> scaler = {}) {
  auto member = published_member(small_net<float>(), 1);
  const auto& last = member.network.net().joined().steps().back();
  for (Index i = 0; i < last.weights(); ++i) member.parameters[last.weight_at + i] *= 1e-3f;
  for (Index i = 0; i < last.outputs; ++i) member.parameters[last.bias_at + i] = 0;
  member.network.pack(member.parameters.data(), member.statistics.data());
  return detector_of<float>({member}, std::move(scaler));
}

}  // namespace

TEST_CASE("the shares of features and code units add up to the parts of the score") {
  const auto X = random_rows<float>(10, 9, 5);
  check_sums(detector_of<float>({published_member(small_net<float>(), 1)}), X);
  check_sums(detector_of<float>({whitened_member(small_net<float>(), 1)}), X);
  check_sums(detector_of<float>({published_member(small_net<float>(), 1)}, some_scaler<float>(9)),
             X);
  check_sums(detector_of<float>(
                 {published_member(small_net<float>(), 1), whitened_member(small_net<float>(), 2)},
                 some_scaler<float>(9)),
             X);
}

TEST_CASE("the disturbed feature has the largest share, and the residual points back") {
  for (const bool scaled : {false, true}) {
    const auto detector = zero_output_detector(scaled ? some_scaler<float>(9) : Scaler<float>());
    for (Index j = 0; j < 9; ++j) {
      RowMatrix<float> row = RowMatrix<float>::Zero(1, 9);
      for (Index i = 0; scaled && i < 9; ++i) row(0, i) = 0.1f * static_cast<float>(i);
      row(0, j) += 10;
      const Explanation e = detector.explain(row);
      const auto largest = std::max_element(e.features.begin(), e.features.end());
      CHECK(largest - e.features.begin() == j);
      CHECK(*largest > 0.9 * e.reconstruction);
      const double scale = scaled ? 0.5 + 0.25 * static_cast<double>(j) : 1;
      // xhat - x, and xhat is nearly 0.
      CHECK(e.residual[static_cast<std::size_t>(j)] == doctest::Approx(-10 / scale).epsilon(0.01));
    }
  }
}

TEST_CASE("residual and offset are xhat - x and z - c") {
  const auto detector = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto X = random_rows<float>(1, 9, 5);
  const Explanation e = detector.explain(X.data());
  const RowMatrix<float> code = detector.encode(X), output = detector.reconstruct(X);
  for (Index j = 0; j < 9; ++j) {
    CHECK(e.residual[static_cast<std::size_t>(j)] ==
          static_cast<double>(output(0, j)) - static_cast<double>(X(0, j)));
  }
  for (Index j = 0; j < 4; ++j) {
    CHECK(e.offset[static_cast<std::size_t>(j)] ==
          static_cast<double>(code(0, j)) -
              static_cast<double>(detector.model().members[0].center[j]));
  }
}

TEST_CASE("an ensemble's residual is its members' mean, its code shares follow each other") {
  const auto a = published_member(small_net<float>(), 1);
  const auto b = published_member(small_net<float>(), 2);
  const auto X = random_rows<float>(1, 9, 5);
  const Explanation of_a = detector_of<float>({a}).explain(X);
  const Explanation of_b = detector_of<float>({b}).explain(X);
  const Explanation both = detector_of<float>({a, b}).explain(X);
  for (std::size_t j = 0; j < 9; ++j) {
    CHECK(both.residual[j] == doctest::Approx((of_a.residual[j] + of_b.residual[j]) / 2));
    CHECK(both.features[j] == doctest::Approx((of_a.features[j] + of_b.features[j]) / 2));
  }
  REQUIRE(both.code.size() == 8);
  for (std::size_t j = 0; j < 4; ++j) {
    CHECK(both.code[j] == doctest::Approx(of_a.code[j] / 2));
    CHECK(both.code[4 + j] == doctest::Approx(of_b.code[j] / 2));
    CHECK(both.offset[j] == of_a.offset[j]);
    CHECK(both.offset[4 + j] == of_b.offset[j]);
  }
}

TEST_CASE("a row may be a row, a column or a part of a matrix") {
  const auto detector = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto X = random_rows<float>(3, 9, 5);
  const Eigen::MatrixXf columns = X.transpose();
  const double score = detector.explain(X.row(1)).score;
  CHECK(detector.explain(columns.col(1)).score == score);
  CHECK(detector.explain(columns.transpose().row(1)).score == score);
  CHECK(detector.explain(X.row(1).data()).score == score);
}

TEST_CASE("a net without a decoder is explained by its code") {
  const auto net = autoencoder(small_net<float>().encoder(), Network<float>());
  const auto detector = detector_of<float>({published_member(net, 1)});
  const Explanation e = detector.explain(random_rows<float>(1, 9, 5));
  CHECK(e.features == std::vector<double>(9, 0));
  CHECK(e.residual == std::vector<double>(9, 0));
  CHECK(e.reconstruction == 0);
  CHECK(sum(e.code) == doctest::Approx(e.score).epsilon(1e-6));
}
