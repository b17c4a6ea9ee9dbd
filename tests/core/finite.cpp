#include "core/finite.hpp"

TEST_CASE_TEMPLATE("NaN and infinity are found and named by row and column", Scalar, float,
                   double) {
  check_finite_tests<Scalar>();
}
