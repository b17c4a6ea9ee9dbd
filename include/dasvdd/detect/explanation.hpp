#pragma once
/// \file
/// Why a row got its score.

#include <dasvdd/detect/model.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// A row's score, split into shares of its features, and what was expected in the row's place.
///
/// A share is never negative and depends on no order of the features. A share of the reconstruction term says
/// how far the feature is from what the net expects, seen together with the other features where the score is
/// whitened. A share of a latent term with several centers says how far the feature's expected value is from the
/// nearest center's. A share of another latent term says how much nearer to the center the row would come with the
/// expected value in the feature's place.
struct Explanation {
  double score = 0;
  double reconstruction = 0;     ///< the reconstruction term, weight included
  double latent = 0;             ///< the latent term, gamma included
  std::vector<double> features;  ///< d shares of the score; their sum is the score
  /// d: the row as the detector reconstructs it, in the row's units; in an ensemble the nets' mean. A net that
  /// doesn't score by reconstruction expects 0 in its own units: the mean of training rows where the detector
  /// standardizes. May be infinite or NaN where the score is infinite.
  std::vector<double> expected;
  std::vector<double> observed;  ///< d: the row itself; NaN where it lacks a value
};

namespace detail {

/// Adds each feature's share of a member's latent term, q(z - c), to `shares`: q in proportion to what it
/// falls by when the expected value takes the feature's place. Where none makes it fall, all have the same
/// share.
/// \param x, expected d numbers in the net's units
template <class Scalar>
void add_latent_shares(const Member<Scalar>& member, const Scalar* x, const Scalar* expected,
                       std::vector<double>& shares) {
  constexpr Index tile = kernels::batch_tile;
  const auto& k = member.network.kernels();
  const Index d = member.network.net().inputs(), stride = padded_stride<Scalar>(d);
  auto buffers = member.network.make_buffers(tile);
  AlignedBuffer<Scalar> rows(tile * stride), scratch(member.latent.scratch(tile));
  // Row 0 is the row itself, row j + 1 has feature j replaced.
  std::vector<double> q(static_cast<std::size_t>(d + 1));
  for (Index first = 0; first <= d; first += tile) {
    const Index count = (std::min)(tile, d + 1 - first);
    for (Index i = 0; i < count; ++i) {
      Scalar* row = rows.data() + i * stride;
      std::copy_n(x, d, row);
      const Index j = first + i - 1;
      if (j >= 0) row[j] = expected[j];
    }
    const auto result = member.network.forward({rows.data(), count, d, stride}, buffers, false);
    member.latent.evaluate(k, result.code, member.center.data(), 0, scratch.data(),
                           q.data() + first);
  }
  double sum = 0;
  for (std::size_t j = 1; j < q.size(); ++j) {
    q[j] = q[j] < q[0] ? q[0] - q[j] : 0;
    sum += q[j];
  }
  for (std::size_t j = 0; j < shares.size(); ++j) {
    shares[j] += sum > 0 ? q[0] * (q[j + 1] / sum) : q[0] / static_cast<double>(d);
  }
}

/// An infinite score belongs to the features that are furthest out in the net's units: theirs are infinite
/// shares.
template <class Scalar>
void infinite_shares(const Scalar* x, double score, std::vector<double>& shares) {
  Scalar furthest = 0;
  for (std::size_t j = 0; j < shares.size(); ++j) furthest = (std::max)(furthest, std::abs(x[j]));
  for (std::size_t j = 0; j < shares.size(); ++j) {
    shares[j] = std::abs(x[j]) == furthest ? score : 0;
  }
}

/// The explanation of a row with these parts of its score.
/// \param row 1 x d
template <class Scalar>
Explanation explain_row(const Model<Scalar>& model, const AnyRows& row, double score,
                        double reconstruction, double latent) {
  const Index features = model.features(), d = model.inputs();
  const std::size_t size = static_cast<std::size_t>(d);
  const double members = static_cast<double>(model.members.size());
  const auto& k = model.members.front().network.kernels();
  AlignedBuffer<Scalar> x(padded_stride<Scalar>(d)), expected(d);
  std::vector<double> undone(static_cast<std::size_t>(features));
  std::vector<Index> missing;  // that are masked
  for (Index j = 0; model.scaler.masks() && j < features; ++j) {
    if (is_missing(row(0, j))) missing.push_back(j);
  }
  model.scaler.apply_row(k, row, 0, x.data());
  Explanation e{score, reconstruction, latent, {}, {}, {}};
  e.features.assign(size, 0);
  e.expected.assign(undone.size(), 0);
  row.visit([&](auto rows) { e.observed.assign(rows.row(0), rows.row(0) + features); });
  const bool finite = is_finite(score);
  for (const auto& member : model.members) {
    std::fill_n(expected.data(), d, Scalar(0));
    if (member.uses_decoder()) {
      auto buffers = member.network.make_buffers(1);
      const auto result = member.network.forward({x.data(), 1, d}, buffers);
      std::copy_n(result.output.row(0), d, expected.data());
    }
    row.visit([&](auto rows) {
      model.scaler.undo(k, rows.row(0), features, expected.data(), undone.data());
    });
    for (std::size_t j = 0; j < undone.size(); ++j) e.expected[j] += undone[j] / members;
    if (finite && member.uses_decoder()) {
      std::vector<double> residual(size);
      for (Index j = 0; j < d; ++j) {
        residual[static_cast<std::size_t>(j)] =
            static_cast<double>(expected[j]) - static_cast<double>(x[j]);
      }
      for (const Index j : missing) residual[static_cast<std::size_t>(j)] = 0;
      const std::vector<double> shares = member.reconstruction.shares(residual, missing);
      for (std::size_t j = 0; j < size; ++j) e.features[j] += shares[j];
    }
    if (finite && member.latent.weight() > 0 && member.decodes_code()) {
      const std::vector<double> shares = member.latent.shares_of_nearest(k, expected.data());
      for (std::size_t j = 0; j < size; ++j) e.features[j] += shares[j];
    } else if (finite && member.latent.weight() > 0) {
      add_latent_shares(member, x.data(), expected.data(), e.features);
    }
  }
  if (!finite) infinite_shares(x.data(), score, e.features);
  // Whether a value is missing belongs to its feature.
  const auto& indicators = model.scaler.indicators();
  for (std::size_t t = 0; t < indicators.size(); ++t) {
    double& share = e.features[static_cast<std::size_t>(indicators[t])];
    const double of_indicator = e.features[undone.size() + t];
    share = finite ? share + of_indicator : (std::max)(share, of_indicator);
  }
  e.features.resize(undone.size());
  if (!finite) return e;
  // The score was computed in the net's scalar type; the shares are made to add up to it.
  double sum = 0;
  for (const double share : e.features) sum += share;
  for (double& share : e.features) {
    share = sum > 0 ? share * (score / sum) : score / static_cast<double>(features);
  }
  return e;
}

}  // namespace detail
DASVDD_NAMESPACE_END
