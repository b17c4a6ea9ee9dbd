#pragma once
/// \file
/// The memory one thread scores in.

#include <dasvdd/detect/model.hpp>

DASVDD_NAMESPACE_BEGIN

template <class Scalar>
class Detector;
namespace detail {
template <class Scalar>
class RowScorer;
}  // namespace detail

/// The memory that one thread scores in, made by Detector::make_workspace(). Scoring with it allocates
/// nothing. Each thread needs its own; a copy will do.
template <class Scalar>
class Workspace {
 public:
  /// Rows that are scored together; longer batches are cut into tiles of this many.
  Index tile() const { return tile_; }

 private:
  friend class Detector<Scalar>;
  friend class detail::RowScorer<Scalar>;

  Workspace(std::shared_ptr<const detail::Model<Scalar>> model, Index tile)
      : model_(std::move(model)),
        tile_(tile),
        stride_(detail::padded_stride<Scalar>(model_->inputs())),
        rows_(tile * stride_),
        terms_(4 * tile) {
    detail::ForwardSize<Scalar> size(tile);  // the members take turns
    Index scratch = 0;
    for (const auto& member : model_->members) {
      size.cover(member.network.net());
      scratch =
          (std::max)({scratch, member.reconstruction.scratch(tile), member.latent.scratch(tile)});
    }
    forward_ = size.buffers();
    scratch_ = detail::AlignedBuffer<Scalar>(scratch);
    if (model_->scaler.masks()) {
      const Index d = model_->inputs();
      missing_ = detail::AlignedBuffer<Index>(d);
      masked_ = detail::AlignedBuffer<double>(d + detail::masked_scratch(d));
    }
    if (model_->narrow()) {
      Index widest = model_->inputs();
      for (const auto& member : model_->members) {
        for (const auto& step : member.network.net().joined().steps()) {
          widest = (std::max)(widest, step.outputs);
        }
      }
      const Index panel = model_->members.front().network.kernels().panel;
      narrow_ = detail::NarrowBuffers<Scalar>(widest * (tile / panel * panel));
    }
  }

  std::shared_ptr<const detail::Model<Scalar>>
      model_;  // keeps alive, and identifies, what the buffers were made for
  Index tile_, stride_;
  detail::AlignedBuffer<Scalar> rows_, scratch_;
  detail::AlignedBuffer<double> terms_;
  detail::AlignedBuffer<Index> missing_;  // both empty unless missing values are masked
  detail::AlignedBuffer<double> masked_;
  detail::ForwardBuffers<Scalar> forward_;
  detail::NarrowBuffers<Scalar> narrow_;  // empty unless the model is narrow
};

DASVDD_NAMESPACE_END
