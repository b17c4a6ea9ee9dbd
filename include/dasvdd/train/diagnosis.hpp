#pragma once
/// \file
/// Warnings about a finished run.

#include <dasvdd/detect/scaler.hpp>
#include <dasvdd/train/fit_report.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What the diagnosis looks at, over the training rows.
struct Diagnosis {
  double mean_score = 0, score_deviation = 0;
  /// Mean r; without a decoder: the latent codes' mean squared distance from their mean.
  double residual = 0;
  /// r of the best constant row; without a decoder: the latent codes' mean square.
  double variance = 0;

  /// Their mean and deviation; the rest is left at 0.
  static Diagnosis of_scores(const std::vector<double>& scores) {
    const double n = static_cast<double>(scores.size());
    Diagnosis seen;
    double sum = 0, squares = 0;
    for (const double s : scores) sum += s;
    seen.mean_score = sum / n;
    for (const double s : scores) {
      squares = std::fma(s - seen.mean_score, s - seen.mean_score, squares);
    }
    seen.score_deviation = std::sqrt(squares / n);
    return seen;
  }
};

/// What is said of a training that went wrong.
/// \param epoch from 1
inline std::string not_finite_warning(Index epoch) {
  return sentence(
      "training stopped in epoch ", epoch,
      ": the loss or the center is no longer a finite number; the net and center before "
      "it were kept. Lower the learning rate or scale the rows");
}

/// Mean over rows and features of the squared distance from the mean row, in the net's units: the
/// error of a net that reconstructs every input as that row.
template <class Scalar>
double variance(const kernels::Table<Scalar>& k, const Scaler<Scalar>& scaler, const AnyRows& X) {
  const Index n = X.rows(), d = scaler.inputs(X.cols());
  AlignedBuffer<Scalar> row(d), mean(d);
  AlignedBuffer<double> sum(d);
  for (Index i = 0; i < n; ++i) {
    scaler.apply_row(k, X, i, row.data());
    for (Index j = 0; j < d; ++j) sum[j] += static_cast<double>(row[j]);
  }
  for (Index j = 0; j < d; ++j) mean[j] = static_cast<Scalar>(sum[j] / static_cast<double>(n));
  double total = 0;
  for (Index i = 0; i < n; ++i) {
    scaler.apply_row(k, X, i, row.data());
    total += static_cast<double>(k.squared_distance(row.data(), mean.data(), d));
  }
  // Missing values, which are masked, are at the mean and no numbers.
  const Index missing = scaler.masks() ? MissingPlaces(X).total() : 0;
  return total / static_cast<double>(n * d - missing);
}

/// Adds a warning for each thing that looks wrong.
DASVDD_COLD inline void diagnose(const Diagnosis& d, bool decoder, FitReport& report) {
  const auto warn = [&](auto... parts) { report.warnings.push_back(sentence(parts...)); };
  if (!is_finite(d.mean_score)) {
    warn("the net overflows on training rows: their scores are infinite. Scale the rows");
    // Float has seven digits: a relative spread near 1e-7 is rounding.
  } else if (!(d.score_deviation > 1e-6 * d.mean_score)) {
    warn("the scores of the training rows are constant (mean ", d.mean_score, ", deviation ",
         d.score_deviation,
         "): the detector tells no row from another. Are all training rows alike?");
  }
  if (decoder && d.variance > 0 && !(d.residual < 0.99 * d.variance)) {
    warn(
        "the latent code has collapsed: the net reconstructs the rows no better than their mean "
        "row "
        "would (mean squared error ",
        d.residual, ", variance ", d.variance, ", gamma ", report.gamma,
        "), so rows are scored by their distance from that row alone. Give a smaller gamma, or "
        "train "
        "for longer");
  }
  if (!decoder && !(d.residual > 1e-6 * d.variance)) {
    warn("the latent code has collapsed: all rows have the same code (mean squared spread ",
         d.residual, ", mean square ", d.variance,
         "). Lower the learning rate, or leave out biases");
  }
  // Means over tenths of the run: with few small mini-batches an epoch, its loss varies.
  const auto& epochs = report.epochs;
  const std::size_t window = epochs.size() < 20 ? 1 : epochs.size() / 10;
  double lowest = 0, last = 0, first = 0;
  for (std::size_t end = epochs.size(); end >= window && end > 0; end -= window) {
    double sum = 0;
    for (std::size_t e = end - window; e < end; ++e) sum += epochs[e].loss;
    const double loss = sum / static_cast<double>(window);
    if (end == epochs.size()) last = lowest = loss;
    lowest = loss < lowest ? loss : lowest;
    first = loss;
  }
  // Half above the lowest, and a tenth of the gain lost: small mini-batches at a constant rate make a
  // loss near zero vary by less, which is no failure.
  if (last > 1.5 * lowest && last - lowest > 0.1 * (first - lowest)) {
    warn("the loss is rising: ", last, " at the end of the run, ", lowest,
         " at its best. Lower the learning rate");
  }
}

}  // namespace detail
DASVDD_NAMESPACE_END
