// Training rows that lie: sentinels, huge values, features that vary by rounding alone.

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/train/far_values.hpp>
#include <dasvdd/train/source_far_values.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// n rows of three features, the second of which follows the first.
RowMatrix<double> related(Index n, std::uint64_t seed, std::vector<int>* anomalies = nullptr) {
  Random random(seed);
  RowMatrix<double> X(n, 3);
  for (Index i = 0; i < n; ++i) {
    const bool odd = anomalies && i % 5 == 2;
    if (anomalies) anomalies->push_back(odd);
    const double t = random.normal();
    X.row(i) << t, (odd ? -1 : 1) * t + 0.05 * random.normal(), random.normal();
  }
  return X;
}

FitOptions quick() {
  FitOptions options;
  options.ensemble_size = 3;
  options.steps = 600;
  options.feature_names = {"flow", "current", "t"};
  return options;
}

std::vector<Index> far_rows(const RowMatrix<double>& X) { return far_row_numbers(far_values(X)); }

/// The rows in blocks of 100, which count their passes.
template <class Scalar>
RowSource source_of(const RowMatrix<Scalar>& X, int& passes) {
  return {X.cols(), [&X, &passes] {
            ++passes;
            Index at = 0;
            return [&X, at]() mutable {
              const Index first = at, count = std::min<Index>(100, X.rows() - at);
              at += count;
              return Rows<const Scalar>(X).middle_rows(first, count);
            };
          }};
}
/// What a source's passes find while a sample of so many rows is held.
template <class Scalar>
std::vector<FarValues> found_in_source(const RowMatrix<Scalar>& X, Index sample, int& passes) {
  passes = 0;
  const RowSource source = source_of(X, passes);
  RowReader reader(source.open());
  const auto scan = SourceScan::of(reader, {sample, 1, false, 0, true});
  return far_values(scan, source);
}

}  // namespace

TEST_CASE("values far from all others are found by feature, few of them and none of a long tail") {
  const RowMatrix<double> clean = related(500, 1);
  CHECK(far_values(clean).empty());
  RowMatrix<double> X = clean;
  for (const Index i : {3, 77, 78, 300, 499}) X(i, 1) = -9999;
  X(10, 2) = 1e12;
  const auto all = far_values(X);
  REQUIRE(all.size() == 2);
  CHECK(all[0].feature == 1);
  CHECK(all[0].rows == std::vector<Index>{3, 77, 78, 300, 499});
  CHECK(all[0].value == -9999);
  CHECK(all[0].alike);
  CHECK(all[1].feature == 2);
  CHECK(all[1].rows == std::vector<Index>{10});
  CHECK(far_rows(X) == std::vector<Index>{3, 10, 77, 78, 300, 499});
  const RowMatrix<float> narrow = X.cast<float>();
  CHECK(far_row_numbers(far_values(narrow)) == far_rows(X));

  // At both ends, and of several values.
  X = clean;
  X(0, 0) = 1e6;
  X(1, 0) = -1e6;
  X(2, 0) = 2e6;
  const auto both = far_values(X);
  REQUIRE(both.size() == 1);
  CHECK(both[0].rows == std::vector<Index>{0, 1, 2});
  CHECK(!both[0].alike);
  CHECK(both[0].low > -5);
  CHECK(both[0].high < 5);

  // Up to a tenth where it is one number again and again.
  for (const Index count : {11, 50, 51}) {
    X = clean;
    for (Index i = 0; i < count; ++i) X(i, 1) = -9999;
    for (int side = 0; side < 2; ++side) {
      const auto found = far_values(X);
      CHECK(few_far_rows(found, 500).size() == (count > 50 ? 0u : static_cast<std::size_t>(count)));
      CHECK(found.size() == 1);
      X.col(1) *= -1;
    }
  }
  // Of several numbers, or zeros, that many are a second mode.
  X = clean;
  for (Index i = 0; i < 11; ++i) X(i, 1) = -9999 - 0.1 * static_cast<double>(i);
  CHECK(far_rows(X).empty());
  X = clean;
  X.col(1).array() += 9999;
  for (Index i = 0; i < 11; ++i) X(i, 1) = 0;
  CHECK(far_rows(X).empty());
  // Features of few values, and long tails, are what they are.
  X = clean;
  X.col(0).setZero();
  X(5, 0) = 1;  // a rare mark
  for (Index i = 0; i < 500; ++i) X(i, 1) = std::exp(2 * clean(i, 0));
  CHECK(far_rows(X).empty());
  X.col(1) = clean.col(1);
  X(7, 1) = 60;  // not thirty times as far as the others are wide
  CHECK(far_rows(X).empty());
  // Too few rows to say.
  CHECK(far_values(RowMatrix<double>(X.topRows(9))).empty());
}

