// Missing values that are masked or imputed: scores, shares and refusals, worked out by hand.

#include <Eigen/LU>

#include <cmath>
#include <limits>

#include "detect/support.hpp"

using namespace detect_tests;

namespace {

constexpr double lost = std::numeric_limits<double>::quiet_NaN();

template <class Scalar>
Scaler<Scalar> masking_scaler(Index d) {
  return {some_scaler<Scalar>(d).kind(), MissingRule::mask};
}

/// Rows of which some lack values, the first of them in columns 2 and 5.
template <class Scalar>
RowMatrix<Scalar> lacking_rows(Index n, Index d) {
  auto X = random_rows<Scalar>(n, d, 5);
  X(0, 2) = X(0, 5) = static_cast<Scalar>(lost);
  for (Index i = 3; i < n; i += 4) {
    for (Index j = 0; j < i % d; ++j) X(i, (i + j) % d) = static_cast<Scalar>(lost);
  }
  return X;
}

/// The reconstruction term of row i by a net of the detector, in double from the reconstruction in the rows' units.
template <class Scalar>
double term_by_hand(const Detector<Scalar>& filled_by, Index member, const RowMatrix<Scalar>& X,
                    Index i) {
  const auto& model = filled_by.model();
  const Index d = X.cols();
  const auto& scaler = std::get<Standardizer<Scalar>>(model.scaler.kind());
  RowMatrix<Scalar> row = X.row(i);
  std::vector<Index> there;
  for (Index j = 0; j < d; ++j) {
    if (std::isnan(row(0, j))) {
      row(0, j) = static_cast<Scalar>(scaler.mean()[static_cast<std::size_t>(j)]);
    } else {
      there.push_back(j);
    }
  }
  const RowMatrix<Scalar> xhat = filled_by.reconstruct(row, member);
  const Index count = static_cast<Index>(there.size());
  Eigen::VectorXd e(count);
  for (Index t = 0; t < count; ++t) {
    const Index j = there[static_cast<std::size_t>(t)];
    e[t] = (static_cast<double>(xhat(0, j)) - static_cast<double>(row(0, j))) /
           scaler.scale()[static_cast<std::size_t>(j)];
  }
  const auto& term = model.members[static_cast<std::size_t>(member)].reconstruction;
  if (!term.whitened()) return e.squaredNorm() / static_cast<double>(count);
  const RowMatrix<double> A =
      Rows<const Scalar>(term.whitening().data(), d, d).matrix().template cast<double>();
  const RowMatrix<double> C = (A.transpose() * A).inverse();
  RowMatrix<double> of_those(count, count);
  for (Index s = 0; s < count; ++s) {
    for (Index t = 0; t < count; ++t) {
      of_those(s, t) = C(there[static_cast<std::size_t>(s)], there[static_cast<std::size_t>(t)]);
    }
  }
  return e.dot(of_those.inverse() * e) / static_cast<double>(count);
}

/// \param tolerance scores in float differ by their rounding, and by what a whitening of condition 30 makes of it
template <class Scalar>
void check_by_hand(const std::vector<Member<Scalar>>& members, double tolerance) {
  const Index n = 50, d = members.front().network.net().inputs();
  const auto masked = detector_of(members, masking_scaler<Scalar>(d));
  const auto plain = detector_of(members, some_scaler<Scalar>(d));
  const auto X = lacking_rows<Scalar>(n, d);
  const auto parts = masked.score_parts(X);
  const auto scores = masked.score(X);
  auto workspace = masked.make_workspace();
  for (Index i = 0; i < n; ++i) {
    CAPTURE(i);
    double expected = 0;
    for (Index k = 0; k < masked.ensemble_size(); ++k) {
      expected += term_by_hand(plain, k, X, i) / static_cast<double>(masked.ensemble_size());
    }
    CHECK(static_cast<double>(parts.reconstruction[i]) ==
          doctest::Approx(expected).epsilon(tolerance));
    // The other term is that of the row with means in it.
    RowMatrix<Scalar> row = X.row(i);
    const auto& scaler = std::get<Standardizer<Scalar>>(plain.model().scaler.kind());
    bool complete = true;
    for (Index j = 0; j < d; ++j) {
      complete = complete && !std::isnan(row(0, j));
      if (std::isnan(row(0, j)))
        row(0, j) = static_cast<Scalar>(scaler.mean()[static_cast<std::size_t>(j)]);
    }
    CHECK(
        static_cast<double>(parts.latent[i]) ==
        doctest::Approx(static_cast<double>(plain.score_parts(row).latent[0])).epsilon(tolerance));
    if (complete) CHECK(scores[i] == plain.score(row)[0]);
    // Alone it has the bits that it has in the batch.
    const RowMatrix<Scalar> alone = X.row(i);
    CHECK(masked.score_one(alone.data(), workspace) == scores[i]);
    const Explanation why = masked.explain(alone.data());
    double sum = 0;
    for (Index j = 0; j < d; ++j) {
      const double share = why.features[static_cast<std::size_t>(j)];
      sum += share;
      if (std::isnan(alone(0, j)) && masked.model().members.front().latent.weight() == 0) {
        CHECK(share <= 1e-9 * why.score);
      }
    }
    CHECK(sum == doctest::Approx(static_cast<double>(scores[i])));
  }
  Vector<Scalar> again(n);
  masked.score(X, workspace, again.data());
  CHECK(same_bits<Scalar>(again, scores));
  const RowMatrix<Scalar> many = X.replicate(20, 1);
  CHECK(same_bits<Scalar>(masked.score(many, 2).tail(n), scores));
}

}  // namespace

