#pragma once
/// \file
/// The training executor: forward, backward and parameter gradients of one mini-batch, by all
/// threads of a team.
///
/// For a dense step y = f(a), a = x W^T + b, with G = dL/da and B rows:
///
///     forward     Y (B x out) = f(X W^T + b)     shared out by strips of outputs
///     backward    G_x (B x in) = (G W) * f_x'    by strips of inputs
///     gradients   dW (out x in) = G^T X          by rows of W; Adam follows each product
///                 db (out) = sum of G's rows     by cache lines
///
/// with f_x the activation of the step before.
///
/// The three products of a dense step are those of plain_dense.hpp or, in mixed precision, mixed_dense.hpp.
///
/// One thread computes each strip, so the bits don't depend on the number of threads.

#include <dasvdd/core/parallel.hpp>
#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/nn/mixed_dense.hpp>
#include <dasvdd/nn/network.hpp>
#include <dasvdd/nn/plain_dense.hpp>
#include <dasvdd/nn/step_buffers.hpp>

#include <algorithm>
#include <type_traits>
#include <variant>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Buffers and passes for mini-batches of up to `max_rows` rows. Everything is allocated at
/// construction. Called by all members of a team; ends each pass with a barrier.
template <class Scalar>
class TrainingPass {
 public:
  /// \param code_steps the first that many steps give the latent code
  /// \param mixed kernels for dense steps in mixed precision, of nets in float; null for the net's own
  DASVDD_COLD TrainingPass(const Network<Scalar>& net, Index code_steps, Index max_rows,
                           int threads, const kernels::MixedTable* mixed = nullptr)
      : net_(net),
        code_step_(code_steps - 1),
        k_(&kernels::best<Scalar>()),
        latent_(max_rows, net_.steps()[static_cast<std::size_t>(code_step_)].outputs),
        dense_(dense_steps(net_.steps(), max_rows, threads, mixed)) {
    Index scratch = 0;
    for (const auto& step : net_.steps()) {
      buffers_.emplace_back(step, max_rows);
      if (step.bias) scratch = (std::max)(scratch, step.outputs);
      if (step.kind == Step<Scalar>::Kind::layer) {
        scratch = (std::max)(scratch, step.layer->scratch(max_rows));
      }
    }
    for (int t = 0; t < threads; ++t) scratch_.emplace_back(scratch);
  }

  const kernels::Table<Scalar>& kernels() const { return *k_; }
  Index steps() const { return static_cast<Index>(net_.steps().size()); }
  Index code_steps() const { return code_step_ + 1; }

  /// The latent codes and the net's output after forward: rows x m, rows x d.
  Rows<Scalar> code(Index rows) { return result(code_step_).rows(rows); }
  Rows<Scalar> output(Index rows) { return buffers_.back().result.rows(rows); }
  /// What the objective fills before backward: dL/d(output), and dL/d(code) without the decoder's
  /// share.
  Rows<Scalar> output_gradient(Index rows) { return buffers_.back().gradient.rows(rows); }
  Rows<Scalar> latent_gradient(Index rows) { return latent_.rows(rows); }

  /// How layers with running statistics compute: as in the network step, which updates the statistics,
  /// or as in a fitted detector.
  enum class Mode { train, detect };

  using GradientSink = detail::GradientSink<Scalar>;

  /// Rows of a dense step's weight, or its bias: a piece of the parameters.
  struct ParameterBlock {
    Index step;
    Range rows;
    bool bias;
    Index at, size;  ///< where it lies in the net's flat layout
  };
  /// All parameters of dense steps in blocks of about `most` numbers, or a weight's row.
  std::vector<ParameterBlock> parameter_blocks(Index most) const {
    std::vector<ParameterBlock> blocks;
    for (Index l = 0; l < steps(); ++l) {
      const auto& s = step(l);
      if (!is_dense(l)) continue;
      const Index parts = ceil_div(s.outputs, std::max<Index>(1, most / s.inputs));
      for (Index part = 0; part < parts; ++part) {
        const Range rows = share(s.outputs, part, parts);
        blocks.push_back(
            {l, rows, false, s.weight_at + rows.first * s.inputs, rows.size() * s.inputs});
      }
      if (s.bias) blocks.push_back({l, {0, s.outputs}, true, s.bias_at, s.outputs});
    }
    return blocks;
  }
  /// The gradient of a block, after backward of x, summed over some of x's rows alone. Called by one member.
  void block_gradient(const Team& team, const ParameterBlock& block, Rows<const Scalar> x,
                      Range rows, Scalar* gradient_of_block) {
    const Index l = block.step;
    Block& g = gradient(l);
    if (block.bias) {
      k_->column_sums(g.data.data() + rows.first * g.stride, g.stride, rows.size(), block.size,
                      gradient_of_block);
      return;
    }
    const Rows<const Scalar> in = l == 0 ? x : Rows<const Scalar>(result(l - 1).rows(x.rows()));
    with_dense([&](auto& dense) {
      dense.weight_gradients(team, l, step(l), in.middle_rows(rows.first, rows.size()),
                             g.rows(x.rows()).middle_rows(rows.first, rows.size()), block.rows,
                             GradientSink{gradient_of_block});
    });
  }

