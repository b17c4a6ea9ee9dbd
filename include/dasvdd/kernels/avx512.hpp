#pragma once
/// \file
/// Kernels for x86 CPUs with AVX-512 (F, DQ, VL, BW): sixteen floats or eight doubles a register.

#include <dasvdd/kernels/compiler.hpp>
#include <dasvdd/kernels/polynomials.hpp>
#include <dasvdd/kernels/table.hpp>

#if DASVDD_X86_KERNELS
#include <immintrin.h>

// GCC's own AVX-512 intrinsics start from a register that they leave undefined on purpose (GCC bug
// 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#define DASVDD_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")))

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {
namespace avx512 {

/// Twenty-four accumulators, two registers of a strip and a broadcast: 27 of the 32 registers.
constexpr int rows_in_registers = 12;
constexpr const char* set_name = "avx512";

template <class Scalar>
struct Simd;

template <>
struct Simd<float> {
  using Register = __m512;
  using Mask = __mmask16;
  static constexpr int lanes = 16;
  DASVDD_TARGET static Register load(const float* p) { return _mm512_loadu_ps(p); }
  DASVDD_TARGET static void load_pairs(const Bfloat16* p, Register& even, Register& odd) {
    const __m512i pairs = _mm512_loadu_si512(p);
    even = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    odd = _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-0x10000)));
  }
  DASVDD_TARGET static void store(float* p, Register a) { _mm512_storeu_ps(p, a); }
  /// The first n lanes, 0 in the others; memory beyond them is not touched.
  DASVDD_TARGET static Register load_first(const float* p, Index n) {
    return _mm512_maskz_loadu_ps(first(n), p);
  }
  DASVDD_TARGET static void store_first(float* p, Register a, Index n) {
    _mm512_mask_storeu_ps(p, first(n), a);
  }
  DASVDD_TARGET static Mask first(Index n) { return static_cast<Mask>((1u << n) - 1u); }
  DASVDD_TARGET static Register broadcast(const float* p) { return _mm512_set1_ps(*p); }
  DASVDD_TARGET static Register constant(double a) { return _mm512_set1_ps(static_cast<float>(a)); }
  DASVDD_TARGET static Register zero() { return _mm512_setzero_ps(); }
  DASVDD_TARGET static Register fma(Register a, Register b, Register c) {
    return _mm512_fmadd_ps(a, b, c);
  }
  DASVDD_TARGET static Register fnma(Register a, Register b, Register c) {
    return _mm512_fnmadd_ps(a, b, c);
  }
  DASVDD_TARGET static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
  DASVDD_TARGET static Register sub(Register a, Register b) { return _mm512_sub_ps(a, b); }
  DASVDD_TARGET static Register mul(Register a, Register b) { return _mm512_mul_ps(a, b); }
  DASVDD_TARGET static Register div(Register a, Register b) { return _mm512_div_ps(a, b); }
  DASVDD_TARGET static Register sqrt(Register a) { return _mm512_sqrt_ps(a); }
  DASVDD_TARGET static Register smaller(Register a, Register b) { return _mm512_min_ps(a, b); }
  DASVDD_TARGET static Register larger(Register a, Register b) { return _mm512_max_ps(a, b); }
  DASVDD_TARGET static Register abs(Register a) {
    return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a);
  }
  /// Whether no lane is a NaN or an infinity.
  DASVDD_TARGET static bool finite(Register a) { return _mm512_fpclass_ps_mask(a, 0x99) == 0; }
  DASVDD_TARGET static Mask positive(Register a) {
    return _mm512_cmp_ps_mask(a, zero(), _CMP_GT_OQ);
  }
  DASVDD_TARGET static Register select(Mask m, Register yes, Register no) {
    return _mm512_mask_blend_ps(m, no, yes);
  }
  DASVDD_TARGET static Register round(Register a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  /// 2^n for integral n within the exponent's range.
  DASVDD_TARGET static Register power_of_two(Register n) {
    const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23));
  }
  /// Lane l takes lane l + 8, then l + 4, l + 2 and l + 1.
  DASVDD_TARGET static float sum_of_lanes(Register a) {
    const __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    const __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(d, _mm_movehdup_ps(d)));
  }
  /// out(l, k) = w(k, l) for sixteen rows k of w and four columns l.
  static constexpr int columns = 4;
  DASVDD_TARGET static void transpose(const float* w, Index stride, float* out, Index out_stride) {
    __m512 a[4], b[4];
    DASVDD_UNROLL for (int i = 0; i < 4; ++i) {
      // Rows i, i + 4, i + 8 and i + 12 share a register from the start, so that no lane has to
      // cross.
      const float* row = w + i * stride;
      a[i] = _mm512_castps128_ps512(_mm_loadu_ps(row));
      a[i] = _mm512_insertf32x4(a[i], _mm_loadu_ps(row + 4 * stride), 1);
      a[i] = _mm512_insertf32x4(a[i], _mm_loadu_ps(row + 8 * stride), 2);
      a[i] = _mm512_insertf32x4(a[i], _mm_loadu_ps(row + 12 * stride), 3);
    }
    b[0] = _mm512_unpacklo_ps(a[0], a[1]);
    b[1] = _mm512_unpackhi_ps(a[0], a[1]);
    b[2] = _mm512_unpacklo_ps(a[2], a[3]);
    b[3] = _mm512_unpackhi_ps(a[2], a[3]);
    store(out, _mm512_shuffle_ps(b[0], b[2], 0x44));
    store(out + out_stride, _mm512_shuffle_ps(b[0], b[2], 0xee));
    store(out + 2 * out_stride, _mm512_shuffle_ps(b[1], b[3], 0x44));
    store(out + 3 * out_stride, _mm512_shuffle_ps(b[1], b[3], 0xee));
  }
};

