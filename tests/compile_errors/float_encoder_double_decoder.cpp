// refused: dasvdd: encoder and decoder share one scalar type: both float or both double
#include <dasvdd/nn/autoencoder.hpp>

auto net = dasvdd::autoencoder(dasvdd::chain(dasvdd::dense<float>(8, 2)),
                               dasvdd::chain(dasvdd::dense<double>(2, 8)));
