#pragma once
/// \file
/// From a trained net to a detector: score terms, training threshold and a diagnosis. The net sees
/// the rows once; the diagnosis looks at the rows themselves twice more, for their mean and for
/// their distances from it.

#include <dasvdd/core/quantile.hpp>
#include <dasvdd/detect/detector.hpp>
#include <dasvdd/detect/forward_rows.hpp>
#include <dasvdd/train/diagnosis.hpp>
#include <dasvdd/train/fit_report.hpp>
#include <dasvdd/train/options.hpp>
#include <dasvdd/train/score_forms.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

template <class Scalar>
std::vector<double> scores_of_rows(const Detector<Scalar>& detector, const AnyRows& X,
                                   int threads) {
  std::vector<Scalar> scores(static_cast<std::size_t>(X.rows()));
  detector.score(X, scores.data(), threads);
  return std::vector<double>(scores.begin(), scores.end());
}

/// The net of a training's state, for finish().
/// \param parameters, scaler the state's own, or others in their place
template <class Scalar, class State, class Objective>
TrainedNet<Scalar> trained_net(const Autoencoder<Scalar>& net, const State& state,
                               const AlignedBuffer<Scalar>& parameters,
                               const Scaler<Scalar>& scaler, const Objective& objective) {
  return {net,
          parameters,
          state.statistics,
          state.center.center,
          scaler,
          state.gamma,
          Objective::name,
          objective.reconstruction_weight(),
          objective.latent_weight(state.gamma)};
}

/// X's rows through the net, and what the score's form needs of them. Without a decoder the
/// diagnosis needs the latent codes.
template <class Scalar>
DASVDD_COLD RowTerms<Scalar> terms_of_rows(const PackedNetwork<Scalar>& packed,
                                           const TrainedNet<Scalar>& trained,
                                           const ScoreFormRow<Scalar>& form, const AnyRows& X,
                                           int threads) {
  const Index n = X.rows(), d = trained.net.inputs(), m = trained.net.code();
  const bool decode = trained.decodes(), keep_codes = form.needs_codes || !decode;
  const auto& k = kernels::best<Scalar>();
  RowTerms<Scalar> terms{AlignedBuffer<double>(n), AlignedBuffer<double>(n),
                         AlignedBuffer<Scalar>(keep_codes ? n : 0, m),
                         AlignedBuffer<Scalar>(form.needs_residuals ? n : 0, d),
                         AlignedBuffer<Scalar>(form.needs_outputs ? n : 0, d)};
  if (trained.scaler.masks()) terms.missing = MissingPlaces(X);
  forward_rows(packed, trained.scaler, X, threads, decode,
               [&](Index first, Rows<const Scalar> x, const auto& result) {
                 for (Index i = 0; i < x.rows(); ++i) {
                   const Index row = first + i;
                   const Scalar* code = result.code.row(i);
                   if (decode) {
                     terms.residual[row] =
                         static_cast<double>(k.squared_distance(result.output.row(i), x.row(i), d));
                     if (!terms.missing.none()) terms.residual[row] *= terms.missing.widening(row);
                   }
                   terms.distance[row] =
                       static_cast<double>(k.squared_distance(code, trained.center.data(), m));
                   if (keep_codes) std::copy_n(code, m, terms.codes.data() + row * m);
                   if (form.needs_outputs) {
                     std::copy_n(result.output.row(i), d, terms.outputs.data() + row * d);
                   }
                   if (form.needs_residuals) {
                     k.scaled_difference(result.output.row(i), x.row(i), Scalar(1), d,
                                         terms.residuals.data() + row * d);
                   }
                 }
               });
  return terms;
}

/// term(e_i) of n rows, from ||e_i||^2 or, where the term needs more, from the vectors e_i = a_i - b.
/// \param missing entries of the e_i that are masked
template <class Scalar>
AlignedBuffer<double> evaluate(const ScoreTerm<Scalar>& term, const AlignedBuffer<double>& squares,
                               const AlignedBuffer<Scalar>& a, const Scalar* b,
                               const MissingPlaces& missing = {}) {
  const Index n = squares.size(), size = term.size();
  AlignedBuffer<double> values(n);
  if (term.weight() == 0) return values;  // also where squares overflow: zero times infinity is NaN
  const double factor = term.weight() / term.divisor();
  for (Index i = 0; i < n; ++i) values[i] = factor * squares[i];
  if (term.multiply_adds() == 0) return values;
  constexpr Index tile = kernels::batch_tile;
  AlignedBuffer<Scalar> scratch(term.scratch(tile));
  AlignedBuffer<double> work(missing.none() ? 0 : size + masked_scratch(size));
  for (Index i = 0; i < n; i += tile) {
    const Rows<const Scalar> some(a.data() + i * size, (std::min)(tile, n - i), size);
    term.evaluate(kernels::best<Scalar>(), some, b, 0, scratch.data(), values.data() + i);
    for (Index r = 0; !missing.none() && r < some.rows(); ++r) {
      const Index count = missing.count(i + r);
      if (count == 0) continue;
      values[i + r] = term.masked(values[i + r], r, some.rows(), scratch.data(),
                                  missing.columns(i + r), count, work.data());
    }
  }
  return values;
}

