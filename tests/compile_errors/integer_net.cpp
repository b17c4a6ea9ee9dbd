// refused: dasvdd: a net computes in float or double
#include <dasvdd/nn/dense.hpp>

auto layer = dasvdd::dense<int>(8, 4);
