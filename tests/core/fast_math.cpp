#include "core/finite.hpp"

#if defined(__GNUC__) && !defined(__FAST_MATH__)
#error "tests/CMakeLists.txt compiles this file with -ffast-math"
#endif

TEST_CASE_TEMPLATE("NaN and infinity are found under -ffast-math too", Scalar, float, double) {
  check_finite_tests<Scalar>();
}
