// The watch for drift: false alarms over all time, delays, names of features, and going on from a state.

#include <dasvdd/detect/calibration.hpp>
#include <dasvdd/detect/drift_watch.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

using namespace dasvdd;

namespace {

constexpr Index features = 10;

/// A table of standard normal features, all shifted by `mean` and multiplied by `scale`, the first shifted by `first`.
struct Table {
  const char* name = "as calibrated";
  double mean = 0, scale = 1, first = 0;

  void row(Random& random, double* x) const {
    for (Index j = 0; j < features; ++j) {
      x[j] = std::fma(scale, random.normal(), mean + (j == 0 ? first : 0));
    }
  }
  /// The score of a net that reconstructs nothing: the mean square of the row.
  static double score(const double* x) {
    double sum = 0;
    for (Index j = 0; j < features; ++j) sum = std::fma(x[j], x[j], sum);
    return sum / features;
  }
  double score(Random& random) const {
    double x[features];
    row(random, x);
    return score(x);
  }
};

const Table normal;

std::vector<double> scores(std::size_t n, Random& random) {
  std::vector<double> result(n);
  for (double& score : result) score = normal.score(random);
  return result;
}

RowMatrix<double> rows_of(const Table& table, Index n, Random& random) {
  RowMatrix<double> rows(n, features);
  for (Index i = 0; i < n; ++i) table.row(random, rows.row(i).data());
  return rows;
}

/// Rows after the change until the alarm: 0 if there is none in `after` rows, negative if it came before the change.
long delay(std::uint64_t seed, std::size_t n, long before, const Table& table, long after,
           bool with_rows = false) {
  Random random(seed);
  const auto calibration = scores(n, random);
  const RowMatrix<double> rows = rows_of(normal, static_cast<Index>(n), random);
  DriftWatch watch = with_rows ? DriftWatch(calibration, rows) : DriftWatch(calibration);
  double x[features];
  for (long i = 1; i <= before + after; ++i) {
    (i <= before ? normal : table).row(random, x);
    if (with_rows ? watch.add(Table::score(x), x) : watch.add(Table::score(x))) {
      return i <= before ? i - before - 1 : i - before;
    }
  }
  return 0;
}

/// How many of `repetitions` streams like their calibration raise an alarm.
int alarms(std::size_t n, double rate, int repetitions, long rows) {
  int count = 0;
  for (int i = 0; i < repetitions; ++i) {
    Random random(static_cast<std::uint64_t>(i), n);
    std::vector<double> calibration(n);
    for (double& score : calibration) score = random.normal();
    DriftWatch watch(calibration, rate);
    for (long row = 0; row < rows && !watch.alarmed(); ++row) watch.add(random.normal());
    count += watch.alarmed();
  }
  return count;
}

}  // namespace

TEST_CASE("a stream like its calibration raises hardly any alarm, however small the calibration") {
  int count = 0;
  for (const std::size_t n : {1u, 10u, 100u, 1000u, 10000u}) count += alarms(n, 0.05, 40, 10000);
  // 200 streams, each with a chance of at most 0.05: more than 19 alarms have a chance below 0.002.
  CHECK(count <= 19);
}

TEST_CASE("the rate of false alarms over 100,000 rows" * doctest::skip()) {
  for (const std::size_t n : {100u, 1000u, 10000u}) {
    const int repetitions = 500;
    const int count = alarms(n, 0.05, repetitions, 100000);
    MESSAGE(n, " calibration rows: ", count, " alarms in ", repetitions,
            " streams at a rate of 0.05");
    CHECK(count <= 0.05 * repetitions + 3 * std::sqrt(0.05 * 0.95 * repetitions));
  }
}

TEST_CASE(
    "frequencies of the calibration alone would be found out, which is why the stream joins it") {
  // The same test with masses that stay those of 100 calibration values: nearly every stream is called changed.
  int count = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    std::vector<double> calibration(100);
    for (double& score : calibration) score = random.normal();
    detail::RankTest test(calibration, random);
    const auto masses = test.state().masses;
    bool alarm = false;
    for (std::uint64_t row = 1; row <= 5000 && !alarm; ++row) {
      alarm = test.add(random.normal(), detail::RankTest::stake(row), random) >= 20;
      auto state = test.state();
      state.masses = masses;
      test = detail::RankTest(std::move(state));
    }
    count += alarm;
  }
  CHECK(count >= 15);
}

