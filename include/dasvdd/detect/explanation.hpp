#pragma once
/// \file
/// Why a row got its score.

#include <dasvdd/detect/model.hpp>

#include <cmath>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// The parts of a row's score: score = reconstruction + latent, reconstruction = sum of `features`,
/// latent = sum of `code` (each up to the rounding of a sum).
struct Explanation {
  double score = 0;
  double reconstruction = 0;  ///< the reconstruction term, weight included
  double latent = 0;          ///< the latent term, gamma included
  /// d shares of the reconstruction term; negative ones only in a whitened score
  std::vector<double> features;
  /// m shares of the latent term; in an ensemble those of net 0, then those of net 1, ...
  std::vector<double> code;
  /// d: xhat - x in the net's units (standardized where the detector standardizes), in an ensemble the
  /// nets' mean; zeros where the score has no reconstruction term
  std::vector<double> residual;
  /// m: z - c, how the latent code differs from the center; an ensemble's nets as in `code`
  std::vector<double> offset;
};

namespace detail {

/// Adds term(e)'s shares of the entries of e, e_j (A^T A e)_j weight / (divisor members), to `shares`
/// and sets `difference` to e = a - b.
template <class Scalar>
void add_shares(const kernels::Table<Scalar>& k, const ScoreTerm<Scalar>& term,
                Rows<const Scalar> a, const Scalar* b, double members, std::vector<double>& shares,
                std::vector<double>& difference) {
  const std::size_t size = static_cast<std::size_t>(term.size());
  const double factor = term.weight() / (term.divisor() * members);
  shares.resize(size, 0);
  difference.resize(size, 0);
  for (std::size_t j = 0; j < size; ++j) {
    difference[j] = static_cast<double>(a(0, static_cast<Index>(j))) - static_cast<double>(b[j]);
  }
  std::vector<double> metric = difference;
  if (term.whitened()) {
    AlignedBuffer<Scalar> scratch(term.scratch(1));
    term.whiten(k, a, b, 0, scratch.data());
    const Scalar* white = scratch.data() + padded_stride<Scalar>(term.size());
    for (std::size_t j = 0; j < size; ++j) {
      metric[j] = 0;
      for (std::size_t i = 0; i < size; ++i) {
        metric[j] =
            std::fma(static_cast<double>(term.whitening()[static_cast<Index>(i * size + j)]),
                     static_cast<double>(white[i]), metric[j]);
      }
    }
  }
  for (std::size_t j = 0; j < size; ++j)
    shares[j] = std::fma(factor * difference[j], metric[j], shares[j]);
}

/// All of a row's explanation but the score and its two terms.
template <class Scalar>
Explanation explain_shares(const Model<Scalar>& model, const Scalar* row) {
  const Index d = model.features();
  const double members = static_cast<double>(model.members.size());
  AlignedBuffer<Scalar> scaled(padded_stride<Scalar>(d));
  model.scaler.apply(model.members.front().network.kernels(), row, d, scaled.data());
  const Rows<const Scalar> x(scaled.data(), 1, d);
  Explanation e;
  e.features.assign(static_cast<std::size_t>(d), 0);
  e.residual.assign(static_cast<std::size_t>(d), 0);
  for (const auto& member : model.members) {
    const auto& k = member.network.kernels();
    auto buffers = member.network.make_buffers(1);
    const auto result = member.network.forward(x, buffers, member.uses_decoder());
    if (member.uses_decoder()) {
      std::vector<double> residual;
      add_shares(k, member.reconstruction, result.output, x.data(), members, e.features, residual);
      for (std::size_t j = 0; j < residual.size(); ++j) e.residual[j] += residual[j] / members;
    }
    std::vector<double> code, offset;
    add_shares(k, member.latent, result.code, member.center.data(), members, code, offset);
    // Codes of different members have nothing in common but their place in the list.
    e.code.insert(e.code.end(), code.begin(), code.end());
    e.offset.insert(e.offset.end(), offset.begin(), offset.end());
  }
  return e;
}

}  // namespace detail
DASVDD_NAMESPACE_END
