#include <dasvdd/fit/attenuation.hpp>

#include <doctest/doctest.h>

#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// d-d-d without activations whose output is `share` times its input, plus `shift`.
struct LinearNet {
  LinearNet(Index d, float share, float shift)
      : net(dense_autoencoder<float>(d, {d}, Activation(), Activation(), Activation())),
        parameters(net.parameters()) {
    const auto& steps = net.joined().steps();
    for (Index i = 0; i < d; ++i) {
      parameters[steps.front().weight_at + i * d + i] = 1;
      parameters[steps.back().weight_at + i * d + i] = share;
      parameters[steps.back().bias_at + i] = shift;
    }
  }
  Autoencoder<float> net;
  AlignedBuffer<float> parameters;
};

void undo(LinearNet& net, const RowMatrix<float>& X) {
  detail::undo_attenuation<float>(net.net, {}, X, net.parameters);
}

}  // namespace

TEST_CASE(
    "a net that reconstructs half of every row is corrected by nine tenths of what is missing") {
  const Index n = 4000, d = 5;
  LinearNet net(d, 0.5f, 0.25f);
  undo(net, noise(n, d));
  // B = -0.5 I but for the ridge and the bias's chance correlation with the rows, A = I + beta B.
  const double a = 1 - 0.5 * 0.9 * (1 - 5.0 / 4000);
  const auto& last = net.net.joined().steps().back();
  for (Index i = 0; i < d; ++i) {
    for (Index j = 0; j < d; ++j) {
      CHECK(net.parameters[last.weight_at + i * d + j] ==
            doctest::Approx(i == j ? 0.5 / a : 0).epsilon(0.02));
    }
    CHECK(net.parameters[last.bias_at + i] == doctest::Approx(0.25 / a).epsilon(0.05));
  }
}

TEST_CASE("a net that reconstructs every row is left as it is") {
  LinearNet net(4, 1, 0);
  undo(net, noise(100, 4));
  const LinearNet before(4, 1, 0);
  for (Index i = 0; i < net.parameters.size(); ++i) {
    CHECK(net.parameters[i] == doctest::Approx(before.parameters[i]).epsilon(1e-6));
  }
}

TEST_CASE("fewer rows than features correct nothing") {
  for (const Index n : {2, 8, 9}) {
    LinearNet net(8, 0.5f, 0.1f);
    const LinearNet before = net;
    undo(net, noise(n, 8));
    CHECK(same_bits(net.parameters, before.parameters) == (n <= 8));
  }
}

TEST_CASE("a net that gives nothing back can be corrected all the same") {
  LinearNet net(3, 0, 0);
  undo(net, noise(50, 3));
  CHECK(detail::all_finite(net.parameters.data(), net.parameters.size()));
}