TEST_CASE("of a source the same are found, though the sample that is held has none of them") {
  const RowMatrix<double> clean = related(20000, 1);
  int passes = 0;
  CHECK(found_in_source(clean, 200, passes).empty());
  CHECK(passes == 1);  // nothing to look for

  // Every kind: few of any numbers at both ends, one number again and again, one number at both ends.
  RowMatrix<double> X = clean;
  for (const Index i : {3, 777, 19999}) X(i, 1) = -9999 - static_cast<double>(i);
  X(10, 1) = 1e300;
  for (Index i = 0; i < 1000; ++i) X(20 * i + 5, 0) = -9999;
  X(17, 2) = 1e12;
  const auto expected = far_values(X);
  REQUIRE(expected.size() == 3);
  for (const Index sample : {200, 3000, 20000}) {
    CAPTURE(sample);
    const auto found = found_in_source(X, sample, passes);
    CHECK(passes == (sample < 20000 ? 2 : 1));
    REQUIRE(found.size() == 3);
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK(found[k].feature == expected[k].feature);
      CHECK(found[k].rows == expected[k].rows);
      CHECK(found[k].value == expected[k].value);
      CHECK(found[k].alike == expected[k].alike);
      CHECK(found[k].low == expected[k].low);
      CHECK(found[k].high == expected[k].high);
    }
  }
  const RowMatrix<float> narrow = X.cast<float>().cwiseMin(1e30f);
  CHECK(far_row_numbers(found_in_source(narrow, 200, passes)) ==
        far_row_numbers(far_values(narrow)));
}

TEST_CASE("of a source neither a tail nor a second mode nor a rare mark is far") {
  const RowMatrix<double> clean = related(20000, 1);
  RowMatrix<double> X = clean;
  int passes = 0;
  // Far from the middle, but with a way there in steps that are no gaps.
  for (Index i = 0; i < 40; ++i) X(500 * i, 1) = 50.0 * static_cast<double>(i + 1);
  CHECK(far_values(X).empty());
  CHECK(found_in_source(X, 200, passes).empty());
  CHECK(passes == 2);
  // Several numbers, or zeros, in more than a fiftieth; one number in more than a tenth.
  X = clean;
  for (Index i = 0; i < 500; ++i) X(40 * i, 1) = -9999 - 0.1 * static_cast<double>(i % 2);
  CHECK(far_values(X).empty());
  CHECK(found_in_source(X, 200, passes).empty());
  X = clean;
  X.col(1).array() += 9999;
  for (Index i = 0; i < 500; ++i) X(40 * i, 1) = 0;
  CHECK(found_in_source(X, 200, passes).empty());
  X = clean;
  for (Index i = 0; i < 2001; ++i) X(9 * i, 1) = -9999;
  CHECK(found_in_source(X, 200, passes).empty());
  // A mark that is rare, long tails, and one value that is not most of the variance.
  X = clean;
  X.col(0).setZero();
  X(5, 0) = 1;
  for (Index i = 0; i < X.rows(); ++i) X(i, 1) = std::exp(clean(i, 0));
  X(7, 2) = 130;
  CHECK(far_values(X).empty());
  CHECK(found_in_source(X, 200, passes).empty());
}

