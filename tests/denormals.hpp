#pragma once
// Whether the calling thread keeps denormals: a program's own code expects them, the kernels flush them.

#include <cstdint>
#include <cstring>
#include <limits>

/// The bits of half the smallest normal number: 0 where denormals are flushed. As bits, because a
/// comparison would take a denormal for 0 where only those that come in are flushed.
inline std::uint32_t half_of_smallest() {
  volatile float x = std::numeric_limits<float>::min();
  const float half = x * 0.5f;
  std::uint32_t bits;
  std::memcpy(&bits, &half, sizeof bits);
  return bits;
}
