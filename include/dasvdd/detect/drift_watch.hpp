#pragma once
/// \file
/// Is the stream still what was calibrated? An alarm whose false alarms are bounded over all time.

#include <dasvdd/core/types.hpp>
#include <dasvdd/detect/rank_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// Watches a stream of rows, by their scores and, if wanted, each feature by itself.
///
/// Guarantee: if the rows of the stream are exchangeable with those of the calibration (independent draws from one
/// distribution, say), the probability that `alarmed` is ever true, on a stream without end, is at most
/// `false_alarms`. That holds for any distribution, with ties, and for any number of calibration rows, since each score
/// that has been seen joins those the next is compared with (conformal test martingales, Vovk, Gammerman & Shafer 2005;
/// Ville 1939; detail::RankTest has the argument). Where features are watched, the score is given half of
/// `false_alarms` and each of the d features 1 / (2 d) of it (Bonferroni), so also the chance that `moved_features` ever
/// names a feature that has not moved is at most `false_alarms`.
///
/// The calibration's scores must be of the same kind as the stream's: of rows the detector was not trained on. Not
/// promised: that every change is found. A change is found the sooner the larger it is and the more rows were seen
/// before it; a shift that is small against 1 / sqrt(calibration rows + rows before it), and any that comes so slowly
/// that the stream itself teaches it, may pass. After an alarm a new watch is needed; this one stays alarmed.
///
/// A value: 40 to 60 numbers three times over for the score, and as many for each feature; add() allocates nothing.
class DriftWatch {
 public:
  /// A feature whose distribution has changed, with the evidence against the contrary: by how much a gambler who bets
  /// against "nothing has changed" has multiplied his capital. 1 is none; by luck alone it reaches E with probability 1 / E
  /// at most.
  struct MovedFeature {
    Index feature;
    double evidence;
  };

  /// The watch in plain numbers, to be saved and gone on from.
  struct State {
    double false_alarms = 0;
    std::uint64_t rows = 0, alarm_row = 0;
    std::array<std::uint64_t, 4> random{};
    std::vector<detail::RankTest::State> tests;  ///< the score's, then one a feature
  };

  /// Watches scores.
  /// \param calibration the scores of n >= 1 normal rows: detector.calibration().scores(), say
  /// \param false_alarms the probability of a false alarm over all time, in (0, 1)
  /// \param seed of the random order of equal values
  explicit DriftWatch(const std::vector<double>& calibration, double false_alarms = 0.01,
                      std::uint64_t seed = 0)
      : false_alarms_(false_alarms), random_(seed) {
    detail::ensure(false_alarms > 0 && false_alarms < 1, "the rate of false alarms is ",
                   false_alarms, ", expected a number between 0 and 1");
    detail::ensure(!calibration.empty(), "a drift watch needs at least one calibration score");
    for (std::size_t i = 0; i < calibration.size(); ++i) {
      detail::ensure(!detail::is_nan(calibration[i]), "calibration score ", i,
                     " is NaN, expected a number");
    }
    tests_.emplace_back(calibration, random_);
  }

  /// Watches scores and features.
  /// \param rows normal rows, n x d, n >= 1: those of the calibration, say; they need not be as many as its scores
  template <class Scalar>
  DriftWatch(const std::vector<double>& calibration, Rows<Scalar> rows, double false_alarms = 0.01,
             std::uint64_t seed = 0)
      : DriftWatch(calibration, false_alarms, seed) {
    watch_features(Rows<const Scalar>(rows));
  }
  template <class Derived>
  DriftWatch(const std::vector<double>& calibration, const Eigen::DenseBase<Derived>& rows,
             double false_alarms = 0.01, std::uint64_t seed = 0)
      : DriftWatch(calibration, Rows<const typename Derived::Scalar>(rows), false_alarms, seed) {}

