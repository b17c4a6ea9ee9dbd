#pragma once
/// \file
/// From a trained net to a detector's model: score terms, training threshold and a diagnosis, in
/// one pass over the rows.

#include <dasvdd/detect/calibration.hpp>
#include <dasvdd/detect/detector.hpp>
#include <dasvdd/train/diagnosis.hpp>
#include <dasvdd/train/fit_report.hpp>
#include <dasvdd/train/gamma.hpp>
#include <dasvdd/train/options.hpp>
#include <dasvdd/train/trainer_state.hpp>
#include <dasvdd/train/whitening.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What finish() makes a model of; refers to what it is made from.
template <class Scalar>
struct Trained {
  template <class Objective>
  Trained(const Autoencoder<Scalar>& of_net, const TrainerState<Scalar>& at,
          const Objective& trained_for)
      : net(of_net),
        state(at),
        objective(Objective::name),
        r_weight(trained_for.reconstruction_weight()),
        q_weight(trained_for.latent_weight(at.gamma)) {}

  const Autoencoder<Scalar>& net;
  const TrainerState<Scalar>& state;
  const char* objective;      ///< its name, for the model file
  double r_weight, q_weight;  ///< of r and q in the published score

  bool decodes() const { return r_weight > 0; }
};

/// A finished run: the model and the training rows' quantile of its scores.
template <class Scalar>
struct Finished {
  std::shared_ptr<const Model<Scalar>> model;
  double threshold;
};

