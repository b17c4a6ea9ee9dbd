// Why a row got its score.

#include "detect/support.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace detect_tests;

namespace {

double sum(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

/// Both terms, with a whitened latent one.
template <class Scalar>
Member<Scalar> latent_whitened_member(const Autoencoder<Scalar>& net, std::uint64_t seed) {
  const Index m = net.code();
  AlignedBuffer<Scalar> a(m * m);
  Random random(seed + 1);
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j <= i; ++j) a[i * m + j] = static_cast<Scalar>(random.normal());
  }
  return make_member(net, seed,
                     ScoreTerm<Scalar>(net.inputs(), 2, static_cast<double>(net.inputs())),
                     ScoreTerm<Scalar>(m, 0.5, 1, std::move(a)));
}

/// No share is negative, and they add up to the score.
template <class Scalar>
void check_shares(const Detector<Scalar>& detector) {
  const auto X = random_rows<Scalar>(10, detector.features(), 5);
  const auto parts = detector.score_parts(X);
  const Vector<Scalar> scores = detector.score(X);
  for (Index i = 0; i < X.rows(); ++i) {
    const Explanation e = detector.explain(X.row(i));
    CHECK(e.score == static_cast<double>(scores[i]));
    CHECK(e.reconstruction == static_cast<double>(parts.reconstruction[i]));
    CHECK(e.latent == static_cast<double>(parts.latent[i]));
    REQUIRE(e.features.size() == static_cast<std::size_t>(X.cols()));
    CHECK(sum(e.features) == doctest::Approx(e.score).epsilon(1e-12));
    CHECK(*std::min_element(e.features.begin(), e.features.end()) >= 0);
    CHECK(*std::max_element(e.features.begin(), e.features.end()) > 0);
  }
}

template <class Scalar>
void check_all_shares() {
  const auto net = small_net<Scalar>();
  const auto published = published_member(net, 1), whitened = whitened_member(net, 2),
             latent_whitened = latent_whitened_member(net, 3), several = centers_member(net, 6);
  const auto code_alone = published_member(autoencoder(net.encoder(), Network<Scalar>()), 4);
  const std::vector<Scaler<Scalar>> scalers = {{},
                                               some_scaler<Scalar>(9),
                                               {ContrastNormalizer<Scalar>(1e-3)},
                                               {Softener<Scalar>({1, 3, 3})}};
  for (const auto& scaler : scalers) {
    check_shares(detector_of<Scalar>({published}, scaler));
    check_shares(detector_of<Scalar>({whitened}, scaler));
    check_shares(detector_of<Scalar>({latent_whitened}, scaler));
    check_shares(detector_of<Scalar>({code_alone}, scaler));
    check_shares(detector_of<Scalar>({several}, scaler));
    check_shares(detector_of<Scalar>({published, whitened}, scaler));
    check_shares(detector_of<Scalar>({latent_whitened, code_alone}, scaler));
  }
}

/// A detector that expects nearly zero, in the net's units, of every feature.
Detector<float> zero_output_detector(Scaler<float> scaler = {}) {
  auto member = published_member(small_net<float>(), 1);
  const auto& last = member.network.net().joined().steps().back();
  for (Index i = 0; i < last.weights(); ++i) member.parameters[last.weight_at + i] *= 1e-3f;
  for (Index i = 0; i < last.outputs; ++i) member.parameters[last.bias_at + i] = 0;
  member.network.pack(member.parameters.data(), member.statistics.data());
  member.latent = ScoreTerm<float>(4, 0, 1);
  return detector_of<float>({member}, std::move(scaler));
}

/// A net whose code is feature 0 alone and whose reconstruction doesn't count.
Member<float> code_of_one_feature(Index features) {
  const auto net = autoencoder(chain(dense<float>(features, 1)));
  AlignedBuffer<float> parameters(net.parameters()), statistics(net.statistics()), center(1);
  parameters[net.joined().steps().front().weight_at] = 1;
  PackedNetwork<float> packed(net, parameters.data(), statistics.data());
  return {std::move(packed), parameters, statistics, center, 1, {features, 0, 1}, {1, 1, 1}};
}

}  // namespace

TEST_CASE("no share is negative and all shares add up to the score, for every form of it") {
  check_all_shares<float>();
  check_all_shares<double>();
}

