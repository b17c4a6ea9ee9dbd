#pragma once
/// \file
/// What a fitted detector is made of: members (one net each, several in an ensemble), the scaler,
/// facts of its making.

#include <dasvdd/detect/scaler.hpp>
#include <dasvdd/detect/score_term.hpp>
#include <dasvdd/nn/narrow_network.hpp>
#include <dasvdd/nn/packed_network.hpp>

#include <map>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What a model file says in words: training options, the seed, facts of the user's own.
using Facts = std::map<std::string, std::string>;

/// One trained net with its center and its two score terms.
template <class Scalar>
struct Member {
  PackedNetwork<Scalar> network;
  AlignedBuffer<Scalar> parameters, statistics;  ///< in the net's flat layout, for saving
  AlignedBuffer<Scalar> center;                  ///< m
  double gamma;                                  ///< the weight of the latent term in training
  /// Of xhat - x, and of z - c. A latent term with several centers is of xhat, the decoded code: codes
  /// are compared by what they stand for.
  ScoreTerm<Scalar> reconstruction, latent;

  bool decodes_code() const { return latent.centers() > 0; }
  /// Whether scoring needs xhat.
  bool uses_decoder() const {
    return reconstruction.weight() > 0 || (decodes_code() && latent.weight() > 0);
  }
};

/// Everything a Detector computes with. Never changed once made; copies of the detector share it.
template <class Scalar>
struct Model {
  std::vector<Member<Scalar>> members;
  Scaler<Scalar> scaler;
  Facts facts;                                  ///< see Detector::facts
  std::vector<std::string> warnings;            ///< see Detector::warnings
  std::vector<std::string> feature_names = {};  ///< see Detector::feature_names

  /// Numbers of a row.
  Index features() const { return scaler.features() > 0 ? scaler.features() : inputs(); }
  /// Numbers that a net gets of it.
  Index inputs() const { return members.front().network.net().inputs(); }
  /// Throws InvalidArgument where the scaler gives other rows than the nets take.
  void require_fitting_scaler() const {
    ensure(scaler.inputs(features()) == inputs(), "the scaler is for ", scaler.features(),
           " features, the net takes ", inputs());
  }
  /// Multiply-adds that one row costs.
  std::int64_t multiply_adds() const {
    std::int64_t sum = 0;
    for (const auto& member : members) {
      sum = saturating_sum(sum, member.network.net().multiply_adds());
      sum = saturating_sum(sum,
                           member.reconstruction.multiply_adds() + member.latent.multiply_adds());
    }
    return sum;
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