/// The rows' scores, to the bits of a detector with these terms.
template <class Scalar>
DASVDD_COLD std::vector<double> scores_of_terms(const ScoreTerms<Scalar>& score,
                                                const TrainedNet<Scalar>& trained,
                                                const RowTerms<Scalar>& rows) {
  const AlignedBuffer<Scalar> origin(trained.net.inputs());
  const auto r =
      evaluate(score.reconstruction, rows.residual, rows.residuals, origin.data(), rows.missing);
  const bool decoded = score.latent.centers() > 0;
  const auto q = evaluate(score.latent, rows.distance, decoded ? rows.outputs : rows.codes,
                          trained.center.data());
  std::vector<Scalar> scores(static_cast<std::size_t>(rows.rows()));
  kernels::best<Scalar>().scores(r.data(), q.data(), rows.rows(), scores.data());
  return std::vector<double>(scores.begin(), scores.end());
}

/// \param X the rows of `rows` and `scores`
template <class Scalar>
DASVDD_COLD Diagnosis diagnosis_of(const TrainedNet<Scalar>& trained, const RowTerms<Scalar>& rows,
                                   const std::vector<double>& scores, const AnyRows& X) {
  const Index n = X.rows(), d = trained.net.inputs(), m = trained.net.code();
  const auto& k = kernels::best<Scalar>();
  Diagnosis seen = Diagnosis::of_scores(scores);
  if (trained.decodes()) {
    seen.residual = mean_of(rows.residual, static_cast<double>(d));
    seen.variance = variance(k, trained.scaler, X);
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

/// Rows that a net was not trained on, and their scores: what new rows like them would get.
struct LeftOut {
  std::vector<Index> rows;     ///< numbers among the rows that the score is made with
  std::vector<double> scores;  ///< one a row, finite
  /// The two terms of them before they are weighed, where the form tells them.
  std::vector<double> reconstruction = {}, latent = {};
};

/// Scores of which none is infinite: a row so far out that the net overflows comes last.
template <class Scalar>
std::vector<double> finite_scores(std::vector<double> scores) {
  constexpr double largest = static_cast<double>((std::numeric_limits<Scalar>::max)());
  for (double& score : scores) score = score < largest ? score : largest;
  return scores;
}

/// \param terms whose left_out may be empty: rows then have no part in the terms
/// \param scores of all rows
template <class Scalar>
std::vector<double> left_out_scores(const ScoreTerms<Scalar>& terms, const RowTerms<Scalar>& rows,
                                    const std::vector<double>& scores) {
  std::vector<double> result = terms.left_out;
  if (result.empty()) {
    for (const Index i : rows.left_out) result.push_back(scores[static_cast<std::size_t>(i)]);
  }
  return finite_scores<Scalar>(std::move(result));
}

/// The detector of a trained net. Nothing where so many training rows overflow the net that their
/// scores give no threshold; the report then says so.
/// \param X the training rows, which the score's form and the threshold come from
/// \param report gets what the diagnosis warns of
/// \param left_out rows of X that the net was not trained on; gets their scores
template <class Scalar>
DASVDD_COLD std::optional<Detector<Scalar>> finish(const TrainedNet<Scalar>& trained,
                                                   const Options& options, const AnyRows& X,
                                                   int threads, FitReport& report,
                                                   LeftOut* left_out = nullptr) {
  PackedNetwork<Scalar> packed(trained.net, trained.parameters.data(), trained.statistics.data());
  const ScoreFormRow<Scalar> form = score_form<Scalar>(options.score);
  RowTerms<Scalar> rows = terms_of_rows(packed, trained, form, X, threads);
  if (left_out) rows.left_out = left_out->rows;
  ScoreTerms<Scalar> score = form.terms(trained, rows);
  std::vector<double> scores = scores_of_terms(score, trained, rows);
  if (left_out) {
    left_out->scores = left_out_scores(score, rows, scores);
    left_out->reconstruction = score.left_out_reconstruction;
    left_out->latent = score.left_out_latent;
  }
  diagnose(diagnosis_of(trained, rows, scores, X), trained.decodes(), report);
  const double threshold = quantile(std::move(scores), options.training_quantile);
  if (!is_finite(threshold)) return {};

  auto model = std::make_shared<Model<Scalar>>();
  model->members.push_back(
      Member<Scalar>{std::move(packed), trained.parameters, trained.statistics, trained.center,
                     trained.gamma, std::move(score.reconstruction), std::move(score.latent)});
  model->scaler = trained.scaler;
  model->facts = facts<Scalar>(options, trained.objective);
  model->warnings = report.warnings;
  model->feature_names = options.feature_names;
  return Detector<Scalar>(std::move(model), threshold);
}

/// What finish() gave. Throws InvalidArgument where it gave nothing.
template <class Scalar>
Detector<Scalar> finished(std::optional<Detector<Scalar>> detector) {
  ensure(detector.has_value(),
         "there is no threshold: scores of the training rows overflow. Scale the rows");
  return *std::move(detector);
}

}  // namespace detail
DASVDD_NAMESPACE_END
