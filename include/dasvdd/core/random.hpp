#pragma once
/// \file
/// The library's own random numbers: the same bits on every platform, compiler and thread count.

#include <dasvdd/core/error.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// Natural logarithm of a positive normal number, within 2 ulp, in operations that every platform
/// rounds alike: x = m 2^e with m in [sqrt(1/2), sqrt(2)), s = (m - 1) / (m + 1), log x = e log 2 +
/// 2 atanh(s).
inline double portable_log(double x) {
  std::uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  int exponent = static_cast<int>(bits >> 52) - 1022;
  bits = (bits & 0x000fffffffffffffu) | 0x3fe0000000000000u;
  double m;
  std::memcpy(&m, &bits, sizeof m);
  if (m < 0.70710678118654752) {
    m += m;
    --exponent;
  }
  const double s = (m - 1) / (m + 1);
  const double s2 = s * s;
  double sum = 1.0 / 21;
  for (int odd = 19; odd >= 3; odd -= 2) sum = std::fma(sum, s2, 1.0 / odd);
  const double atanh = std::fma(s * s2, sum, s);
  return std::fma(static_cast<double>(exponent), 0.69314718055994530942, atanh + atanh);
}

}  // namespace detail

/// xoshiro256++ (Blackman & Vigna 2021), its state filled by splitmix64. A value: a copy goes on with
/// the same numbers.
class Random {
 public:
  /// Generator number `stream` of a seed. Streams of one seed may be used as independent.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) {
    std::uint64_t x = seed + 0x632be59bd9b4e019u * stream;
    for (auto& word : state_) word = split_mix(x);
  }

  /// 64 random bits.
  std::uint64_t bits() {
    const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(integer()) * 0x1.0p-53; }
  /// Uniform from low to high; rounding may give high itself.
  double uniform(double low, double high) { return std::fma(high - low, uniform(), low); }

  /// Uniform from -bound to bound: the same bits as uniform(-bound, bound), faster. 2 u - 1 is exact, so one
  /// multiplication is enough, while an fma is a function call where the compiler may not use the
  /// instruction. The weights of nets are drawn by it.
  double symmetric(double bound) {
    return static_cast<double>(integer() - (std::int64_t(1) << 52)) * (bound * 0x1.0p-52);
  }

  /// Uniform in 0 .. count - 1, without bias; count > 0.
  std::uint64_t below(std::uint64_t count) {
    // Keep just the bits that count - 1 needs and draw again above it: at most two draws on
    // average.
    std::uint64_t mask = count - 1;
    for (int shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
    std::uint64_t draw;
    do draw = bits() & mask;
    while (draw >= count);
    return draw;
  }

  /// Standard normal, by Marsaglia's polar method.
  double normal() {
    for (;;) {
      const double u = uniform(-1, 1), v = uniform(-1, 1);
      const double s = std::fma(u, u, v * v);
      // The pair's second number is thrown away: a generator without a spare is a plain value.
      if (s < 1 && s > 0) return u * std::sqrt(-2 * detail::portable_log(s) / s);
    }
  }

  /// Puts size elements into random order (Fisher & Yates).
  template <class T>
  void shuffle(T* data, std::size_t size) {
    for (std::size_t i = size; i > 1; --i) {
      std::swap(data[i - 1], data[static_cast<std::size_t>(below(i))]);
    }
  }

  /// The state, for checkpoints: set_state() goes on with the same numbers.
  const std::array<std::uint64_t, 4>& state() const { return state_; }
  void set_state(const std::array<std::uint64_t, 4>& state) {
    detail::ensure((state[0] | state[1] | state[2] | state[3]) != 0,
                   "the random state is all zero");
    state_ = state;
  }

 private:
  /// Uniform in 0 .. 2^53 - 1; signed, for that becomes a double faster.
  std::int64_t integer() { return static_cast<std::int64_t>(bits() >> 11); }
  static std::uint64_t rotate(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  static std::uint64_t split_mix(std::uint64_t& x) {
    std::uint64_t z = (x += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  std::array<std::uint64_t, 4> state_;
};

DASVDD_NAMESPACE_END
