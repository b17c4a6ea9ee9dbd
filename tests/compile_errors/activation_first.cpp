// refused: dasvdd: a chain starts with a layer that knows its size, such as dense<float>(784, 256)
#include <dasvdd/nn/chain.hpp>

auto net = dasvdd::chain(dasvdd::relu(), dasvdd::dense<float>(4, 8));
