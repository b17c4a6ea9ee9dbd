// Lesson: a layer of your own inside a net. It describes a shape and knows its two passes; its parameters live in
// the net's flat vector, so saving, Adam and threads need nothing from it.

#include "pump.hpp"

#include <algorithm>
#include <cstdio>

/// y = w x, each number by a factor of its own: lets the net weigh the sensors.
struct Gain {
  using Scalar = float;
  dasvdd::Index size;

  dasvdd::Index inputs() const { return size; }
  dasvdd::Index outputs() const { return size; }
  dasvdd::Index parameters() const { return size; }
  void initialize(dasvdd::Random&, float* w) const { std::fill_n(w, size, 1.0f); }

  void forward(const float* w, dasvdd::Rows<const float> x, dasvdd::Rows<float> y) const {
    for (dasvdd::Index i = 0; i < x.rows(); ++i) {
      for (dasvdd::Index j = 0; j < size; ++j) y(i, j) = w[j] * x(i, j);
    }
  }
  // dx.data() is null where nobody needs dx, in the first layer. dw is added to, since rows come in several calls.
  void backward(const float* w, dasvdd::Rows<const float> x, dasvdd::Rows<const float>,
                dasvdd::Rows<const float> dy, dasvdd::Rows<float> dx, float* dw) const {
    for (dasvdd::Index i = 0; i < x.rows(); ++i) {
      for (dasvdd::Index j = 0; j < size; ++j) {
        dw[j] += dy(i, j) * x(i, j);
        if (dx.data()) dx(i, j) = dy(i, j) * w[j];
      }
    }
  }
};

int main() {
  using namespace dasvdd;
  const auto net = autoencoder(chain(Gain{6}, dense<float>(6, 16), tanh(), dense<float>(16, 3)),
                               chain(dense<float>(3, 16), tanh(), dense<float>(16, 6)));
  Options options;
  options.epochs = 40;
  options.standardize = true;
  Trainer trainer(net, options);
  trainer.fit(pump::readings(2000, 1));
  const float* gains = trainer.state().parameters.data();  // the first layer's come first
  for (int j = 0; j < 6; ++j) std::printf("%-12s gain %.3f\n", pump::features[j], gains[j]);
  return gains[0] != 1.0f ? 0 : 1;
}
