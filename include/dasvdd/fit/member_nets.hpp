#pragma once
/// \file
/// The nets of a fit(), and the weight of their latent term.

#include <dasvdd/nn/autoencoder.hpp>
#include <dasvdd/train/centers.hpp>
#include <dasvdd/train/gamma.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Member i's net: every third is a layer shallower. Nets of two depths err on different rows, and
/// their mean ranks better than that of as many equal nets. Layers of twice the width take three times as long and rank
/// a tenth of a point better in the mean of 21 tables (docs/notebook/tables.md).
template <class Scalar>
Autoencoder<Scalar> member_net(Index features, Index i) {
  const std::vector<Index> shallow = {64, 64, 64}, deep = {64, 64, 64, 64};
  return dense_autoencoder<Scalar>(features, i % 3 == 0 ? shallow : deep, {}, leaky_relu(), {});
}

/// The rule's gamma for a member's net, from a thousand of its rows at most.
/// \param scaler what is left to do to them
template <class Scalar>
GammaRule member_gamma(const GammaRule& rule, const Autoencoder<Scalar>& net,
                       const Scaler<Scalar>& scaler, const AnyRows& X, std::uint64_t seed) {
  constexpr Index enough = 1000;
  const AnyRows some = X.middle_rows(0, (std::min)(X.rows(), enough));
  return GammaRule::value(estimate_gamma<Scalar>(net, scaler, some, rule, 1, seed));
}

/// What sets the nets of one fit apart from those of another; a table's unless told otherwise.
template <class Scalar>
struct MemberForm {
  Autoencoder<Scalar> (*net)(Index features, Index i) = member_net<Scalar>;
  double final_rate = 1;                    ///< see Options
  Index most_centers = usual_most_centers;  ///< of the score
};

}  // namespace detail
DASVDD_NAMESPACE_END