TEST_CASE("shifts of the mean, the scale and one feature are found, up and down") {
  // Bounds are two to four times the longest of the ten delays.
  struct Case {
    Table table;
    long most;
  };
  for (const Case& change :
       {Case{{"mean 1", 1}, 60}, Case{{"mean 0.5", 0.5}, 500}, Case{{"scale 1.5", 0, 1.5}, 40},
        Case{{"scale 1.25", 0, 1.25}, 150}, Case{{"scale 0.8", 0, 0.8}, 150},
        Case{{"scale 0.5", 0, 0.5}, 30}, Case{{"one feature by 3", 0, 1, 3}, 60},
        Case{{"one feature by 2", 0, 1, 2}, 250}}) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const long rows = delay(seed, 1000, 1000, change.table, change.most);
      CAPTURE(change.table.name);
      CAPTURE(seed);
      CHECK(rows > 0);
    }
  }
}

TEST_CASE("delays of detection" * doctest::skip()) {
  const Table tables[] = {{"mean 0.25", 0.25},
                          {"mean 0.5", 0.5},
                          {"mean 1", 1},
                          {"scale 1.1", 0, 1.1},
                          {"scale 1.25", 0, 1.25},
                          {"scale 1.5", 0, 1.5},
                          {"scale 0.8", 0, 0.8},
                          {"scale 0.5", 0, 0.5},
                          {"one feature by 1", 0, 1, 1},
                          {"one feature by 2", 0, 1, 2},
                          {"one feature by 3", 0, 1, 3}};
  const int repetitions = 50;
  const long after = 20000;
  for (const bool with_rows : {false, true}) {
    for (const std::size_t n : {100u, 1000u, 10000u}) {
      for (const long before : {0L, 1000L, 10000L}) {
        for (const Table& table : tables) {
          std::vector<double> delays;
          int early = 0;
          for (int i = 0; i < repetitions; ++i) {
            const long rows =
                delay(static_cast<std::uint64_t>(i), n, before, table, after, with_rows);
            early += rows < 0;
            delays.push_back(rows > 0 ? double(rows) : std::numeric_limits<double>::infinity());
          }
          std::sort(delays.begin(), delays.end());
          const std::string watched = with_rows ? "scores and features" : "scores";
          MESSAGE(watched, ", ", n, " calibration rows, ", before, " before, ",
                  std::string(table.name), ": median ", delays[repetitions / 2], ", 90 % ",
                  delays[repetitions * 9 / 10], ", early ", early);
          CHECK(early <= 3);  // 0.01 each: more than 3 of 50 have a chance of 0.002
        }
      }
    }
  }
}

TEST_CASE("features that moved are named, the most certain first, and no others") {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    // Feature 2 is a count and 7 a constant: equal values everywhere.
    const auto draw = [&](double* x) {
      normal.row(random, x);
      x[2] = std::floor(3 * random.uniform());
      x[7] = 5;
    };
    RowMatrix<double> rows(500, features);
    for (Index i = 0; i < 500; ++i) draw(rows.row(i).data());
    DriftWatch watch(scores(500, random), rows);
    CHECK(watch.features() == features);
    double x[features];
    for (int i = 0; i < 2000; ++i) {
      draw(x);
      REQUIRE_FALSE(watch.add(normal.score(random), x));
    }
    CHECK(watch.moved_features().empty());
    for (int i = 0; i < 400; ++i) {
      draw(x);
      x[4] += 3;
      x[2] += random.uniform() < 0.4 ? 1 : 0;
      x[9] *= 0.5;
      watch.add(normal.score(random), x);
    }
    // The scores did not move: the features alone raised the alarm.
    CHECK(watch.alarmed());
    CHECK(watch.alarm_row() < 2000 + 60);
    CHECK(watch.evidence() < 100);
    const auto moved = watch.moved_features();
    REQUIRE(moved.size() == 3);
    CHECK(moved[0].feature == 4);
    CHECK(moved[1].feature + moved[2].feature == 2 + 9);
    CHECK(moved[0].evidence >= moved[1].evidence);
    CHECK(moved[1].evidence >= moved[2].evidence);
    CHECK(moved[2].evidence >= 2 * features / 0.01);
  }
}