TEST_CASE("masked values have no part in the residual's mean") {
  check_by_hand<float>({published_member(small_net<float>(), 1)}, 1e-4);
  check_by_hand<double>({published_member(small_net<double>(), 1)}, 1e-9);
  check_by_hand<float>(
      {published_member(small_net<float>(), 1), published_member(small_net<float>(), 2)}, 1e-4);
  // Too wide for the executor of narrow nets.
  check_by_hand<float>({published_member(dense_autoencoder<float>(11, {40, 3}, Activation()), 1)},
                       1e-4);
}

TEST_CASE(
    "a whitened row that lacks values has the Mahalanobis length of the others, over their "
    "number") {
  check_by_hand<float>({whitened_member(small_net<float>(), 1)}, 2e-4);
  check_by_hand<double>(
      {whitened_member(small_net<double>(), 1), whitened_member(small_net<double>(), 5)}, 1e-9);
  check_by_hand<float>({centers_member(small_net<float>(), 3)}, 2e-4);
}

TEST_CASE("a masked length has the same bits on every CPU, and each sum its order") {
  Random random(3);
  for (const Index d : {1, 2, 5, 8, 31}) {
    std::vector<float> a(static_cast<std::size_t>(d * d));
    for (float& entry : a) entry = static_cast<float>(random.normal());
    std::vector<Index> missing;
    for (Index j = d % 2; j + 1 < d; j += 1 + j % 2) missing.push_back(j);
    const Index count = static_cast<Index>(missing.size());
    std::vector<double> e(static_cast<std::size_t>(d)), work(4 * e.size());
    for (double& x : e) x = random.normal();

    std::vector<double> r = e, other = e, y(e.size()), other_y(e.size());
    const double length =
        masked_length(a.data(), d, d, missing.data(), count, r.data(), y.data(), work.data());
    CHECK(length == masked_length_body(a.data(), d, d, missing.data(), count, other.data(),
                                       other_y.data(), work.data()));
    CHECK(r == other);
    CHECK(y == other_y);

    std::vector<double> q(e.size()), s(e.size());
    const ChosenColumns<float> columns{a.data(), d, d, missing.data(), count};
    columns.times(e.data(), q.data());
    columns.transposed_times(e.data(), s.data());
    const auto at = [&](Index i, Index t) {
      return static_cast<double>(
          a[static_cast<std::size_t>(i * d + missing[static_cast<std::size_t>(t)])]);
    };
    for (Index i = 0; i < d; ++i) {
      double sum = 0;
      for (Index t = 0; t < count; ++t)
        sum = std::fma(at(i, t), e[static_cast<std::size_t>(t)], sum);
      CHECK(q[static_cast<std::size_t>(i)] == sum);
    }
    for (Index t = 0; t < count; ++t) {
      double sum = 0;
      for (Index i = 0; i < d; ++i) sum = std::fma(at(i, t), e[static_cast<std::size_t>(i)], sum);
      CHECK(s[static_cast<std::size_t>(t)] == sum);
    }
  }
}

