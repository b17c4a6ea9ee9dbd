#pragma once
/// \file
/// The forms a trained net's score may have, each with its two terms: a new form is an enumerator, a
/// function of its terms, and a row of score_form().

#include <dasvdd/detect/scaler.hpp>
#include <dasvdd/detect/score_term.hpp>
#include <dasvdd/nn/autoencoder.hpp>
#include <dasvdd/train/centers.hpp>
#include <dasvdd/train/covariance.hpp>
#include <dasvdd/train/diagnosis.hpp>
#include <dasvdd/train/ninety.hpp>
#include <dasvdd/train/row_numbers.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// The score a trained net is given. r and q are the terms of Dasvdd, means are over the training
/// rows after training.
enum class ScoreForm {
  published,  ///< S = r + gamma q, gamma as in training
  balanced,   ///< S = r / mean r + q / mean q
  /// S = r / mean r + t / mean t with t = (z - c)^T C^-1 (z - c), C the mean of (z - c)(z - c)^T:
  /// for images
  latent_whitened,
  whitened,  ///< S = e^T C^-1 e / d, e the residual and C its covariance; no latent term
  /// S = w / w90 + (1 - d / n) p / p90 with w the whitened form and p = min_k ||xhat - c_k||^2 / d, the
  /// c_k several centers of the decoded latent codes of training rows; w90 and p90 are 0.9 quantiles
  /// over rows that the net was not trained on, or all rows where it was; without the second term
  /// where n <= d: for tables
  several_centers,
};

namespace detail {

/// A trained net with what its score is made of; refers to the numbers of a trainer or a fit.
template <class Scalar>
struct TrainedNet {
  const Autoencoder<Scalar>& net;
  const AlignedBuffer<Scalar>&parameters, &statistics, &center;
  const Scaler<Scalar>& scaler;
  double gamma;
  const char* objective;                    ///< its name, for the model file
  double r_weight, q_weight;                ///< of r and q in the published score
  Index most_centers = usual_most_centers;  ///< of the form with several

  bool decodes() const { return r_weight > 0; }
};

/// What the forms are made from, of n rows.
template <class Scalar>
struct RowTerms {
  AlignedBuffer<double> residual;    ///< n: ||xhat - x||^2; zeros where nothing is decoded
  AlignedBuffer<double> distance;    ///< n: ||z - c||^2
  AlignedBuffer<Scalar> codes;       ///< n x m, where they are asked for
  AlignedBuffer<Scalar> residuals;   ///< n x d: xhat - x, where they are asked for
  AlignedBuffer<Scalar> outputs;     ///< n x d: xhat, where they are asked for
  std::vector<Index> left_out = {};  ///< numbers of the rows that the net was not trained on
  /// Values that the rows lack and that are masked: their residuals are 0, and `residual` is widened.
  MissingPlaces missing = {};

