#pragma once
/// \file
/// The nets of a fit(), and the weight of their latent term.

#include <dasvdd/train/gamma.hpp>
#include <dasvdd/train/options.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Member i's net: every third is a layer shallower. Nets of two depths err on different rows, and
/// their mean ranks better than as many nets alike.
template <class Scalar>
Autoencoder<Scalar> fit_net(Index features, Index i) {
  const std::vector<Index> shallow = {128, 128, 64}, deep = {128, 128, 128, 64};
  return dense_autoencoder<Scalar>(features, i % 3 == 0 ? shallow : deep, identity().spec(),
                                   leaky_relu().spec(), identity().spec());
}

/// A tenth of the gamma that the published rule gives, from two nets and a thousand rows at most:
/// untrained nets put the weight of the latent term far too high for trained ones, and there are
/// other members.
template <class Scalar>
GammaRule fit_gamma(const Autoencoder<Scalar>& net, Rows<const Scalar> X, std::uint64_t seed) {
  constexpr Index enough = 1000;
  const Rows<const Scalar> some = X.middle_rows(0, std::min(X.rows(), enough));
  return GammaRule::value(
      0.1 * estimate_gamma<Scalar>(net, {}, some, nullptr, GammaRule::ratio_of_means(2), 1, seed));
}

}  // namespace detail
DASVDD_NAMESPACE_END
