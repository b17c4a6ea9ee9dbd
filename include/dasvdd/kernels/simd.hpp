#pragma once
/// \file
/// What a set of kernels is: the names that its header defines before it includes body.inc. Included by
/// tests alone.
///
/// | name | what it is |
/// | --- | --- |
/// | `DASVDD_TARGET` | the attribute that allows a function the set's instructions; undefined again at the end |
/// | `set_name` | its name, as in dispatch.hpp's table |
/// | `rows_in_registers` | rows of a tile, which stay in the CPU's registers with two registers each |
/// | `Simd<Scalar>` | registers of float and of double, and the operations that SimdContract lists |

#include <dasvdd/kernels/arguments.hpp>

#include <type_traits>

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {

/// The static members of `Simd<Scalar>`, beside its types Register, and Mask, which is one truth a
/// lane. Where one is missing, the compiler's error names it; tests/kernels/simd.cpp asks for every
/// set, so that programs need not compile the question.
template <class Simd, class Scalar>
class SimdContract {
  using Register = typename Simd::Register;
  using Mask = typename Simd::Mask;
  // What the calls below are made with; declared for their types alone.
  static Register a, b, c;
  static Mask m;
  static Register& d;
  static double x;
  static Index n;          // lanes, from 0 to all; in transpose a stride
  static const Scalar* p;  // none of the pointers is aligned
  static Scalar* q;
  static const Bfloat16* h;

  template <class Call>
  static constexpr bool compiles(Call) {
    return std::is_invocable_v<Call, Simd*>;
  }

 public:
  /// What is said of a register holds for each of its lanes l.
  static constexpr bool is_met() {
#define DASVDD_HAS(result, call, meaning)                                                    \
  {                                                                                          \
    constexpr bool there =                                                                   \
        compiles([](auto* simd) -> decltype(void(static_cast<result>(                        \
                                    std::remove_pointer_t<decltype(simd)>::call))) {});      \
    static_assert(there,                                                                     \
                  "dasvdd: this set's Simd lacks `static " #result " " #call "`: " meaning); \
  }
    DASVDD_HAS(int, lanes, "numbers in a register: 16 or a divisor of it")
    DASVDD_HAS(Register, zero(), "0 in each lane")
    DASVDD_HAS(Register, constant(x), "x, rounded to Scalar, in each lane")
    DASVDD_HAS(Register, broadcast(p), "p[0] in each lane; -0 stays -0")
    DASVDD_HAS(Register, load(p), "p[l] in lane l")
    DASVDD_HAS(void, load_pairs(h, d, d), "h[2 l] and h[2 l + 1], widened, in lane l of either")
    DASVDD_HAS(Register, load_first(p, n), "load of the first n lanes alone, 0 in the others")
    DASVDD_HAS(void, store(q, a), "q[l] = lane l")
    DASVDD_HAS(void, store_first(q, a, n), "store of the first n lanes alone")
    DASVDD_HAS(Register, add(a, b), "a + b")
    DASVDD_HAS(Register, sub(a, b), "a - b")
    DASVDD_HAS(Register, mul(a, b), "a * b")
    DASVDD_HAS(Register, div(a, b), "a / b")
    DASVDD_HAS(Register, fma(a, b, c), "a * b + c, rounded once")
    DASVDD_HAS(Register, fnma(a, b, c), "c - a * b, rounded once")
    DASVDD_HAS(Register, sqrt(a), "the square root")
    DASVDD_HAS(Register, smaller(a, b), "a < b ? a : b")
    DASVDD_HAS(Register, larger(a, b), "a > b ? a : b")
    DASVDD_HAS(Register, abs(a), "a without its sign")
    DASVDD_HAS(Register, round(a), "the nearest integer, for |a| below 2^21")
    DASVDD_HAS(Register, power_of_two(a), "2^a for an integer a with -127 < a < 128")
    DASVDD_HAS(Mask, positive(a), "a > 0")
    DASVDD_HAS(Register, select(m, a, b), "m ? a : b")
    DASVDD_HAS(bool, finite(a), "whether no lane is a NaN or an infinity")
    DASVDD_HAS(Scalar, sum_of_lanes(a),
               "lane l takes lane l + lanes / 2, l + lanes / 4, ... l + 1; lane 0")
    DASVDD_HAS(int, columns, "what transpose reads of a row; divides lanes")
    DASVDD_HAS(void, transpose(p, n, q, n),
               "q[k * n + l] = p[l * n + k] for all l < lanes and k < columns")
#undef DASVDD_HAS
    static_assert(16 % Simd::lanes == 0 && Simd::lanes % Simd::columns == 0,
                  "dasvdd: this set's lanes divide 16, and its columns divide its lanes");
    return true;
  }
};

}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END
