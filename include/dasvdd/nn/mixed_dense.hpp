#pragma once
/// \file
/// The dense steps of a training pass in mixed precision: products of factors rounded to bfloat16.
///
/// Results and gradients stay in float. Each is rounded once, into the two layouts that products read:
///
///     forward     Y = f(X W^T + b)     X by rows, W^T by strips
///     backward    G_x = G W            G by rows, W by strips
///     gradients   dW = G^T X           G by columns, X by strips

#include <dasvdd/core/memory.hpp>
#include <dasvdd/core/parallel.hpp>
#include <dasvdd/kernels/mixed_table.hpp>
#include <dasvdd/nn/dense_strip.hpp>
#include <dasvdd/nn/gradient_sink.hpp>
#include <dasvdd/nn/network.hpp>

#include <algorithm>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Rounded copies of a mini-batch for every dense step of a net, and PlainDense's functions on them. Members of a
/// team call them; all members call the two that prepare.
class MixedDense {
 public:
  using Number = Bfloat16;
  using Steps = std::vector<Step<float>>;

  DASVDD_COLD MixedDense(const kernels::MixedTable& table, const Steps& steps, Index max_rows,
                         int threads)
      : k_(&table) {
    const Index samples = padded_stride<Number>(max_rows);
    Index widest = 0;
    for (const auto& s : steps) {
      Rounded r;
      if (s.kind == Step<float>::Kind::dense) {
        r.x_stride = padded_stride<Number>(s.inputs);
        r.g_stride = padded_stride<Number>(s.outputs);
        r.sample_stride = samples;
        r.x_rows = numbers(max_rows + spare, r.x_stride);
        r.g_rows = numbers(max_rows + spare, r.g_stride);
        r.x_strips = numbers(whole(s.inputs), whole(max_rows));
        r.g_columns = numbers(s.outputs + spare, samples);
        widest = (std::max)({widest, s.inputs, s.outputs});
      }
      rounded_.push_back(std::move(r));
    }
    for (int t = 0; t < threads; ++t) strips_.push_back(numbers(strip_columns, whole(widest)));
  }

  /// Columns of a strip.
  Index panel() const { return strip_columns; }

  /// Rounds what step l takes; the first `trained` rows for its weight gradient too. Ends with a barrier.
  void prepare_input(const Team& team, Index l, Rows<const float> x, Index trained) {
    Rounded& r = at(l);
    for_my_strips(team, x.cols(), strip_columns, [&](Index first, Index cols) {
      k_->round_rows(x.data() + first, x.stride(), x.rows(), cols, r.x_rows.data() + first,
                     r.x_stride);
      if (trained > 0) {
        k_->pack_columns(x.data() + first, x.stride(), cols, trained,
                         r.x_strips.data() + first * whole(trained));
      }
    });
    team.barrier();
  }

  /// Rounds the gradient of what step l gives; `for_input` where the gradient of what it takes will be wanted.
  /// Ends with a barrier.
  void prepare_gradient(const Team& team, Index l, Rows<const float> g, bool for_input) {
    Rounded& r = at(l);
    for_my_strips(team, g.cols(), strip_columns, [&](Index first, Index cols) {
      if (for_input) {
        k_->round_rows(g.data() + first, g.stride(), g.rows(), cols, r.g_rows.data() + first,
                       r.g_stride);
      }
      k_->round_columns(g.data() + first, g.stride(), cols, g.rows(),
                        r.g_columns.data() + first * r.sample_stride, r.sample_stride);
    });
    team.barrier();
  }

  /// A strip of f(x W^T + b), x what step number l, which is s, takes.
  void forward(const Team& team, Index l, const Step<float>& s, const float* parameters,
               Rows<const float> x, Activation f, const DenseStrip<float>& to) {
    const Rounded& r = at(l);
    const float* w = parameters + s.weight_at + to.first * s.inputs;
    k_->pack_rows(w, s.inputs, to.cols, s.inputs, strip(team));
    k_->product({x.rows(), to.cols, whole(s.inputs), strip(team), r.x_rows.data(), r.x_stride,
                 to.out, to.stride},
                s.bias ? parameters + s.bias_at + to.first : nullptr, f);
  }

  /// A strip of g W, g the gradient of what step l gives.
  void backward(const Team& team, Index l, const Step<float>& s, const float* parameters,
                Rows<const float> g, const DenseStrip<float>& to) {
    const Rounded& r = at(l);
    k_->pack_columns(parameters + s.weight_at + to.first, s.inputs, to.cols, s.outputs,
                     strip(team));
    k_->product({g.rows(), to.cols, whole(s.outputs), strip(team), r.g_rows.data(), r.g_stride,
                 to.out, to.stride},
                nullptr, {});
  }

  /// Rows `part` of g^T x, the gradient of step l's weight.
  /// \param sink of these rows
  void weight_gradients(const Team&, Index l, const Step<float>& s, Rows<const float> x,
                        Rows<const float>, Range part, const GradientSink<float>& sink) {
    const Rounded& r = at(l);
    sink.take(*k_, kernels::MixedProduct{part.size(), s.inputs, whole(x.rows()), r.x_strips.data(),
                                         r.g_columns.data() + part.first * r.sample_stride,
                                         r.sample_stride, sink.gradient, s.inputs});
  }

 private:
  static constexpr Index strip_columns = kernels::mixed_panel, spare = kernels::mixed_spare_rows;
  static Index whole(Index n) { return round_up(n, kernels::mixed_depth_unit); }
  static AlignedBuffer<Number> numbers(Index rows, Index stride) {
    return AlignedBuffer<Number>(rows, stride);
  }

  struct Rounded {
    Index x_stride = 0, g_stride = 0, sample_stride = 0;
    AlignedBuffer<Number> x_rows, x_strips, g_rows, g_columns;
  };

  Rounded& at(Index l) { return rounded_[static_cast<std::size_t>(l)]; }
  Number* strip(const Team& team) {
    return strips_[static_cast<std::size_t>(team.member())].data();
  }

  const kernels::MixedTable* k_;
  std::vector<Rounded> rounded_;
  std::vector<AlignedBuffer<Number>> strips_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
