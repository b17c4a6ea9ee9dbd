// refused: dasvdd: the sizes of a dense layer are positive, or both left out
#include <dasvdd/nn/dense.hpp>

dasvdd::detail::Dense<float, 8> layer(8, 4);
