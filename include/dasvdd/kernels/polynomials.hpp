#pragma once
/// \file
/// Constants of the elementary functions: the same numbers for every instruction set.

#include <dasvdd/core/types.hpp>

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {

/// Constants for one scalar type. All polynomials are given from the highest power down (Horner's
/// rule).
template <class Scalar>
struct Polynomials;

template <>
struct Polynomials<float> {
  /// Arguments of exp are clamped here, so that 2^n stays a normal number.
  static constexpr double exp_low = -87.3, exp_high = 88.3;
  /// ln 2 in two parts; the first has trailing zeros, so that n * ln2_high is exact.
  static constexpr double ln2_high = 0.693359375, ln2_low = -2.12194440054690583e-4;
  /// (exp(r) - 1 - r) / r^2 on |r| <= ln(2)/2: Taylor's series, 1/7! to 1/2!.
  static constexpr double expm1[] = {1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2};
  /// (atanh(s) / s - 1) / s^2 in s^2, s <= 1/3: Taylor's series, 1/13 to 1/3.
  static constexpr double atanh[] = {1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9,
                                     1.0 / 7,  1.0 / 5,  1.0 / 3};
  /// (y + 4) exp(y^2/2) Phi(-y) in t = (y - 4) / (y + 4), 0 <= y <= 40: Chebyshev fit, error 8e-9.
  static constexpr double normal_cdf[] = {
      -2.39983813e-5, -0.000178074881, 0.000172187453, 0.00159763378, -0.00350332879, -0.0075305916,
      0.0604024346,   -0.186523049,    0.387136894,    -0.607896598,  0.755285137};
};

template <>
struct Polynomials<double> {
  static constexpr double exp_low = -708.3, exp_high = 709.0;
  static constexpr double ln2_high = 6.93147180369123816490e-01,
                          ln2_low = 1.90821492927058770002e-10;
  static constexpr double expm1[] = {
      1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
      1.0 / 5040,       1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      1.0 / 2};
  static constexpr double atanh[] = {1.0 / 35, 1.0 / 33, 1.0 / 31, 1.0 / 29, 1.0 / 27, 1.0 / 25,
                                     1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                     1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3};
  /// As for float, error 2e-17.
  static constexpr double normal_cdf[] = {
      -9.990624160023276e-10,  -1.015295717649618e-11,  1.3976528155950821e-08,
      1.4842390072751344e-08,  -7.634712843441086e-08,  -1.546196819122192e-07,
      2.6354310560684456e-07,  1.0200713392568465e-06,  -6.249906995369785e-07,
      -5.919013186154044e-06,  7.149308325478401e-07,   3.51442149682578e-05,
      -1.9078434059248706e-06, -0.00023109482414997105, 0.00013334424978358428,
      0.0016308184424805887,   -0.0034796923618040597,  -0.007540188965625017,
      0.06039657489067665,     -0.1865218579596934,     0.38713740074221936,
      -0.6078966419718917,     0.7552851304157515};
};

/// SELU's published constants (Klambauer et al. 2017).
constexpr double selu_alpha = 1.6732632423543772848170429916717;
constexpr double selu_scale = 1.0507009873554804934193349852946;

}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END
