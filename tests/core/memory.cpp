// AlignedBuffer and the strides of activation buffers.

#include <dasvdd/core/memory.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

using dasvdd::Index;
using dasvdd::detail::AlignedBuffer;

namespace {

bool aligned(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 64 == 0; }

AlignedBuffer<float> counting(Index n) {
  AlignedBuffer<float> b(n);
  for (Index i = 0; i < n; ++i) b[i] = static_cast<float>(i);
  return b;
}

}  // namespace

TEST_CASE("a buffer starts zero, on a 64-byte border, whatever was in the memory before") {
  for (int round = 0; round < 20; ++round) {
    AlignedBuffer<float> b(5000 + round % 2);  // too large for a cache that would hand it out late
    CHECK(aligned(b.data()));
    CHECK(std::all_of(b.begin(), b.end(), [](float x) { return x == 0; }));
    for (float& x : b) x = 5;  // for the next round to find
  }
}

TEST_CASE("an empty buffer is a value too") {
  AlignedBuffer<double> none, zero(0);
  CHECK(none.empty());
  CHECK(zero.empty());
  CHECK(zero.size() == 0);
  CHECK(zero.begin() == zero.end());
  CHECK(zero.data() == nullptr);
  AlignedBuffer<double> copy = none;
  copy.copy_from(zero);
  CHECK(copy.empty());
}

TEST_CASE(
    "a buffer of rows and columns has room for both, and none that can't be addressed is made") {
  CHECK(AlignedBuffer<double>(3, 5).size() == 15);
  CHECK(AlignedBuffer<double>(0, 5).empty());
  CHECK(AlignedBuffer<double>(5, 0).empty());
  constexpr Index most = std::numeric_limits<Index>::max();
  CHECK_THROWS_AS(AlignedBuffer<double>(most / 8 + 1), std::bad_array_new_length);
  // The product would come out as 0, the bytes as 16.
  CHECK_THROWS_AS(AlignedBuffer<double>(most / 2 + 1, 4), std::bad_array_new_length);
  CHECK_THROWS_AS(AlignedBuffer<double>(most / 4 + 1, 2), std::bad_array_new_length);
}

TEST_CASE("a copy of a buffer is deep and aligned") {
  const AlignedBuffer<float> a = counting(37);
  AlignedBuffer<float> b = a;
  CHECK(b.size() == 37);
  CHECK(b.data() != a.data());
  CHECK(aligned(b.data()));
  b[36] = -1;
  CHECK(a[36] == 36);
  CHECK(b[35] == 35);

  AlignedBuffer<float> c(3);
  c = a;
  CHECK(c.size() == 37);
  CHECK(c[36] == 36);
  const AlignedBuffer<float>& self = c;
  c = self;
  CHECK(c.size() == 37);
  CHECK(c[36] == 36);

  b.copy_from(a);
  CHECK(b[36] == 36);
}

TEST_CASE("a move takes the memory along and leaves nothing") {
  AlignedBuffer<float> a = counting(5);
  const float* memory = a.data();
  AlignedBuffer<float> b = std::move(a);
  CHECK(b.data() == memory);
  CHECK(b[4] == 4);
  CHECK(a.empty());
  CHECK(a.data() == nullptr);
  a = std::move(b);
  CHECK(a.data() == memory);
  CHECK(b.empty());
}

TEST_CASE("rows of an activation buffer hold whole panels and lie an odd number of lines apart") {
  for (Index cols = 1; cols <= 3100; ++cols) {
    const Index f = dasvdd::detail::padded_stride<float>(cols);
    const Index d = dasvdd::detail::padded_stride<double>(cols);
    const Index panels = dasvdd::detail::round_up(cols, 32);
    REQUIRE(f >= panels);
    REQUIRE(d >= panels);
    REQUIRE(f % 16 == 0);
    REQUIRE(d % 8 == 0);
    REQUIRE(f / 16 % 2 == 1);
    REQUIRE(d / 8 % 2 == 1);
    REQUIRE(f - panels <= 16);
    REQUIRE(d - panels <= 8);
  }
}

TEST_CASE("division and rounding upwards") {
  CHECK(dasvdd::detail::ceil_div(0, 8) == 0);
  CHECK(dasvdd::detail::ceil_div(1, 8) == 1);
  CHECK(dasvdd::detail::ceil_div(8, 8) == 1);
  CHECK(dasvdd::detail::ceil_div(9, 8) == 2);
  constexpr dasvdd::Index most = std::numeric_limits<dasvdd::Index>::max();
  CHECK(dasvdd::detail::ceil_div(9, most) == 1);
  CHECK(dasvdd::detail::ceil_div(most, 2) == most / 2 + 1);
  CHECK(dasvdd::detail::round_up(0, 32) == 0);
  CHECK(dasvdd::detail::round_up(32, 32) == 32);
  CHECK(dasvdd::detail::round_up(33, 32) == 64);
}
