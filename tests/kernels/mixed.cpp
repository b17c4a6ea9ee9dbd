// The kernels of mixed precision, against plain sums of rounded numbers in double precision.

#include "support.hpp"

#include <dasvdd/kernels/mixed_dispatch.hpp>
#include <dasvdd/train/mixed_precision.hpp>

#include <cmath>

namespace {

using namespace kernel_tests;
using dasvdd::detail::Bfloat16;

const Index sizes[] = {1, 7, 15, 16, 17, 31, 33, 70};
const Index depths[] = {1, 5, 31, 32, 33, 130};

/// The sets that this CPU runs. Where there is none the tests have nothing to test, and say so.
std::vector<const kernels::MixedTable*> tables() {
  std::vector<const kernels::MixedTable*> all;
  for (const kernels::MixedRow& set : kernels::mixed_sets) {
    if (set.runs()) {
      all.push_back(&set.table());
    } else {
      MESSAGE("this CPU has no ", set.name, ": not tested");
    }
  }
  return all;
}

std::uint32_t bits_of(float x) {
  std::uint32_t u;
  std::memcpy(&u, &x, sizeof u);
  return u;
}
float value_of(Bfloat16 x) {
  const std::uint32_t u = std::uint32_t(x.bits) << 16;
  float f;
  std::memcpy(&f, &u, sizeof f);
  return f;
}
/// To the nearest number of bfloat16, ties to even; for finite numbers.
Bfloat16 rounded(float x) {
  const std::uint32_t u = bits_of(x);
  return {static_cast<std::uint16_t>((u + 0x7fff + ((u >> 16) & 1)) >> 16)};
}

/// rows x cols floats, `stride` apart, NaN in between and behind: a kernel that read those would show it.
struct Block {
  Index rows, cols, stride;
  std::vector<float> data;

  Block(Index rows_, Index cols_, Index gap, Numbers& numbers)
      : rows(rows_),
        cols(cols_),
        stride(cols_ + gap),
        data(static_cast<std::size_t>(rows_ * stride), nan<float>()) {
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < cols; ++c) at(r, c) = static_cast<float>(numbers.next());
    }
  }
  float& at(Index r, Index c) { return data[static_cast<std::size_t>(r * stride + c)]; }
  double value(Index r, Index c) { return double(value_of(rounded(at(r, c)))); }
};

Index whole(Index n) { return round_up(n, kernels::mixed_depth_unit); }
constexpr Bfloat16 zero = {0}, untouched = {0x7fc1};  // a NaN

/// Memory for `rows` rows that kernels read in blocks.
std::vector<Bfloat16> left_factor(Index rows, Index stride) {
  return std::vector<Bfloat16>(
      static_cast<std::size_t>((rows + kernels::mixed_spare_rows) * stride), untouched);
}
std::vector<Bfloat16> strips(Index cols, Index depth) {
  return std::vector<Bfloat16>(static_cast<std::size_t>(whole(cols) * whole(depth) + 1), untouched);
}

/// Whether got is the sum over k of left(k) * right(k): each of the depth's additions, and one more for a bias, errs
/// by half a unit of a partial sum below the magnitude; pairs are added before they join, which is another.
template <class Left, class Right>
bool is_sum(float got, Index depth, double start, Left left, Right right) {
  double total = start, magnitude = std::fabs(start);
  for (Index k = 0; k < depth; ++k) {
    total += left(k) * right(k);
    magnitude += std::fabs(left(k) * right(k));
  }
  return std::fabs(double(got) - total) <=
         double(std::numeric_limits<float>::epsilon()) * double(depth + 2) * magnitude;
}

}  // namespace

