// refused: dasvdd: the decoder takes as many inputs as the encoder gives outputs
#include <dasvdd/nn/autoencoder.hpp>

auto net = dasvdd::autoencoder(dasvdd::chain(dasvdd::dense<float, 8, 4>(), dasvdd::relu()),
                               dasvdd::chain(dasvdd::dense<float, 3, 8>()));
