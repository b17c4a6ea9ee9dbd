// refused: dasvdd: a layer needs Scalar, inputs(), outputs(), parameters(), forward(w, x, y) and
#include <dasvdd/nn/chain.hpp>

struct WithoutBackward {
  using Scalar = float;
  dasvdd::Index inputs() const { return 8; }
  dasvdd::Index outputs() const { return 8; }
  dasvdd::Index parameters() const { return 0; }
  void forward(const float*, dasvdd::Rows<const float>, dasvdd::Rows<float>) const {}
};

auto net = dasvdd::chain(dasvdd::dense<float>(4, 8), WithoutBackward());