TEST_CASE("the disturbed feature has the largest share, and what was expected is in its units") {
  for (const bool scaled : {false, true}) {
    const auto detector = zero_output_detector(scaled ? some_scaler<float>(9) : Scaler<float>());
    for (Index j = 0; j < 9; ++j) {
      RowMatrix<float> row = RowMatrix<float>::Zero(1, 9);
      for (Index i = 0; scaled && i < 9; ++i) row(0, i) = 0.1f * static_cast<float>(i);
      const double usual = static_cast<double>(row(0, j));
      row(0, j) += 10;
      const Explanation e = detector.explain(row);
      const auto largest = std::max_element(e.features.begin(), e.features.end());
      CHECK(largest - e.features.begin() == j);
      CHECK(*largest > 0.9 * e.score);
      const std::size_t at = static_cast<std::size_t>(j);
      CHECK(e.observed[at] == static_cast<double>(row(0, j)));
      CHECK(e.expected[at] == doctest::Approx(usual).epsilon(0.01).scale(10));
    }
  }
}

TEST_CASE("expected is the reconstruction in the row's units, of an ensemble the mean") {
  const auto a = published_member(small_net<float>(), 1);
  const auto b = whitened_member(small_net<float>(), 2);
  const auto both = detector_of<float>({a, b}, some_scaler<float>(9));
  const auto X = random_rows<float>(1, 9, 5);
  const RowMatrix<float> of_a = both.reconstruct(X, 0), of_b = both.reconstruct(X, 1);
  const Explanation e = both.explain(X);
  for (Index j = 0; j < 9; ++j) {
    const double mean = (static_cast<double>(of_a(0, j)) + static_cast<double>(of_b(0, j))) / 2;
    CHECK(e.expected[static_cast<std::size_t>(j)] == doctest::Approx(mean).epsilon(1e-6));
    CHECK(e.observed[static_cast<std::size_t>(j)] == static_cast<double>(X(0, j)));
  }
}

TEST_CASE("shares of the reconstruction term are the squared differences where it isn't whitened") {
  auto member = published_member(small_net<double>(), 1);
  member.latent = ScoreTerm<double>(4, 0, 1);
  const auto detector = detector_of<double>({member});
  const auto X = random_rows<double>(1, 9, 5);
  const Explanation e = detector.explain(X);
  for (std::size_t j = 0; j < 9; ++j) {
    const double difference = e.expected[j] - e.observed[j];
    CHECK(e.features[j] == doctest::Approx(difference * difference / 9));
  }
}

TEST_CASE("the latent term's shares are the differences from the nearest of several centers") {
  const auto net = small_net<double>();
  Member<double> member = centers_member(net, 1);
  member.reconstruction = ScoreTerm<double>(9, 0, 1);
  const auto detector = detector_of<double>({member});
  const auto X = random_rows<double>(5, 9, 5);
  const RowMatrix<double> output = detector.reconstruct(X);
  const RowMatrix<double> centers =
      Rows<const double>(member.latent.center_rows().data(), 21, 9).matrix();
  for (Index i = 0; i < 5; ++i) {
    Index nearest;
    (centers.rowwise() - output.row(i)).rowwise().squaredNorm().minCoeff(&nearest);
    const Explanation e = detector.explain(X.row(i));
    for (Index j = 0; j < 9; ++j) {
      const double difference = output(i, j) - centers(nearest, j);
      CHECK(e.features[static_cast<std::size_t>(j)] ==
            doctest::Approx(0.5 * difference * difference / 9));
    }
  }
}

TEST_CASE("shares of an ensemble are its members' means") {
  const auto a = published_member(small_net<double>(), 1);
  const auto b = whitened_member(small_net<double>(), 2);
  const auto X = random_rows<double>(1, 9, 5);
  const Explanation of_a = detector_of<double>({a}).explain(X);
  const Explanation of_b = detector_of<double>({b}).explain(X);
  const Explanation both = detector_of<double>({a, b}).explain(X);
  for (std::size_t j = 0; j < 9; ++j) {
    CHECK(both.features[j] == doctest::Approx((of_a.features[j] + of_b.features[j]) / 2));
  }
}

