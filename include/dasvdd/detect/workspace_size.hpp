#pragma once
/// \file
/// How much memory one thread scores in.

#include <dasvdd/detect/score_term.hpp>
#include <dasvdd/nn/narrow_network.hpp>
#include <dasvdd/nn/packed_network.hpp>

#include <algorithm>
#include <cstdint>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What a Workspace for tiles of `tile` rows holds. The members take turns in it: it fits each of them.
template <class Scalar>
class WorkspaceSize {
 public:
  /// \param masks whether the scaler masks missing values
  WorkspaceSize(Index tile, bool masks) : tile_(tile), masks_(masks), forward_(tile) {}

  WorkspaceSize& cover(const Autoencoder<Scalar>& net, const TermSize& reconstruction,
                       const TermSize& latent) {
    forward_.cover(net);
    inputs_ = (std::max)(inputs_, net.inputs());
    scratch_ = (std::max)(
        {scratch_, reconstruction.scratch<Scalar>(tile_), latent.scratch<Scalar>(tile_)});
    for (const TermSize& term : {reconstruction, latent})
      narrow_ = narrow_ && !term.whitened && term.centers == 0;
    narrow_ = narrow_ && is_narrow(net.joined());
    for (const auto& step : net.joined().steps()) widest_ = (std::max)(widest_, step.outputs);
    return *this;
  }

  const ForwardSize<Scalar>& forward() const { return forward_; }
  Index stride() const { return padded_stride<Scalar>(inputs_); }
  Index scratch() const { return static_cast<Index>(scratch_); }
  /// Rows' missing places, and numbers in double for them.
  Index missing() const { return masks_ ? inputs_ : 0; }
  Index masked() const { return masks_ ? inputs_ + masked_scratch(inputs_) : 0; }
  /// Numbers in each of a narrow net's buffers; 0 where another executor scores.
  Index narrow() const {
    const Index panel = kernels::best<Scalar>().panel;
    return narrow_ ? (std::max)(inputs_, widest_) * (tile_ / panel * panel) : 0;
  }

  std::int64_t bytes() const {
    const std::int64_t scalars = saturating_sum(
        saturating_product(tile_, stride()), saturating_sum(scratch_, 4 * std::int64_t(narrow())));
    const std::int64_t others = 4 * std::int64_t(tile_) * std::int64_t(sizeof(double)) +
                                missing() * std::int64_t(sizeof(Index)) +
                                masked() * std::int64_t(sizeof(double));
    return saturating_sum(forward_.bytes(),
                          saturating_sum(saturating_product(scalars, sizeof(Scalar)), others));
  }

 private:
  Index tile_;
  bool masks_, narrow_ = true;
  ForwardSize<Scalar> forward_;
  Index inputs_ = 1, widest_ = 1;
  std::int64_t scratch_ = 0;
};

}  // namespace detail
DASVDD_NAMESPACE_END