TEST_CASE("features that did not move are not named, and raise no alarm") {
  // A chance of at most 0.1 a stream: more than 9 of 40 have a chance below 0.006.
  int count = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    DriftWatch watch(scores(50, random), rows_of(normal, 50, random), 0.1);
    double x[features];
    for (int i = 0; i < 2000; ++i) {
      normal.row(random, x);
      watch.add(Table::score(x), x);
    }
    count += watch.alarmed() || !watch.moved_features().empty();
  }
  CHECK(count <= 9);
}

TEST_CASE(
    "the score has all of the rate without features; with them half, and they the other half") {
  // Scores at their 0.9 quantile, by which no bet gains as much as 2 a row: the limit is met on the way.
  Random random(8);
  const auto calibration = scores(200, random);
  const auto rows = rows_of(normal, 200, random);
  DriftWatch alone(calibration, 0.05), both(calibration, rows, 0.05);
  const double high = Calibration(calibration).threshold(false_alarm_rate(0.1));
  const auto raised_at = [&](DriftWatch& watch, auto&& add) {
    double before = 1;
    while (!add() && watch.rows() < 1000) before = watch.evidence();
    return std::make_pair(before, watch.evidence());
  };
  double x[features];
  const auto one = raised_at(alone, [&] { return alone.add(high); });
  CHECK(one.first < 1 / 0.05);
  CHECK(one.second < 2 / 0.05);
  CHECK(one.second >= 1 / 0.05);
  const auto two = raised_at(both, [&] {
    normal.row(random, x);
    return both.add(high, x);
  });
  CHECK(two.first < 2 / 0.05);
  CHECK(two.second < 4 / 0.05);
  CHECK(two.second >= 2 / 0.05);
  // A feature alone, at its 0.9 quantile.
  DriftWatch feature(calibration, rows, 0.05);
  const std::vector<double> column(rows.col(0).begin(), rows.col(0).end());
  const double far = Calibration(column).threshold(false_alarm_rate(0.1));
  do {
    normal.row(random, x);
    x[0] = far;
  } while (!feature.add(normal.score(random), x) && feature.rows() < 1000);
  const auto moved = feature.moved_features();
  REQUIRE(moved.size() == 1);
  CHECK(moved[0].feature == 0);
  CHECK(moved[0].evidence >= 2 * features / 0.05);
  CHECK(moved[0].evidence < 4 * features / 0.05);
  // It stays alarmed, and remembers the row.
  const auto row = alone.alarm_row();
  CHECK(row == alone.rows());
  for (int i = 0; i < 100; ++i) CHECK(alone.add(normal.score(random)));
  CHECK(alone.alarm_row() == row);
  CHECK(alone.rows() == row + 100);
}

TEST_CASE("a watch goes on from its state to the same bits") {
  Random random(9);
  // Scores and features of few values, so that ties draw random numbers.
  const auto coarse = [&](double* x) {
    normal.row(random, x);
    for (Index j = 0; j < features; ++j) x[j] = std::round(x[j]);
  };
  RowMatrix<double> rows(100, features);
  std::vector<double> calibration;
  for (Index i = 0; i < 100; ++i) {
    coarse(rows.row(i).data());
    calibration.push_back(Table::score(rows.row(i).data()));
  }
  DriftWatch whole(calibration, rows, 0.01, 3);
  double x[features];
  for (int i = 0; i < 300; ++i) {
    coarse(x);
    whole.add(Table::score(x), x);
  }
  DriftWatch resumed(whole.state());
  CHECK(resumed.evidence() == whole.evidence());
  for (int i = 0; i < 300; ++i) {
    coarse(x);
    x[1] += 1;
    const double score = Table::score(x);
    REQUIRE(whole.add(score, x) == resumed.add(score, x));
    REQUIRE(whole.evidence() == resumed.evidence());
  }
  CHECK(whole.alarmed());
  CHECK(whole.alarm_row() == resumed.alarm_row());
  const auto moved = whole.moved_features(), again = resumed.moved_features();
  REQUIRE(!moved.empty());
  REQUIRE(moved.size() == again.size());
  for (std::size_t i = 0; i < moved.size(); ++i) {
    CHECK(moved[i].feature == again[i].feature);
    CHECK(moved[i].evidence == again[i].evidence);
  }
  // Another seed orders equal values in another way.
  DriftWatch other(calibration, rows, 0.01, 4);
  CHECK(other.state().tests[0].tie_breaks !=
        DriftWatch(calibration, rows, 0.01, 3).state().tests[0].tie_breaks);
}