  /// Goes on where `state` was taken, to the same bits. Throws InvalidArgument if it can't be a watch's.
  explicit DriftWatch(const State& state)
      : false_alarms_(state.false_alarms),
        rows_(state.rows),
        alarm_row_(state.alarm_row),
        random_(0) {
    detail::ensure(state.false_alarms > 0 && state.false_alarms < 1 && !state.tests.empty() &&
                       state.alarm_row <= state.rows,
                   "the state of a drift watch has a rate of false alarms of ", state.false_alarms,
                   ", ", state.tests.size(), " tests and an alarm at row ", state.alarm_row, " of ",
                   state.rows,
                   ", expected a rate between 0 and 1, a test and an alarm that has been");
    random_.set_state(state.random);
    for (const auto& test : state.tests) tests_.emplace_back(test);
  }

  /// The score of the next row, where no features are watched. Returns alarmed().
  bool add(double score) {
    detail::ensure(features() == 0, "the drift watch needs the row's ", features(),
                   " features beside its score");
    return add_row(score, static_cast<const double*>(nullptr));
  }
  /// The next row's score, and the row: d numbers, as they were given to the detector. Returns alarmed().
  template <class Scalar>
  bool add(double score, const Scalar* row) {
    detail::require_finite(Rows<const Scalar>(row, 1, features()), "the row");
    return add_row(score, row);
  }

  /// Whether there has been an alarm.
  bool alarmed() const { return alarm_row_ > 0; }
  /// The row, counted from 1, that raised the alarm; 0 if there was none.
  std::uint64_t alarm_row() const { return alarm_row_; }
  /// Rows seen.
  std::uint64_t rows() const { return rows_; }
  /// Features d that are watched, 0 if none.
  Index features() const { return static_cast<Index>(tests_.size()) - 1; }

  /// The evidence in the scores that the stream has changed: a martingale that starts at 1 while it has not.
  double evidence() const { return tests_.front().evidence(rows_); }

  /// The features that have moved, most evidence first.
  std::vector<MovedFeature> moved_features() const {
    std::vector<MovedFeature> moved;
    for (Index j = 0; j < features(); ++j) {
      const double peak = tests_[static_cast<std::size_t>(j) + 1].peak();
      if (peak >= feature_limit()) moved.push_back({j, peak});
    }
    std::stable_sort(moved.begin(), moved.end(), [](const MovedFeature& a, const MovedFeature& b) {
      return a.evidence > b.evidence;
    });
    return moved;
  }

  State state() const {
    State state{false_alarms_, rows_, alarm_row_, random_.state(), {}};
    for (const auto& test : tests_) state.tests.push_back(test.state());
    return state;
  }

 private:
  double score_limit() const { return (features() == 0 ? 1 : 2) / false_alarms_; }
  double feature_limit() const { return 2 * static_cast<double>(features()) / false_alarms_; }

  template <class Scalar>
  void watch_features(Rows<const Scalar> rows) {
    detail::ensure(rows.rows() >= 1 && rows.cols() >= 1, "the drift watch got ", rows.rows(), " x ",
                   rows.cols(), " rows, expected at least one row and one feature");
    detail::require_finite(rows, "the drift watch's batch");
    std::vector<double> column(static_cast<std::size_t>(rows.rows()));
    for (Index j = 0; j < rows.cols(); ++j) {
      for (Index i = 0; i < rows.rows(); ++i) {
        column[static_cast<std::size_t>(i)] = static_cast<double>(rows(i, j));
      }
      tests_.emplace_back(column, random_);
    }
  }

  template <class Scalar>
  bool add_row(double score, const Scalar* row) {
    detail::ensure(!detail::is_nan(score), "the score is NaN, expected a number or infinity");
    ++rows_;
    const auto stake = detail::RankTest::stake(rows_);
    bool found = tests_[0].add(score, stake, random_) >= score_limit();
    for (std::size_t j = 1; j < tests_.size(); ++j) {
      const double value = static_cast<double>(row[j - 1]);
      found |= tests_[j].add(value, stake, random_) >= feature_limit();
    }
    if (found && !alarmed()) alarm_row_ = rows_;
    return alarmed();
  }

  double false_alarms_;
  std::uint64_t rows_ = 0, alarm_row_ = 0;
  Random random_;
  std::vector<detail::RankTest> tests_;  // the score's, then one a feature
};

DASVDD_NAMESPACE_END
