// Every instruction set of the table has all that simd.hpp asks of it: a question for the compiler.

#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/kernels/simd.hpp>

namespace kernels = dasvdd::detail::kernels;

#define DASVDD_ROW(name, runs)                                                       \
  static_assert(kernels::SimdContract<kernels::name::Simd<float>, float>::is_met()); \
  static_assert(kernels::SimdContract<kernels::name::Simd<double>, double>::is_met());
DASVDD_INSTRUCTION_SETS(DASVDD_ROW)
#undef DASVDD_ROW