TEST_CASE("mixed precision rounds to the nearest number of bfloat16, ties to even") {
  for (const auto* table : tables()) {
    CAPTURE(table->name);
    // Ties between an even and an odd neighbor, on both sides; just beside ties; the exact; a carry into the exponent.
    const std::uint32_t cases[] = {0x3f808000, 0x3f818000, 0xbf808000, 0x3f808001, 0x3f807fff,
                                   0x3f800000, 0x00000000, 0x80000000, 0x3fffffff, 0x7f7f0000};
    std::vector<float> x;
    for (const std::uint32_t u : cases) {
      float f;
      std::memcpy(&f, &u, sizeof f);
      x.push_back(f);
    }
    const Index n = static_cast<Index>(x.size());
    std::vector<Bfloat16> out(static_cast<std::size_t>(whole(n)), untouched);
    table->round_rows(x.data(), n, 1, n, out.data(), whole(n));
    for (Index i = 0; i < n; ++i) {
      CHECK(out[static_cast<std::size_t>(i)].bits == rounded(x[static_cast<std::size_t>(i)]).bits);
    }
    for (Index i = n; i < whole(n); ++i) CHECK(out[static_cast<std::size_t>(i)].bits == 0);
  }
}

TEST_CASE("mixed precision packs and rounds every layout with zeros around it") {
  for (const auto* table : tables()) {
    CAPTURE(table->name);
    for (const Index cols : sizes) {
      for (const Index depth : depths) {
        CAPTURE(cols);
        CAPTURE(depth);
        Numbers numbers(static_cast<std::uint64_t>(cols * 1000 + depth));
        Block by_rows(cols, depth, 3, numbers), by_columns(depth, cols, 5, numbers);
        for (const bool columns : {false, true}) {
          auto packed = strips(cols, depth);
          (columns ? table->pack_columns : table->pack_rows)(
              (columns ? by_columns : by_rows).data.data(), (columns ? by_columns : by_rows).stride,
              cols, depth, packed.data());
          bool right = packed.back().bits == untouched.bits;
          for (Index j = 0; j < whole(cols); ++j) {
            const Bfloat16* strip = packed.data() + j / 32 * 32 * whole(depth);
            for (Index k = 0; k < whole(depth); ++k) {
              const Bfloat16 got = strip[(k / 2 * 32 + j % 32) * 2 + k % 2];
              const bool inside = j < cols && k < depth;
              const Bfloat16 expected =
                  !inside ? zero : rounded(columns ? by_columns.at(k, j) : by_rows.at(j, k));
              right &= got.bits == expected.bits;
            }
          }
          CHECK(right);
        }
        const Index stride = whole(depth) + 32;
        auto out = left_factor(cols, stride);
        table->round_columns(by_columns.data.data(), by_columns.stride, cols, depth, out.data(),
                             stride);
        bool right = true;
        for (Index l = 0; l < cols + kernels::mixed_spare_rows; ++l) {
          for (Index k = 0; k < stride; ++k) {
            const Bfloat16 expected = l >= cols || k >= whole(depth) ? untouched
                                      : k >= depth                   ? zero
                                                                     : rounded(by_columns.at(k, l));
            right &= out[static_cast<std::size_t>(l * stride + k)].bits == expected.bits;
          }
        }
        CHECK(right);
      }
    }
  }
}

TEST_CASE("mixed precision multiplies rounded numbers and adds them up in float") {
  const auto leaky = Activation{ActivationKind::leaky_relu, 0.25};
  for (const auto* table : tables()) {
    CAPTURE(table->name);
    for (const Index rows : sizes) {
      for (const Index cols : sizes) {
        for (const Index depth : depths) {
          CAPTURE(rows);
          CAPTURE(cols);
          CAPTURE(depth);
          Numbers numbers(static_cast<std::uint64_t>(rows * 10000 + cols * 100 + depth));
          Block x(rows, depth, 1, numbers), w(cols, depth, 2, numbers);
          const auto bias = numbers.vector<float>(whole(cols));
          auto packed = strips(cols, depth);
          const Index stride = whole(depth) + 32;
          auto left = left_factor(rows, stride);
          table->pack_rows(w.data.data(), w.stride, cols, depth, packed.data());
          table->round_rows(x.data.data(), x.stride, rows, depth, left.data(), stride);
          const Index out_stride = whole(cols) + 7;
          std::vector<float> out(static_cast<std::size_t>(rows * out_stride), nan<float>());
          const auto run = [&](const float* b, Activation f) {
            table->product({rows, cols, whole(depth), packed.data(), left.data(), stride,
                            out.data(), out_stride},
                           b, f);
          };
          const auto wrong = [&](bool with_bias, double slope) {
            int count = 0;
            for (Index r = 0; r < rows; ++r) {
              for (Index j = 0; j < cols; ++j) {
                float got = out[static_cast<std::size_t>(r * out_stride + j)];
                if (got < 0) got = static_cast<float>(double(got) / slope);
                count += !is_sum(
                    got, depth, with_bias ? double(bias[static_cast<std::size_t>(j)]) : 0,
                    [&](Index k) { return x.value(r, k); }, [&](Index k) { return w.value(j, k); });
              }
              for (Index j = whole(cols); j < out_stride; ++j) {
                const float beyond = out[static_cast<std::size_t>(r * out_stride + j)];
                count += beyond == beyond;
              }
            }
            return count;
          };
          run(nullptr, {});
          CHECK(wrong(false, 1) == 0);
          run(bias.data(), leaky);
          CHECK(wrong(true, 0.25) == 0);
        }
      }
    }
  }
}

