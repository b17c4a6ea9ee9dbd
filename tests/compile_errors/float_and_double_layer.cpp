// refused: dasvdd: the layers of a net share one scalar type: all float or all double
#include <dasvdd/nn/network.hpp>

// A layer of the run-time interface, whose scalar type only its base class tells.
struct Noise : dasvdd::Layer<double> {
  dasvdd::Index inputs() const override { return 8; }
  dasvdd::Index outputs() const override { return 8; }
  void forward(const double*, const double*, dasvdd::Rows<const double>, dasvdd::Rows<double>,
               double*) const override {}
  void backward(const double*, dasvdd::Rows<const double>, dasvdd::Rows<const double>,
                dasvdd::Rows<const double>, dasvdd::Rows<double>, double*, double*) const override {
  }
};

auto net = dasvdd::Network<float>().add(dasvdd::dense<float>(4, 8)).add(Noise());
