#pragma once
/// \file
/// The scoring executor: a net with its parameters packed once for the kernels. Its forward passes
/// over tiles of rows write to the caller's workspace only.

#include <dasvdd/core/function_ref.hpp>
#include <dasvdd/core/parallel.hpp>
#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/nn/autoencoder.hpp>

#include <algorithm>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Buffers of one thread's forward passes, for tiles of up to `rows` rows.
template <class Scalar>
struct ForwardBuffers {
  /// Results alternate between two buffers. The latent code has its own: the score reads it at the end.
  AlignedBuffer<Scalar> results[2], code, scratch;
  Index rows = 0, stride = 0, code_stride = 0;
};

/// The room that forward passes take, for tiles of `rows` rows; of several nets that take turns in it, the most.
template <class Scalar>
class ForwardSize {
 public:
  explicit ForwardSize(Index rows) : rows_(rows) {}

  ForwardSize& cover(const Autoencoder<Scalar>& net) {
    for (const auto& step : net.joined().steps()) {
      widest_ = (std::max)(widest_, step.outputs);
      if (step.layer) scratch_ = (std::max)(scratch_, step.layer->scratch(rows_));
    }
    code_ = (std::max)(code_, net.code());
    return *this;
  }

  std::int64_t bytes() const {
    const std::int64_t row = 2 * std::int64_t(detail::padded_stride<Scalar>(widest_)) +
                             std::int64_t(detail::padded_stride<Scalar>(code_));
    return saturating_product(saturating_sum(saturating_product(row, rows_), scratch_),
                              sizeof(Scalar));
  }

  ForwardBuffers<Scalar> buffers() const {
    ForwardBuffers<Scalar> b;
    b.rows = rows_;
    b.stride = detail::padded_stride<Scalar>(widest_);
    b.code_stride = detail::padded_stride<Scalar>(code_);
    for (auto& result : b.results) result = AlignedBuffer<Scalar>(rows_, b.stride);
    b.code = AlignedBuffer<Scalar>(rows_, b.code_stride);
    b.scratch = AlignedBuffer<Scalar>(scratch_);
    return b;
  }

 private:
  Index rows_, widest_ = 1, code_ = 1, scratch_ = 0;
};

/// An autoencoder ready to compute: immutable after pack(), shared by any number of threads.
template <class Scalar>
class PackedNetwork {
 public:
  /// \param compact kernels for dense weights of two bytes, null for weights of the net's own scalar type
  DASVDD_COLD explicit PackedNetwork(const Autoencoder<Scalar>& net,
                                     const kernels::CompactTable<Scalar>* compact = nullptr)
      : net_(net), k_(&kernels::best<Scalar>()), compact_(compact), statistics_(net.statistics()) {
    Index size = 0, halves = 0;
    for (const auto& step : net_.joined().steps()) {
      Place place{size, size};
      if (step.kind == Step<Scalar>::Kind::dense) {
        const Index weights = step.inputs * detail::round_up(step.outputs, k_->panel);
        const Index cols =
            detail::round_up(step.outputs, (std::max)(k_->panel, detail::tensor_alignment));
        if (compact_) {
          place.weights = halves;
          halves += weights;
        } else {
          place.bias += weights;
        }
        size = place.bias + (step.bias ? cols : 0);
      } else if (step.kind == Step<Scalar>::Kind::layer) {
        size += step.layer->parameters();
      }
      size = detail::round_up(size, detail::tensor_alignment);
      places_.push_back(place);
    }
    packed_ = AlignedBuffer<Scalar>(size);
    halves_ = AlignedBuffer<Bfloat16>(halves);
  }
  DASVDD_COLD PackedNetwork(const Autoencoder<Scalar>& net, const Scalar* parameters,
                            const Scalar* statistics,
                            const kernels::CompactTable<Scalar>* compact = nullptr)
      : PackedNetwork(net, compact) {
    pack(parameters, statistics);
  }

  /// Takes over parameters in the net's flat layout.
  void pack(const Scalar* parameters, const Scalar* statistics) {
    std::copy_n(statistics, statistics_.size(), statistics_.data());
    for (std::size_t l = 0; l < places_.size(); ++l) {
      const auto& s = net_.joined().steps()[l];
      const Scalar* from = parameters + s.weight_at;
      Scalar* to = packed_.data() + places_[l].weights;
      if (s.kind == Step<Scalar>::Kind::dense) {
        if (compact_) {
          pack_halves(s, from, halves_.data() + places_[l].weights);
        } else {
          k_->pack_rows(from, s.inputs, s.outputs, s.inputs, to);
        }
        if (s.bias) {
          std::copy_n(parameters + s.bias_at, s.outputs, packed_.data() + places_[l].bias);
        }
      } else if (s.kind == Step<Scalar>::Kind::layer) {
        std::copy_n(from, s.layer->parameters(), to);
      }
    }
  }

  /// Bytes that packing adds to a net's dense weights, because a strip is as wide as a register or two.
  static std::int64_t padding_bytes(const Autoencoder<Scalar>& net) {
    const Index panel = kernels::best<Scalar>().panel;
    std::int64_t bytes = 0;
    for (const auto& step : net.joined().steps()) {
      if (step.kind != Step<Scalar>::Kind::dense) continue;
      const std::int64_t columns = round_up(step.outputs, panel) - step.outputs;
      bytes = saturating_sum(
          bytes, saturating_product(step.inputs, columns * std::int64_t(sizeof(Scalar))));
    }
    return bytes;
  }