TEST_CASE(
    "mixed precision gives weight gradients to the exact column, and takes steps of Adam with "
    "them") {
  // Whatever the environment names: both mixed tables take their steps by AVX-512.
  const kernels::Table<float>& own = *kernels::available<float>().front();
  for (const auto* table : tables()) {
    CAPTURE(table->name);
    for (const Index rows : sizes) {
      // The last is more than one run of lines.
      for (const Index cols : {Index(1), Index(15), Index(32), Index(33), Index(545)}) {
        for (const Index depth : depths) {
          CAPTURE(rows);
          CAPTURE(cols);
          CAPTURE(depth);
          Numbers numbers(static_cast<std::uint64_t>(rows * 10000 + cols * 100 + depth));
          Block g(depth, rows, 1, numbers), x(depth, cols, 2, numbers);
          auto packed = strips(cols, depth);
          const Index stride = whole(depth) + 32;
          auto left = left_factor(rows, stride);
          table->pack_columns(x.data.data(), x.stride, cols, depth, packed.data());
          table->round_columns(g.data.data(), g.stride, rows, depth, left.data(), stride);
          const Index out_stride = cols + 3;
          std::vector<float> out(static_cast<std::size_t>(rows * out_stride), nan<float>());
          const kernels::MixedProduct p{rows,        cols,   whole(depth), packed.data(),
                                        left.data(), stride, out.data(),   out_stride};
          table->gradient(p);
          int wrong = 0;
          for (Index r = 0; r < rows; ++r) {
            for (Index j = 0; j < out_stride; ++j) {
              const float got = out[static_cast<std::size_t>(r * out_stride + j)];
              wrong += j < cols ? !is_sum(
                                      got, depth, 0, [&](Index k) { return g.value(k, r); },
                                      [&](Index k) { return x.value(k, j); })
                                : got == got;
            }
          }
          CHECK(wrong == 0);

          // Adam at the gradient's last touch is Adam on the gradient.
          const Index n = rows * out_stride;
          auto w = numbers.vector<float>(n), m = numbers.vector<float>(n),
               v = numbers.vector<float>(n);
          for (float& second : v) second = std::fabs(second);
          auto w2 = w, m2 = m, v2 = v;
          const kernels::AdamStep<float> step{0.1f, 0.999f, 0.001f, 0.01f, 1.5f, 1e-8f, 0.99f};
          table->gradient_adam(p, {w.data(), m.data(), v.data()}, step);
          for (Index r = 0; r < rows; ++r) {
            const Index at = r * out_stride;
            own.adam(out.data() + at, cols, {w2.data() + at, m2.data() + at, v2.data() + at}, step);
          }
          CHECK(same_bits(w, w2));
          CHECK(same_bits(m, m2));
          CHECK(same_bits(v, v2));
        }
      }
    }
  }
}

// Here, because the other builds of these tests have no such kernels.
TEST_CASE("a build without kernels of mixed precision refuses every name for them") {
  if (!kernels::mixed_sets.empty()) return;
  CHECK_THROWS_WITH_AS(dasvdd::mixed_precision("amx"),
                       "mixed precision by \"amx\", expected no name, since this build has no "
                       "kernels of mixed precision",
                       dasvdd::InvalidArgument);
}