TEST_CASE("the order of the features doesn't change their shares") {
  // The same member for reversed rows: its encoder's columns, its decoder's rows and its whitening turned.
  const auto net = autoencoder(chain(dense<double>(9, 4)), chain(dense<double>(4, 9)));
  auto member = whitened_member(net, 1);
  auto turned = member;
  const auto& steps = net.joined().steps();
  AlignedBuffer<double> a(81);
  for (Index i = 0; i < 9; ++i) {
    for (Index o = 0; o < 4; ++o) {
      turned.parameters[steps[0].weight_at + o * 9 + i] =
          member.parameters[steps[0].weight_at + o * 9 + 8 - i];
      turned.parameters[steps[1].weight_at + i * 4 + o] =
          member.parameters[steps[1].weight_at + (8 - i) * 4 + o];
    }
    turned.parameters[steps[1].bias_at + i] = member.parameters[steps[1].bias_at + 8 - i];
    for (Index j = 0; j < 9; ++j) {
      a[i * 9 + j] = member.reconstruction.whitening()[i * 9 + 8 - j];
    }
  }
  turned.reconstruction = ScoreTerm<double>(9, 1, 9, std::move(a));
  member.latent = turned.latent = ScoreTerm<double>(4, 0.3, 1);
  turned.network.pack(turned.parameters.data(), turned.statistics.data());
  const RowMatrix<double> X = random_rows<double>(1, 9, 5);
  const RowMatrix<double> reversed = X.rowwise().reverse();
  const Explanation e = detector_of<double>({member}).explain(X);
  const Explanation r = detector_of<double>({turned}).explain(reversed);
  CHECK(e.score == doctest::Approx(r.score));
  for (std::size_t j = 0; j < 9; ++j) CHECK(e.features[j] == doctest::Approx(r.features[8 - j]));
}

TEST_CASE("the latent term belongs to the features that the code hears") {
  // More features than one tile of rows.
  const Index d = 200;
  const auto detector = detector_of<float>({code_of_one_feature(d)});
  RowMatrix<float> row = RowMatrix<float>::Constant(1, d, 3);
  const Explanation e = detector.explain(row);
  CHECK(e.score == 9);
  CHECK(e.features[0] == 9);
  CHECK(sum(e.features) == 9);
  CHECK(e.expected == std::vector<double>(static_cast<std::size_t>(d), 0));

  RowMatrix<float> usual(1, d);
  for (Index j = 0; j < d; ++j) usual(0, j) = 0.1f * static_cast<float>(j);
  // A standardized row that is what is expected, but not at the center: nobody's fault, so everybody's.
  auto member = code_of_one_feature(d);
  member.center[0] = 2;
  const Explanation none = detector_of<float>({member}, some_scaler<float>(d)).explain(usual);
  CHECK(none.score == doctest::Approx(4));
  for (std::size_t j = 0; j < 200; ++j) {
    CHECK(none.features[j] == doctest::Approx(4.0 / 200));
    CHECK(none.expected[j] == doctest::Approx(0.1 * static_cast<double>(j)));
  }
}

TEST_CASE("a net in which no feature brings the row nearer gives all of them the same share") {
  auto far = code_of_one_feature(4);
  far.center[0] = 6;
  RowMatrix<float> row(1, 4);
  row << 3, 1, 1, 1;
  // 0 in feature 0's place would take the row from 6 - 3 to 6 - 0 away; the other net's center is 0.
  const Explanation e = detector_of<float>({far, code_of_one_feature(4)}).explain(row);
  CHECK(e.score == 9);
  CHECK(e.features[0] == doctest::Approx(4.5 + 4.5 / 4));
  for (std::size_t j = 1; j < 4; ++j) CHECK(e.features[j] == doctest::Approx(4.5 / 4));
}

TEST_CASE("an infinite score belongs to the feature that is furthest out") {
  for (const auto& member :
       {published_member(small_net<float>(), 1), whitened_member(small_net<float>(), 1)}) {
    auto row = random_rows<float>(1, 9, 5);
    row(0, 6) = -3e38f;
    const Explanation e = detector_of<float>({member}).explain(row);
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK(e.score == infinity);
    for (std::size_t j = 0; j < 9; ++j) CHECK(e.features[j] == (j == 6 ? infinity : 0));
    CHECK(e.observed[6] == static_cast<double>(-3e38f));
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
