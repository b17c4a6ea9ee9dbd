// The scoring executor against the training executor and against plain loops.

#include "nn/support.hpp"

#include <dasvdd/nn/packed_network.hpp>

using namespace nn_tests;

namespace {

double apply(const Activation& f, double x) {
  switch (f.kind()) {
    case ActivationKind::leaky_relu:
      return x > 0 ? x : f.parameter() * x;
    case ActivationKind::tanh:
      return std::tanh(x);
    case ActivationKind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case ActivationKind::gelu:
      return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    default:
      return x;
  }
}

/// A net by the formulas, in double.
RowMatrix<double> by_formula(const Network<float>& net, const float* p, RowMatrix<double> x) {
  for (const auto& s : net.steps()) {
    RowMatrix<double> y(x.rows(), s.outputs);
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index o = 0; o < s.outputs; ++o) {
        double a = x(i, o < x.cols() ? o : 0);
        if (s.kind == Step<float>::Kind::dense) {
          a = s.bias ? static_cast<double>(p[s.bias_at + o]) : 0;
          for (Index j = 0; j < s.inputs; ++j) {
            a += static_cast<double>(p[s.weight_at + o * s.inputs + j]) * x(i, j);
          }
        }
        y(i, o) = apply(s.activation, a);
      }
    }
    x = y;
  }
  return x;
}

Autoencoder<float> mixed_net() {
  Network<float> encoder, decoder;
  encoder.add(dense<float>(37, 70))
      .add(leaky_relu())
      .add(dense<float>(70, 33))
      .add(Activation("gelu"));
  encoder.add(tanh()).add(dense<float>(33, 5, false));
  decoder.add(dense<float>(5, 45)).add(tanh()).add(dense<float>(45, 37)).add(sigmoid());
  return autoencoder(encoder, decoder);
}

}  // namespace

TEST_CASE("forward passes for scoring and for training give the same bits, at every batch size") {
  for (const Index rows : {1, 2, 5, 12, 96, 131}) {
    CAPTURE(rows);
    const Probe<float> probe(mixed_net(), rows, 12);
    const PackedNetwork<float> packed(probe.net(), probe.parameters.data(),
                                      probe.statistics.data());
    auto buffers = packed.make_buffers(rows);
    const auto result = packed.forward(probe.x, buffers);
    const auto expected = probe.outputs(TrainingPass<float>::Mode::detect, 2);
    CHECK(same_bits<float>(result.code.matrix(), expected.code));
    CHECK(same_bits<float>(result.output.matrix(), expected.output));
  }
}

TEST_CASE("codes and reconstructions are what the formulas give") {
  const Probe<float> probe(mixed_net(), 17, 12);
  const PackedNetwork<float> packed(probe.net(), probe.parameters.data(), probe.statistics.data());
  auto buffers = packed.make_buffers(17);
  const auto result = packed.forward(probe.x, buffers);
  const auto& net = probe.net();
  const float* p = probe.parameters.data();
  const auto code = by_formula(net.encoder(), p, probe.x.cast<double>());
  const auto output = by_formula(net.decoder(), p + net.encoder_parameters(), code);
  // Sums of at most 70 products below 1 in float.
  const RowMatrix<double> z = result.code.matrix().cast<double>();
  const RowMatrix<double> xhat = result.output.matrix().cast<double>();
  CHECK((z - code).array().abs().maxCoeff() < 3e-6);
  CHECK((xhat - output).array().abs().maxCoeff() < 3e-6);
  CHECK(code.array().abs().maxCoeff() > 0.1);
}

TEST_CASE("a forward pass may leave the decoder out, and reads rows that lie apart") {
  const Probe<float> probe(mixed_net(), 7, 12);
  const PackedNetwork<float> packed(probe.net(), probe.parameters.data(), probe.statistics.data());
  auto buffers = packed.make_buffers(9);
  const RowMatrix<float> code = packed.forward(probe.x, buffers).code.matrix();
  const auto half = packed.forward(probe.x, buffers, false);
  CHECK(same_bits<float>(half.code.matrix(), code));
  CHECK(half.output.data() == nullptr);

  RowMatrix<float> apart(7, 50);
  apart.setConstant(1e30f);
  apart.leftCols(37) = probe.x;
  CHECK(same_bits<float>(packed.forward(apart.leftCols(37), buffers).code.matrix(), code));
}

TEST_CASE("pack takes over other parameters") {
  const Probe<float> a(mixed_net(), 7, 12), b(mixed_net(), 7, 13);
  PackedNetwork<float> packed(a.net(), a.parameters.data(), a.statistics.data());
  packed.pack(b.parameters.data(), b.statistics.data());
  const PackedNetwork<float> fresh(b.net(), b.parameters.data(), b.statistics.data());
  auto buffers = packed.make_buffers(7), others = fresh.make_buffers(7);
  CHECK(same_bits<float>(packed.forward(a.x, buffers).output.matrix(),
                         fresh.forward(a.x, others).output.matrix()));
}
