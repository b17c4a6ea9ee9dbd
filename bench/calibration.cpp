// `sh bench/run.sh calibration`: thousands of fits to made-up rows, and what each says of new normal rows.
//
// A p-value keeps its promise when new normal rows have one of at most u with probability u. On a table there is one
// training set and a few test rows; here each fit has rows of its own, and only the mean over all of them is judged.

#include <dasvdd/dasvdd.hpp>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "uniformity.hpp"

namespace {

using dasvdd::Index;
using Batch = dasvdd::RowMatrix<float>;

constexpr Index features = 4;
constexpr Index new_rows = 200;

/// Normal rows of four features, of three kinds: a correlated normal distribution; a ring of noisy radius, lifted; rows
/// with the heavy tails of Student's t of three degrees of freedom.
enum class Kind { gaussian, ring, heavy_tailed };
constexpr const char* kind_names[] = {"gaussian", "ring", "heavy tails"};

Batch normal_rows(Kind kind, Index n, dasvdd::Random& random) {
  Batch X(n, features);
  for (Index i = 0; i < n; ++i) {
    const double a = random.normal(), b = random.normal(), c = random.normal(), e = random.normal();
    double row[features] = {a, a + 0.5 * b, b - 0.3 * c, 0.5 * (a + c) + 0.4 * e};
    if (kind == Kind::ring) {
      const double angle = 6.283185307179586 * random.uniform(), radius = 1 + 0.1 * a;
      row[0] = radius * std::cos(angle), row[1] = radius * std::sin(angle);
      row[2] = row[0] * row[1] + 0.1 * b, row[3] = 0.1 * c;
    } else if (kind == Kind::heavy_tailed) {
      double squares = 0;
      for (int k = 0; k < 3; ++k) squares += std::pow(random.normal(), 2);
      for (double& x : row) x /= std::sqrt(squares / 3);
    }
    for (Index j = 0; j < features; ++j) X(i, j) = static_cast<float>(row[j]);
  }
  return X;
}

struct Setting {
  Kind kind;
  Index rows;
  double contamination;  ///< the share of training rows that are anomalies
  bool option;           ///< FitOptions::contamination says so
};

/// The rates of one setting, summed over fits.
struct Rates {
  static constexpr double levels[3] = {0.01, 0.05, 0.1};
  double sum[4] = {},
         squares[4] = {};  ///< p-values of at most each level; scores above the threshold
  std::vector<double> p;

  void add(const std::vector<double>& values, double above) {
    for (int k = 0; k < 4; ++k) {
      double share = above;
      if (k < 3) {
        share = 0;
        for (const double v : values) share += v <= levels[k] * (1 + 1e-12) ? 1.0 / new_rows : 0;
      }
      sum[k] += share;
      squares[k] += share * share;
    }
    p.insert(p.end(), values.begin(), values.end());
  }
};

/// One training set, one detector, new rows.
void fit_once(const Setting& setting, std::uint64_t seed, Rates& rates) {
  dasvdd::Random random(seed, static_cast<std::uint64_t>(setting.kind));
  Batch X = normal_rows(setting.kind, setting.rows, random);
  // Anomalies lie together, six deviations out in a direction of each set's own: what screening finds hardest is
  // worse, and what a user meets more often is this.
  const auto planted =
      static_cast<Index>(std::lround(setting.contamination * static_cast<double>(setting.rows)));
  for (Index j = 0; j < features; ++j) {
    const auto shift = static_cast<float>(random.uniform() < 0.5 ? -6 : 6);
    for (Index i = 0; i < planted; ++i) X(i, j) += shift;
  }
  dasvdd::FitOptions options;
  options.seed = seed;
  options.threads = 1;
  options.steps = 60;  // a promise that holds however well the nets are trained
  if (setting.option) options.contamination = setting.contamination;
  const auto detector = dasvdd::fit(X, options);
  const auto scores = detector.score(normal_rows(setting.kind, new_rows, random), 1);
  std::vector<double> p;
  double above = 0;
  for (Index i = 0; i < new_rows; ++i) {
    p.push_back(detector.p_value(scores[i]));
    above += detector.is_anomaly(scores[i]) ? 1.0 / new_rows : 0;
  }
  rates.add(p, above);
}

void print(const Setting& setting, int fits, int threads) {
  std::vector<Rates> parts(static_cast<std::size_t>(threads));
  std::atomic<int> next{0};
  dasvdd::detail::parallel(threads, [&](const dasvdd::detail::Team& team) {
    for (int i = next++; i < fits; i = next++) {
      fit_once(setting, static_cast<std::uint64_t>(i),
               parts[static_cast<std::size_t>(team.member())]);
    }
  });
  std::vector<double> p;
  std::string line = std::string("| ") + kind_names[static_cast<int>(setting.kind)] + " | " +
                     std::to_string(setting.rows) + " | ";
  char text[64];
  std::snprintf(text, sizeof text, "%g %%%s | %d |", 100 * setting.contamination,
                setting.option ? ", option" : "", fits);
  line += text;
  for (int k = 0; k < 4; ++k) {
    double sum = 0, squares = 0;
    for (const Rates& part : parts) sum += part.sum[k], squares += part.squares[k];
    const double mean = sum / fits;
    const double error = std::sqrt(std::max(squares / fits - mean * mean, 0.0) / fits);
    std::snprintf(text, sizeof text, " %.2f ± %.2f |", 100 * mean, 100 * error);
    line += text;
  }
  for (const Rates& part : parts) p.insert(p.end(), part.p.begin(), part.p.end());
  std::printf("%s %.4f |\n", line.c_str(), distance_from_uniform(std::move(p)));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  int fits = 10000;
  if (argc == 3 && std::strcmp(argv[1], "--fits") == 0) fits = std::atoi(argv[2]);
  if (fits < 1 || (argc != 1 && argc != 3)) {
    std::fprintf(stderr, "usage: bench_calibration [--fits N]\n");
    return 2;
  }
  const int threads = dasvdd::detail::resolve_threads(0);
  std::printf(
      "Shares of %d new normal rows a fit, in percent, with the standard error over the fits; KS: "
      "the distance of all "
      "p-values from the uniform distribution.\n\n"
      "| rows are | training rows | of them anomalies | fits | p <= 0.01 | p <= 0.05 | p <= 0.1 | "
      "above the threshold "
      "| KS |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
      static_cast<int>(new_rows));
  for (const Kind kind : {Kind::gaussian, Kind::ring, Kind::heavy_tailed})
    for (const Index rows : {60, 300}) print({kind, rows, 0, false}, fits / 6, threads);
  for (const double share : {0.01, 0.05, 0.1})
    for (const bool option : {false, true})
      print({Kind::gaussian, 300, share, option}, std::max(1, fits / 20), threads);
  return 0;
}
