#pragma once
/// \file
/// Why a row got its score.

#include <vector>

#include <dasvdd/core/config.hpp>

DASVDD_NAMESPACE_BEGIN

/// A score taken apart: score = reconstruction + latent, reconstruction = sum of `features`, latent
/// = sum of `code` (each up to the rounding of a sum).
struct Explanation {
  double score = 0;
  double reconstruction = 0;  ///< the reconstruction term's share, weight included
  double latent = 0;          ///< the latent term's share, gamma included
  /// d shares of the reconstruction term; negative only in a whitened score
  std::vector<double> features;
  /// m shares of the latent term, the members' one behind the other in an ensemble
  std::vector<double> code;
  /// d: xhat - x in the net's units (standardized where the detector scales), the members' mean in
  /// an ensemble; zeros where the score has no reconstruction term
  std::vector<double> residual;
  /// m: z - c, the direction in which the code leaves the center; members as in `code`
  std::vector<double> offset;
};

DASVDD_NAMESPACE_END
