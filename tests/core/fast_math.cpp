#include "core/finite.hpp"

#include <dasvdd/nn/max_pool2d.hpp>

#if defined(__GNUC__) && !defined(__FAST_MATH__)
#error "tests/CMakeLists.txt compiles this file with -ffast-math"
#endif

TEST_CASE_TEMPLATE("NaN and infinity are found under -ffast-math too", Scalar, float, double) {
  check_finite_tests<Scalar>();
}

TEST_CASE_TEMPLATE("a NaN is the largest pixel under -ffast-math too", Scalar, float, double) {
  for (const Index kernel : {2, 3}) {
    const auto layer = dasvdd::max_pool2d<Scalar>({1, kernel, kernel}, kernel);
    for (Index bad = 0; bad < kernel * kernel; ++bad) {
      RowMatrix<Scalar> x = RowMatrix<Scalar>::Ones(1, kernel * kernel), y(1, 1), dy = y, dx = x;
      dx(0, bad) = x(0, bad) = nan<Scalar>();
      layer.forward(nullptr, nullptr, Rows<const Scalar>(x), Rows<Scalar>(y.data(), 1, 1), nullptr);
      CHECK(dasvdd::detail::is_nan(y(0, 0)));
      dy(0, 0) = 1;
      layer.backward(nullptr, Rows<const Scalar>(x), Rows<const Scalar>(y), Rows<const Scalar>(dy),
                     Rows<Scalar>(dx.data(), 1, kernel * kernel), nullptr, nullptr);
      CHECK(dx(0, bad) == 1);
    }
  }
}
