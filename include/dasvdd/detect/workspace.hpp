#pragma once
/// \file
/// The memory one thread scores in.

#include <dasvdd/detect/model.hpp>
#include <dasvdd/detect/workspace_size.hpp>

#include <algorithm>
#include <cstdint>

DASVDD_NAMESPACE_BEGIN

template <class Scalar>
class Detector;
namespace detail {
template <class Scalar>
class RowScorer;

/// How many of `threads` threads make few rows of these nets faster, when they share out the strips of every
/// dense layer. One row costs as much as reading the weights, so threads share the reading. A thread must get
/// enough of it to pay for being woken, and of each layer for the wait behind it (docs/notebook/speed.md has
/// what was measured).
template <class Scalar>
int worthwhile_sharers(const Model<Scalar>& model, int threads) {
  constexpr std::int64_t least_share = 1 << 20, least_layer = 1 << 18;
  std::int64_t bytes = 0, layers = 0;
  for (const auto& member : model.members) {
    bytes = saturating_sum(bytes, member.network.weight_bytes());
    layers += static_cast<std::int64_t>(member.network.net().joined().steps().size());
  }
  if (bytes < layers * least_layer) return 1;
  const std::int64_t most = (std::max)(bytes / least_share, std::int64_t(1));
  return most < threads ? static_cast<int>(most) : threads;
}

template <class Scalar>
WorkspaceSize<Scalar> workspace_size(const Model<Scalar>& model, Index tile) {
  WorkspaceSize<Scalar> size(tile, model.scaler.masks());
  for (const auto& member : model.members)
    size.cover(member.network.net(), member.reconstruction.term_size(), member.latent.term_size());
  return size;
}

/// More rows than these are shared out by rows.
constexpr Index most_shared_rows = kernels::row_unit;
}  // namespace detail

/// The memory that one thread scores in, made by Detector::make_workspace(). Scoring with it allocates
/// nothing. Each thread needs its own; a copy will do.
template <class Scalar>
class Workspace {
 public:
  /// Rows that are scored together; longer batches are cut into tiles of this many.
  Index tile() const { return tile_; }
  /// Threads that score a batch of this many rows together: 1 but for few rows of a big net, see make_workspace().
  int threads(Index rows) const { return rows <= detail::most_shared_rows ? sharers_ : 1; }

 private:
  friend class Detector<Scalar>;
  friend class detail::RowScorer<Scalar>;

  Workspace(std::shared_ptr<const detail::Model<Scalar>> model, Index tile, int threads = 1)
      : Workspace(model, tile, threads, detail::workspace_size(*model, tile)) {}
  Workspace(std::shared_ptr<const detail::Model<Scalar>> model, Index tile, int threads,
            const detail::WorkspaceSize<Scalar>& size)
      : model_(std::move(model)),
        tile_(tile),
        sharers_(detail::worthwhile_sharers(*model_, threads)),
        stride_(size.stride()),
        rows_(tile, stride_),
        scratch_(size.scratch()),
        terms_(4 * tile),
        missing_(size.missing()),
        masked_(size.masked()),
        forward_(size.forward().buffers()),
        narrow_(size.narrow()) {}

  std::shared_ptr<const detail::Model<Scalar>>
      model_;  // keeps alive, and identifies, what the buffers were made for
  Index tile_;
  int sharers_;  // threads that score few rows together
  Index stride_;
  detail::AlignedBuffer<Scalar> rows_, scratch_;
  detail::AlignedBuffer<double> terms_;
  detail::AlignedBuffer<Index> missing_;  // both empty unless missing values are masked
  detail::AlignedBuffer<double> masked_;
  detail::ForwardBuffers<Scalar> forward_;
  detail::NarrowBuffers<Scalar> narrow_;  // empty unless the model is narrow
};

DASVDD_NAMESPACE_END