template <>
struct Simd<double> {
  using Register = __m512d;
  using Mask = __mmask8;
  static constexpr int lanes = 8;
  DASVDD_TARGET static Register load(const double* p) { return _mm512_loadu_pd(p); }
  DASVDD_TARGET static void load_pairs(const Bfloat16* p, Register& even, Register& odd) {
    const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    even = _mm512_cvtps_pd(_mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16)));
    odd =
        _mm512_cvtps_pd(_mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32(-0x10000))));
  }
  DASVDD_TARGET static void store(double* p, Register a) { _mm512_storeu_pd(p, a); }
  DASVDD_TARGET static Register load_first(const double* p, Index n) {
    return _mm512_maskz_loadu_pd(first(n), p);
  }
  DASVDD_TARGET static void store_first(double* p, Register a, Index n) {
    _mm512_mask_storeu_pd(p, first(n), a);
  }
  DASVDD_TARGET static Mask first(Index n) { return static_cast<Mask>((1u << n) - 1u); }
  DASVDD_TARGET static Register broadcast(const double* p) { return _mm512_set1_pd(*p); }
  DASVDD_TARGET static Register constant(double a) { return _mm512_set1_pd(a); }
  DASVDD_TARGET static Register zero() { return _mm512_setzero_pd(); }
  DASVDD_TARGET static Register fma(Register a, Register b, Register c) {
    return _mm512_fmadd_pd(a, b, c);
  }
  DASVDD_TARGET static Register fnma(Register a, Register b, Register c) {
    return _mm512_fnmadd_pd(a, b, c);
  }
  DASVDD_TARGET static Register add(Register a, Register b) { return _mm512_add_pd(a, b); }
  DASVDD_TARGET static Register sub(Register a, Register b) { return _mm512_sub_pd(a, b); }
  DASVDD_TARGET static Register mul(Register a, Register b) { return _mm512_mul_pd(a, b); }
  DASVDD_TARGET static Register div(Register a, Register b) { return _mm512_div_pd(a, b); }
  DASVDD_TARGET static Register sqrt(Register a) { return _mm512_sqrt_pd(a); }
  DASVDD_TARGET static Register smaller(Register a, Register b) { return _mm512_min_pd(a, b); }
  DASVDD_TARGET static Register larger(Register a, Register b) { return _mm512_max_pd(a, b); }
  DASVDD_TARGET static Register abs(Register a) {
    return _mm512_andnot_pd(_mm512_set1_pd(-0.0), a);
  }
  DASVDD_TARGET static bool finite(Register a) { return _mm512_fpclass_pd_mask(a, 0x99) == 0; }
  DASVDD_TARGET static Mask positive(Register a) {
    return _mm512_cmp_pd_mask(a, zero(), _CMP_GT_OQ);
  }
  DASVDD_TARGET static Register select(Mask m, Register yes, Register no) {
    return _mm512_mask_blend_pd(m, no, yes);
  }
  DASVDD_TARGET static Register round(Register a) {
    return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  DASVDD_TARGET static Register power_of_two(Register n) {
    const __m512i exponent = _mm512_add_epi64(_mm512_cvtpd_epi64(n), _mm512_set1_epi64(1023));
    return _mm512_castsi512_pd(_mm512_slli_epi64(exponent, 52));
  }
  /// Lane l takes lane l + 4, then l + 2 and l + 1.
  DASVDD_TARGET static double sum_of_lanes(Register a) {
    const __m256d b = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
    const __m128d c = _mm_add_pd(_mm256_castpd256_pd128(b), _mm256_extractf128_pd(b, 1));
    return _mm_cvtsd_f64(_mm_add_sd(c, _mm_unpackhi_pd(c, c)));
  }
  /// out(l, k) = w(k, l) for eight rows k of w and two columns l.
  static constexpr int columns = 2;
  DASVDD_TARGET static void transpose(const double* w, Index stride, double* out,
                                      Index out_stride) {
    __m512d a[2];
    DASVDD_UNROLL for (int i = 0; i < 2; ++i) {
      const double* row = w + i * stride;
      a[i] = _mm512_castpd128_pd512(_mm_loadu_pd(row));
      a[i] = _mm512_insertf64x2(a[i], _mm_loadu_pd(row + 2 * stride), 1);
      a[i] = _mm512_insertf64x2(a[i], _mm_loadu_pd(row + 4 * stride), 2);
      a[i] = _mm512_insertf64x2(a[i], _mm_loadu_pd(row + 6 * stride), 3);
    }
    store(out, _mm512_unpacklo_pd(a[0], a[1]));
    store(out + out_stride, _mm512_unpackhi_pd(a[0], a[1]));
  }
};

#include <dasvdd/kernels/body.inc>

}  // namespace avx512
}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END

#undef DASVDD_TARGET
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif
