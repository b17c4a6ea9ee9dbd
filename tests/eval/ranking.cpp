// Ranking measures: scikit-learn's values, ties, exactness, and every refusal.

#include <dasvdd/core/types.hpp>
#include <dasvdd/eval/average_precision.hpp>
#include <dasvdd/eval/fpr_at_tpr.hpp>
#include <dasvdd/eval/roc_auc.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

using dasvdd::InvalidArgument;

const std::vector<double> tied_scores{0.1, 0.4, 0.4, 0.8, 0.4, 0.9};
const std::vector<int> tied_labels{0, 0, 1, 1, 0, 0};

}  // namespace

TEST_CASE("operating points count ties together, from the highest score down") {
  const auto points = dasvdd::detail::operating_points(tied_scores, tied_labels);
  REQUIRE(points.size() == 4);
  const std::array<double, 4> thresholds{0.9, 0.8, 0.4, 0.1};
  const std::array<std::uint64_t, 4> hits{0, 1, 2, 2};
  const std::array<std::uint64_t, 4> alarms{1, 1, 3, 4};
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(i);
    CHECK(points[i].threshold == thresholds[i]);
    CHECK(points[i].true_positives == hits[i]);
    CHECK(points[i].false_positives == alarms[i]);
  }
}

TEST_CASE("measures of a small tied ranking, by hand") {
  // Anomalies 0.8 and 0.4 against normal 0.1, 0.4, 0.4, 0.9: 0.8 wins 3 of 4; 0.4 wins 1 and
  // ties 2.
  CHECK(dasvdd::roc_auc(tied_scores, tied_labels) == 5.0 / 8.0);
  // Recall 1/2 at precision 1/2, then recall 1 at precision 2/5.
  CHECK(dasvdd::average_precision(tied_scores, tied_labels) ==
        doctest::Approx(0.45).epsilon(1e-15));
  // 95 % of two anomalies is both of them: threshold 0.4, three false alarms among four.
  CHECK(dasvdd::fpr_at_tpr(tied_scores, tied_labels) == 3.0 / 4.0);
  CHECK(dasvdd::fpr_at_tpr(tied_scores, tied_labels, 0.5) == 1.0 / 4.0);
}

TEST_CASE("the rate that FPR is taken at is reached when it is met exactly") {
  // 19 of 20 anomalies above all normal rows: TPR 0.95 is reached without a false alarm.
  std::vector<double> scores(40);
  std::vector<int> labels(40);
  for (std::size_t i = 0; i < 40; ++i) {
    scores[i] = static_cast<double>(i);
    labels[i] = i >= 21 || i == 0;
  }
  CHECK(dasvdd::fpr_at_tpr(scores, labels, 0.95) == 0.0);
  CHECK(dasvdd::fpr_at_tpr(scores, labels, 1.0) == 1.0);
}

TEST_CASE("fpr_at_tpr uses every threshold, also one on a straight piece of the curve") {
  // Equal steps of one anomaly and one normal row at each score: scikit-learn's default drops the
  // inner points.
  std::vector<double> scores;
  std::vector<int> labels;
  for (int i = 0; i < 20; ++i) {
    scores.insert(scores.end(), {static_cast<double>(i), static_cast<double>(i)});
    labels.insert(labels.end(), {0, 1});
  }
  CHECK(dasvdd::fpr_at_tpr(scores, labels, 0.5) == 0.5);
}

TEST_CASE("larger scores are more anomalous") {
  const std::vector<double> up{1, 2, 3, 4};
  const std::vector<double> down{4, 3, 2, 1};
  const std::vector<int> labels{0, 0, 1, 1};
  CHECK(dasvdd::roc_auc(up, labels) == 1.0);
  CHECK(dasvdd::roc_auc(down, labels) == 0.0);
  CHECK(dasvdd::average_precision(up, labels) == 1.0);
  CHECK(dasvdd::fpr_at_tpr(up, labels) == 0.0);
  CHECK(dasvdd::fpr_at_tpr(down, labels) == 1.0);
}

TEST_CASE("zeros of both signs tie, infinities have their place") {
  CHECK(dasvdd::roc_auc(std::vector<double>{-0.0, 0.0}, std::vector<int>{0, 1}) == 0.5);
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(dasvdd::roc_auc(std::vector<double>{-infinity, 3.0, infinity}, std::vector<int>{0, 0, 1}) ==
        1.0);
}

TEST_CASE("every container of scores and labels gives the same value") {
  const double expected = dasvdd::roc_auc(tied_scores, tied_labels);
  const std::vector<float> narrow(tied_scores.begin(), tied_scores.end());
  const Eigen::Map<const Eigen::VectorXd> map(tied_scores.data(), 6);
  const Eigen::VectorXf column = map.cast<float>();
  Eigen::MatrixXd matrix(6, 2);
  matrix.col(1) = map;
  const Eigen::VectorXi labels = Eigen::Map<const Eigen::VectorXi>(tied_labels.data(), 6);
  const std::vector<bool> bits(tied_labels.begin(), tied_labels.end());
  const std::vector<std::uint8_t> bytes(tied_labels.begin(), tied_labels.end());
  const std::vector<std::int64_t> wide(tied_labels.begin(), tied_labels.end());
  const std::array<short, 6> array{0, 0, 1, 1, 0, 0};

  CHECK(dasvdd::roc_auc(narrow, bits) == expected);
  CHECK(dasvdd::roc_auc(map, bytes) == expected);
  CHECK(dasvdd::roc_auc(column, labels) == expected);
  CHECK(dasvdd::roc_auc(matrix.col(1), labels.array() > 0) == expected);
  CHECK(dasvdd::roc_auc(2.0 * column, array) == expected);
  CHECK(dasvdd::roc_auc(Eigen::RowVectorXd(map.transpose()), wide) == expected);
  CHECK(dasvdd::roc_auc({tied_scores.data(), 6}, {tied_labels.data(), 6}) == expected);
}

