#pragma once
// What the tests of nets share: a net at a random start, its loss and gradient by the training
// executor, and central differences to check them against.

#include <dasvdd/nn/autoencoder.hpp>
#include <dasvdd/nn/training_pass.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>

namespace nn_tests {

using namespace dasvdd;
using namespace dasvdd::detail;

template <class Scalar>
RowMatrix<Scalar> random_rows(Index rows, Index cols, std::uint64_t seed) {
  Random random(seed);
  RowMatrix<Scalar> x(rows, cols);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<Scalar>(random.normal());
  return x;
}

/// Calls f(first, count) for the parameters of each step; what lies between them are gaps.
template <class Scalar, class F>
void each_tensor(const Network<Scalar>& net, F&& f) {
  for (const auto& s : net.steps()) {
    if (s.kind == Step<Scalar>::Kind::dense) {
      f(s.weight_at, s.weights());
      if (s.bias) f(s.bias_at, s.outputs);
    } else if (s.kind == Step<Scalar>::Kind::layer && s.layer->parameters() > 0) {
      f(s.weight_at, s.layer->parameters());
    }
  }
}

/// A net with parameters, a center and a batch; loss = mean r + gamma mean q, or gamma mean q where
/// there is no decoder.
template <class Scalar>
class Probe {
 public:
  static constexpr double gamma = 0.7;

  Probe(Autoencoder<Scalar> net, Index rows, std::uint64_t seed)
      : net_(std::move(net)),
        parameters(net_.parameters()),
        statistics(net_.statistics()),
        center(net_.code()),
        x(random_rows<Scalar>(rows, net_.inputs(), seed + 1)) {
    Random random(seed);
    net_.joined().initialize(random, parameters.data(), statistics.data());
    for (Scalar& c : center) c = static_cast<Scalar>(random.normal());
  }

  const Autoencoder<Scalar>& net() const { return net_; }

  double loss() const {
    const Outputs out = outputs(TrainingPass<Scalar>::Mode::train, 1);
    double sum = 0;
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index j = 0; net_.has_decoder() && j < x.cols(); ++j) {
        sum += square(out.output(i, j) - x(i, j)) / static_cast<double>(x.cols());
      }
      for (Index j = 0; j < net_.code(); ++j) sum += gamma * square(out.code(i, j) - center[j]);
    }
    return sum / static_cast<double>(x.rows());
  }

  struct Outputs {
    RowMatrix<Scalar> code, output;
  };
  Outputs outputs(typename TrainingPass<Scalar>::Mode mode, int threads) const {
    TrainingPass<Scalar> pass = make_pass(threads);
    AlignedBuffer<Scalar> kept = statistics;
    parallel(threads, [&](const Team& team) {
      pass.forward(team, mode, parameters.data(), kept.data(), x, pass.steps());
    });
    return {pass.code(x.rows()).matrix(), pass.output(x.rows()).matrix()};
  }

  /// The statistics after one forward pass in the given mode.
  AlignedBuffer<Scalar> statistics_after(typename TrainingPass<Scalar>::Mode mode) const {
    TrainingPass<Scalar> pass = make_pass(1);
    AlignedBuffer<Scalar> kept = statistics;
    pass.forward(Team(), mode, parameters.data(), kept.data(), x, pass.steps());
    return kept;
  }

  AlignedBuffer<Scalar> gradient(int threads = 1) const {
    AlignedBuffer<Scalar> result(net_.parameters());
    pass(threads, {result.data()});
    return result;
  }

  /// One step of Adam at the start of a run, whose every step is as long as `rate`.
  void adam_step(double rate, int threads = 1) {
    AlignedBuffer<Scalar> first(net_.parameters()), second(net_.parameters());
    kernels::AdamStep<Scalar> step;
    step.one_minus_beta1 = Scalar(0.1);
    step.beta2 = Scalar(0.999);
    step.one_minus_beta2 = Scalar(0.001);
    step.rate = static_cast<Scalar>(rate / 0.1);
    step.denominator_scale = static_cast<Scalar>(1 / std::sqrt(0.001));
    step.epsilon = Scalar(1e-12);
    step.decay = 1;
    pass(threads, {nullptr, {parameters.data(), first.data(), second.data()}, step});
  }

 private:
  static double square(Scalar v) { return static_cast<double>(v) * static_cast<double>(v); }
  TrainingPass<Scalar> make_pass(int threads) const {
    return TrainingPass<Scalar>(net_.joined(), net_.code_steps(), x.rows(), threads);
  }

  void pass(int threads, const typename TrainingPass<Scalar>::GradientSink& sink) const {
    TrainingPass<Scalar> pass = make_pass(threads);
    AlignedBuffer<Scalar> kept = statistics;
    // Another batch first: whatever it leaves in the buffers must not count.
    AlignedBuffer<Scalar> other(net_.parameters());
    const RowMatrix<Scalar> other_rows = -2 * x;
    carry_out(pass, threads, other_rows, kept, {other.data()});
    carry_out(pass, threads, x, kept, sink);
  }

  void carry_out(TrainingPass<Scalar>& pass, int threads, Rows<const Scalar> rows,
                 AlignedBuffer<Scalar>& kept,
                 const typename TrainingPass<Scalar>::GradientSink& sink) const {
    parallel(threads, [&](const Team& team) {
      pass.forward(team, TrainingPass<Scalar>::Mode::train, parameters.data(), kept.data(), rows,
                   pass.steps());
      if (team.member() == 0) fill_gradients(pass, rows.rows());
      team.barrier();
      pass.backward(team, parameters.data(), rows);
      pass.parameter_gradients(team, rows, sink);
    });
  }

  /// dL/d(xhat) = 2 (xhat - x) / (d n), dL/dz = 2 gamma (z - c) / n.
  void fill_gradients(TrainingPass<Scalar>& pass, Index n) const {
    const Rows<Scalar> z = pass.code(n), out = pass.output(n);
    const Rows<Scalar> dz = pass.latent_gradient(n), dout = pass.output_gradient(n);
    const double rows = static_cast<double>(n);
    for (Index i = 0; i < n; ++i) {
      for (Index j = 0; net_.has_decoder() && j < x.cols(); ++j) {
        dout(i, j) = static_cast<Scalar>(2 * static_cast<double>(out(i, j) - x(i, j)) /
                                         (rows * static_cast<double>(x.cols())));
      }
      for (Index j = 0; j < z.cols(); ++j) {
        dz(i, j) = static_cast<Scalar>(2 * gamma * static_cast<double>(z(i, j) - center[j]) / rows);
      }
    }
  }

  Autoencoder<Scalar> net_;

 public:
  AlignedBuffer<Scalar> parameters, statistics, center;
  RowMatrix<Scalar> x;
};

