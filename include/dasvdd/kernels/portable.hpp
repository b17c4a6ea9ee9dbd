#pragma once
/// \file
/// Kernels in plain C++, for every CPU and compiler: registers are the compiler's own vectors, as
/// wide as the translation unit's flags allow, or single numbers where the compiler has none.

#include <dasvdd/kernels/compiler.hpp>
#include <dasvdd/kernels/polynomials.hpp>
#include <dasvdd/kernels/table.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>

#define DASVDD_TARGET

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {
namespace portable {

constexpr int rows_in_registers = 6;
constexpr const char* set_name = "portable";

#if DASVDD_VECTORS

#if defined(__AVX512F__)
constexpr int register_bytes = 64;
#elif defined(__AVX__)
constexpr int register_bytes = 32;
#else
constexpr int register_bytes = 16;
#endif

template <class Scalar>
struct Vectors;
template <>
struct Vectors<float> {
  typedef float Register __attribute__((vector_size(register_bytes)));
  typedef std::int32_t Integers __attribute__((vector_size(register_bytes)));
  typedef std::uint32_t Words __attribute__((vector_size(register_bytes)));
  typedef float Floats __attribute__((vector_size(register_bytes)));
  static constexpr int mantissa_bits = 23, exponent_bias = 127;
};
template <>
struct Vectors<double> {
  typedef double Register __attribute__((vector_size(register_bytes)));
  typedef std::int64_t Integers __attribute__((vector_size(register_bytes)));
  typedef std::uint32_t Words __attribute__((vector_size(register_bytes / 2)));
  typedef float Floats __attribute__((vector_size(register_bytes / 2)));
  static constexpr int mantissa_bits = 52, exponent_bias = 1023;
};

template <class Scalar>
struct Simd {
  using Register = typename Vectors<Scalar>::Register;
  using Mask = typename Vectors<Scalar>::Integers;
  static constexpr int lanes = register_bytes / static_cast<int>(sizeof(Scalar));

  static DASVDD_INLINE Register load(const Scalar* p) {
    Register a;
    std::memcpy(&a, p, sizeof a);
    return a;
  }
  static DASVDD_INLINE void load_pairs(const Bfloat16* p, Register& even, Register& odd) {
    typename Vectors<Scalar>::Words pairs;
    std::memcpy(&pairs, p, sizeof pairs);
    const auto lower = as_floats(pairs << 16), upper = as_floats(pairs & 0xffff0000u);
    // Which half of a word comes first in memory.
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    even = upper;
    odd = lower;
#else
    even = lower;
    odd = upper;
#endif
  }
  static DASVDD_INLINE void store(Scalar* p, Register a) { std::memcpy(p, &a, sizeof a); }
  static DASVDD_INLINE Register load_first(const Scalar* p, Index n) {
    Register a = zero();
    std::memcpy(&a, p, static_cast<std::size_t>(n) * sizeof(Scalar));
    return a;
  }
  static DASVDD_INLINE void store_first(Scalar* p, Register a, Index n) {
    std::memcpy(p, &a, static_cast<std::size_t>(n) * sizeof(Scalar));
  }
  // Minus zero, not plus: -0 stays what it is.
  static DASVDD_INLINE Register broadcast(const Scalar* p) { return *p - zero(); }
  static DASVDD_INLINE Register constant(double a) { return static_cast<Scalar>(a) - zero(); }
  static DASVDD_INLINE Register zero() { return Register{}; }
  /// Left to the compiler, which fuses it where the CPU can: a call of the C library's fma would be fifty
  /// times slower, and GCC doesn't make vectors of std::fma. So these results may differ in their last
  /// bits from the other sets'.
  static DASVDD_INLINE Register fma(Register a, Register b, Register c) { return a * b + c; }
  static DASVDD_INLINE Register fnma(Register a, Register b, Register c) { return fma(-a, b, c); }
  static DASVDD_INLINE Register add(Register a, Register b) { return a + b; }
  static DASVDD_INLINE Register sub(Register a, Register b) { return a - b; }
  static DASVDD_INLINE Register mul(Register a, Register b) { return a * b; }
  static DASVDD_INLINE Register div(Register a, Register b) { return a / b; }
  static DASVDD_INLINE Register sqrt(Register a) {
    for (int l = 0; l < lanes; ++l) a[l] = std::sqrt(a[l]);
    return a;
  }
  static DASVDD_INLINE Register smaller(Register a, Register b) { return select(a < b, a, b); }
  static DASVDD_INLINE Register larger(Register a, Register b) { return select(a > b, a, b); }
  static DASVDD_INLINE Register abs(Register a) { return as_register(as_integers(a) & ~sign()); }
  static DASVDD_INLINE bool finite(Register a) {
    bool all = true;
    for (int l = 0; l < lanes; ++l) all &= detail::is_finite(a[l]);
    return all;
  }
  static DASVDD_INLINE Mask positive(Register a) { return a > zero(); }
  static DASVDD_INLINE Register select(Mask m, Register yes, Register no) {
    return as_register((m & as_integers(yes)) | (~m & as_integers(no)));
  }
  static DASVDD_INLINE Register round(Register a) {
    const Register half = as_register(as_integers(constant(0.5)) | (as_integers(a) & sign()));
    return __builtin_convertvector(__builtin_convertvector(a + half, Mask), Register);
  }
  static DASVDD_INLINE Register power_of_two(Register n) {
    return as_register((__builtin_convertvector(n, Mask) + Vectors<Scalar>::exponent_bias)
                       << Vectors<Scalar>::mantissa_bits);
  }
  /// Lane l takes lane l + lanes / 2, and so on.
  static DASVDD_INLINE Scalar sum_of_lanes(Register a) {
    for (int width = lanes / 2; width > 0; width /= 2) {
      for (int l = 0; l < width; ++l) a[l] += a[l + width];
    }
    return a[0];
  }
  /// out(l, k) = w(k, l) for as many rows k of w as there are lanes, and so many columns l.
  static constexpr int columns = 16 / static_cast<int>(sizeof(Scalar));
  static DASVDD_INLINE void transpose(const Scalar* w, Index stride, Scalar* out,
                                      Index out_stride) {
    for (int i = 0; i < columns; ++i) {
      for (int l = 0; l < lanes; ++l) out[i * out_stride + l] = w[l * stride + i];
    }
  }

 private:
  static DASVDD_INLINE Mask as_integers(Register a) {
    Mask m;
    std::memcpy(&m, &a, sizeof m);
    return m;
  }
  static DASVDD_INLINE Register as_register(Mask m) {
    Register a;
    std::memcpy(&a, &m, sizeof a);
    return a;
  }
  static DASVDD_INLINE Register as_floats(typename Vectors<Scalar>::Words bits) {
    typename Vectors<Scalar>::Floats a;
    std::memcpy(&a, &bits, sizeof a);
    return __builtin_convertvector(a, Register);
  }
  static DASVDD_INLINE Mask sign() { return as_integers(constant(-0.0)); }
};

#else

template <class Scalar>
struct Simd {
  using Register = Scalar;
  using Mask = bool;
  static constexpr int lanes = 1;

  static Register load(const Scalar* p) { return *p; }
  static void load_pairs(const Bfloat16* p, Register& even, Register& odd) {
    even = static_cast<Scalar>(widened(p[0]));
    odd = static_cast<Scalar>(widened(p[1]));
  }
  static void store(Scalar* p, Register a) { *p = a; }
  static Register load_first(const Scalar* p, Index n) { return n > 0 ? *p : 0; }
  static void store_first(Scalar* p, Register a, Index n) {
    if (n > 0) *p = a;
  }
  static Register broadcast(const Scalar* p) { return *p; }
  static Register constant(double a) { return static_cast<Scalar>(a); }
  static Register zero() { return 0; }
  static Register fma(Register a, Register b, Register c) { return a * b + c; }
  static Register fnma(Register a, Register b, Register c) { return c - a * b; }
  static Register add(Register a, Register b) { return a + b; }
  static Register sub(Register a, Register b) { return a - b; }
  static Register mul(Register a, Register b) { return a * b; }
  static Register div(Register a, Register b) { return a / b; }
  static Register sqrt(Register a) { return std::sqrt(a); }
  static Register smaller(Register a, Register b) { return a < b ? a : b; }
  static Register larger(Register a, Register b) { return a > b ? a : b; }
  static Register abs(Register a) { return std::fabs(a); }
  static bool finite(Register a) { return detail::is_finite(a); }
  static Mask positive(Register a) { return a > 0; }
  static Register select(Mask m, Register yes, Register no) { return m ? yes : no; }
  static Register round(Register a) { return std::nearbyint(a); }
  static Register power_of_two(Register n) {
    return detail::is_nan(n) ? n : std::ldexp(Scalar(1), static_cast<int>(n));
  }
  static Scalar sum_of_lanes(Register a) { return a; }
  static constexpr int columns = 1;
  static void transpose(const Scalar* w, Index, Scalar* out, Index) { *out = *w; }
};

#endif

#include <dasvdd/kernels/body.inc>

}  // namespace portable
}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END

#undef DASVDD_TARGET