TEST_CASE("a trainer's windows warn of far values that their sample lacks, by the source's row") {
  RowMatrix<double> X = related(4000, 1);
  for (const Index i : {1234, 3333}) X(i, 1) = -9999;
  Options options;
  options.epochs = 1;
  options.window = 100;
  options.batch_size = 50;
  options.standardize = true;
  options.feature_names = {"flow", "current", "t"};
  Trainer<float> trainer(dense_autoencoder<float>(3, {4, 2}, Activation()), options);
  int passes = 0;
  const FitReport report = trainer.fit(source_of(X, passes));
  REQUIRE(!report.warnings.empty());
  const std::string& warning = report.warnings.front();
  CAPTURE(warning);
  CHECK(warning.find("2 of 4000 values of feature 'current' lie far from all others: -9999 (first "
                     "in row 1234)") == 0);
}

TEST_CASE("a handful of sentinels doesn't blind a feature: their rows are left out, and named") {
  std::vector<int> anomalies;
  const RowMatrix<double> test = related(400, 2, &anomalies);
  RowMatrix<double> X = related(500, 1);
  const double clean = roc_auc(fit<float>(X, quick()).score(test), anomalies);
  for (const Index i : {3, 77, 78, 300, 499}) X(i, 1) = -9999;
  const Detector<float> detector = fit<float>(X, quick());
  CHECK(roc_auc(detector.score(test), anomalies) > clean - 0.02);
  CHECK(clean > 0.85);
  REQUIRE(!detector.warnings().empty());
  const std::string& warning = detector.warnings().front();
  CHECK(warning.find("5 of 500 values of feature 'current' lie far from all others: -9999 (first "
                     "in row 3); the "
                     "others go from -") == 0);
  CHECK(warning.find("Their rows have no part in the fit") != std::string::npos);
  // They have no part in the calibration either, whose largest scores they would be.
  CHECK(detector.calibration().scores().size() == 297);
  RowMatrix<double> row = test.topRows(1);
  row(0, 1) = -9999;
  CHECK(detector.predict(row)[0] == 1);
  CHECK(detector.p_value(detector.score(row)[0]) == doctest::Approx(1 / 298.0));

  // Without such values nothing is left out, and the same bits come out as of a table that was not looked at.
  CHECK(fit<float>(related(500, 1), quick()).warnings().empty());
}

TEST_CASE("a trainer that standardizes warns of far values and trains on every row") {
  RowMatrix<double> X = related(100, 1);
  X(4, 2) = 1e9;
  Options options;
  options.epochs = 2;
  options.standardize = true;
  Trainer<float> trainer(dense_autoencoder<float>(3, {4}), options);
  const FitReport report = trainer.fit(X);
  REQUIRE(!report.warnings.empty());
  CHECK(report.warnings.front().find(
            "1 of 100 values of feature 2 (from 0) lie far from all others: 1e+09 (row 4)") == 0);
  CHECK(trainer.detector().warnings() == report.warnings);
  options.standardize = false;
  Trainer<float> raw(dense_autoencoder<float>(3, {4}), options);
  for (const std::string& warning : raw.fit(RowMatrix<float>(X.cast<float>())).warnings) {
    CHECK(warning.find("far from all others") == std::string::npos);
  }
}