/// Of r, q, or scores, one a row.
template <class Values>
double mean_over_rows(const Values& x) {
  double sum = 0;
  for (double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

template <class Scalar>
std::vector<double> scores_of_rows(const Detector<Scalar>& detector, Rows<const Scalar> X,
                                   int threads) {
  std::vector<Scalar> scores(static_cast<std::size_t>(X.rows()));
  detector.score(X, scores.data(), threads);
  return std::vector<double>(scores.begin(), scores.end());
}

/// What the score's form and the diagnosis are made from, of n rows.
template <class Scalar>
struct RowTerms {
  AlignedBuffer<double> r, q;       ///< r is zero where nothing is decoded
  AlignedBuffer<Scalar> codes;      ///< n x m, where they are whitened or nothing is decoded
  AlignedBuffer<Scalar> residuals;  ///< n x d, where they are whitened
};

template <class Scalar>
DASVDD_COLD RowTerms<Scalar> terms_of_rows(const PackedNetwork<Scalar>& packed,
                                           const Trained<Scalar>& trained, ScoreForm form,
                                           Rows<const Scalar> X, int threads) {
  const Index n = X.rows(), d = trained.net.inputs(), m = trained.net.code();
  const bool decode = trained.decodes(), whiten = form == ScoreForm::whitened;
  const bool keep_codes = !decode || form == ScoreForm::latent_whitened;
  const auto& k = kernels::best<Scalar>();
  const Scalar* center = trained.state.center.center.data();
  RowTerms<Scalar> terms{AlignedBuffer<double>(n), AlignedBuffer<double>(n),
                         AlignedBuffer<Scalar>(keep_codes ? n * m : 0),
                         AlignedBuffer<Scalar>(whiten ? n * d : 0)};
  forward_all(packed, trained.state.scaler, X, threads, decode,
              [&](Index first, Rows<const Scalar> x, const auto& result) {
                for (Index i = 0; i < x.rows(); ++i) {
                  const Index row = first + i;
                  const Scalar* code = result.code.row(i);
                  if (decode) {
                    terms.r[row] =
                        static_cast<double>(k.squared_distance(result.output.row(i), x.row(i), d)) /
                        static_cast<double>(d);
                  }
                  terms.q[row] = static_cast<double>(k.squared_distance(code, center, m));
                  if (keep_codes) std::copy_n(code, m, terms.codes.data() + row * m);
                  if (whiten) {
                    k.scaled_difference(result.output.row(i), x.row(i), Scalar(1), d,
                                        terms.residuals.data() + row * d);
                  }
                }
              });
  return terms;
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
  const double mean_t = mean_over_rows(t);
  return mean_t > 0 ? ScoreTerm<Scalar>(m, 1 / mean_t, 1, std::move(whitening)) : raw;
}

/// A member's score.
template <class Scalar>
struct ScoreTerms {
  ScoreTerm<Scalar> reconstruction, latent;
};

template <class Scalar>
DASVDD_COLD ScoreTerms<Scalar> score_terms(ScoreForm form, const Trained<Scalar>& trained,
                                           const RowTerms<Scalar>& rows) {
  const Index n = rows.r.size(), d = trained.net.inputs(), m = trained.net.code();
  const auto reconstruction = [d](double weight) {
    return ScoreTerm<Scalar>(d, weight, static_cast<double>(d));
  };
  // A training set that the net gives back exactly leaves nothing to divide by.
  const auto balanced = [](const AlignedBuffer<double>& term, double published) {
    const double mean = mean_over_rows(term);
    return mean > 0 ? 1 / mean : published;
  };
  switch (form) {
    case ScoreForm::published:
      break;
    case ScoreForm::balanced: {
      const double weight = trained.q_weight > 0 ? balanced(rows.q, trained.q_weight) : 0;
      return {reconstruction(balanced(rows.r, trained.r_weight)), ScoreTerm<Scalar>(m, weight, 1)};
    }
    case ScoreForm::latent_whitened:
      return {reconstruction(balanced(rows.r, trained.r_weight)),
              whitened_latent(kernels::best<Scalar>(), rows.codes, trained.state.center.center)};
    case ScoreForm::whitened:
      return {ScoreTerm<Scalar>(d, 1, static_cast<double>(d),
                                whitening_matrix<Scalar>(rows.residuals.data(), n, d)),
              ScoreTerm<Scalar>(m, 0, 1)};
  }
  return {reconstruction(trained.r_weight), ScoreTerm<Scalar>(m, trained.q_weight, 1)};
}

/// \param X the rows of `rows` and `scores`
template <class Scalar>
DASVDD_COLD Diagnosis diagnosis_of(const Trained<Scalar>& trained, const RowTerms<Scalar>& rows,
                                   const std::vector<double>& scores, Rows<const Scalar> X) {
  const Index n = X.rows(), m = trained.net.code();
  const auto& k = kernels::best<Scalar>();
  Diagnosis seen;
  seen.mean_score = mean_over_rows(scores);
  double squares = 0;
  for (double s : scores) squares = std::fma(s - seen.mean_score, s - seen.mean_score, squares);
  seen.score_deviation = std::sqrt(squares / static_cast<double>(n));
  if (trained.decodes()) {
    seen.residual = mean_over_rows(rows.r);
    seen.variance = variance(k, trained.state.scaler, X);
  } else {
    const Rows<const Scalar> codes(rows.codes.data(), n, m);
    const AlignedBuffer<Scalar> origin(m);
    seen.residual = static_cast<double>(m) * variance(k, Scaler<Scalar>(), codes);
    for (Index i = 0; i < n; ++i) {
      seen.variance += static_cast<double>(k.squared_distance(codes.row(i), origin.data(), m));
    }
    seen.variance /= static_cast<double>(n);
  }
  return seen;
}

/// \param X the training rows, which the score's form and threshold come from
/// \param report gets what the diagnosis warns of
template <class Scalar>
DASVDD_COLD Finished<Scalar> finish(const Trained<Scalar>& trained, const Options& options,
                                    Rows<const Scalar> X, int threads, FitReport& report) {
  const TrainerState<Scalar>& state = trained.state;
  PackedNetwork<Scalar> packed(trained.net, state.parameters.data(), state.statistics.data());
  const RowTerms<Scalar> rows = terms_of_rows(packed, trained, options.score, X, threads);
  ScoreTerms<Scalar> score = score_terms(options.score, trained, rows);

  auto model = std::make_shared<Model<Scalar>>();
  model->members.push_back(
      Member<Scalar>{std::move(packed), state.parameters, state.statistics, state.center.center,
                     state.gamma, std::move(score.reconstruction), std::move(score.latent)});
  model->scaler = state.scaler;
  model->facts = facts(options, trained.objective);

  std::vector<double> scores = scores_of_rows(Detector<Scalar>(model, 0), X, threads);
  diagnose(diagnosis_of(trained, rows, scores, X), trained.decodes(), report);
  return {std::move(model), quantile(std::move(scores), options.training_quantile)};
}

}  // namespace detail
DASVDD_NAMESPACE_END
