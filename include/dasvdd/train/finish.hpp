#pragma once
/// \file
/// From a trained net to a detector's model: score terms, training threshold and a diagnosis, in
/// one pass over the rows.

#include <dasvdd/detect/calibration.hpp>
#include <dasvdd/detect/model.hpp>
#include <dasvdd/train/fit_report.hpp>
#include <dasvdd/train/gamma.hpp>
#include <dasvdd/train/whitening.hpp>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A finished run: the model and the training rows' quantile of its scores.
template <class Scalar>
struct Finished {
  std::shared_ptr<const Model<Scalar>> model;
  double threshold;
};

inline double mean(const AlignedBuffer<double>& x) {
  double sum = 0;
  for (double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

/// Says in words what a run should not look like.
inline void diagnose(const AlignedBuffer<double>& scores, double code_spread, double code_length,
                     const Options& options, FitReport& report) {
  const auto& epochs = report.epochs;
  const double mean_score = mean(scores);
  double variance = 0;
  for (double s : scores) variance = std::fma(s - mean_score, s - mean_score, variance);
  const double deviation = std::sqrt(variance / static_cast<double>(scores.size()));
  // Float scores carry six digits: a spread below that is rounding.
  if (!(deviation > 1e-6 * mean_score)) {
    report.warnings.push_back(sentence(
        "the scores of the training rows are constant (mean ", mean_score, ", deviation ",
        deviation, "): the detector tells no row from another. Are all training rows alike?"));
  }
  // RMS distance of the codes from their mean against the RMS length of a code.
  if (!(code_spread > 1e-3 * code_length) && options.gamma.kind != GammaRule::Kind::value) {
    report.warnings.push_back(sentence("the latent code has collapsed: codes spread by ",
                                       code_spread, " around a mean of length ", code_length,
                                       ". Give a smaller gamma, or a smaller learning rate"));
  } else if (!(code_spread > 1e-3 * code_length)) {
    report.warnings.push_back(sentence("the latent code has collapsed: codes spread by ",
                                       code_spread, " around a mean of length ", code_length,
                                       ", with gamma ", report.gamma, ". Give a smaller gamma"));
  }
  if (epochs.size() >= 2) {
    double lowest = epochs.front().loss;
    for (const auto& e : epochs) lowest = e.loss < lowest ? e.loss : lowest;
    if (epochs.back().loss > 1.5 * lowest) {
      report.warnings.push_back(sentence("the loss is rising: ", epochs.back().loss,
                                         " in the last epoch, ", lowest,
                                         " in the best. Lower the learning rate"));
    }
  }
}

/// \param r_weight, q_weight the published score's weights of r and q
template <class Scalar>
Finished<Scalar> finish(const Autoencoder<Scalar>& net, const AlignedBuffer<Scalar>& parameters,
                        const AlignedBuffer<Scalar>& statistics,
                        const AlignedBuffer<Scalar>& center, const Scaler<Scalar>& scaler,
                        double gamma, double r_weight, double q_weight, const Options& options,
                        Rows<const Scalar> X, int threads, FitReport& report) {
  const Index n = X.rows(), d = net.inputs(), m = net.code();
  PackedNetwork<Scalar> packed(net, parameters.data(), statistics.data());
  const auto& k = packed.kernels();
  const bool decode = r_weight > 0;
  const bool whiten = options.score == ScoreForm::whitened;
  require(!whiten || decode, "the whitened score is made of the residual: the net needs a decoder");
  require(options.score != ScoreForm::balanced || decode,
          "the balanced score needs a net with a decoder");

  AlignedBuffer<double> r(n), q(n);
  AlignedBuffer<Scalar> codes(n * m), residuals(whiten ? n * d : 0);
  forward_all(packed, scaler, X, threads, decode,
              [&](Index first, Rows<const Scalar> x, const auto& result) {
                for (Index i = 0; i < x.rows(); ++i) {
                  if (decode) {
                    r[first + i] =
                        static_cast<double>(k.squared_distance(result.output.row(i), x.row(i), d)) /
                        static_cast<double>(d);
                  }
                  q[first + i] =
                      static_cast<double>(k.squared_distance(result.code.row(i), center.data(), m));
                  std::copy_n(result.code.row(i), m, codes.data() + (first + i) * m);
                  if (whiten) {
                    k.scaled_difference(result.output.row(i), x.row(i), Scalar(1), d,
                                        residuals.data() + (first + i) * d);
                  }
                }
              });

  // How far the codes spread around their mean, and how long they are.
  AlignedBuffer<Scalar> code_mean(m), origin(m);
  k.column_sums(codes.data(), m, n, m, code_mean.data());
  for (Scalar& c : code_mean) c /= static_cast<Scalar>(n);
  double spread = 0, length = 0;
  for (Index i = 0; i < n; ++i) {
    spread += static_cast<double>(k.squared_distance(codes.data() + i * m, code_mean.data(), m));
    length += static_cast<double>(k.squared_distance(codes.data() + i * m, origin.data(), m));
  }
  spread = std::sqrt(spread / static_cast<double>(n));
  length = std::sqrt(length / static_cast<double>(n));

  // The score's form; a training set that the net gives back exactly leaves nothing to divide by.
  const double features = static_cast<double>(d);
  ScoreTerm<Scalar> reconstruction(d, r_weight, features), latent(m, q_weight, 1);
  if (options.score == ScoreForm::balanced) {
    const double mean_r = mean(r), mean_q = mean(q);
    if (mean_r > 0) reconstruction = ScoreTerm<Scalar>(d, 1 / mean_r, features);
    if (mean_q > 0 && q_weight > 0) latent = ScoreTerm<Scalar>(m, 1 / mean_q, 1);
  } else if (whiten) {
    reconstruction =
        ScoreTerm<Scalar>(d, 1, features, whitening_matrix<Scalar>(residuals.data(), n, d));
    latent = ScoreTerm<Scalar>(m, 0, 1);
  }

  auto model = std::make_shared<Model<Scalar>>();
  model->members.push_back(Member<Scalar>{std::move(packed), parameters, statistics, center, gamma,
                                          std::move(reconstruction), std::move(latent)});
  model->scaler = scaler;

  const Detector<Scalar> fresh(model, 0);
  const Vector<Scalar> training_scores = fresh.score(X, threads);
  AlignedBuffer<double> scores(n);
  for (Index i = 0; i < n; ++i) scores[i] = static_cast<double>(training_scores[i]);
  diagnose(scores, spread, length, options, report);
  return {model,
          quantile(std::vector<double>(scores.begin(), scores.end()), options.training_quantile)};
}

}  // namespace detail
DASVDD_NAMESPACE_END
