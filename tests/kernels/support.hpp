#pragma once
// What the tests of the kernels share: numbers, exact comparison, and every table of a scalar type.

#include <dasvdd/kernels/dispatch.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace kernel_tests {

using dasvdd::Activation;
using dasvdd::Index;
using dasvdd::detail::ActivationKind;
namespace kernels = dasvdd::detail::kernels;

/// Reproducible numbers in [-1, 1) that fill a mantissa.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 11) * 0x1p-52 - 1.0;
  }
  template <class Scalar>
  std::vector<Scalar> vector(Index n) {
    std::vector<Scalar> v(static_cast<std::size_t>(n));
    for (Scalar& x : v) x = static_cast<Scalar>(next());
    return v;
  }

 private:
  std::uint64_t state_;
};

template <class Scalar>
constexpr Scalar nan() {
  return std::numeric_limits<Scalar>::quiet_NaN();
}

/// Equal to the last bit, except that NaNs are all alike.
template <class Scalar>
bool same_bits(Scalar a, Scalar b) {
  return (a != a && b != b) || std::memcmp(&a, &b, sizeof a) == 0;
}
template <class Scalar>
bool same_bits(const std::vector<Scalar>& a, const std::vector<Scalar>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same_bits(a[i], b[i])) return false;
  }
  return true;
}

/// The tables whose results must agree to the last bit: all but the portable one, which fuses its
/// multiply-adds only where the compiler's flags allow it.
template <class Scalar>
std::vector<const kernels::Table<Scalar>*> exact_tables() {
  auto tables = kernels::available<Scalar>();
  tables.pop_back();
  return tables;
}

inline Index round_up(Index a, Index multiple) { return (a + multiple - 1) / multiple * multiple; }

}  // namespace kernel_tests