TEST_CASE(
    "a feature that varies by rounding alone is named, and taken as constant where it is one") {
  RowMatrix<double> X = related(200, 1);
  for (Index i = 0; i < 200; ++i) X(i, 2) = i % 7 == 0 ? 0.1 + 0.2 : 0.3;
  const Detector<float> detector = fit<float>(X, quick());
  REQUIRE(!detector.warnings().empty());
  CHECK(detector.warnings().front().find(
            "feature 't' varies by 5.55112e-17 about 0.3, where numbers of 64 bits are ") == 0);
  // As if it were constant: no row is far off by one rounding.
  CHECK(std::get<Standardizer<float>>(detector.model().scaler.kind()).scale()[2] == 1);

  // Seconds since 1970 as floats.
  RowMatrix<float> late(200, 3);
  for (Index i = 0; i < 200; ++i)
    late.row(i) << static_cast<float>(X(i, 0)), static_cast<float>(X(i, 1)),
        1.7e9f + static_cast<float>(3 * i);
  const Detector<float> rounded = fit(late, quick());
  REQUIRE(!rounded.warnings().empty());
  CHECK(rounded.warnings().front().find("feature 't' varies by ") == 0);
  CHECK(rounded.warnings().front().find(
            "bits are 202.656 apart: what it tells is rounding. Give the rows in double") !=
        std::string::npos);
  // Of the rows that have a part alone, and by a trainer however it scales.
  RowMatrix<float> lacking = late;
  for (const Index i : {3, 77}) lacking(i, 2) = 0;
  const auto others = fit(lacking, quick()).warnings();
  REQUIRE(others.size() == 2);
  CHECK(others[0].find("2 of 200 values of feature 't' lie far") == 0);
  CHECK(others[1].find("feature 't' varies by ") == 0);
  for (const bool standardize : {false, true}) {
    Options of_trainer;
    of_trainer.epochs = 1;
    of_trainer.standardize = standardize;
    of_trainer.feature_names = {"flow", "current", "t"};
    Trainer<float> trainer(dense_autoencoder<float>(3, {4}), of_trainer);
    CHECK(trainer.fit(late).warnings.front().find("feature 't' varies by ") == 0);
  }
  // In double there is nothing to say, unless a net in float gets them as they are.
  RowMatrix<double> fine = X;
  for (Index i = 0; i < 200; ++i) fine(i, 2) = 1.7e9 + 3 * static_cast<double>(i);
  CHECK(fit<float>(fine, quick()).warnings().empty());
  FitOptions raw = quick();
  raw.standardize = false;
  raw.steps = 1;
  const auto narrowed = fit<float>(fine, raw);
  CHECK(narrowed.warnings().front().find("rounding. Standardize the rows") != std::string::npos);
}

TEST_CASE("rows with far values are left out where they are a handful, a tenth at most") {
  FarValues far;
  for (Index i = 0; i < 10; ++i) far.rows.push_back(7 * i);
  CHECK(few_far_rows({far}, 100) == far.rows);
  CHECK(few_far_rows({far, far}, 100) == far.rows);  // of two features, each row once
  CHECK(few_far_rows({}, 100).empty());
  far.alike = false;
  CHECK(few_far_rows({far}, 99).empty());

  // Where many features have some, those of one number again and again, in up to half of the rows.
  FarValues word, once;
  for (Index i = 0; i < 40; ++i) word.rows.push_back(2 * i + 1);
  once.rows = {0};
  word.words = true;
  CHECK(few_far_rows({far, word, once}, 100) == word.rows);
  CHECK(few_far_rows({far, word, once}, 80) == word.rows);
  CHECK(few_far_rows({far, word, once}, 79).empty());
  word.handful = false;
  CHECK(few_far_rows({word, once}, 100) == once.rows);
}

TEST_CASE("several words of one feature are found, and one in more than a tenth is told of") {
  const RowMatrix<double> clean = related(500, 1);
  RowMatrix<double> X = clean;
  std::vector<Index> rows;
  for (Index i = 0; i < 60; ++i) {
    X(8 * i, 1) = i % 3 == 0 ? -9999 : i % 3 == 1 ? -999 : 99999;
    rows.push_back(8 * i);
  }
  auto found = far_values(X);
  REQUIRE(found.size() == 1);
  CHECK(found[0].rows == rows);
  CHECK(found[0].words);
  CHECK(found[0].low > -5);
  CHECK(found[0].high < 5);
  CHECK(few_far_rows(found, 500) == rows);  // twelve in a hundred, but words

  for (const Index count : {51, 100, 199}) {
    CAPTURE(count);
    X = clean;
    for (Index i = 0; i < count; ++i) X(2 * i, 1) = 65535;
    found = far_values(X);
    REQUIRE(found.size() == 1);
    CHECK(found[0].rows.size() == static_cast<std::size_t>(count));
    CHECK(!found[0].handful);
    CHECK(few_far_rows(found, 500).empty());
    const auto warnings = fit<float>(X, quick()).warnings();
    REQUIRE(!warnings.empty());
    CHECK(warnings[0].find(sentence(
              count, " of 500 values of feature 'current' lie far from all others: 65535")) == 0);
    CHECK(warnings[0].find("They decide how the feature is scaled: are they measurements?") !=
          std::string::npos);
  }
  // A mark, a mode with zeros, and one that isn't alike, are what they are.
  for (const double other : {1.0, 0.0}) {
    X = clean;
    if (other == 0) X.col(1).array() += 9999;
    if (other == 1) X.col(1).setZero();
    for (Index i = 0; i < 100; ++i) X(2 * i, 1) = other;
    CHECK(far_values(X).empty());
  }
  X = clean;
  for (Index i = 0; i < 100; ++i) X(2 * i, 1) = 9999 + 1e-3 * static_cast<double>(i);
  CHECK(far_values(X).empty());
}