  /// Whether a row's result is the same in both modes and in every mini-batch.
  bool has_one_mode() const {
    return std::none_of(net_.steps().begin(), net_.steps().end(),
                        [](const auto& s) { return s.kind == Step<Scalar>::Kind::layer; });
  }

  /// Carries out the first `steps` steps.
  /// \param statistics written to in Mode::train only
  void forward(const Team& team, Mode mode, const Scalar* parameters, Scalar* statistics,
               Rows<const Scalar> x, Index steps) {
    forward(team, mode, parameters, statistics, x, {0, steps}, mode == Mode::train ? x.rows() : 0);
  }
  /// Carries out some of the steps. The first step of the net reads x; any other, the x.rows() results
  /// of the step before it.
  /// \param trained the number of rows, from the first, that backward and parameter_gradients will read
  void forward(const Team& team, Mode mode, const Scalar* parameters, Scalar* statistics,
               Rows<const Scalar> x, Range steps, Index trained) {
    for (Index l = steps.first; l < steps.last; ++l) {
      const Rows<const Scalar> in = l == 0 ? x : Rows<const Scalar>(result(l - 1).rows(x.rows()));
      forward_step(team, mode, l, parameters, statistics, in, trained);
      team.barrier();
    }
  }

  /// From output_gradient and latent_gradient to the gradients of every step's result, and the
  /// parameter gradients of layers that are neither dense nor activations.
  void backward(const Team& team, const Scalar* parameters, Rows<const Scalar> x) {
    const Index last = steps() - 1;
    finish_rows(last, team.share(x.rows()));
    team.barrier();
    for (Index l = last; l >= 0; --l) {
      const Rows<const Scalar> in = l == 0 ? x : Rows<const Scalar>(result(l - 1).rows(x.rows()));
      if (is_dense(l)) {
        with_dense([&](auto& dense) {
          dense.prepare_gradient(team, l, gradient(l).rows(x.rows()), l > 0);
        });
      }
      if (l == 0 && step(0).kind != Step<Scalar>::Kind::layer) break;
      backward_step(team, l, parameters, in);
      team.barrier();
    }
  }

  /// Turns the gradients that backward left into parameter gradients. Ends with a barrier.
  void parameter_gradients(const Team& team, Rows<const Scalar> x, const GradientSink& sink) {
    // Members share rows of the weights. A row counts as many units as it has strips of columns.
    Index units = 0;
    for (const auto& s : net_.steps()) units += weight_units(s);
    const Range mine = team.share(units);
    Index before = 0;
    for (Index l = 0; l < steps(); ++l) {
      const auto& s = step(l);
      const Index here = weight_units(s);
      if (here > 0) {
        const auto row = [&](Index unit) {
          return (std::min)(std::max<Index>(unit - before, 0) / strips(s.inputs), s.outputs);
        };
        const Range rows{row(mine.first), mine.last >= before + here ? s.outputs : row(mine.last)};
        if (rows.size() > 0) weight_gradients(team, l, x, rows, sink);
      }
      before += here;
      bias_gradients(team, l, x.rows(), sink);
      layer_gradients(team, l, sink);
    }
    team.barrier();
  }

 private:
  /// The products of dense steps; mixed precision is for nets in float.
  using Dense = std::conditional_t<std::is_same_v<Scalar, float>,
                                   std::variant<PlainDense<Scalar>, MixedDense>,
                                   std::variant<PlainDense<Scalar>>>;
  static Dense dense_steps(const std::vector<Step<Scalar>>& steps, Index max_rows, int threads,
                           const kernels::MixedTable* mixed) {
    if constexpr (std::is_same_v<Scalar, float>) {
      if (mixed) return MixedDense(*mixed, steps, max_rows, threads);
    }
    return PlainDense<Scalar>(steps, max_rows, threads);
  }
  template <class F>
  decltype(auto) with_dense(F&& f) {
    return std::visit(f, dense_);
  }

