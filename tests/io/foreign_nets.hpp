#pragma once
// Nets as another program would have written them. Their numbers are waves, and what they give was computed in double
// by NumPy, where wave(i, shape) is (sin(1.7 arange(prod(shape)) + i) / 2).reshape(shape):
//
//   linear(x, i, n, m) = x @ wave(i, (n, m)).T + wave(i + 100, n)
//   norm(x, i, n)      = (x - wave(i + 200, n)) / sqrt(wave(i + 300, n)**2 + 0.5 + epsilon) * (1 + wave(i, n)) + wave(i + 100, n)

#include <dasvdd/io/tensor_file.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace foreign_nets {

using dasvdd::Index;
using dasvdd::detail::TensorFile;

template <class Scalar>
std::vector<Scalar> wave(int phase, Index size, double factor = 1, double shift = 0) {
  std::vector<Scalar> numbers;
  for (Index k = 0; k < size; ++k) {
    const double angle = 1.7 * static_cast<double>(k) + phase;
    numbers.push_back(static_cast<Scalar>(shift + factor * std::sin(angle) / 2));
  }
  return numbers;
}

/// Rows of d numbers, the n-th part of one wave: 1 + 2 wave(7, (n, d)).
inline dasvdd::RowMatrix<float> rows(Index n, Index d) {
  const std::vector<float> numbers = wave<float>(7, n * d, 2, 1);
  return Eigen::Map<const dasvdd::RowMatrix<float>>(numbers.data(), n, d);
}

/// A file in the making.
template <class Scalar>
struct Writer {
  TensorFile file;

  void add(const std::string& name, const std::vector<Index>& shape,
           const std::vector<Scalar>& numbers) {
    file.add(name, shape, numbers.data());
  }
  /// Any layer of weights and a bias.
  Writer& layer(const std::string& prefix, int i, const std::vector<Index>& shape, Index outputs) {
    Index size = 1;
    for (const Index n : shape) size *= n;
    add(prefix + std::to_string(i) + ".weight", shape, wave<Scalar>(i, size));
    add(prefix + std::to_string(i) + ".bias", {outputs}, wave<Scalar>(i + 100, outputs));
    return *this;
  }
  Writer& linear(int i, Index outputs, Index inputs, const std::string& prefix = "") {
    return layer(prefix, i, {outputs, inputs}, outputs);
  }
  Writer& norm(int i, Index channels, const std::string& prefix = "") {
    const std::string name = prefix + std::to_string(i);
    std::vector<Scalar> variance = wave<Scalar>(i + 300, channels);
    for (Scalar& v : variance) v = v * v + Scalar(0.5);
    add(name + ".weight", {channels}, wave<Scalar>(i, channels, 1, 1));
    add(name + ".bias", {channels}, wave<Scalar>(i + 100, channels));
    add(name + ".running_mean", {channels}, wave<Scalar>(i + 200, channels));
    add(name + ".running_var", {channels}, variance);
    const std::int64_t batches = 12;
    file.add(name + ".num_batches_tracked", {}, &batches);
    return *this;
  }
};

/// 6-5-2-5-6 with batch norm (epsilon 1e-3) and ReLU behind every layer but the last.
template <class Scalar>
TensorFile table_net(const std::string& prefix = "") {
  return Writer<Scalar>()
      .linear(0, 5, 6, prefix)
      .norm(1, 5, prefix)
      .linear(3, 2, 5, prefix)
      .norm(4, 2, prefix)
      .linear(6, 5, 2, prefix)
      .norm(7, 5, prefix)
      .linear(9, 6, 5, prefix)
      .file;
}
/// Its mean squared errors of rows(6, 6).
inline const std::vector<double> table_errors = {1.8958371098385889, 1.8244905187895373,
                                                 1.151793594218227,  2.1715716961697233,
                                                 1.2519314175967433, 1.526257624310315};
/// r + gamma q of them, with the mean code as center and gamma = mean r / mean q.
inline const std::vector<double> table_scores = {1.9244737735930595, 2.3177069668890167,
                                                 2.0535193259028683, 9.583875122170822,
                                                 2.1536571492813845, 1.6105315840091172};

/// Images of 1 x 3 x 5: a convolution to 2 x 2 x 3 (stride 2, padding 1), batch norm (epsilon 1e-5), leaky ReLU 0.2, a
/// code of 3, and back through tanh and a transposed convolution.
inline TensorFile image_net() {
  Writer<float> writer;
  writer.layer("encoder.", 0, {2, 1, 3, 3}, 2).norm(1, 2, "encoder.").linear(4, 3, 12, "encoder.");
  writer.linear(0, 12, 3, "decoder.").layer("decoder.", 3, {2, 1, 3, 3}, 1);
  return writer.file;
}
inline const char* const image_layers =
    "conv2d:2:1, batch_norm, leaky_relu:0.2, flatten, linear | linear, tanh, unflatten:2:2:3, "
    "conv_transpose2d:2:1";
/// Its mean squared errors of rows(3, 15).
inline const std::vector<double> image_errors = {1.073974996961632, 1.0651082243294687,
                                                 1.0643989037912263};

}  // namespace foreign_nets