TEST_CASE("float rows count as the doubles they are") {
  Random random(10);
  const auto calibration = scores(100, random);
  const RowMatrix<float> narrow = rows_of(normal, 100, random).cast<float>();
  const RowMatrix<double> wide = narrow.cast<double>();
  DriftWatch a(calibration, narrow), b(calibration, wide);
  for (Index i = 0; i < 100; ++i) {
    a.add(0.5, narrow.row(i).data());
    b.add(0.5, wide.row(i).data());
  }
  CHECK(a.evidence() == b.evidence());
  CHECK(a.state().tests[3].wealth == b.state().tests[3].wealth);
}

TEST_CASE("bad scores, rows and states get a sentence and change nothing") {
  using V = std::vector<double>;
  const double nan = std::nan("");
  CHECK_THROWS_WITH_AS(DriftWatch(V{}), "a drift watch needs at least one calibration score",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(DriftWatch(V{1, nan}), "calibration score 1 is NaN, expected a number",
                       InvalidArgument);
  for (const double rate : {0.0, 1.0, nan})
    CHECK_THROWS_AS(DriftWatch(V{1}, rate), InvalidArgument);
  CHECK_THROWS_WITH_AS(DriftWatch(V{1}, 2.0),
                       "the rate of false alarms is 2, expected a number between 0 and 1",
                       InvalidArgument);
  RowMatrix<double> rows = RowMatrix<double>::Ones(3, 2);
  CHECK_THROWS_WITH_AS(DriftWatch(V{1}, RowMatrix<double>(rows.topRows(0))),
                       "the drift watch got 0 x 2 rows, expected at least one row and one feature",
                       InvalidArgument);
  DriftWatch watch(V{1, 2, 3}, rows);
  CHECK_THROWS_WITH_AS(watch.add(1), "the drift watch needs the row's 2 features beside its score",
                       InvalidArgument);
  rows(2, 1) = nan;
  CHECK_THROWS_WITH_AS(DriftWatch(V{1}, rows), doctest::Contains("NaN in row 2, column 1"),
                       InvalidArgument);
  const double good[] = {1, 1}, bad[] = {1, nan};
  const auto before = watch.state();
  CHECK_THROWS_WITH_AS(watch.add(1, bad), doctest::Contains("the row has NaN in row 0, column 1"),
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(watch.add(nan, good), "the score is NaN, expected a number or infinity",
                       InvalidArgument);
  CHECK(watch.rows() == 0);
  CHECK(watch.state().tests[0].masses == before.tests[0].masses);
  CHECK(watch.state().random == before.random);
  CHECK_NOTHROW(watch.add(std::numeric_limits<double>::infinity(), good));

  const auto refused = [&](auto&& spoil, const char* sentence) {
    DriftWatch::State state = before;
    spoil(state);
    CHECK_THROWS_WITH_AS(DriftWatch{state}, doctest::Contains(sentence), InvalidArgument);
  };
  refused([](auto& s) { s.false_alarms = 0; }, "has a rate of false alarms of 0");
  refused([](auto& s) { s.tests.clear(); }, "0 tests");
  refused([](auto& s) { s.alarm_row = 7; }, "an alarm at row 7 of 0");
  refused([](auto& s) { s.random = {}; }, "the random state is all zero");
  refused([](auto& s) { s.tests[1].masses[0] = 0; }, "a mass of 0");
}