  using Block = detail::BatchBlock<Scalar>;
  using Buffers = detail::StepBuffers<Scalar>;

  const Step<Scalar>& step(Index l) const { return net_.steps()[static_cast<std::size_t>(l)]; }
  Buffers& buffers(Index l) { return buffers_[static_cast<std::size_t>(l)]; }
  Block& result(Index l) { return buffers(l).result; }
  Block& argument(Index l) { return buffers(l).argument; }
  Block& gradient(Index l) { return buffers(l).gradient; }
  Scalar* scratch(const Team& team) {
    return scratch_[static_cast<std::size_t>(team.member())].data();
  }
  Index strips(Index cols) {
    return ceil_div(cols, with_dense([](const auto& dense) { return dense.panel(); }));
  }
  bool is_dense(Index l) const { return step(l).kind == Step<Scalar>::Kind::dense; }

  Index weight_units(const Step<Scalar>& s) {
    return s.kind == Step<Scalar>::Kind::dense ? strips(s.inputs) * s.outputs : 0;
  }

  // ---- forward ----------------------------------------------------------------------------------

  void forward_step(const Team& team, Mode mode, Index l, const Scalar* parameters,
                    Scalar* statistics, Rows<const Scalar> x, Index trained) {
    const auto& s = step(l);
    const Rows<Scalar> y = result(l).rows(x.rows());
    if (is_dense(l)) return forward_dense(team, l, parameters, x, y, trained);
    const Range mine = team.share(x.rows());
    if (s.kind == Step<Scalar>::Kind::activation) {
      k_->activate(s.activation, x.row(mine.first), x.stride(), y.row(mine.first), y.stride(),
                   mine.size(), s.inputs);
      return;
    }
    const Scalar* w = parameters + s.weight_at;
    team.guard([&] {
      if (mode == Mode::train && Buffers::whole_batch(s)) {
        if (team.member() > 0) return;
        s.layer->forward_training(w, statistics + s.statistics_at, x, y, scratch(team));
      } else if (mine.size() > 0) {
        const Rows<const Scalar> from = x.middle_rows(mine.first, mine.size());
        const Rows<Scalar> to = y.middle_rows(mine.first, mine.size());
        if (mode == Mode::train) {
          s.layer->forward_training(w, nullptr, from, to, scratch(team));
        } else {
          s.layer->forward(w, statistics + s.statistics_at, from, to, scratch(team));
        }
      }
    });
  }

  void forward_dense(const Team& team, Index l, const Scalar* parameters, Rows<const Scalar> x,
                     Rows<Scalar> y, Index trained) {
    const auto& s = step(l);
    with_dense([&](auto& dense) {
      dense.prepare_input(team, l, x, trained);
      for_my_strips(team, s.outputs, dense.panel(), [&](Index first, Index cols) {
        Scalar* out = y.data() + first;
        const Index stride = y.stride();
        if (s.keeps_argument()) {
          Scalar* a = argument(l).data.data() + first;
          dense.forward(team, l, s, parameters, x, {}, {first, cols, a, stride});
          k_->activate(s.activation, a, stride, out, stride, x.rows(), cols);
        } else {
          dense.forward(team, l, s, parameters, x, s.activation, {first, cols, out, stride});
        }
      });
    });
  }

  // ---- backward ---------------------------------------------------------------------------------

  /// Completes the gradient of step l's result in the given rows and columns: adds the latent
  /// term's share where the result is the latent code, then goes back through the step's activation.
  void finish(Index l, Range rows, Index first, Index cols) {
    const auto& s = step(l);
    Block& g = gradient(l);
    Scalar* to = g.data.data() + rows.first * g.stride + first;
    if (l == code_step_) {
      const bool only = l == steps() - 1;  // no decoder: there is no other gradient
      for (Index i = rows.first; i < rows.last; ++i) {
        const Scalar* from = latent_.data.data() + i * latent_.stride + first;
        Scalar* row = to + (i - rows.first) * g.stride;
        for (Index j = 0; j < cols; ++j) row[j] = only ? from[j] : row[j] + from[j];
      }
    }
    if (!s.has_activation()) return;
    const Block& source = s.kind == Step<Scalar>::Kind::activation && s.keeps_argument()
                              ? result(l - 1)
                          : s.keeps_argument() ? argument(l)
                                               : result(l);
    k_->derivative(s.activation, source.data.data() + rows.first * source.stride + first,
                   source.stride, to, g.stride, rows.size(), cols);
  }
  void finish_rows(Index l, Range rows) { finish(l, rows, 0, step(l).outputs); }

