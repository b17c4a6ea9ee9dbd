// refused: dasvdd: each layer of a chain takes as many inputs as the layer before it gives
#include <dasvdd/nn/chain.hpp>

auto net =
    dasvdd::chain(dasvdd::dense<float, 8, 4>(), dasvdd::relu(), dasvdd::dense<float, 5, 2>());
