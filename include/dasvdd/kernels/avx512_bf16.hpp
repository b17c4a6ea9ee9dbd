#pragma once
/// \file
/// Mixed precision for x86 CPUs with AVX512-BF16: a register adds sixteen products of pairs at once.

#include <dasvdd/kernels/avx512.hpp>
#include <dasvdd/kernels/mixed_table.hpp>

#include <cstring>

#if DASVDD_X86_KERNELS
#include <immintrin.h>

#define DASVDD_TARGET \
  __attribute__((target("avx512bf16,avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")))

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {
namespace avx512_bf16 {

constexpr const char* set_name = "avx512_bf16";
constexpr Index block_rows = 12;

/// Nothing to be switched on.
struct Unit {
  Unit() {}
};

template <int R>
DASVDD_TARGET void tile(Index depth, const Bfloat16* strip, const Bfloat16* b, Index b_row,
                        float* to, Index to_stride) {
  __m512 sum[R][2];
  DASVDD_UNROLL for (int r = 0; r < R; ++r) sum[r][0] = sum[r][1] = _mm512_setzero_ps();
  // One pointer for three rows, as in product.inc.
  const Bfloat16* rows[(R + 2) / 3];
  DASVDD_UNROLL for (int g = 0; g < (R + 2) / 3; ++g) rows[g] = b + 3 * g * b_row;
  for (Index k = 0; k < depth; k += 2, strip += mixed_panel * 2) {
    const __m512bh left = (__m512bh)_mm512_loadu_si512(strip);
    const __m512bh right = (__m512bh)_mm512_loadu_si512(strip + 32);
    DASVDD_UNROLL for (int r = 0; r < R; ++r) {
      std::int32_t pair;
      std::memcpy(&pair, rows[r / 3] + (r % 3) * b_row, sizeof pair);
      const __m512bh x = (__m512bh)_mm512_set1_epi32(pair);
      sum[r][0] = _mm512_dpbf16_ps(sum[r][0], x, left);
      sum[r][1] = _mm512_dpbf16_ps(sum[r][1], x, right);
    }
    DASVDD_UNROLL for (int g = 0; g < (R + 2) / 3; ++g) rows[g] += 2;
  }
  DASVDD_UNROLL for (int r = 0; r < R; ++r) {
    _mm512_storeu_ps(to + r * to_stride, sum[r][0]);
    _mm512_storeu_ps(to + r * to_stride + 16, sum[r][1]);
  }
}

/// to(r, j) = sum over k of b(r, k) * strip(k, j), j < 32; writes six or twelve rows.
DASVDD_TARGET inline void block(Index rows, Index depth, const Bfloat16* strip, const Bfloat16* b,
                                Index b_row, float* to, Index to_stride) {
  if (rows <= 6) {
    tile<6>(depth, strip, b, b_row, to, to_stride);
  } else {
    tile<12>(depth, strip, b, b_row, to, to_stride);
  }
}

#include <dasvdd/kernels/mixed.inc>

}  // namespace avx512_bf16
}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END

#undef DASVDD_TARGET
#endif
