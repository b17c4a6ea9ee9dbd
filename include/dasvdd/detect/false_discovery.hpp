#pragma once
/// \file
/// Which rows to call anomalies so that few of those called are normal: the false discovery rate of many p-values.

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/finite.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

inline void require_false_discovery_rate(double fdr) {
  require(fdr > 0 && fdr < 1, "the false discovery rate is ", fdr,
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
    require(p[i] >= 0 && p[i] <= 1, "p-value ", i, " is ", p[i], ", expected a number from 0 to 1");
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

/// Selects anomalies from a stream of p-values, row by row, so that few of those selected are normal: LORD++ (Ramdas,
/// Yang, Wainwright & Jordan 2017), with or without decaying memory.
///
/// Row t is selected if its p-value is at most
///   a_t = w (1 - d) + w d^t g_t + sum over selected rows s < t of b_s d^(t - s) g_(t - s),
/// d = 1 - 1 / memory, w = fdr / 2, b_s = fdr - w. In words: there is half of fdr to spend at first, every selection
/// brings more, and what is brought is spent over the rows that follow by the falling sequence g with sum 1. Without
/// end of memory d = 1 and b_s = fdr from the second selection on. g mixes the geometric sequences of means 1, 2, 4,
/// ... up to 2^15 or the memory in equal parts, and is close to 0.09 / j up to j = 2^15: so no list of selected
/// rows is kept, only 16 numbers.
///
/// Guarantee, at every row T. With V and R the normal and all rows selected up to T, each counted with weight
/// d^(T - t): the expectation of V / max(R, 1) is at most fdr, if each normal row's p-value is at most x with
/// probability at most x, for all x, and independent of all others. Without end of memory that is the false
/// discovery rate of the whole stream; otherwise that of about the last `memory` rows. Proof: a_t only grows with
/// earlier selections, so that the expectation is at most that of (sum of d^(T - t) a_t) / max(R, 1) (their Lemma 1),
/// and that sum is at most w + (fdr - w) R, or fdr max(R, 1) in the other case.
///
/// Not guaranteed: p-values of rows compared with one calibration sample depend on each other by that sample. No proof
/// is known to us for LORD++ and SAFFRON then; those for positive dependence are of dependence between neighbors
/// (Fisher 2021). In simulations of such p-values (tests/detect/false_discovery.cpp) the rate is held.
///
/// LORD++ rather than SAFFRON, for anomalies are rare: what SAFFRON gains by estimating the share of normal rows
/// is then small, and that estimate, from p-values above a half, is what the common sample disturbs.
///
/// Memory or not: without end of memory the level falls with every row that is not selected, and p-values of n
/// calibration rows, which are at least 1 / (n + 1), are soon never reached again. A memory keeps the level at
/// fdr / (2 memory) or above; with memory <= fdr (n + 1) / 2 a row above all of the calibration's is always selected.
class OnlineSelect {
 public:
  static constexpr std::size_t scales = 16;

  /// The whole rule in plain numbers.
  struct State {
    double fdr = 0, memory = 0;
    std::uint64_t rows = 0, selected = 0;
    std::array<double, scales> funds{};  ///< what the next row gets of each geometric sequence
  };

  /// \param fdr in (0, 1)
  /// \param memory rows, at least 1
  explicit OnlineSelect(double fdr, double memory = std::numeric_limits<double>::infinity()) {
    state_.fdr = fdr;
    state_.memory = memory;
    check();
    receive(initial());
  }

  /// Goes on where `state` was taken, to the same bits.
  explicit OnlineSelect(const State& state) : state_(state) {
    check();
    require(state.selected <= state.rows, "the state of an online selection has ", state.selected,
            " of ", state.rows, " rows selected, expected no more than there were");
    for (const double fund : state.funds) {
      require(fund >= 0 && fund <= 1, "the state of an online selection has funds of ", fund,
              ", expected numbers from 0 to 1");
    }
  }

  /// The largest p-value that would be selected next.
  double level() const {
    double sum = initial() * (1 - decay());
    for (const double fund : state_.funds) sum += fund;
    return sum;
  }

  /// The next row's p-value, in [0, 1]; returns whether the row is selected.
  bool add(double p) {
    require(p >= 0 && p <= 1, "the p-value is ", p, ", expected a number from 0 to 1");
    const bool selected = reaches(p, level());
    for (std::size_t k = 0; k < scales; ++k) state_.funds[k] *= decay() * (1 - share(k));
    if (selected) {
      const bool all_of_it = state_.selected > 0 && decay() == 1;
      receive(all_of_it ? state_.fdr : state_.fdr - initial());
      ++state_.selected;
    }
    ++state_.rows;
    return selected;
  }

  const State& state() const { return state_; }

 private:
  void check() const {
    require_false_discovery_rate(state_.fdr);
    require(state_.memory >= 1, "the memory is ", state_.memory, " rows, expected at least 1");
  }

  double initial() const { return state_.fdr / 2; }
  double decay() const { return 1 - 1 / state_.memory; }
  /// The first of the geometric sequence k with sum 1 and mean 2^k.
  static double share(std::size_t k) { return std::ldexp(1.0, -static_cast<int>(k)); }

  /// Spreads an amount over the rows to come.
  void receive(double amount) {
    std::size_t used = 1;
    while (used < scales && 1 <= state_.memory * share(used)) ++used;
    const double part = amount * decay() / static_cast<double>(used);
    for (std::size_t k = 0; k < used; ++k) {
      state_.funds[k] = std::fma(part, share(k), state_.funds[k]);
    }
  }

  State state_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
