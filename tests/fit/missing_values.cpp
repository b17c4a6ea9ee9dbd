// fit() on rows that lack values.

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/train/far_values.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace dasvdd;

namespace {

constexpr float lost = std::numeric_limits<float>::quiet_NaN();
using Missing = FitOptions::Missing;

/// n rows of eight features that follow two, of which a share is missing; every second of `odd` is odd in one.
RowMatrix<float> table(Index n, double share, std::uint64_t seed, bool odd = false) {
  Random random(seed);
  RowMatrix<float> X(n, 8);
  for (Index i = 0; i < n; ++i) {
    const double a = random.normal(), b = random.normal();
    for (Index j = 0; j < 8; ++j) {
      const double angle = static_cast<double>(j);
      const double off = odd && i % 2 == 1 && j == i / 2 % 8 ? 2.0 : 0.0;
      X(i, j) = static_cast<float>(std::cos(angle) * a + std::sin(angle) * b +
                                   0.1 * random.normal() + off);
    }
    for (Index j = 0; j < 8; ++j) {
      if (j != i % 8 && random.uniform() < share) X(i, j) = lost;
    }
  }
  return X;
}

FitOptions quick(Missing missing) {
  FitOptions options;
  options.ensemble_size = 3;
  options.steps = 600;
  options.threads = 1;
  options.missing = missing;
  return options;
}

}  // namespace

TEST_CASE("a fit masks or imputes missing values, with p-values that keep their rate") {
  const RowMatrix<float> X = table(500, 0.1, 1), normal = table(1000, 0.1, 2),
                         mixed = table(1000, 0.1, 3, true);
  std::vector<int> anomaly;
  for (Index i = 0; i < 1000; ++i) anomaly.push_back(i % 2 == 1);
  for (const Missing missing : {Missing::mask, Missing::impute}) {
    CAPTURE(static_cast<int>(missing));
    const Detector<float> detector = fit(X, quick(missing));
    CHECK(detector.warnings().empty());
    CHECK(detector.features() == 8);
    CHECK(detector.facts().at("missing") == (missing == Missing::mask ? "mask" : "impute"));
    double small = 0;
    const auto scores = detector.score(normal);
    CHECK(scores.allFinite());
    for (const float s : scores) small += detector.p_value(s) <= 0.1;
    // 1,000 rows and 500 to compare with: the rate has a standard error of 0.016; three of them.
    CHECK(small / 1000 == doctest::Approx(0.1).epsilon(0.5));
    // Rows with one odd feature of eight, which one time in ten is missing.
    const double auc = roc_auc(detector.score(mixed), anomaly);
    CHECK(auc > (missing == Missing::mask ? 0.9 : 0.7));
  }
  CHECK_THROWS_WITH_AS(fit(X, quick(Missing::refuse)), doctest::Contains("NaN in row"),
                       InvalidArgument);
}

TEST_CASE("without a value missing, a fit that masks or imputes has the bits of one that refuses") {
  const RowMatrix<float> X = table(60, 0, 1);
  FitOptions options = quick(Missing::refuse);
  options.steps = 20;
  const auto scores = fit(X, options).score(X);
  for (const Missing missing : {Missing::mask, Missing::impute}) {
    options.missing = missing;
    CHECK(fit(X, options).score(X) == scores);
  }
}

TEST_CASE("missing values go with contamination, few rows, far values and names") {
  FitOptions options = quick(Missing::mask);
  options.steps = 20;
  options.feature_names = {"a", "b", "c", "d", "e", "f", "g", "h"};
  RowMatrix<float> X = table(100, 0.1, 4);
  X(3, 2) = 1e6f;
  for (const Missing missing : {Missing::mask, Missing::impute}) {
    options.missing = missing;
    const auto detector = fit(X, options);
    REQUIRE(detector.warnings().size() >= 1);
    CHECK(detector.warnings()[0].find("1 of ") == 0);
    CHECK(detector.warnings()[0].find("feature 'c' lie far from all others: 1e+06 (row 3)") !=
          std::string::npos);
    CHECK(detector.feature_names() == options.feature_names);
    options.contamination = 0.05;
    CHECK(fit(X, options).score(X.topRows(3)).allFinite());
    options.contamination = 0;
    const RowMatrix<float> few = table(6, 0.2, 5);
    CHECK(fit(few, options).score(few).allFinite());
  }
  options.standardize = false;
  CHECK_THROWS_WITH_AS(fit(X, options), doctest::Contains("must be standardized"), InvalidArgument);
}

TEST_CASE("a fit with missing values that was stopped goes on to the same bits") {
  const RowMatrix<float> X = table(60, 0.2, 1);
  for (const Missing missing : {Missing::mask, Missing::impute}) {
    FitOptions options = quick(missing);
    options.steps = 20;
    const auto whole = fit(X, options).score(X);
    Checkpoint<float> checkpoint;
    fit(
        X, options, [](const FitProgress& at) { return at.done < 8; }, &checkpoint);
    CHECK(fit(X, options, detail::NoProgress(), &checkpoint).score(X) == whole);
    options.missing = missing == Missing::mask ? Missing::impute : Missing::mask;
    CHECK_THROWS_WITH_AS(fit(X, options, detail::NoProgress(), &checkpoint),
                         doctest::Contains("belongs to another fit"), InvalidArgument);
  }
}