TEST_CASE("many features that are out now and then don't blind each other") {
  std::vector<int> anomalies;
  const auto wide = [](const RowMatrix<double>& X) {
    RowMatrix<double> all(X.rows(), 9);
    for (Index j = 0; j < 9; ++j) all.col(j) = X.col(j % 3);
    return all;
  };
  const RowMatrix<double> test = wide(related(400, 2, &anomalies));
  RowMatrix<double> X = wide(related(500, 1));
  FitOptions options = quick();
  options.feature_names.clear();
  const double clean = roc_auc(fit<float>(X, options).score(test), anomalies);
  // Each in a fiftieth of the rows, each in others.
  for (Index i = 0; i < 90; ++i) X(5 * i, i % 9) = -9999;
  const Detector<float> detector = fit<float>(X, options);
  CHECK(roc_auc(detector.score(test), anomalies) > clean - 0.02);
  CHECK(clean > 0.85);
  REQUIRE(detector.warnings().size() == 9);
  for (const std::string& warning : detector.warnings()) {
    CHECK(warning.find("10 of 500 values of feature ") == 0);
    CHECK(warning.find("Their rows have no part in the fit") != std::string::npos);
  }
}

TEST_CASE("sentinels beside a large offset are found: of double rows 1e12 is one") {
  RowMatrix<double> X = related(2000, 1);
  X.col(1) = (1e12 + 100 * X.col(1).array()).matrix();
  CHECK(far_values(X).empty());
  for (Index i = 0; i < 20; ++i) X(97 * i, 1) = -9999;
  const auto found = far_values(X);
  REQUIRE(found.size() == 1);
  CHECK(found[0].rows.size() == 20);
  // What differs in its last digits alone is no range, of rows of either type.
  for (Index i = 0; i < 2000; ++i) X(i, 1) = 0.3 + 1e-16 * static_cast<double>(i % 3);
  X(5, 1) = 7;
  CHECK(far_values(X).empty());
  RowMatrix<float> narrow = X.cast<float>();
  for (Index i = 0; i < 2000; ++i) narrow(i, 1) = 0.3f + 3e-8f * static_cast<float>(i % 2);
  narrow(5, 1) = 7;
  CHECK(far_values(narrow).empty());
}

TEST_CASE("rows with far values count as anomalies that are known where some may be") {
  std::vector<int> anomalies;
  const RowMatrix<double> test = related(400, 2, &anomalies);
  RowMatrix<double> X = related(500, 1);
  FitOptions options = quick();
  options.contamination = 0.02;
  const double clean = roc_auc(fit<float>(X, options).score(test), anomalies);
  for (Index i = 0; i < 8; ++i) X(60 * i, 1) = -9999;
  for (const double contamination : {0.004, 0.016, 0.02}) {
    CAPTURE(contamination);
    options.contamination = contamination;
    const Detector<float> detector = fit<float>(X, options);
    CHECK(roc_auc(detector.score(test), anomalies) > clean - 0.03);
    CHECK(detector.warnings().front().find("8 of 500 values of feature 'current'") == 0);
    CHECK(detector.warnings().front().find("have no part in the fit") != std::string::npos);
    // None of them is among the scores that calibrate.
    CHECK(detector.calibration().scores().back() < 1000);
    CHECK(detector.model().facts.at("contamination") == sentence(contamination));
  }
  CHECK(clean > 0.8);
  CHECK(share_among(0.1, 100, 100) == 0.1);
  CHECK(share_among(0.1, 100, 95) == doctest::Approx(5 / 95.0));
  CHECK(share_among(0.1, 100, 80) == 0);
}
