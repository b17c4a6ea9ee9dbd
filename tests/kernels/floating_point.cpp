// The floating-point mode of computing threads, and that it leaves no trace.

#include <dasvdd/core/floating_point.hpp>

#include <doctest/doctest.h>

#include <cfenv>
#include <cstdint>
#include <cstring>
#include <limits>

namespace {

/// The bits of half the smallest normal number: 0 where denormals are flushed. As bits, because a
/// comparison would take a denormal for 0 where only those that come in are flushed.
std::uint32_t half_of_smallest() {
  volatile float x = std::numeric_limits<float>::min();
  const float half = x * 0.5f;
  std::uint32_t bits;
  std::memcpy(&bits, &half, sizeof bits);
  return bits;
}

/// 1 + 2^-24: a tie to nearest, the next number upward.
float one_and_half_an_ulp() {
  volatile float one = 1, tiny = 0x1p-24f;
  return one + tiny;
}

}  // namespace

TEST_CASE("FloatingPointMode flushes denormals while it lives, and not afterwards") {
  REQUIRE(half_of_smallest() > 0);
  {
    const dasvdd::detail::FloatingPointMode mode;
#if DASVDD_FLOATING_POINT_MODE
    CHECK(half_of_smallest() == 0);
    volatile float denormal = std::numeric_limits<float>::denorm_min();
    CHECK(denormal * 1e30f == 0);  // one that comes in is taken for 0
#endif
    { const dasvdd::detail::FloatingPointMode nested; }
#if DASVDD_FLOATING_POINT_MODE
    CHECK(half_of_smallest() == 0);
#endif
  }
  CHECK(half_of_smallest() > 0);
}

TEST_CASE("FloatingPointMode rounds to nearest and gives back the host's rounding") {
  REQUIRE(std::fesetround(FE_UPWARD) == 0);
  const bool upward_before = one_and_half_an_ulp() > 1;
  bool nearest_inside = false;
  {
    const dasvdd::detail::FloatingPointMode mode;
    nearest_inside = one_and_half_an_ulp() == 1;
  }
  const bool upward_after = one_and_half_an_ulp() > 1;
  std::fesetround(FE_TONEAREST);
  CHECK(upward_before);
#if DASVDD_FLOATING_POINT_MODE
  CHECK(nearest_inside);
#endif
  CHECK(upward_after);
}
