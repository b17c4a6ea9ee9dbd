#pragma once
/// \file
/// Kernels for x86 CPUs with AVX2 and FMA: eight floats or four doubles a register.

#include <dasvdd/kernels/compiler.hpp>
#include <dasvdd/kernels/polynomials.hpp>
#include <dasvdd/kernels/table.hpp>

#if DASVDD_X86_KERNELS
#include <immintrin.h>

#define DASVDD_TARGET __attribute__((target("avx2,fma")))

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {
namespace avx2 {

/// Twelve accumulators, two registers of a strip and a broadcast: fifteen of the sixteen registers.
constexpr int rows_in_registers = 6;
constexpr const char* set_name = "avx2";

template <class Scalar>
struct Simd;

template <>
struct Simd<float> {
  using Register = __m256;
  using Mask = __m256;
  static constexpr int lanes = 8;
  DASVDD_TARGET static Register load(const float* p) { return _mm256_loadu_ps(p); }
  DASVDD_TARGET static void load_pairs(const Bfloat16* p, Register& even, Register& odd) {
    const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    even = _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
    odd = _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32(-0x10000)));
  }
  DASVDD_TARGET static void store(float* p, Register a) { _mm256_storeu_ps(p, a); }
  /// The first n lanes, 0 in the others; memory beyond them is not touched.
  DASVDD_TARGET static Register load_first(const float* p, Index n) {
    return _mm256_maskload_ps(p, first(n));
  }
  DASVDD_TARGET static void store_first(float* p, Register a, Index n) {
    _mm256_maskstore_ps(p, first(n), a);
  }
  DASVDD_TARGET static __m256i first(Index n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  DASVDD_TARGET static Register broadcast(const float* p) { return _mm256_broadcast_ss(p); }
  DASVDD_TARGET static Register constant(double a) { return _mm256_set1_ps(static_cast<float>(a)); }
  DASVDD_TARGET static Register zero() { return _mm256_setzero_ps(); }
  DASVDD_TARGET static Register fma(Register a, Register b, Register c) {
    return _mm256_fmadd_ps(a, b, c);
  }
  DASVDD_TARGET static Register fnma(Register a, Register b, Register c) {
    return _mm256_fnmadd_ps(a, b, c);
  }
  DASVDD_TARGET static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  DASVDD_TARGET static Register sub(Register a, Register b) { return _mm256_sub_ps(a, b); }
  DASVDD_TARGET static Register mul(Register a, Register b) { return _mm256_mul_ps(a, b); }
  DASVDD_TARGET static Register div(Register a, Register b) { return _mm256_div_ps(a, b); }
  DASVDD_TARGET static Register sqrt(Register a) { return _mm256_sqrt_ps(a); }
  DASVDD_TARGET static Register smaller(Register a, Register b) { return _mm256_min_ps(a, b); }
  DASVDD_TARGET static Register larger(Register a, Register b) { return _mm256_max_ps(a, b); }
  DASVDD_TARGET static Register abs(Register a) {
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
  }
  /// Whether no lane is a NaN or an infinity: both have an exponent of ones.
  DASVDD_TARGET static bool finite(Register a) {
    const __m256i ones = _mm256_set1_epi32(0x7f800000);
    const __m256i exponent = _mm256_and_si256(_mm256_castps_si256(a), ones);
    return _mm256_movemask_epi8(_mm256_cmpeq_epi32(exponent, ones)) == 0;
  }
  DASVDD_TARGET static Mask positive(Register a) { return _mm256_cmp_ps(a, zero(), _CMP_GT_OQ); }
  DASVDD_TARGET static Register select(Mask m, Register yes, Register no) {
    return _mm256_blendv_ps(no, yes, m);
  }
  DASVDD_TARGET static Register round(Register a) {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  /// 2^n for integral n within the exponent's range.
  DASVDD_TARGET static Register power_of_two(Register n) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
  }
  /// Lane l takes lane l + 4, then l + 2 and l + 1.
  DASVDD_TARGET static float sum_of_lanes(Register a) {
    const __m128 c = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(d, _mm_movehdup_ps(d)));
  }
  /// out(l, k) = w(k, l) for eight rows k of w and four columns l: pairs, then quadruples change
  /// places.
  static constexpr int columns = 4;
  DASVDD_TARGET static void transpose(const float* w, Index stride, float* out, Index out_stride) {
    __m256 a[4], b[4];
    DASVDD_UNROLL for (int i = 0; i < 4; ++i) {
      // Rows i and i + 4 share a register from the start, so that no lane has to cross.
      const float *low = w + i * stride, *high = w + (i + 4) * stride;
      a[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
    }
    b[0] = _mm256_unpacklo_ps(a[0], a[1]);
    b[1] = _mm256_unpackhi_ps(a[0], a[1]);
    b[2] = _mm256_unpacklo_ps(a[2], a[3]);
    b[3] = _mm256_unpackhi_ps(a[2], a[3]);
    store(out, _mm256_shuffle_ps(b[0], b[2], 0x44));
    store(out + out_stride, _mm256_shuffle_ps(b[0], b[2], 0xee));
    store(out + 2 * out_stride, _mm256_shuffle_ps(b[1], b[3], 0x44));
    store(out + 3 * out_stride, _mm256_shuffle_ps(b[1], b[3], 0xee));
  }
};

template <>
struct Simd<double> {
  using Register = __m256d;
  using Mask = __m256d;
  static constexpr int lanes = 4;
  DASVDD_TARGET static Register load(const double* p) { return _mm256_loadu_pd(p); }
  DASVDD_TARGET static void load_pairs(const Bfloat16* p, Register& even, Register& odd) {
    const __m128i pairs = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    even = _mm256_cvtps_pd(_mm_castsi128_ps(_mm_slli_epi32(pairs, 16)));
    odd = _mm256_cvtps_pd(_mm_castsi128_ps(_mm_and_si128(pairs, _mm_set1_epi32(-0x10000))));
  }
  DASVDD_TARGET static void store(double* p, Register a) { _mm256_storeu_pd(p, a); }
  /// The first n lanes, 0 in the others; memory beyond them is not touched.
  DASVDD_TARGET static Register load_first(const double* p, Index n) {
    return _mm256_maskload_pd(p, first(n));
  }
  DASVDD_TARGET static void store_first(double* p, Register a, Index n) {
    _mm256_maskstore_pd(p, first(n), a);
  }
  DASVDD_TARGET static __m256i first(Index n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
  }
  DASVDD_TARGET static Register broadcast(const double* p) { return _mm256_broadcast_sd(p); }
  DASVDD_TARGET static Register constant(double a) { return _mm256_set1_pd(a); }
  DASVDD_TARGET static Register zero() { return _mm256_setzero_pd(); }
  DASVDD_TARGET static Register fma(Register a, Register b, Register c) {
    return _mm256_fmadd_pd(a, b, c);
  }
  DASVDD_TARGET static Register fnma(Register a, Register b, Register c) {
    return _mm256_fnmadd_pd(a, b, c);
  }
  DASVDD_TARGET static Register add(Register a, Register b) { return _mm256_add_pd(a, b); }
  DASVDD_TARGET static Register sub(Register a, Register b) { return _mm256_sub_pd(a, b); }
  DASVDD_TARGET static Register mul(Register a, Register b) { return _mm256_mul_pd(a, b); }
  DASVDD_TARGET static Register div(Register a, Register b) { return _mm256_div_pd(a, b); }
  DASVDD_TARGET static Register sqrt(Register a) { return _mm256_sqrt_pd(a); }
  DASVDD_TARGET static Register smaller(Register a, Register b) { return _mm256_min_pd(a, b); }
  DASVDD_TARGET static Register larger(Register a, Register b) { return _mm256_max_pd(a, b); }
  DASVDD_TARGET static Register abs(Register a) {
    return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a);
  }
  DASVDD_TARGET static bool finite(Register a) {
    const __m256i ones = _mm256_set1_epi64x(0x7ff0000000000000);
    const __m256i exponent = _mm256_and_si256(_mm256_castpd_si256(a), ones);
    return _mm256_movemask_epi8(_mm256_cmpeq_epi64(exponent, ones)) == 0;
  }
  DASVDD_TARGET static Mask positive(Register a) { return _mm256_cmp_pd(a, zero(), _CMP_GT_OQ); }
  DASVDD_TARGET static Register select(Mask m, Register yes, Register no) {
    return _mm256_blendv_pd(no, yes, m);
  }
  DASVDD_TARGET static Register round(Register a) {
    return _mm256_round_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  DASVDD_TARGET static Register power_of_two(Register n) {
    // Adding 1.5 * 2^52 leaves the integer in the low bits: AVX2 converts no double to a 64-bit
    // integer.
    const __m256i integer =
        _mm256_castpd_si256(_mm256_add_pd(n, _mm256_set1_pd(6755399441055744.0)));
    return _mm256_castsi256_pd(
        _mm256_slli_epi64(_mm256_add_epi64(integer, _mm256_set1_epi64x(1023)), 52));
  }
  /// Lane l takes lane l + 2, then l + 1.
  DASVDD_TARGET static double sum_of_lanes(Register a) {
    const __m128d c = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_add_sd(c, _mm_unpackhi_pd(c, c)));
  }
  /// out(l, k) = w(k, l) for four rows k of w and two columns l.
  static constexpr int columns = 2;
  DASVDD_TARGET static void transpose(const double* w, Index stride, double* out,
                                      Index out_stride) {
    __m256d a[2];
    DASVDD_UNROLL for (int i = 0; i < 2; ++i) {
      const double *low = w + i * stride, *high = w + (i + 2) * stride;
      a[i] = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(low)), _mm_loadu_pd(high), 1);
    }
    store(out, _mm256_unpacklo_pd(a[0], a[1]));
    store(out + out_stride, _mm256_unpackhi_pd(a[0], a[1]));
  }
};

#include <dasvdd/kernels/body.inc>

}  // namespace avx2
}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END

#undef DASVDD_TARGET
#endif
