#pragma once
/// \file
/// From a trained net to a detector's model: score terms, training threshold and a diagnosis, in
/// one pass over the rows.

#include <dasvdd/detect/calibration.hpp>
#include <dasvdd/detect/detector.hpp>
#include <dasvdd/train/diagnosis.hpp>
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

/// The whitened latent term of codes (n x m), of mean 1 over them.
template <class Scalar>
ScoreTerm<Scalar> whitened_latent(const kernels::Table<Scalar>& k,
                                  const AlignedBuffer<Scalar>& codes,
                                  const AlignedBuffer<Scalar>& center) {
  const Index m = center.size(), n = codes.size() / m;
  AlignedBuffer<Scalar> offsets(n * m);
  for (Index i = 0; i < n; ++i) {
    k.scaled_difference(codes.data() + i * m, center.data(), Scalar(1), m, offsets.data() + i * m);
  }
  AlignedBuffer<Scalar> whitening = whitening_matrix<Scalar>(offsets.data(), n, m);
  const ScoreTerm<Scalar> raw(m, 1, 1, whitening);
  AlignedBuffer<Scalar> scratch(raw.scratch(1));
  AlignedBuffer<double> t(n);
  for (Index i = 0; i < n; ++i) {
    raw.evaluate(k, {codes.data() + i * m, 1, m}, center.data(), 0, scratch.data(), &t[i]);
  }
  const double mean_t = mean(t);
  return mean_t > 0 ? ScoreTerm<Scalar>(m, 1 / mean_t, 1, std::move(whitening)) : raw;
}

/// \param objective its name, for the model file
/// \param r_weight, q_weight the published score's weights of r and q
template <class Scalar>
DASVDD_COLD Finished<Scalar> finish(const Autoencoder<Scalar>& net, const char* objective,
                                    const AlignedBuffer<Scalar>& parameters,
                                    const AlignedBuffer<Scalar>& statistics,
                                    const AlignedBuffer<Scalar>& center,
                                    const Scaler<Scalar>& scaler, double gamma, double r_weight,
                                    double q_weight, const Options& options, Rows<const Scalar> X,
                                    int threads, FitReport& report) {
  const Index n = X.rows(), d = net.inputs(), m = net.code();
  PackedNetwork<Scalar> packed(net, parameters.data(), statistics.data());
  const auto& k = kernels::best<Scalar>();
  const bool decode = r_weight > 0;
  const bool whiten = options.score == ScoreForm::whitened;
  require(!whiten || decode, "the whitened score is made of the residual: the net needs a decoder");
  const bool whiten_latent = options.score == ScoreForm::latent_whitened;
  require(options.score == ScoreForm::published || decode,
          "the balanced scores need a net with a decoder");

  AlignedBuffer<double> r(n), q(n);
  AlignedBuffer<Scalar> codes(decode && !whiten_latent ? 0 : n * m), residuals(whiten ? n * d : 0);
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
                  if (!codes.empty())
                    std::copy_n(result.code.row(i), m, codes.data() + (first + i) * m);
                  if (whiten) {
                    k.scaled_difference(result.output.row(i), x.row(i), Scalar(1), d,
                                        residuals.data() + (first + i) * d);
                  }
                }
              });

  // The score's form; a training set that the net gives back exactly leaves nothing to divide by.
  const double features = static_cast<double>(d);
  ScoreTerm<Scalar> reconstruction(d, r_weight, features), latent(m, q_weight, 1);
  if (options.score == ScoreForm::balanced) {
    const double mean_r = mean(r), mean_q = mean(q);
    if (mean_r > 0) reconstruction = ScoreTerm<Scalar>(d, 1 / mean_r, features);
    if (mean_q > 0 && q_weight > 0) latent = ScoreTerm<Scalar>(m, 1 / mean_q, 1);
  } else if (whiten_latent) {
    const double mean_r = mean(r);
    if (mean_r > 0) reconstruction = ScoreTerm<Scalar>(d, 1 / mean_r, features);
    latent = whitened_latent(k, codes, center);
  } else if (whiten) {
    reconstruction =
        ScoreTerm<Scalar>(d, 1, features, whitening_matrix<Scalar>(residuals.data(), n, d));
    latent = ScoreTerm<Scalar>(m, 0, 1);
  }

  auto model = std::make_shared<Model<Scalar>>();
  model->members.push_back(Member<Scalar>{std::move(packed), parameters, statistics, center, gamma,
                                          std::move(reconstruction), std::move(latent)});
  model->scaler = scaler;
  model->facts = facts(options, objective);

  const Detector<Scalar> fresh(model, 0);
  AlignedBuffer<Scalar> training_scores(n);
  fresh.score(X, training_scores.data(), threads);
  AlignedBuffer<double> scores(n);
  for (Index i = 0; i < n; ++i) scores[i] = static_cast<double>(training_scores[i]);
  const double mean_score = mean(scores);
  double squares = 0;
  for (double s : scores) squares = std::fma(s - mean_score, s - mean_score, squares);
  Diagnosis facts{mean_score, std::sqrt(squares / static_cast<double>(n)), mean(r), 0};
  if (decode) {
    facts.variance = variance(k, scaler, X);
  } else {
    const Rows<const Scalar> all(codes.data(), n, m);
    AlignedBuffer<Scalar> origin(m);
    facts.residual = static_cast<double>(m) * variance(k, Scaler<Scalar>(), all);
    for (Index i = 0; i < n; ++i) {
      facts.variance += static_cast<double>(k.squared_distance(all.row(i), origin.data(), m));
    }
    facts.variance /= static_cast<double>(n);
  }
  diagnose(facts, decode, report);
  return {model,
          quantile(std::vector<double>(scores.begin(), scores.end()), options.training_quantile)};
}

}  // namespace detail
DASVDD_NAMESPACE_END
