// refused: dasvdd: a set's rows in registers divide row_unit, so that tiles come out even
#include <dasvdd/kernels/portable.hpp>

#define DASVDD_TARGET

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {
namespace uneven {

constexpr int rows_in_registers = 5;
constexpr const char* set_name = "uneven";

template <class Scalar>
using Simd = portable::Simd<Scalar>;

#include <dasvdd/kernels/body.inc>

}  // namespace uneven
}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END