  void backward_step(const Team& team, Index l, const Scalar* parameters, Rows<const Scalar> x) {
    const auto& s = step(l);
    const Rows<Scalar> g = gradient(l).rows(x.rows());
    const Rows<Scalar> dx =
        l > 0 ? gradient(l - 1).rows(x.rows()) : Rows<Scalar>(nullptr, x.rows(), x.cols());
    if (s.kind == Step<Scalar>::Kind::dense) {
      with_dense([&](auto& dense) {
        for_my_strips(team, s.inputs, dense.panel(), [&](Index first, Index cols) {
          dense.backward(team, l, s, parameters, g, {first, cols, dx.data() + first, dx.stride()});
          finish(l - 1, {0, g.rows()}, first, cols);
        });
      });
    } else if (s.kind == Step<Scalar>::Kind::activation) {
      const Range mine = team.share(x.rows());
      for (Index i = mine.first; i < mine.last; ++i) std::copy_n(g.row(i), s.inputs, dx.row(i));
      finish_rows(l - 1, mine);
    } else {
      const Index parts = buffers(l).parts;
      const Range mine = team.share(parts);
      for (Index part = mine.first; part < mine.last; ++part) {
        const Range rows = share(x.rows(), part, parts);
        const auto take = [rows](auto block) { return block.middle_rows(rows.first, rows.size()); };
        Scalar* dw = buffers(l).shard(part);
        std::fill_n(dw, s.layer->parameters(), Scalar(0));
        if (rows.size() == 0) continue;
        team.guard([&] {
          s.layer->backward(parameters + s.weight_at, take(x),
                            take(Rows<const Scalar>(result(l).rows(x.rows()))),
                            take(Rows<const Scalar>(g)), l > 0 ? take(dx) : dx, dw, scratch(team));
        });
        if (l > 0) finish_rows(l - 1, rows);
      }
    }
  }

  // ---- parameter gradients ----------------------------------------------------------------------

  /// dW[o, .] = sum over the batch's rows of g[row, o] x[row, .], for the rows o of the weight in `part`.
  void weight_gradients(const Team& team, Index l, Rows<const Scalar> x, Range part,
                        const GradientSink& sink) {
    const auto& s = step(l);
    const Rows<const Scalar> in = l == 0 ? x : Rows<const Scalar>(result(l - 1).rows(x.rows()));
    with_dense([&](auto& dense) {
      dense.weight_gradients(team, l, s, in, gradient(l).rows(x.rows()), part,
                             sink.from(s.weight_at + part.first * s.inputs));
    });
  }

  void bias_gradients(const Team& team, Index l, Index rows, const GradientSink& sink) {
    const auto& s = step(l);
    if (!s.bias) return;
    // Members share whole cache lines.
    const Range lines = team.share(detail::ceil_div(s.outputs, detail::tensor_alignment));
    const Index first = lines.first * detail::tensor_alignment;
    const Index count = (std::min)(lines.last * detail::tensor_alignment, s.outputs) - first;
    if (count <= 0) return;
    Block& g = gradient(l);
    const GradientSink here = sink.from(s.bias_at + first);
    Scalar* sums = here.gradient ? here.gradient : scratch(team);
    k_->column_sums(g.data.data() + first, g.stride, rows, count, sums);
    if (!here.gradient) k_->adam(sums, count, here.state, here.adam);
  }

  /// Adds up a layer's shards in their order.
  void layer_gradients(const Team& team, Index l, const GradientSink& sink) {
    const auto& s = step(l);
    if (s.kind != Step<Scalar>::Kind::layer || s.layer->parameters() == 0) return;
    const Range lines =
        team.share(detail::ceil_div(s.layer->parameters(), detail::tensor_alignment));
    const Index first = lines.first * detail::tensor_alignment;
    const Index count =
        (std::min)(lines.last * detail::tensor_alignment, s.layer->parameters()) - first;
    if (count <= 0) return;
    Scalar* sums = buffers(l).shard(0) + first;
    for (Index part = 1; part < buffers(l).parts; ++part) {
      const Scalar* more = buffers(l).shard(part) + first;
      for (Index j = 0; j < count; ++j) sums[j] += more[j];
    }
    const GradientSink here = sink.from(s.weight_at + first);
    if (here.gradient) {
      std::copy_n(sums, count, here.gradient);
    } else {
      k_->adam(sums, count, here.state, here.adam);
    }
  }

  Network<Scalar> net_;
  Index code_step_;
  const kernels::Table<Scalar>* k_;
  std::vector<Buffers> buffers_;
  Block latent_;
  Dense dense_;
  std::vector<AlignedBuffer<Scalar>> scratch_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