TEST_CASE("any nonzero label is an anomaly") {
  CHECK(dasvdd::roc_auc(tied_scores, std::vector<int>{0, 0, -1, 7, 0, 0}) == 5.0 / 8.0);
  // 256 must not be cut to a byte on its way to a bool.
  CHECK(dasvdd::roc_auc(tied_scores, std::vector<int>{0, 0, 256, 512, 0, 0}) == 5.0 / 8.0);
}

TEST_CASE("only containers of known size bind to a view") {
  // A container without size() or [] is no candidate at all; a wrong element type is a
  // static_assert.
  CHECK(!std::is_constructible_v<dasvdd::detail::ScoreView, double>);
  CHECK(!std::is_constructible_v<dasvdd::detail::ScoreView, const double*>);
  CHECK(std::is_constructible_v<dasvdd::detail::ScoreView, const double*, int>);
}

TEST_CASE("roc_auc is the exact pair count, whatever the order of the rows") {
  // Against all P N pairs, scores on a coarse grid so that there are many ties.
  std::mt19937 random(5);
  std::vector<float> scores(500);
  std::vector<int> labels(500);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] = static_cast<float>(random() % 50);
    labels[i] = random() % 10 == 0;
  }
  std::uint64_t twice = 0;
  std::uint64_t pairs = 0;
  for (std::size_t a = 0; a < scores.size(); ++a) {
    for (std::size_t b = 0; b < scores.size(); ++b) {
      if (labels[a] == 0 || labels[b] != 0) continue;
      twice += scores[a] > scores[b] ? 2 : scores[a] == scores[b] ? 1 : 0;
      pairs += 1;
    }
  }
  const double expected = static_cast<double>(twice) / static_cast<double>(2 * pairs);
  CHECK(dasvdd::roc_auc(scores, labels) == expected);
  const double precision = dasvdd::average_precision(scores, labels);
  std::reverse(scores.begin(), scores.end());
  std::reverse(labels.begin(), labels.end());
  CHECK(dasvdd::roc_auc(scores, labels) == expected);
  CHECK(dasvdd::average_precision(scores, labels) == precision);
}

TEST_CASE("pair counts beyond 32 bits stay exact, and a million rows take no time") {
  // 2.5e11 pairs of half a million anomalies and half a million normal rows.
  const std::size_t half = 500000;
  std::vector<double> scores(2 * half);
  std::vector<std::uint8_t> labels(2 * half);
  for (std::size_t i = 0; i < 2 * half; ++i) {
    scores[i] = static_cast<double>((i * 611953) % (2 * half));  // coprime: a permutation
    labels[i] = scores[i] >= static_cast<double>(half);
  }
  labels[0] =
      1;  // score 0: the only anomaly below the normal rows, it loses its half a million pairs
  const auto start = std::chrono::steady_clock::now();
  const double area = dasvdd::roc_auc(scores, labels);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  CHECK(area == static_cast<double>(half) / static_cast<double>(half + 1));
  // About 0.1 s when optimized; the bound leaves room for sanitizers and busy machines, not for
  // O(n^2).
  CHECK(seconds < 10.0);
}

TEST_CASE("what can't be ranked is refused with a sentence") {
  const std::vector<double> scores{1.0, 2.0, 3.0};
  const std::vector<int> labels{0, 1, 0};
  const std::vector<double> broken{1.0, std::nan(""), 3.0};
  const std::vector<int> none{0, 0, 0};
  const std::vector<int> all{1, 1, 1};
  const std::vector<int> four{0, 1, 0, 1};
  CHECK_THROWS_WITH_AS(dasvdd::roc_auc(broken, labels),
                       "scores has NaN at index 1; a NaN has no place in a ranking",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(dasvdd::roc_auc(std::vector<double>{std::nan(""), 2.0, 3.0}, labels),
                       "scores has NaN at index 0; a NaN has no place in a ranking",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(dasvdd::average_precision(scores, four),
                       "labels has 4 entries, expected 3, one for every score", InvalidArgument);
  CHECK_THROWS_WITH_AS(dasvdd::roc_auc(std::vector<double>{}, std::vector<int>{}),
                       "scores is empty; expected at least one score", InvalidArgument);
  CHECK_THROWS_WITH_AS(
      dasvdd::roc_auc(scores, none),
      "labels has no anomaly (nonzero) among 3 rows; a ranking measure needs both classes",
      InvalidArgument);
  CHECK_THROWS_WITH_AS(dasvdd::fpr_at_tpr(scores, all),
                       "labels has no normal row (0) among 3; a ranking measure needs both classes",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(dasvdd::fpr_at_tpr(scores, labels, 0.0),
                       "tpr is 0, expected a rate in (0, 1]", InvalidArgument);
  CHECK_THROWS_AS(dasvdd::fpr_at_tpr(scores, labels, 1.5), InvalidArgument);
  CHECK_THROWS_AS(dasvdd::fpr_at_tpr(scores, labels, std::nan("")), InvalidArgument);
}
