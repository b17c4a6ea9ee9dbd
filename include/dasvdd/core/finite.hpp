#pragma once
/// \file
/// Tests for NaN and infinity that hold under -ffast-math too: they look at the bits.

#include <dasvdd/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

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

inline bool is_nan(double x) {
  std::uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return (bits & 0x7fffffffffffffffu) > 0x7ff0000000000000u;
}

/// Whether all n numbers are finite; without an early way out, so that compilers can vectorize it.
template <class Scalar>
bool all_finite(const Scalar* x, std::ptrdiff_t n) {
  unsigned bad = 0;
  for (std::ptrdiff_t i = 0; i < n; ++i) bad |= static_cast<unsigned>(!is_finite(x[i]));
  return bad == 0;
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
