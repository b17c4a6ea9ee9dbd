#pragma once
/// \file
/// Which rows to call anomalies so that few of those called are normal: the false discovery rate of many p-values.

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/finite.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

inline void require_false_discovery_rate(double fdr) {
  ensure(fdr > 0 && fdr < 1, "the false discovery rate is ", fdr,
         ", expected a number between 0 and 1");
}

/// Whether p <= level, where both are quotients that may be equal: rounding must not decide.
inline bool reaches(double p, double level) { return p <= level * (1 + 1e-12); }

/// Benjamini & Hochberg's procedure (1995): selects the k smallest of n p-values, k the largest number with
/// p_(k) <= k fdr / n. Equal p-values are selected together.
///
/// Guarantee, m of the n rows being normal: the expected share of normal rows among the selected (0 where none is) is
/// at most fdr m / n for independent p-values of the normal rows, and for those of rows that were compared with the
/// same calibration scores, if the normal rows and the calibration's are independent draws from one distribution and no
/// scores are equal: such p-values are positively dependent (PRDS; Bates, Candes, Lei, Romano & Sesia 2023, Theorem 2;
/// Benjamini & Yekutieli 2001). Without a calibration of at least n / (fdr k) - 1 rows, k anomalies can't be found: no
/// p-value is smaller than 1 / (calibration rows + 1).
/// \param p n numbers from 0 to 1
/// \param fdr in (0, 1)
/// \return n flags
inline std::vector<bool> benjamini_hochberg(const double* p, std::size_t n, double fdr) {
  require_false_discovery_rate(fdr);
  for (std::size_t i = 0; i < n; ++i) {
    ensure(p[i] >= 0 && p[i] <= 1, "p-value ", i, " is ", p[i], ", expected a number from 0 to 1");
  }
  std::vector<double> sorted(p, p + n);
  std::sort(sorted.begin(), sorted.end());
  double limit = -1;
  for (std::size_t k = n; k > 0 && limit < 0; --k) {
    if (reaches(sorted[k - 1], fdr * static_cast<double>(k) / static_cast<double>(n))) {
      limit = sorted[k - 1];
    }
  }
  std::vector<bool> selected(n);
  for (std::size_t i = 0; i < n; ++i) selected[i] = p[i] <= limit;
  return selected;
}

}  // namespace detail

/// Selects anomalies from a stream of p-values, row by row, so that few of those selected are normal: LORD++ (Ramdas,
/// Yang, Wainwright & Jordan 2017), with or without their decaying memory.
///
/// Row t is selected if its p-value is at most
///   a_t = w / memory + w d^t g_t + sum over selected rows s < t of b_s d^(t - s) g_(t - s),
/// w = fdr / 2, d = 1 - 1 / memory, b_s = fdr - w. In words: there is half of fdr to spend at first, every selection
/// brings more, and what was brought is spent on the rows that follow, g_j = (1 - 1/m)^(j - 1) / m being spent on the
/// j-th. Without end of memory d = 1, and b_s = fdr from the second selection on. Since g is geometric, the sum is one
/// number, which each row multiplies by d (1 - 1/m): an update takes constant time and memory.
///
/// m = fdr (n + 1) / 4, at least 1, for p-values out of n calibration rows: they are never below 1 / (n + 1), so any
/// level below that is spent for nothing. With this m a selection keeps the level above it for about 1.4 m rows.
///
/// Guarantee, at every row T. With V and R the normal and all rows selected up to T, each counted with weight
/// d^(T - t): the expectation of V / max(R, 1) is at most fdr, if each normal row's p-value is at most x with
/// probability at most x, for all x, and independent of all other rows' p-values. Without end of memory that is the
/// false discovery rate of the whole stream, otherwise that of about the last `memory` rows. Proof: a_t only grows
/// with earlier selections, so the expectation is at most that of (sum of d^(T - t) a_t) / max(R, 1) (their Lemma 1);
/// and that sum is at most w + (fdr - w) R, or fdr max(R, 1) in the case without end, so at most fdr max(R, 1).
///
/// Not guaranteed: p-values of rows that are compared with one calibration sample depend on each other by that sample.
/// We know of no proof for LORD++ or SAFFRON then; that for positive dependence is of dependence between neighbors (Fisher
/// 2021). In simulations of such p-values (tests/detect/false_discovery.cpp) the rate is held.
///
/// LORD++ rather than SAFFRON, for anomalies are rare: what SAFFRON gains by its estimate of the share of normal rows is
/// then small, and that estimate, out of p-values above a half, is what the common sample disturbs.
///
/// With memory or without: without end of memory the level falls with every row that is not selected, and after some m
/// rows in a row not even the smallest p-value reaches it again. With memory <= fdr (n + 1) / 2 the level never falls
/// below 1 / (n + 1): a row above all of the calibration's is always selected, at the price that where the last
/// `memory` rows held no anomaly, a false selection counts little.
class OnlineSelect {
 public:
  /// The whole rule in plain numbers.
  struct State {
    double fdr = 0;
    double span = 0;    ///< m
    double memory = 0;  ///< rows, or infinity
    double fund = 0;    ///< a_t of the next row, without w / memory
    std::uint64_t rows = 0, selected = 0;
  };

  /// \param fdr in (0, 1)
  /// \param calibration_rows n
  /// \param memory rows, at least 1
  OnlineSelect(double fdr, std::size_t calibration_rows,
               double memory = std::numeric_limits<double>::infinity()) {
    state_.fdr = fdr;
    state_.span = (std::max)(1.0, fdr * (static_cast<double>(calibration_rows) + 1) / 4);
    state_.memory = memory;
    validate();
    state_.fund = first_spent(initial());
  }

  /// Goes on where `state` was taken, to the same bits. Throws InvalidArgument if it can't be one.
  explicit OnlineSelect(const State& state) : state_(state) {
    validate();
    detail::ensure(
        state.span >= 1 && state.fund >= 0 && state.fund <= 1 && state.selected <= state.rows,
        "the state of an online selection has a span of ", state.span, ", a fund of ", state.fund,
        " and ", state.selected, " of ", state.rows,
        " rows selected; expected at least 1, a number from 0 to 1 and no more than there were");
  }

  /// The largest p-value that would be selected next.
  double level() const { return initial() / state_.memory + state_.fund; }

  /// The next row's p-value, from 0 to 1; returns whether the row is selected.
  bool add(double p) {
    detail::ensure(p >= 0 && p <= 1, "the p-value is ", p, ", expected a number from 0 to 1");
    const bool selected = detail::reaches(p, level());
    const bool whole = state_.selected > 0 && decay() == 1;
    const double brought = selected ? (whole ? state_.fdr : state_.fdr - initial()) : 0;
    state_.fund = std::fma(state_.fund, decay() * (1 - 1 / state_.span), first_spent(brought));
    ++state_.rows;
    state_.selected += selected;
    return selected;
  }

  const State& state() const { return state_; }

 private:
  void validate() const {
    detail::require_false_discovery_rate(state_.fdr);
    detail::ensure(state_.memory >= 1, "the memory is ", state_.memory,
                   " rows, expected at least 1");
  }

  double initial() const { return state_.fdr / 2; }
  double decay() const { return 1 - 1 / state_.memory; }
  /// What the row after it gets of an amount.
  double first_spent(double amount) const { return amount * decay() / state_.span; }

  State state_;
};

DASVDD_NAMESPACE_END
