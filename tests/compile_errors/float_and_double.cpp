// refused: dasvdd: the layers of a net share one scalar type: all float or all double
#include <dasvdd/nn/chain.hpp>

auto net = dasvdd::chain(dasvdd::dense<float>(4, 8), dasvdd::dense<double>(8, 2));
