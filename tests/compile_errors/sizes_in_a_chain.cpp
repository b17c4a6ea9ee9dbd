// refused: dasvdd: each layer of a chain takes as many inputs as the layer before it gives
// without: dasvdd: the decoder takes
#include <dasvdd/nn/autoencoder.hpp>

auto net =
    dasvdd::autoencoder(dasvdd::chain(dasvdd::dense<float, 8, 4>(), dasvdd::dense<float, 3, 2>()),
                        dasvdd::chain(dasvdd::dense<float, 2, 8>()));
