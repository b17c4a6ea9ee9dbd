#pragma once
// Reference vectors from PyTorch: reading them, and putting their parameters into a net.

#include <doctest/doctest.h>

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/tensor_file.hpp>

#include <string>

namespace golden {

using dasvdd::Index;

inline dasvdd::detail::TensorFile read(const std::string& name) {
  return dasvdd::detail::TensorFile::read(std::string(DASVDD_TEST_DATA) + "/" + name +
                                          ".safetensors");
}

inline double number(const dasvdd::detail::TensorFile& file, const std::string& key) {
  return std::stod(file.metadata(key));
}

template <class Scalar>
dasvdd::RowMatrix<Scalar> matrix(const dasvdd::detail::TensorFile& file, const std::string& name) {
  return file[name].matrix<double>().template cast<Scalar>();
}

/// |a - b| <= tolerance times the largest |b|, entry by entry.
template <class A>
void check_close(const A& a, const std::vector<double>& b, double tolerance,
                 const std::string& what) {
  REQUIRE(static_cast<std::size_t>(a.size()) == b.size());
  double largest = 0, worst = 0;
  for (double v : b) largest = std::max(largest, std::abs(v));
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a.data()[i]) - b[i]);
    worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
  }
  INFO(what, ": largest difference ", worst, ", largest value ", largest);
  CHECK(largest > 0);
  CHECK(worst <= tolerance * largest);
}

/// The file's net: widths and output as its generator's, LeakyReLU 0.01 elsewhere.
template <class Scalar>
dasvdd::Autoencoder<Scalar> net(Index features, const std::vector<Index>& widths,
                                const std::string& output) {
  return dasvdd::dense_autoencoder<Scalar>(features, widths, dasvdd::Activation(output));
}

/// Calls f(name in the file, first parameter, count) for every tensor of the net; `prefix` as in
/// the file.
template <class Scalar, class F>
void each_tensor(const dasvdd::Autoencoder<Scalar>& net, const std::string& prefix, F&& f) {
  int layer = 0;
  for (const auto& step : net.joined().steps()) {
    f(prefix + "w" + std::to_string(layer), step.weight_at, step.weights());
    f(prefix + "b" + std::to_string(layer), step.bias_at, step.outputs);
    ++layer;
  }
}

template <class Scalar>
void put_parameters(const dasvdd::detail::TensorFile& file, const dasvdd::Autoencoder<Scalar>& net,
                    const std::string& prefix, dasvdd::detail::AlignedBuffer<Scalar>& parameters) {
  each_tensor(net, prefix, [&](const std::string& name, Index at, Index count) {
    const auto values = file[name].template as<double>();
    REQUIRE(static_cast<Index>(values.size()) == count);
    for (Index i = 0; i < count; ++i) {
      parameters[at + i] = static_cast<Scalar>(values[static_cast<std::size_t>(i)]);
    }
  });
}

/// One tensor of a flat vector.
template <class Scalar>
std::vector<double> part(const dasvdd::detail::AlignedBuffer<Scalar>& flat, Index at, Index count) {
  return std::vector<double>(flat.begin() + at, flat.begin() + at + count);
}

/// A trainer at the file's start: parameters, center "centre", gamma.
template <class Scalar>
dasvdd::Trainer<Scalar> trainer(const dasvdd::detail::TensorFile& file,
                                const dasvdd::Autoencoder<Scalar>& net, double gamma,
                                dasvdd::Options options) {
  options.gamma = dasvdd::GammaRule::value(gamma);
  dasvdd::Trainer<Scalar> result(net, options);
  auto state = result.state();
  put_parameters(file, net, "", state.parameters);
  const auto center = file["centre"].template as<double>();
  for (std::size_t i = 0; i < center.size(); ++i) {
    state.center.center[static_cast<Index>(i)] = static_cast<Scalar>(center[i]);
  }
  state.gamma = gamma;
  result.set_state(state);
  return result;
}

}  // namespace golden
