#pragma once
/// \file
/// The dense steps of a training pass in the net's own numbers.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/core/parallel.hpp>
#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/nn/dense_strip.hpp>
#include <dasvdd/nn/gradient_sink.hpp>
#include <dasvdd/nn/network.hpp>

#include <algorithm>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The products of dense steps, one strip of weights or samples packed at a time. TrainingPass works
/// with this class or with MixedDense, which has the same functions; members of a team call them.
template <class Scalar>
class PlainDense {
 public:
  PlainDense(const std::vector<Step<Scalar>>& steps, Index max_rows, int threads)
      : k_(&kernels::best<Scalar>()) {
    Index widest = 0;
    for (const auto& s : steps) {
      if (s.kind == Step<Scalar>::Kind::dense) widest = (std::max)({widest, s.inputs, s.outputs});
    }
    // One strip of weights, or all strips of a mini-batch.
    const Index size = (std::max)(widest * k_->panel, max_rows * round_up(widest, k_->panel));
    for (int t = 0; t < threads; ++t) strips_.emplace_back(size);
  }

  /// Columns of a strip.
  Index panel() const { return k_->panel; }

  /// Products read inputs and gradients where they lie.
  void prepare_input(const Team&, Index, Rows<const Scalar>, Index) {}
  void prepare_gradient(const Team&, Index, Rows<const Scalar>, bool) {}

  /// A strip of f(x W^T + b), x what step number l, which is s, takes.
  void forward(const Team& team, Index, const Step<Scalar>& s, const Scalar* parameters,
               Rows<const Scalar> x, Activation f, const DenseStrip<Scalar>& to) {
    const Scalar* w = parameters + s.weight_at + to.first * s.inputs;
    k_->pack_rows(w, s.inputs, to.cols, s.inputs, strip(team));
    k_->product(
        {x.rows(), to.cols, s.inputs, strip(team), x.data(), x.stride(), 1, to.out, to.stride},
        s.bias ? parameters + s.bias_at + to.first : nullptr, f);
  }

  /// A strip of g W, g the gradient of what step l gives.
  void backward(const Team& team, Index, const Step<Scalar>& s, const Scalar* parameters,
                Rows<const Scalar> g, const DenseStrip<Scalar>& to) {
    k_->pack_columns(parameters + s.weight_at + to.first, s.inputs, to.cols, s.outputs,
                     strip(team));
    k_->product(
        {g.rows(), to.cols, s.outputs, strip(team), g.data(), g.stride(), 1, to.out, to.stride},
        nullptr, {});
  }

  /// Rows `part` of g^T x, the gradient of step l's weight.
  /// \param sink of these rows
  void weight_gradients(const Team& team, Index, const Step<Scalar>& s, Rows<const Scalar> x,
                        Rows<const Scalar> g, Range part, const GradientSink<Scalar>& sink) {
    k_->pack_columns(x.data(), x.stride(), s.inputs, x.rows(), strip(team));
    sink.take(*k_, kernels::Product<Scalar>{part.size(), s.inputs, x.rows(), strip(team),
                                            g.data() + part.first, 1, g.stride(), sink.gradient,
                                            s.inputs});
  }

 private:
  Scalar* strip(const Team& team) {
    return strips_[static_cast<std::size_t>(team.member())].data();
  }

  const kernels::Table<Scalar>* k_;
  std::vector<AlignedBuffer<Scalar>> strips_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
