// The floating-point mode of computing threads, and that it leaves no trace.

#include <dasvdd/core/floating_point.hpp>

#include <doctest/doctest.h>

#include "denormals.hpp"

#include <cfenv>
#include <limits>
#include <thread>

namespace {

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

TEST_CASE("amid computations, on any thread, code of the host program gets its own mode") {
  REQUIRE(std::fesetround(FE_UPWARD) == 0);
  const dasvdd::detail::FloatingPointMode::Host host;
  std::fesetround(FE_TONEAREST);
  bool upward = false, denormals = false, nearest_after = false, flushed_after = false;
  std::thread([&] {
    const dasvdd::detail::FloatingPointMode mode;
    {
      const dasvdd::detail::FloatingPointMode hosts(host);
      upward = one_and_half_an_ulp() > 1;
      denormals = half_of_smallest() > 0;
    }
    nearest_after = one_and_half_an_ulp() == 1;
    flushed_after = half_of_smallest() == 0;
  }).join();
#if DASVDD_FLOATING_POINT_MODE
  CHECK(upward);
  CHECK(flushed_after);
#endif
  CHECK(denormals);
  CHECK(nearest_after);
}