  Index rows() const { return residual.size(); }
};

/// A net's score: S = reconstruction(xhat - x) + latent(z - c).
template <class Scalar>
struct ScoreTerms {
  ScoreTerm<Scalar> reconstruction, latent;
  /// What RowTerms::left_out would score if they had no part in the terms; empty where they have none.
  std::vector<double> left_out = {};
  /// The two terms of the same rows before they are weighed, of several_centers.
  std::vector<double> left_out_reconstruction = {}, left_out_latent = {};
};

inline double mean_of(const AlignedBuffer<double>& x, double divisor = 1) {
  double sum = 0;
  for (double v : x) sum += v / divisor;
  return sum / static_cast<double>(x.size());
}

/// weight x_i / divisor of the left-out rows; where the weight is one over the mean of all n rows'
/// x / divisor, that mean is taken without the row itself.
inline std::vector<double> balanced_without(const AlignedBuffer<double>& x, double weight,
                                            double divisor, const std::vector<Index>& left_out) {
  const double n = static_cast<double>(x.size()), mean = mean_of(x, divisor);
  const bool balanced = weight * mean > 0 && n > 1;
  std::vector<double> terms;
  for (const Index i : left_out) {
    const double share = x[i] / divisor;
    const double others = (n * mean - share) / (n - 1);
    terms.push_back(balanced && others > 0 ? weight * mean * share / others : weight * share);
  }
  return terms;
}

/// r / mean r. A training set that the net reconstructs exactly leaves no mean to divide by; the
/// published weight then stays.
template <class Scalar>
ScoreTerm<Scalar> balanced_reconstruction(const TrainedNet<Scalar>& trained,
                                          const RowTerms<Scalar>& rows) {
  const Index d = trained.net.inputs();
  const double mean = mean_of(rows.residual, static_cast<double>(d));
  return {d, mean > 0 ? 1 / mean : trained.r_weight, static_cast<double>(d)};
}

inline std::vector<double> sums(std::vector<double> a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

template <class Scalar>
ScoreTerms<Scalar> published_terms(const TrainedNet<Scalar>& trained, const RowTerms<Scalar>&) {
  const Index d = trained.net.inputs();
  return {{d, trained.r_weight, static_cast<double>(d)}, {trained.net.code(), trained.q_weight, 1}};
}

template <class Scalar>
ScoreTerms<Scalar> balanced_terms(const TrainedNet<Scalar>& trained, const RowTerms<Scalar>& rows) {
  const double mean = mean_of(rows.distance);
  const bool weighs = trained.q_weight > 0 && mean > 0;
  ScoreTerms<Scalar> terms{balanced_reconstruction(trained, rows),
                           {trained.net.code(), weighs ? 1 / mean : trained.q_weight, 1}};
  const double d = static_cast<double>(trained.net.inputs());
  terms.left_out =
      sums(balanced_without(rows.residual, terms.reconstruction.weight(), d, rows.left_out),
           balanced_without(rows.distance, terms.latent.weight(), 1, rows.left_out));
  return terms;
}

template <class Scalar>
ScoreTerms<Scalar> latent_whitened_terms(const TrainedNet<Scalar>& trained,
                                         const RowTerms<Scalar>& rows) {
  const auto& k = kernels::best<Scalar>();
  const Scalar* center = trained.center.data();
  const Index m = trained.net.code(), n = rows.rows();
  AlignedBuffer<Scalar> offsets(n * m);
  for (Index i = 0; i < n; ++i) {
    k.scaled_difference(rows.codes.data() + i * m, center, Scalar(1), m, offsets.data() + i * m);
  }
  const Covariance covariance(offsets.data(), n, m);
  AlignedBuffer<Scalar> whitening = covariance.whitening<Scalar>();
  ScoreTerm<Scalar> raw(m, 1, 1, whitening);
  AlignedBuffer<Scalar> scratch(raw.scratch(1));
  AlignedBuffer<double> t(n);
  for (Index i = 0; i < n; ++i) {
    raw.evaluate(k, {rows.codes.data() + i * m, 1, m}, center, 0, scratch.data(), &t[i]);
  }
  const double mean = mean_of(t);
  ScoreTerms<Scalar> terms{
      balanced_reconstruction(trained, rows),
      mean > 0 ? ScoreTerm<Scalar>(m, 1 / mean, 1, std::move(whitening)) : std::move(raw)};
  std::vector<double> lengths = covariance.lengths_as_new(offsets.data(), rows.left_out);
  for (double& length : lengths) length *= terms.latent.weight();
  terms.left_out = sums(balanced_without(rows.residual, terms.reconstruction.weight(),
                                         static_cast<double>(trained.net.inputs()), rows.left_out),
                        lengths);
  return terms;
}

template <class Scalar>
ScoreTerms<Scalar> whitened_terms(const TrainedNet<Scalar>& trained, const RowTerms<Scalar>& rows) {
  const Index d = trained.net.inputs();
  const Covariance covariance(rows.residuals.data(), rows.rows(), d, rows.missing);
  std::vector<double> left_out =
      covariance.lengths_as_new(rows.residuals.data(), rows.left_out, rows.missing);
  for (double& length : left_out) length /= static_cast<double>(d);
  return {{d, 1, static_cast<double>(d), covariance.whitening<Scalar>()},
          {trained.net.code(), 0, 1},
          std::move(left_out)};
}

template <class Scalar>
ScoreTerms<Scalar> several_centers_terms(const TrainedNet<Scalar>& trained,
                                         const RowTerms<Scalar>& rows) {
  const Index d = trained.net.inputs(), n = rows.rows();
  const double width = static_cast<double>(d);
  // A net that was trained on none of the rows has its centers from all.
  const bool none = static_cast<Index>(rows.left_out.size()) == n;
  const std::vector<Index> used = none ? all_rows(n) : all_rows_but(rows.left_out, n);
  const std::vector<Index>& measured = rows.left_out.empty() ? used : rows.left_out;

  const Scalar* residuals = rows.residuals.data();
  const Covariance covariance(residuals, n, d, rows.missing);
  std::vector<double> w = covariance.lengths_without(residuals, measured, rows.missing);
  const double factor = covariance.one_row_more(residuals, rows.left_out);
  for (double& length : w) length = length * factor / width;
  const Ninety w90(w, 0.01);
  ScoreTerms<Scalar> terms{{d, 1 / w90.of_all(), width, covariance.whitening<Scalar>()},
                           {trained.net.code(), 0, 1}};
  std::vector<double> scores, p(w.size());
  for (const double length : w) scores.push_back(length / w90.without(length));
  // Among fewer rows than features a new row is far from every center: the term says nothing.
  const double trust = 1 - width / static_cast<double>(n);
  if (trust > 0) {
    AlignedBuffer<Scalar> centers =
        centers_of(rows.outputs.data(), d, used,
                   center_count(static_cast<Index>(used.size()), d, trained.most_centers));
    const auto raw = ScoreTerm<Scalar>::nearest_of(d, 1, width, centers);
    AlignedBuffer<Scalar> scratch(raw.scratch(1));
    for (std::size_t i = 0; i < p.size(); ++i) {
      raw.evaluate(kernels::best<Scalar>(), {rows.outputs.data() + measured[i] * d, 1, d}, nullptr,
                   0, scratch.data(), &p[i]);
    }
    const double spread =
        variance(kernels::best<Scalar>(), Scaler<Scalar>(), AnyRows(rows.outputs.data(), n, d));
    const Ninety p90(p, 1e-9 * spread);
    for (std::size_t i = 0; i < p.size(); ++i) scores[i] += trust / p90.without(p[i]) * p[i];
    terms.latent =
        ScoreTerm<Scalar>::nearest_of(d, trust / p90.of_all(), width, std::move(centers));
  }
  if (!rows.left_out.empty()) {
    terms.left_out = std::move(scores);
    terms.left_out_reconstruction = std::move(w);
    terms.left_out_latent = std::move(p);
  }
  return terms;
}

template <class Scalar>
struct ScoreFormRow {
  const char* name;  ///< in model files
  bool needs_codes, needs_residuals, needs_outputs;
  ScoreTerms<Scalar> (*terms)(const TrainedNet<Scalar>&, const RowTerms<Scalar>&);
};

/// All that the library knows of a form. No default: a compiler warns of a form that is forgotten.
template <class Scalar>
ScoreFormRow<Scalar> score_form(ScoreForm form) {
  switch (form) {
    case ScoreForm::published:
      return {"published", false, false, false, published_terms<Scalar>};
    case ScoreForm::balanced:
      return {"balanced", false, false, false, balanced_terms<Scalar>};
    case ScoreForm::latent_whitened:
      return {"latent_whitened", true, false, false, latent_whitened_terms<Scalar>};
    case ScoreForm::whitened:
      return {"whitened", false, true, false, whitened_terms<Scalar>};
    case ScoreForm::several_centers:
      return {"several_centers", false, true, true, several_centers_terms<Scalar>};
  }
  throw InvalidArgument(sentence("the score form is ", static_cast<int>(form),
                                 ", expected one of the enumerators of ScoreForm"));
}

}  // namespace detail
DASVDD_NAMESPACE_END
