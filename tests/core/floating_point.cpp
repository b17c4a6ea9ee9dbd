// What computing threads do with a host program's floating-point traps. (Rounding and denormals:
// tests/kernels/floating_point.cpp.)

#include <dasvdd/core/parallel.hpp>

#include <doctest/doctest.h>

#include <cfenv>

#if defined(__GLIBC__) && DASVDD_FLOATING_POINT_MODE

TEST_CASE("an overflow inside does not trap in a program that traps them, and leaves no flag") {
  volatile float huge = 1e38f, zero = 0;
  std::feclearexcept(FE_ALL_EXCEPT);
  feenableexcept(FE_OVERFLOW | FE_INVALID | FE_DIVBYZERO);
  volatile float infinite = 0, invalid = 0;
  dasvdd::detail::parallel(1, [&](const dasvdd::detail::Team&) {
    infinite = huge * huge;
    invalid = infinite * zero;
  });
  const int trapped = fegetexcept();
  fedisableexcept(FE_ALL_EXCEPT);
  CHECK(trapped == (FE_OVERFLOW | FE_INVALID | FE_DIVBYZERO));
  CHECK(std::fetestexcept(FE_OVERFLOW | FE_INVALID) == 0);
  CHECK(infinite > 1e38f);
  CHECK(invalid != invalid);
}

#endif
