#pragma once
// Layers of users' own.

#include "nn/support.hpp"

#include <atomic>
#include <stdexcept>

namespace nn_tests {

/// The plain contract: y_j = x_j + w_j x_j^2 + v_j, parameters w and v.
struct Curve {
  using Scalar = double;
  Index size;
  Index inputs() const { return size; }
  Index outputs() const { return size; }
  Index parameters() const { return 2 * size; }
  void initialize(Random& random, double* w) const {
    for (Index j = 0; j < parameters(); ++j) w[j] = random.uniform(-0.5, 0.5);
  }
  void forward(const double* w, Rows<const double> x, Rows<double> y) const {
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index j = 0; j < size; ++j) y(i, j) = x(i, j) + w[j] * x(i, j) * x(i, j) + w[size + j];
    }
  }
  void backward(const double* w, Rows<const double> x, Rows<const double>, Rows<const double> dy,
                Rows<double> dx, double* dw) const {
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index j = 0; j < size; ++j) {
        if (dx.data()) dx(i, j) = dy(i, j) * (1 + 2 * w[j] * x(i, j));
        dw[j] += dy(i, j) * x(i, j) * x(i, j);
        dw[size + j] += dy(i, j);
      }
    }
  }
};

/// The plain contract without parameters, narrower on one side: y_j = x_2j x_(2j+1).
template <class Scalar_>
struct Pairs {
  using Scalar = Scalar_;
  Index size;
  Index inputs() const { return 2 * size; }
  Index outputs() const { return size; }
  Index parameters() const { return 0; }
  void forward(const Scalar*, Rows<const Scalar> x, Rows<Scalar> y) const {
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index j = 0; j < size; ++j) y(i, j) = x(i, 2 * j) * x(i, 2 * j + 1);
    }
  }
  void backward(const Scalar*, Rows<const Scalar> x, Rows<const Scalar>, Rows<const Scalar> dy,
                Rows<Scalar> dx, Scalar*) const {
    if (!dx.data()) return;
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index j = 0; j < size; ++j) {
        dx(i, 2 * j) = dy(i, j) * x(i, 2 * j + 1);
        dx(i, 2 * j + 1) = dy(i, j) * x(i, 2 * j);
      }
    }
  }
};

/// Normalizes each unit over the batch in training, by running statistics in a detector; parameters
/// are a factor and a shift, statistics a mean and a variance.
class BatchNorm : public Layer<double> {
 public:
  explicit BatchNorm(Index size) : size_(size) {}
  Index inputs() const override { return size_; }
  Index outputs() const override { return size_; }
  Index parameters() const override { return 2 * size_; }
  Index statistics() const override { return 2 * size_; }
  Index scratch(Index) const override { return 2 * size_; }
  bool whole_batch() const override { return true; }

  void initialize(Random& random, double* w, double* statistics) const override {
    for (Index j = 0; j < size_; ++j) {
      w[j] = random.uniform(0.5, 1.5);
      statistics[size_ + j] = 1;
    }
  }
  void forward(const double* w, const double* statistics, Rows<const double> x, Rows<double> y,
               double*) const override {
    normalize(w, statistics, x, y);
  }
  void forward_training(const double* w, double* statistics, Rows<const double> x, Rows<double> y,
                        double* scratch) const override {
    moments(x, scratch);
    normalize(w, scratch, x, y);
    for (Index j = 0; statistics && j < 2 * size_; ++j) {
      statistics[j] += 0.1 * (scratch[j] - statistics[j]);
    }
  }
  void backward(const double* w, Rows<const double> x, Rows<const double>, Rows<const double> dy,
                Rows<double> dx, double* dw, double* scratch) const override {
    moments(x, scratch);
    const double n = static_cast<double>(x.rows());
    for (Index j = 0; j < size_; ++j) {
      const double s = 1 / std::sqrt(scratch[size_ + j] + epsilon);
      double sum = 0, weighted = 0;
      for (Index i = 0; i < x.rows(); ++i) {
        sum += dy(i, j);
        weighted += dy(i, j) * (x(i, j) - scratch[j]) * s;
      }
      dw[j] += weighted;
      dw[size_ + j] += sum;
      for (Index i = 0; dx.data() && i < x.rows(); ++i) {
        const double u = (x(i, j) - scratch[j]) * s;
        dx(i, j) = w[j] * s * (dy(i, j) - sum / n - u * weighted / n);
      }
    }
  }

 private:
  static constexpr double epsilon = 1e-5;

  void moments(Rows<const double> x, double* to) const {
    const double n = static_cast<double>(x.rows());
    for (Index j = 0; j < size_; ++j) {
      double mean = 0, variance = 0;
      for (Index i = 0; i < x.rows(); ++i) mean += x(i, j) / n;
      for (Index i = 0; i < x.rows(); ++i) variance += (x(i, j) - mean) * (x(i, j) - mean) / n;
      to[j] = mean;
      to[size_ + j] = variance;
    }
  }
  void normalize(const double* w, const double* by, Rows<const double> x, Rows<double> y) const {
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index j = 0; j < size_; ++j) {
        y(i, j) = w[j] * (x(i, j) - by[j]) / std::sqrt(by[size_ + j] + epsilon) + w[size_ + j];
      }
    }
  }
  Index size_;
};

/// A training mode without statistics: y = x - mean of the batch, or y = x in a detector.
class Centered : public Layer<double> {
 public:
  explicit Centered(Index size) : size_(size) {}
  Index inputs() const override { return size_; }
  Index outputs() const override { return size_; }
  bool whole_batch() const override { return true; }
  void forward(const double*, const double*, Rows<const double> x, Rows<double> y,
               double*) const override {
    y.matrix() = x.matrix();
  }
  void forward_training(const double*, double*, Rows<const double> x, Rows<double> y,
                        double*) const override {
    y.matrix() = x.matrix().rowwise() - x.matrix().colwise().mean();
  }
  void backward(const double*, Rows<const double>, Rows<const double>, Rows<const double> dy,
                Rows<double> dx, double*, double*) const override {
    if (dx.data()) dx.matrix() = dy.matrix().rowwise() - dy.matrix().colwise().mean();
  }

 private:
  Index size_;
};

/// A training mode row by row, without statistics: y = 2 x in training, y = x in a detector.
class Doubling : public Layer<double> {
 public:
  explicit Doubling(Index size) : size_(size) {}
  Index inputs() const override { return size_; }
  Index outputs() const override { return size_; }
  void forward(const double*, const double*, Rows<const double> x, Rows<double> y,
               double*) const override {
    y.matrix() = x.matrix();
  }
  void forward_training(const double*, double* statistics, Rows<const double> x, Rows<double> y,
                        double*) const override {
    if (statistics) throw std::logic_error("this layer has no statistics");
    y.matrix() = 2 * x.matrix();
  }
  void backward(const double*, Rows<const double>, Rows<const double>, Rows<const double> dy,
                Rows<double> dx, double*, double*) const override {
    if (dx.data()) dx.matrix() = 2 * dy.matrix();
  }

 private:
  Index size_;
};

}  // namespace nn_tests
