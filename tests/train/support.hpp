#pragma once
// Made-up training sets.

#include <dasvdd/dasvdd.hpp>

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

/// Bit by bit the same numbers.
template <class A, class B>
bool same_bits(const A& a, const B& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(*a.data())) ==
             0;
}