  const Autoencoder<Scalar>& net() const { return net_; }
  const kernels::Table<Scalar>& kernels() const { return *k_; }

  ForwardBuffers<Scalar> make_buffers(Index rows) const {
    return ForwardSize<Scalar>(rows).cover(net_).buffers();
  }

  /// Latent codes (rows x m) and reconstructions (rows x d; without rows where there is no decoder) of one
  /// tile.
  struct Result {
    Rows<const Scalar> code, output;
  };
  /// Called as visit(first row, rows as the net sees them, result) for tiles of a batch.
  using Visitor = detail::FunctionRef<void(Index, Rows<const Scalar>, const Result&)>;

  /// Bytes of the dense steps' weights, which one row's pass reads once.
  std::int64_t weight_bytes() const {
    std::int64_t bytes = 0;
    for (const auto& step : net_.joined().steps()) {
      if (step.kind != Step<Scalar>::Kind::dense) continue;
      bytes = saturating_sum(bytes, saturating_product(step.inputs, step.outputs));
    }
    return saturating_product(bytes, compact_ ? sizeof(Bfloat16) : sizeof(Scalar));
  }

  /// Forward pass over x: rows x d, at most b.rows rows.
  /// \param decode false leaves the decoder out
  /// \param team whose members all call this with the same arguments and share out every dense step's
  ///   strips of outputs; the calling thread alone unless given
  Result forward(Rows<const Scalar> x, ForwardBuffers<Scalar>& b, bool decode = true,
                 const Team& team = Team()) const {
    const auto& steps = net_.joined().steps();
    const std::size_t code = static_cast<std::size_t>(net_.code_steps()) - 1;
    const std::size_t last = decode ? steps.size() : code + 1;
    Rows<const Scalar> in = x;
    Result result;
    for (std::size_t l = 0; l < last; ++l) {
      const Rows<Scalar> out(l == code ? b.code.data() : b.results[l % 2].data(), x.rows(),
                             steps[l].outputs, l == code ? b.code_stride : b.stride);
      forward_step(l, in, out, b.scratch.data(), team);
      team.barrier();
      if (l == code) result.code = out;
      in = out;
    }
    if (last > code + 1) result.output = in;
    return result;
  }

 private:
  /// Where a step's parameters lie in packed_, or its weights in halves_.
  struct Place {
    Index weights, bias;
  };

  /// The strips of a dense step in two bytes a number.
  void pack_halves(const Step<Scalar>& s, const Scalar* w, Bfloat16* to) const {
    AlignedBuffer<Scalar> strip(s.inputs * k_->panel);
    for (Index first = 0; first < s.outputs; first += k_->panel) {
      const Index cols = (std::min)(k_->panel, s.outputs - first);
      k_->pack_rows(w + first * s.inputs, s.inputs, cols, s.inputs, strip.data());
      for (Index k = 0; k < s.inputs; ++k, to += k_->panel) {
        for (Index l = 0; l < k_->panel; ++l) {
          to[kernels::place_of_half(l, k_->panel)] =
              to_bfloat16(static_cast<float>(strip[k * k_->panel + l]));
        }
      }
    }
  }

  void forward_step(std::size_t l, Rows<const Scalar> x, Rows<Scalar> y, Scalar* scratch,
                    const Team& team) const {
    const auto& s = net_.joined().steps()[l];
    if (s.kind != Step<Scalar>::Kind::dense && team.member() > 0) return;
    const Scalar* w = packed_.data() + places_[l].weights;
    switch (s.kind) {
      case Step<Scalar>::Kind::dense: {
        // A member's strips: outputs `first` to first + cols - 1.
        const Range mine = team.share(ceil_div(s.outputs, k_->panel));
        const Index first = mine.first * k_->panel;
        const Index cols = (std::min)(mine.last * k_->panel, s.outputs) - first;
        if (cols <= 0) break;
        const Scalar* bias = s.bias ? packed_.data() + places_[l].bias + first : nullptr;
        const auto product = [&](const auto* strips) {
          return kernels::Product<Scalar, std::decay_t<decltype(*strips)>>{
              x.rows(),  cols,       s.inputs, strips + first * s.inputs,
              x.data(),  x.stride(), 1,        y.data() + first,
              y.stride()};
        };
        if (compact_) {
          compact_->product(product(halves_.data() + places_[l].weights), bias, s.activation);
        } else {
          k_->product(product(w), bias, s.activation);
        }
        break;
      }
      case Step<Scalar>::Kind::activation:
        k_->activate(s.activation, x.data(), x.stride(), y.data(), y.stride(), x.rows(), s.inputs);
        break;
      case Step<Scalar>::Kind::layer:
        team.guard(
            [&] { s.layer->forward(w, statistics_.data() + s.statistics_at, x, y, scratch); });
        break;
    }
  }

  Autoencoder<Scalar> net_;
  const kernels::Table<Scalar>* k_;
  const kernels::CompactTable<Scalar>* compact_;
  std::vector<Place> places_;
  AlignedBuffer<Scalar> packed_, statistics_;
  AlignedBuffer<Bfloat16> halves_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
