// Weights of two bytes: how numbers are rounded to them, and products that widen them again.

#include "support.hpp"

#include <cmath>
#include <limits>
#include <string>

using namespace kernel_tests;
using dasvdd::detail::Bfloat16;
using dasvdd::detail::to_bfloat16;
using dasvdd::detail::widened;

TEST_CASE("a float is rounded to the nearest bfloat16, halfway to the even one") {
  // Between 1 and 1 + 2^-7 there is no other; the even one ends in a zero bit.
  const float step = 0x1p-7f, half = step / 2, hair = 0x1p-20f;
  const auto rounded = [](float a) { return widened(to_bfloat16(a)); };
  for (const float sign : {1.0f, -1.0f}) {
    CHECK(rounded(sign) == sign);
    CHECK(rounded(sign * (1 + half - hair)) == sign);
    CHECK(rounded(sign * (1 + half)) == sign);
    CHECK(rounded(sign * (1 + half + hair)) == sign * (1 + step));
    CHECK(rounded(sign * (1 + step + half)) == sign * (1 + 2 * step));
    CHECK(rounded(sign * (2 - hair)) == sign * 2);
    CHECK(rounded(sign * std::numeric_limits<float>::max()) ==
          sign * std::numeric_limits<float>::infinity());
  }
  CHECK(std::signbit(rounded(-0.0f)));
  CHECK(rounded(0x1p-133f) == 0x1p-133f);  // the smallest above 0
  CHECK(rounded(0x1.8p-134f) == 0x1p-133f);
  CHECK(rounded(0x1p-134f) == 0);
}

TEST_CASE_TEMPLATE(
    "a product of weights of two bytes has the bits of the product of the same numbers", Scalar,
    float, double) {
  for (const kernels::SetRow& row : kernels::set_table) {
    if (!row.runs()) continue;
    INFO(std::string(row.name));
    const auto& table = kernels::table<Scalar>(row.set);
    for (const Index rows : {1, 2, 7, 8, 13}) {
      for (const Index cols : {1, 16, 33, 70, 200}) {
        for (const Index depth : {0, 1, 9, 700}) {
          CAPTURE(rows);
          CAPTURE(cols);
          CAPTURE(depth);
          const Index padded = round_up(cols, table.panel), stride = padded + 3;
          Numbers numbers(8);
          // One number more, so that a depth of 0 has an address too.
          std::vector<Bfloat16> halves(static_cast<std::size_t>(padded * depth + 1));
          std::vector<Scalar> whole(halves.size());
          for (std::size_t i = 0; i < halves.size(); ++i) {
            const auto l = static_cast<Index>(i) % table.panel;
            const auto place = i - static_cast<std::size_t>(l) +
                               static_cast<std::size_t>(kernels::place_of_half(l, table.panel));
            const Bfloat16 half = to_bfloat16(static_cast<float>(numbers.next()));
            if (place < halves.size()) halves[place] = half;
            whole[i] = static_cast<Scalar>(widened(half));
          }
          const auto x = Numbers(9).vector<Scalar>(rows * depth + 1);
          const auto bias = Numbers(5).vector<Scalar>(padded);
          for (const Activation f : {Activation{}, Activation{ActivationKind::leaky_relu, 0.1}}) {
            std::vector<Scalar> expected(static_cast<std::size_t>(stride * rows)), got = expected;
            table.product(
                {rows, cols, depth, whole.data(), x.data(), depth, 1, expected.data(), stride},
                bias.data(), f);
            kernels::compact<Scalar>(row.set).product(
                {rows, cols, depth, halves.data(), x.data(), depth, 1, got.data(), stride},
                bias.data(), f);
            bool same = true;
            for (Index r = 0; r < rows; ++r) {
              for (Index j = 0; j < cols; ++j) {
                const auto i = static_cast<std::size_t>(r * stride + j);
                same = same && same_bits(got[i], expected[i]);
              }
            }
            CHECK(same);
          }
        }
      }
    }
  }
}
