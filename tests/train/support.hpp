#pragma once
// Made-up training sets.

#include <dasvdd/dasvdd.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

/// n rows of d numbers near a curve through the unit cube, the same for the same seed.
template <class Scalar>
dasvdd::RowMatrix<Scalar> curve(dasvdd::Index n, dasvdd::Index d, std::uint64_t seed) {
  dasvdd::Random random(seed);
  dasvdd::RowMatrix<Scalar> X(n, d);
  for (dasvdd::Index i = 0; i < n; ++i) {
    const double t = random.uniform();
    for (dasvdd::Index j = 0; j < d; ++j) {
      const double phase = static_cast<double>(j) / static_cast<double>(d);
      X(i, j) =
          static_cast<Scalar>(0.5 + 0.4 * std::sin(6.28 * (t + phase)) + 0.02 * random.normal());
    }
  }
  return X;
}

/// n x d independent normal draws.
inline dasvdd::RowMatrix<float> noise(dasvdd::Index n, dasvdd::Index d) {
  dasvdd::Random random(11);
  dasvdd::RowMatrix<float> X(n, d);
  for (dasvdd::Index i = 0; i < n; ++i) {
    for (dasvdd::Index j = 0; j < d; ++j) X(i, j) = static_cast<float>(random.normal());
  }
  return X;
}

/// n x d numbers whose columns correlate.
inline std::vector<float> correlated(dasvdd::Index n, dasvdd::Index d) {
  dasvdd::Random random(static_cast<std::uint64_t>(d));
  std::vector<float> e(static_cast<std::size_t>(n * d));
  float before = 0;
  for (float& x : e) {
    x = before = 0.5f * before + static_cast<float>(random.normal());
  }
  return e;
}

/// Bit by bit the same numbers.
template <class A, class B>
bool same_bits(const A& a, const B& b) {
  if (a.size() != b.size()) return false;
  // memcmp takes no null pointer, which is what an empty buffer has.
  return a.size() == 0 || std::memcmp(a.data(), b.data(),
                                      static_cast<std::size_t>(a.size()) * sizeof(*a.data())) == 0;
}

/// Checks that fit() over X in its order comes to the bits of the same steps one by one, each with its
/// center step at once.
template <class Scalar>
void check_fit_is_its_steps(const dasvdd::Autoencoder<Scalar>& net, dasvdd::Options options,
                            const dasvdd::RowMatrix<Scalar>& X) {
  using namespace dasvdd;
  using namespace dasvdd::detail;
  options.epochs = 2;
  options.shuffle = false;
  options.gamma = GammaRule::value(0.5);
  Trainer<Scalar> whole(net, options), steps(net, options);
  auto start = steps.state();
  start.gamma = 0.5;
  steps.set_state(std::move(start));
  whole.fit(X);
  for (Index epoch = 0; epoch < options.epochs; ++epoch) {
    for (Index first = 0; first < X.rows(); first += options.batch_size) {
      steps.step(X.middleRows(first, std::min(options.batch_size, X.rows() - first)));
    }
  }
  CHECK(same_bits(steps.state().parameters, whole.state().parameters));
  CHECK(same_bits(steps.state().statistics, whole.state().statistics));
  CHECK(same_bits(steps.state().center.center, whole.state().center.center));
}
