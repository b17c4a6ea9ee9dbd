// What holds for NaN and infinity, compiled twice: finite.cpp as everything else, fast_math.cpp
// with -ffast-math, under which a comparison with NaN means nothing.

#include <dasvdd/core/types.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

namespace {

using dasvdd::Index;
using dasvdd::RowMatrix;
using dasvdd::Rows;

/// Read from memory: a compiler that assumes there are no NaNs must not see one in a constant.
template <class Scalar>
Scalar hidden(Scalar value) {
  static volatile Scalar memory;
  memory = value;
  return memory;
}
template <class Scalar>
Scalar nan() {
  return hidden(std::numeric_limits<Scalar>::quiet_NaN());
}
template <class Scalar>
Scalar infinity(int sign) {
  return hidden(sign > 0 ? std::numeric_limits<Scalar>::infinity()
                         : -std::numeric_limits<Scalar>::infinity());
}

template <class Scalar>
std::string refusal(const RowMatrix<Scalar>& x) {
  try {
    dasvdd::detail::require_finite(Rows<const Scalar>(x), "the batch");
  } catch (const dasvdd::InvalidArgument& e) {
    return e.what();
  }
  return "";
}

template <class Scalar>
void check_finite_tests() {
  using dasvdd::detail::is_finite;
  using dasvdd::detail::is_nan;
  const Scalar largest = std::numeric_limits<Scalar>::max();
  for (const Scalar x :
       {Scalar(0), Scalar(-1), largest, -largest, std::numeric_limits<Scalar>::min(),
        std::numeric_limits<Scalar>::denorm_min()}) {
    CHECK(is_finite(hidden(x)));
    CHECK(!is_nan(hidden(x)));
  }
  CHECK(!is_finite(nan<Scalar>()));
  CHECK(!is_finite(infinity<Scalar>(1)));
  CHECK(!is_finite(infinity<Scalar>(-1)));
  CHECK(is_nan(nan<Scalar>()));
  CHECK(is_nan(hidden(-nan<Scalar>())));
  CHECK(!is_nan(infinity<Scalar>(1)));
  CHECK(!is_nan(infinity<Scalar>(-1)));

  // Every place in a row of every length, so that no remainder of a vectorized loop is left out.
  for (Index n = 1; n <= 40; ++n) {
    for (Index bad = 0; bad < n; ++bad) {
      std::vector<Scalar> x(static_cast<std::size_t>(n), bad % 2 ? largest : -largest);
      REQUIRE(dasvdd::detail::all_finite(x.data(), n));
      for (const Scalar value : {nan<Scalar>(), infinity<Scalar>(1), infinity<Scalar>(-1)}) {
        x[static_cast<std::size_t>(bad)] = value;
        REQUIRE(!dasvdd::detail::all_finite(x.data(), n));
      }
    }
  }
  CHECK(dasvdd::detail::all_finite(static_cast<const Scalar*>(nullptr), 0));

  RowMatrix<Scalar> x = RowMatrix<Scalar>::Constant(20, 7, Scalar(1));
  CHECK(refusal(x) == "");
  x(17, 3) = nan<Scalar>();
  x(18, 0) = infinity<Scalar>(1);
  CHECK(refusal(x) == "the batch has NaN in row 17, column 3; every value must be finite");
  x(17, 2) = infinity<Scalar>(1);
  CHECK(refusal(x) == "the batch has infinity in row 17, column 2; every value must be finite");
  x(0, 6) = infinity<Scalar>(-1);
  CHECK(refusal(x) == "the batch has -infinity in row 0, column 6; every value must be finite");
  // What lies between the rows is not looked at.
  CHECK(refusal(RowMatrix<Scalar>(0, 7)) == "");
  std::vector<Scalar> padded(6, nan<Scalar>());
  padded[0] = padded[1] = padded[3] = padded[4] = 1;
  dasvdd::detail::require_finite(Rows<const Scalar>(padded.data(), 2, 2, 3), "the batch");
}

}  // namespace
