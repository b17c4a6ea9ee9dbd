// refused: dasvdd: a chain has at least one layer
#include <dasvdd/nn/chain.hpp>

auto nothing = dasvdd::chain();
