#pragma once
/// \file
/// Tests for NaN and infinity that hold under -ffast-math too: they look at the bits.

#include <dasvdd/core/config.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

DASVDD_NAMESPACE_BEGIN
namespace detail {

inline bool is_finite(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return (bits & 0x7f800000u) != 0x7f800000u;
}

inline bool is_finite(double x) {
  std::uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return (bits & 0x7ff0000000000000u) != 0x7ff0000000000000u;
}

inline bool is_nan(float x) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return (bits & 0x7fffffffu) > 0x7f800000u;
}

inline bool is_nan(double x) {
  std::uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return (bits & 0x7fffffffffffffffu) > 0x7ff0000000000000u;
}

/// Whether all n numbers are finite. A float's exponent of ones, and no other, overflows into the sign's place when
/// one is added to it: two floats are looked at in one word, and none decides where the loop ends.
inline bool all_finite(const float* x, std::ptrdiff_t n) {
  constexpr std::uint64_t exponents = 0x7f8000007f800000u, ones = 0x0080000000800000u,
                          overflow = 0x8000000080000000u;
  std::uint64_t bad[2] = {};
  std::ptrdiff_t i = 0;
  for (; i + 4 <= n; i += 4) {
    std::uint64_t first, second;
    std::memcpy(&first, x + i, sizeof first);
    std::memcpy(&second, x + i + 2, sizeof second);
    bad[0] |= (first & exponents) + ones;
    bad[1] |= (second & exponents) + ones;
  }
  std::uint64_t rest = 0;
  for (; i < n; ++i) rest |= is_finite(x[i]) ? 0 : overflow;
  return ((bad[0] | bad[1] | rest) & overflow) == 0;
}

inline bool all_finite(const double* x, std::ptrdiff_t n) {
  unsigned bad = 0;
  for (std::ptrdiff_t i = 0; i < n; ++i) bad |= static_cast<unsigned>(!is_finite(x[i]));
  return bad == 0;
}

/// The largest number of type T that is not above x. A score in T is above the result, or at least it, exactly
/// when it is above x, or at least x.
template <class T>
T rounded_down(double x) {
  const T nearest = static_cast<T>(x);
  return static_cast<double>(nearest) > x
             ? std::nextafter(nearest, -std::numeric_limits<T>::infinity())
             : nearest;
}

/// "NaN", "infinity" or "-infinity" for a value that is_finite refuses.
template <class Scalar>
const char* non_finite_name(Scalar x) {
  const double wide = static_cast<double>(x);
  if (is_nan(wide)) return "NaN";
  std::uint64_t bits;
  std::memcpy(&bits, &wide, sizeof bits);
  return (bits >> 63) != 0 ? "-infinity" : "infinity";
}

}  // namespace detail
DASVDD_NAMESPACE_END
