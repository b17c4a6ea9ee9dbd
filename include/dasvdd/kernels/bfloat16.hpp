#pragma once
/// \file
/// Numbers of two bytes.

#include <dasvdd/core/config.hpp>

#include <cstdint>
#include <cstring>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The upper half of a float: its sign, its exponent and seven bits of its fraction.
struct Bfloat16 {
  std::uint16_t bits;
};

/// The nearest, of two the even one, for a finite number; beyond the largest it is infinite.
inline Bfloat16 to_bfloat16(float a) {
  std::uint32_t bits;
  std::memcpy(&bits, &a, sizeof bits);
  return {static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1)) >> 16)};
}

/// The float that a stands for.
inline float widened(Bfloat16 a) {
  const std::uint32_t bits = static_cast<std::uint32_t>(a.bits) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

}  // namespace detail
DASVDD_NAMESPACE_END
