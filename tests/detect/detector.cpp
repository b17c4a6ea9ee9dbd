// The detector as a value: scores, decisions, what it refuses.

#include "detect/support.hpp"

#include <limits>
#include <string>

using namespace detect_tests;

TEST_CASE_TEMPLATE("scores are r + gamma q by the formulas, in the scaler's units", Scalar, float,
                   double) {
  const auto detector =
      detector_of<Scalar>({published_member(small_net<Scalar>(), 1)}, some_scaler<Scalar>(9));
  const auto X = random_rows<Scalar>(130, 9, 2);
  const Vector<Scalar> scores = detector.score(X);
  const RowMatrix<Scalar> codes = detector.encode(X);
  const RowMatrix<Scalar> outputs = detector.reconstruct(X);  // in the units of X
  const auto& center = detector.model().members[0].center;
  // A sum of nine squares, in float some rounding errors of 6e-8 each.
  const double tolerance = std::is_same_v<Scalar, float> ? 1e-5 : 1e-13;
  for (Index i = 0; i < X.rows(); ++i) {
    double r = 0, q = 0;
    for (Index j = 0; j < 9; ++j) {
      const double scale = 0.5 + 0.25 * static_cast<double>(j);
      r += std::pow(static_cast<double>(outputs(i, j) - X(i, j)) / scale, 2) / 9;
    }
    for (Index j = 0; j < 4; ++j) {
      q += std::pow(static_cast<double>(codes(i, j)) - static_cast<double>(center[j]), 2);
    }
    REQUIRE(static_cast<double>(scores[i]) ==
            doctest::Approx(r + latent_weight * q).epsilon(tolerance));
  }
  CHECK(scores.maxCoeff() > 2 * scores.minCoeff());  // rows are told from each other
}

TEST_CASE("a score is the sum of its parts, to the bit") {
  const auto detector = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto X = random_rows<float>(300, 9, 2);
  const auto parts = detector.score_parts(X);
  CHECK(same_bits<float>(parts.reconstruction + parts.latent, detector.score(X)));
  CHECK(parts.latent.minCoeff() > 0);
  CHECK(parts.reconstruction.minCoeff() > 0);
}

TEST_CASE("every way to ask for a score gives the same one") {
  const auto detector = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto X = random_rows<float>(100, 9, 2);
  const Vector<float> scores = detector.score(X);
  auto workspace = detector.make_workspace(), small = detector.make_workspace(1);
  Vector<float> other(100);
  detector.score(X, workspace, other.data());
  CHECK(same_bits(other, scores));
  detector.score(X, small, other.data());
  CHECK(same_bits(other, scores));
  auto copy = workspace;
  for (Index i = 0; i < 100; ++i) CHECK(detector.score_one(X.row(i).data(), copy) == scores[i]);
  CHECK(small.tile() == 1);
  CHECK(detector.make_workspace(100000).tile() == workspace.tile());
}

TEST_CASE("a net without a decoder scores by its code alone") {
  const auto net = autoencoder(small_net<float>().encoder(), Network<float>());
  const auto detector = detector_of<float>({published_member(net, 1)});
  const auto X = random_rows<float>(20, 9, 2);
  const auto parts = detector.score_parts(X);
  CHECK(parts.reconstruction == Vector<float>::Zero(20));
  CHECK(same_bits(parts.latent, detector.score(X)));
  CHECK(parts.latent.minCoeff() > 0);
  CHECK_THROWS_WITH_AS(detector.reconstruct(X), "reconstruct: net 0 of the detector has no decoder",
                       InvalidArgument);
}