/// The executor's gradient against (L(p + h) - L(p - h)) / 2h for `count` parameters spread over
/// the net (all where it is 0), and zero in the gaps.
inline void check_gradient(Probe<double> probe, Index count = 0) {
  const AlignedBuffer<double> gradient = probe.gradient();
  double largest = 0;
  for (const double g : gradient) largest = std::max(largest, std::abs(g));
  REQUIRE(largest > 1e-4);

  std::vector<bool> gap(static_cast<std::size_t>(gradient.size()), true);
  std::vector<Index> chosen;
  each_tensor(probe.net().joined(), [&](Index first, Index size) {
    for (Index i = first; i < first + size; ++i) {
      gap[static_cast<std::size_t>(i)] = false;
      chosen.push_back(i);
    }
  });
  Index wrong_gaps = 0;
  for (Index i = 0; i < gradient.size(); ++i) {
    if (gap[static_cast<std::size_t>(i)]) wrong_gaps += gradient[i] != 0;
  }
  CHECK(wrong_gaps == 0);
  if (count > 0 && count < static_cast<Index>(chosen.size())) {
    Random(1).shuffle(chosen.data(), chosen.size());
    chosen.resize(static_cast<std::size_t>(count));
  }

  // Rounding of the loss, 1e-16 * L / h = 1e-10, and the third derivative, h^2 = 1e-12, are both
  // far below the tolerance; a wrong formula is far above it.
  const double h = 1e-6, tolerance = 1e-7 * std::max(1.0, largest);
  double worst = 0;
  Index worst_at = 0;
  for (const Index i : chosen) {
    const double kept = probe.parameters[i];
    probe.parameters[i] = kept + h;
    const double above = probe.loss();
    probe.parameters[i] = kept - h;
    const double below = probe.loss();
    probe.parameters[i] = kept;
    const double error = std::abs(gradient[i] - (above - below) / (2 * h));
    if (!(error <= worst)) worst = error, worst_at = i;
  }
  INFO("parameter ", worst_at, ": gradient ", gradient[worst_at], ", off by ", worst);
  CHECK(worst <= tolerance);
}

template <class Scalar>
bool same_bits(const AlignedBuffer<Scalar>& a, const AlignedBuffer<Scalar>& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(Scalar)) == 0;
}
template <class Scalar>
bool same_bits(const RowMatrix<Scalar>& a, const RowMatrix<Scalar>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(Scalar)) == 0;
}

}  // namespace nn_tests
