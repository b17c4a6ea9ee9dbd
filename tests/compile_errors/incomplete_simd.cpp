// refused: dasvdd: this set's Simd lacks `static Register sqrt(a)`: the square root
#include <dasvdd/kernels/portable.hpp>
#include <dasvdd/kernels/simd.hpp>

namespace kernels = dasvdd::detail::kernels;

struct WithoutSqrt : kernels::portable::Simd<float> {
  static void sqrt();
};

static_assert(kernels::SimdContract<kernels::portable::Simd<float>, float>::is_met());
static_assert(kernels::SimdContract<WithoutSqrt, float>::is_met());