TEST_CASE("each net of an ensemble encodes and reconstructs by its number, none by default") {
  const auto first = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto second =
      detector_of<float>({published_member(dense_autoencoder<float>(9, {6, 3}, sigmoid()), 2)});
  const auto both = ensemble<float>({first, second}, 1);
  CHECK(both.ensemble_size() == 2);
  CHECK(first.ensemble_size() == 1);
  const auto X = random_rows<float>(200, 9, 3);
  CHECK(both.encode(X, 0) == first.encode(X));
  CHECK(both.encode(X, 1) == second.encode(X));
  CHECK(both.encode(X, 1).cols() == 3);
  CHECK(both.reconstruct(X, 0) == first.reconstruct(X));
  CHECK(both.reconstruct(X, 1) == second.reconstruct(X));
  CHECK(both.reconstruct(X, 0) != both.reconstruct(X, 1));
  CHECK_THROWS_WITH_AS(
      both.encode(X),
      "encode: the detector is an ensemble of 2 nets; name the member, encode(X, 0)",
      InvalidArgument);
  CHECK_THROWS_WITH_AS(
      both.reconstruct(X),
      "reconstruct: the detector is an ensemble of 2 nets; name the member, reconstruct(X, 0)",
      InvalidArgument);
  CHECK_THROWS_WITH_AS(both.encode(X, 2), "encode: the member is 2, expected one of 0 to 1",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(both.reconstruct(X, -1),
                       "reconstruct: the member is -1, expected one of 0 to 1", InvalidArgument);
}

TEST_CASE_TEMPLATE("reconstructions are in the units of the rows, whatever the scaler", Scalar,
                   float, double) {
  const auto member = published_member(small_net<Scalar>(), 1);
  const auto in_net_units = detector_of<Scalar>({member});
  const auto& k = kernels::best<Scalar>();
  const RowMatrix<Scalar> X = random_rows<Scalar>(120, 9, 4);  // more than a tile
  // Roundings of numbers up to 10.
  const double tolerance = std::is_same_v<Scalar, float> ? 1e-5 : 1e-14;
  for (const Scaler<Scalar>& scaler :
       {Scaler<Scalar>(), some_scaler<Scalar>(9), Scaler<Scalar>(ContrastNormalizer<Scalar>(0.25)),
        Scaler<Scalar>(Softener<Scalar>({1, 3, 3}))}) {
    CAPTURE(scaler.text());
    RowMatrix<Scalar> scaled(120, 9);
    scaler.apply(k, X, scaled.data(), 9);
    const RowMatrix<Scalar> inner = in_net_units.reconstruct(scaled);
    const RowMatrix<Scalar> outer = detector_of<Scalar>({member}, scaler).reconstruct(X);
    for (Index i = 0; i < 120; ++i) {
      double mean = 0, variance = 0;
      for (Index j = 0; j < 9; ++j) mean += static_cast<double>(X(i, j)) / 9;
      for (Index j = 0; j < 9; ++j)
        variance += std::pow(static_cast<double>(X(i, j)) - mean, 2) / 9;
      for (Index j = 0; j < 9; ++j) {
        const double y = static_cast<double>(inner(i, j)), number = static_cast<double>(j);
        double expected = y;
        if (scaler.text() == "standardized") expected = 0.1 * number + y * (0.5 + 0.25 * number);
        if (scaler.text() == "contrast normalized")
          expected = mean + y * std::sqrt(variance + 0.25);
        if (scaler.text() == "softened, 1 x 3 x 3") expected = y * std::abs(y);
        REQUIRE(std::abs(static_cast<double>(outer(i, j)) - expected) <= tolerance);
      }
    }
  }
}

TEST_CASE("predict says 1 above the threshold and 0 at it") {
  const auto detector = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto X = random_rows<float>(50, 9, 2);
  const Vector<float> scores = detector.score(X);
  const double border = static_cast<double>(scores[7]);
  const auto decided = detector.with_threshold(border);
  CHECK(decided.threshold() == border);
  CHECK(detector.threshold() == 1);
  const Eigen::VectorXi labels = decided.predict(X);
  for (Index i = 0; i < 50; ++i) CHECK(labels[i] == (scores[i] > scores[7] ? 1 : 0));
  CHECK(labels[7] == 0);
  CHECK(labels.sum() > 0);
  CHECK(labels.sum() < 50);
  CHECK_THROWS_WITH_AS(detector.with_threshold(INFINITY),
                       "the threshold is inf, expected a finite number", InvalidArgument);
}

TEST_CASE("calibrated: a threshold by rate and p-values, from normal rows alone") {
  const auto detector = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto held_out = random_rows<float>(199, 9, 3);
  const auto calibrated = detector.calibrated(held_out, false_alarm_rate(0.05));
  // floor(200 * 0.05) = 10 of 200 equally likely places lie above: 9 held-out rows and the new one.
  CHECK(calibrated.predict(held_out).sum() == 9);
  CHECK(calibrated.calibration().scores().size() == 199);
  CHECK(same_bits(calibrated.score(held_out), detector.score(held_out)));

  const Vector<float> scores = calibrated.score(held_out);
  const Eigen::VectorXd p = calibrated.p_value(scores);
  for (Index i = 0; i < 199; ++i) {
    CHECK(p[i] == calibrated.p_value(scores[i]));
    CHECK(p[i] >= 1 / 200.0);
    CHECK(p[i] <= 1);
    // An alarm at rate 0.05 is a p-value of at most 0.05: a held-out row counts itself.
    CHECK((p[i] <= 0.05 + 1e-12) == calibrated.is_anomaly(scores[i]));
  }
  CHECK(calibrated.p_value(scores.maxCoeff()) == doctest::Approx(2 / 200.0));
  CHECK(calibrated.with_threshold(3).p_value(scores[0]) == p[0]);

  CHECK_THROWS_AS(detector.p_value(1.0f), InvalidArgument);
  CHECK_THROWS_WITH_AS(detector.calibrated(held_out.topRows(0), false_alarm_rate(0.05)),
                       "calibrated: there are no held-out rows", InvalidArgument);
  CHECK_THROWS_WITH_AS(detector.calibrated(held_out.topRows(5), false_alarm_rate(0.05)),
                       "a false alarm rate of 0.05 needs at least 19 held-out normal rows, got 5",
                       InvalidArgument);
}

TEST_CASE("rows of another width, transposed, or with NaN are refused by every function") {
  const auto detector = detector_of<float>({published_member(small_net<float>(), 1)});
  auto workspace = detector.make_workspace();
  std::vector<float> scores(20);
  const auto check = [&](const RowMatrix<float>& X, const char* sentence) {
    CHECK_THROWS_WITH_AS(detector.score(X), sentence, InvalidArgument);
    CHECK_THROWS_WITH_AS(detector.score_parts(X), sentence, InvalidArgument);
    CHECK_THROWS_WITH_AS(detector.score(X, workspace, scores.data()), sentence, InvalidArgument);
    CHECK_THROWS_WITH_AS(detector.predict(X), sentence, InvalidArgument);
    CHECK_THROWS_WITH_AS(detector.encode(X), sentence, InvalidArgument);
    CHECK_THROWS_WITH_AS(detector.reconstruct(X), sentence, InvalidArgument);
    CHECK_THROWS_WITH_AS(detector.calibrated(X, false_alarm_rate(0.5)), sentence, InvalidArgument);
  };
  check(random_rows<float>(5, 8, 1), "the batch is 5 x 8, expected 9 columns (one sample a row)");
  check(random_rows<float>(9, 20, 1),
        "the batch is 9 x 20, expected 9 columns (one sample a row); is it transposed?");
  auto X = random_rows<float>(20, 9, 1);
  X(17, 3) = std::numeric_limits<float>::quiet_NaN();
  check(X, "the batch has NaN in row 17, column 3; every value must be finite");
  X(17, 3) = -std::numeric_limits<float>::infinity();
  check(X, "the batch has -infinity in row 17, column 3; every value must be finite");
  CHECK_THROWS_AS(detector.explain(X.row(17)), InvalidArgument);
  CHECK_THROWS_WITH_AS(detector.explain(X.row(1).head(5)),
                       "explain: the row has 5 numbers, expected 9", InvalidArgument);
  const Rows<const float> fewer_than_none(X.data(), -1, 9);
  const char* const sentence =
      "the batch has -1 rows of 9 numbers, 9 apart; expected rows that don't overlap";
  CHECK_THROWS_WITH_AS(detector.score(fewer_than_none), sentence, InvalidArgument);
  CHECK_THROWS_WITH_AS(detector.score(fewer_than_none, scores.data()), sentence, InvalidArgument);
  CHECK_THROWS_WITH_AS(detector.score_parts(fewer_than_none), sentence, InvalidArgument);
  CHECK_THROWS_WITH_AS(detector.score(X.topRows(2), -1),
                       "threads is -1, expected 0 (all) or a positive number", InvalidArgument);
}

TEST_CASE("bad rows change nothing, and the first of them is named whoever finds it") {
  const auto detector = detector_of<float>({published_member(wide_net<float>(), 1)});
  // Several tiles a thread, and rows with gaps between them.
  const RowMatrix<float> wider = random_rows<float>(400, 40, 1);
  const float infinity = std::numeric_limits<float>::infinity();
  auto workspace = detector.make_workspace();
  for (const Index bad : {0, 95, 96, 250, 399}) {
    CAPTURE(bad);
    RowMatrix<float> X = wider;
    X(bad, 36) = infinity;
    X(399, 30) = std::numeric_limits<float>::quiet_NaN();
    // Beyond the features, and not to be looked at.
    X(1, 37) = infinity;
    const Rows<const float> rows(X.data(), 400, 37, 40);
    const std::string sentence =
        bad == 399 ? "the batch has NaN in row 399, column 30; every value must be finite"
                   : "the batch has infinity in row " + std::to_string(bad) +
                         ", column 36; every value must be finite";
    std::vector<float> scores(400, -7);
    for (const int threads : {1, 2, 3}) {
      CHECK_THROWS_WITH_AS(detector.score(rows, scores.data(), threads), sentence.c_str(),
                           InvalidArgument);
    }
    CHECK_THROWS_WITH_AS(detector.score(rows, workspace, scores.data()), sentence.c_str(),
                         InvalidArgument);
    CHECK(scores == std::vector<float>(400, -7));
    detector.score(rows.middle_rows(100, 100), scores.data(), 2);
    CHECK(scores[99] != -7);
    CHECK(scores[100] == -7);
  }
}

TEST_CASE("the workspace of another detector is refused, that of a copy is not") {
  const auto detector = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto other = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto X = random_rows<float>(3, 9, 1);
  Vector<float> scores(3);
  auto foreign = other.make_workspace();
  CHECK_THROWS_WITH_AS(detector.score(X, foreign, scores.data()),
                       "the workspace was made by another detector", InvalidArgument);
  const auto copy = detector.with_threshold(5);
  auto shared = copy.make_workspace();
  detector.score(X, shared, scores.data());
  CHECK(same_bits(scores, detector.score(X)));
  CHECK_THROWS_WITH_AS(detector.make_workspace(0), "make_workspace: rows is 0, expected at least 1",
                       InvalidArgument);
}

TEST_CASE("copies share the model, and outlive the detector they came from") {
  auto first = std::make_unique<Detector<float>>(
      detector_of<float>({published_member(small_net<float>(), 1)}));
  const auto X = random_rows<float>(40, 9, 1);
  const Vector<float> scores = first->score(X);
  const Detector<float> copy = *first;
  const auto calibrated = first->calibrated(X, false_alarm_rate(0.1));
  CHECK(&copy.model() == &first->model());
  CHECK(&calibrated.model() == &first->model());
  CHECK(&first->with_threshold(2).model() == &first->model());
  first.reset();
  CHECK(same_bits(copy.score(X), scores));
  CHECK(same_bits(calibrated.score(X), scores));
}

TEST_CASE("no rows have no scores") {
  const auto detector = detector_of<float>({published_member(small_net<float>(), 1)});
  const RowMatrix<float> none(0, 9);
  CHECK(detector.score(none).size() == 0);
  CHECK(detector.score_parts(none).latent.size() == 0);
  CHECK(detector.predict(none).size() == 0);
  CHECK(detector.encode(none).rows() == 0);
  CHECK(detector.encode(none).cols() == 4);
  CHECK(detector.reconstruct(none).cols() == 9);
  auto workspace = detector.make_workspace();
  detector.score(none, workspace, nullptr);
}

TEST_CASE_TEMPLATE("finite rows so far out that the net overflows score infinity, not NaN", Scalar,
                   float, double) {
  // All numbers as large as they get, with signs at random: units of both signs overflow, and their
  // sums are infinity minus infinity.
  const Scalar huge = std::numeric_limits<Scalar>::max();
  RowMatrix<Scalar> X = random_rows<Scalar>(60, 9, 1);
  for (Index i = 1; i < 59; ++i) {
    for (Index j = 0; j < 9; ++j) X(i, j) = X(i, j) > 0 ? huge : -huge;
  }
  for (const bool whitened : {false, true}) {
    for (const bool scaled : {false, true}) {
      CAPTURE(whitened);
      CAPTURE(scaled);
      const auto net = dense_autoencoder<Scalar>(9, {20, 4}, Activation());
      const auto detector =
          detector_of<Scalar>({whitened ? whitened_member(net, 1) : published_member(net, 1)},
                              scaled ? some_scaler<Scalar>(9) : Scaler<Scalar>());
      const Vector<Scalar> scores = detector.score(X);
      const Eigen::VectorXi labels = detector.predict(X);
      const auto parts = detector.score_parts(X);
      for (Index i = 1; i < 59; ++i) {
        CHECK(scores[i] == std::numeric_limits<Scalar>::infinity());
        CHECK(parts.reconstruction[i] + parts.latent[i] == scores[i]);
        CHECK(labels[i] == 1);
      }
      // Their neighbors in the batch are not touched.
      CHECK(scores[0] == detector.score(X.topRows(1))[0]);
      CHECK(scores[59] == detector.score(X.bottomRows(1))[0]);
      CHECK(scores[0] < 1000);
      CHECK(scores[59] < 1000);
    }
  }
}

TEST_CASE("a model that does not fit together makes no detector") {
  const auto net = small_net<float>();
  const auto half = autoencoder(net.encoder(), Network<float>());
  const auto published = [](Index d, Index m) {
    return std::make_pair(ScoreTerm<float>(d, 1, 9), ScoreTerm<float>(m, 1, 1));
  };
  const auto with_terms = [&](const Autoencoder<float>& of, Index d, Index m) {
    auto terms = published(d, m);
    return detector_of<float>({make_member(of, 1, terms.first, terms.second)});
  };
  CHECK(with_terms(net, 9, 4).features() == 9);
  CHECK_THROWS_WITH_AS(with_terms(net, 8, 4),
                       "the score terms of member 0 are of 8 and 4 numbers, its net needs 9 and 4",
                       InvalidArgument);
  CHECK_THROWS_AS(with_terms(net, 9, 5), InvalidArgument);
  CHECK_THROWS_WITH_AS(with_terms(half, 9, 4),
                       "member 0 scores by reconstruction, but its net has no decoder",
                       InvalidArgument);
  auto member = published_member(net, 1);
  member.center = AlignedBuffer<float>(3);
  CHECK_THROWS_WITH_AS(detector_of<float>({member}),
                       "the center of member 0 has 3 numbers, its code 4", InvalidArgument);
  CHECK_THROWS_WITH_AS(detector_of<float>({}), "a detector needs a model with at least one member",
                       InvalidArgument);
  CHECK_THROWS_AS(Detector<float>(nullptr, 1), InvalidArgument);
  CHECK_THROWS_WITH_AS(
      detector_of<float>({published_member(net, 1)}, Scaler<float>(Standardizer<float>({0}, {1}))),
      "the scaler is for 1 features, the net takes 9", InvalidArgument);
}

TEST_CASE("select names the rows that Benjamini and Hochberg's procedure does, at their rate") {
  const auto held_out = random_rows<float>(499, 9, 1);
  const auto detector = detector_of<float>({published_member(small_net<float>(), 1)})
                            .calibrated(held_out, false_alarm_rate(0.01));
  RowMatrix<float> X = random_rows<float>(100, 9, 2);
  X.topRows(10) *= 20;
  const Eigen::VectorXi selected = detector.select(X, 0.1);
  CHECK(selected.head(10).sum() == 10);
  // Ten of ten found and one in ten of those named may be wrong: two at most here, for this seed.
  CHECK(selected.tail(90).sum() <= 2);
  const Eigen::VectorXd p = detector.p_value(detector.score(X));
  const auto flags = benjamini_hochberg(p.data(), 100, 0.1);
  for (Index i = 0; i < 100; ++i)
    CHECK(selected[i] == (flags[static_cast<std::size_t>(i)] ? 1 : 0));
  CHECK(detector.select(X, 0.1, 3) == selected);
  CHECK(detector.select(X.topRows(0), 0.1).size() == 0);
}

TEST_CASE("select refuses rates out of range, and a detector without p-values") {
  const auto detector = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto X = random_rows<float>(3, 9, 2);
  CHECK_THROWS_WITH_AS(detector.select(X, 0.1),
                       doctest::Contains("no held-out scores for a p-value"), InvalidArgument);
  CHECK_THROWS_WITH_AS(detector.select(X, 1), doctest::Contains("the false discovery rate is 1"),
                       InvalidArgument);
}

TEST_CASE("a latent term without weight is not computed: it could overflow") {
  auto member = whitened_member(small_net<float>(), 1);
  REQUIRE(member.latent.weight() == 0);
  const auto near_by = detector_of<float>({member});
  member.center[0] = 3e38f;  // its squared distance is infinity, and zero times infinity no number
  const auto far_off = detector_of<float>({member});
  const auto X = random_rows<float>(40, 9, 2);
  CHECK(near_by.score(X).allFinite());
  CHECK(far_off.score(X) == near_by.score(X));
  CHECK(far_off.score_parts(X).latent == Vector<float>::Zero(40));
}