TEST_CASE("what can't be missing is refused in a sentence") {
  const Index d = 9;
  const auto masked =
      detector_of<float>({published_member(small_net<float>(), 1)}, masking_scaler<float>(d));
  const auto plain =
      detector_of<float>({published_member(small_net<float>(), 1)}, some_scaler<float>(d));
  const auto refused = [](const auto& detector, const RowMatrix<float>& X, const char* sentence) {
    CHECK_THROWS_WITH_AS(detector.score(X), doctest::Contains(sentence), InvalidArgument);
    auto workspace = detector.make_workspace();
    Vector<float> scores(X.rows());
    CHECK_THROWS_WITH_AS(detector.score(X, workspace, scores.data()), doctest::Contains(sentence),
                         InvalidArgument);
  };
  RowMatrix<float> X = random_rows<float>(300, d, 2);
  X(7, 3) = static_cast<float>(lost);
  refused(plain, X, "NaN in row 7, column 3; every value must be finite");
  CHECK(masked.score(X).allFinite());
  X(250, 1) = std::numeric_limits<float>::infinity();
  refused(masked, X, "infinity in row 250, column 1; a value may be missing (NaN), not infinite");
  X(250, 1) = 0;
  X.row(200).setConstant(static_cast<float>(lost));
  refused(masked, X, "row 200 without a single value");

  const Shape image{1, 3, 3};
  CHECK_THROWS_WITH_AS(Scaler<float>(Softener<float>(image), MissingRule::mask),
                       doctest::Contains("can't have missing values"), InvalidArgument);
}

TEST_CASE("imputed values are the mean, beside a number that says which are missing") {
  const Standardizer<double> by({1, 2, 3}, {1, 2, 4});
  const Scaler<double> scaler(by, MissingRule::impute, {0.2, 0, 0.5});
  CHECK(scaler.inputs(3) == 5);
  const auto& k = kernels::best<double>();
  double out[5];
  const double complete[] = {2, 2, 11}, lacking[] = {lost, 4, lost};
  scaler.apply(k, complete, 3, out);
  CHECK(std::vector<double>(out, out + 5) == std::vector<double>{1, 0, 2, -0.5, -1});
  scaler.apply(k, lacking, 3, out);
  CHECK(std::vector<double>(out, out + 5) == std::vector<double>{0, 1, 0, 2, 1});
  // What no training row lacked can't be judged.
  const RowMatrix<double> X = (RowMatrix<double>(1, 3) << 1, lost, 3).finished();
  CHECK_FALSE(scaler.takes(X));
  CHECK_THROWS_WITH_AS(
      scaler.validate(X, "the batch"),
      doctest::Contains("NaN in row 0, column 1; no training row lacked that value"),
      InvalidArgument);
  CHECK_THROWS_WITH_AS(Scaler<double>(by, MissingRule::impute, {0.2, 1, 0.5}),
                       doctest::Contains("expected 0 to below 1"), InvalidArgument);

  // A detector of such rows is of three features, its net of five.
  const auto detector = detector_of<double>({published_member(small_net<double>(5), 1)}, scaler);
  CHECK(detector.features() == 3);
  RowMatrix<double> Y = random_rows<double>(40, 3, 9);
  Y(3, 0) = Y(4, 2) = lost;
  const auto scores = detector.score(Y);
  const auto inner = detector_of<double>({published_member(small_net<double>(5), 1)});
  RowMatrix<double> scaled(40, 5);
  for (Index i = 0; i < 40; ++i) scaler.apply(k, Y.row(i).eval().data(), 3, scaled.row(i).data());
  CHECK(same_bits<double>(scores, inner.score(scaled)));
  CHECK(detector.reconstruct(Y).cols() == 3);
  const Explanation why = detector.explain(Y.row(3).eval().data());
  CHECK(why.features.size() == 3);
  CHECK(why.expected.size() == 3);
  double sum = 0;
  for (const double share : why.features) sum += share;
  CHECK(sum == doctest::Approx(scores[3]));
}
