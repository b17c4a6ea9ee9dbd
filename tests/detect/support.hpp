#pragma once
// What the tests of detectors share: detectors of nets at a random start (no training), rows, and
// scores by plain loops.

#include <dasvdd/core/random.hpp>
#include <dasvdd/detect/ensemble.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace detect_tests {

using namespace dasvdd;
using namespace dasvdd::detail;

template <class Scalar>
RowMatrix<Scalar> random_rows(Index rows, Index cols, std::uint64_t seed, double scale = 1) {
  Random random(seed);
  RowMatrix<Scalar> x(rows, cols);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<Scalar>(scale * random.normal());
  return x;
}

/// A member with parameters and a center of the seed, scoring by weights of its terms.
template <class Scalar>
Member<Scalar> make_member(const Autoencoder<Scalar>& net, std::uint64_t seed,
                           ScoreTerm<Scalar> reconstruction, ScoreTerm<Scalar> latent) {
  AlignedBuffer<Scalar> parameters(net.parameters()), statistics(net.statistics()),
      center(net.code());
  Random random(seed);
  net.joined().initialize(random, parameters.data(), statistics.data());
  for (Scalar& c : center) c = static_cast<Scalar>(random.normal());
  PackedNetwork<Scalar> packed(net, parameters.data(), statistics.data());
  return {std::move(packed),         parameters,       statistics, center, latent.weight(),
          std::move(reconstruction), std::move(latent)};
}

constexpr double latent_weight = 0.3;

/// S = r + 0.3 q.
template <class Scalar>
Member<Scalar> published_member(const Autoencoder<Scalar>& net, std::uint64_t seed) {
  return make_member(
      net, seed,
      ScoreTerm<Scalar>(net.inputs(), net.has_decoder() ? 1 : 0, static_cast<double>(net.inputs())),
      ScoreTerm<Scalar>(net.code(), latent_weight, 1));
}

/// S = ||A e||^2 / d, A a lower triangular matrix of the seed.
template <class Scalar>
Member<Scalar> whitened_member(const Autoencoder<Scalar>& net, std::uint64_t seed) {
  const Index d = net.inputs();
  AlignedBuffer<Scalar> a(d * d);
  Random random(seed + 1);
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j < i; ++j) a[i * d + j] = static_cast<Scalar>(0.2 * random.normal());
    a[i * d + i] = static_cast<Scalar>(1 + random.uniform());
  }
  return make_member(net, seed, ScoreTerm<Scalar>(d, 1, static_cast<double>(d), std::move(a)),
                     ScoreTerm<Scalar>(net.code(), 0, 1));
}

/// S = ||A e||^2 / d + 0.5 min_k ||xhat - c_k||^2 / d, 21 centers of the seed.
template <class Scalar>
Member<Scalar> centers_member(const Autoencoder<Scalar>& net, std::uint64_t seed) {
  const Index d = net.inputs();
  Member<Scalar> member = whitened_member(net, seed);
  AlignedBuffer<Scalar> centers(21 * d);
  Random random(seed + 2);
  for (Scalar& c : centers) c = static_cast<Scalar>(0.5 * random.normal());
  member.latent = ScoreTerm<Scalar>::nearest_of(d, 0.5, static_cast<double>(d), std::move(centers));
  return member;
}

template <class Scalar>
Detector<Scalar> detector_of(std::vector<Member<Scalar>> members, Scaler<Scalar> scaler = {},
                             double threshold = 1) {
  auto model = std::make_shared<Model<Scalar>>();
  model->members = std::move(members);
  model->scaler = std::move(scaler);
  return Detector<Scalar>(std::move(model), threshold);
}

template <class Scalar>
Autoencoder<Scalar> small_net(Index features = 9) {
  return dense_autoencoder<Scalar>(features, {20, 4}, Activation(), leaky_relu(), tanh());
}
/// Wide enough for a team of three to be worth its while at 200 rows.
template <class Scalar>
Autoencoder<Scalar> wide_net() {
  return dense_autoencoder<Scalar>(37, {300, 180, 5}, sigmoid());
}

template <class Scalar>
Scaler<Scalar> some_scaler(Index features) {
  std::vector<double> mean, scale;
  for (Index j = 0; j < features; ++j) {
    mean.push_back(0.1 * static_cast<double>(j));
    scale.push_back(0.5 + 0.25 * static_cast<double>(j));
  }
  return {Standardizer<Scalar>(mean, scale)};
}

template <class Scalar>
bool same_bits(const Vector<Scalar>& a, const Vector<Scalar>& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(Scalar)) == 0;
}

}  // namespace detect_tests
