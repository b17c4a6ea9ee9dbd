#pragma once
/// \file
/// What a training pass keeps of each step for a mini-batch.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/nn/network.hpp>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Numbers for every row of a mini-batch: rows x cols, padded.
template <class Scalar>
struct BatchBlock {
  AlignedBuffer<Scalar> data;
  Index stride = 0, cols = 0;

  BatchBlock(Index max_rows, Index cols_)
      : data(max_rows, padded_stride<Scalar>(cols_)),
        stride(padded_stride<Scalar>(cols_)),
        cols(cols_) {}
  Rows<Scalar> rows(Index count) { return {data.data(), count, cols, stride}; }
};

/// A step's result, the argument of its activation where the derivative needs it, the gradient of its
/// result, and for a step of Kind::layer one parameter gradient for each part of the mini-batch's rows.
/// The number of parts is fixed, so that sums over them have one order.
template <class Scalar>
struct StepBuffers {
  BatchBlock<Scalar> result, argument, gradient;
  Index parts = 0;  ///< 0 but for Kind::layer
  Index shard_size = 0;
  AlignedBuffer<Scalar> shards;  ///< parts x shard_size

  StepBuffers(const Step<Scalar>& step, Index max_rows)
      : result(max_rows, step.outputs),
        argument(step.keeps_argument() ? max_rows : 0, step.outputs),
        gradient(max_rows, step.outputs) {
    if (step.kind != Step<Scalar>::Kind::layer) return;
    parts = whole_batch(step) ? 1 : 8;
    shard_size = round_up(step.layer->parameters(), tensor_alignment);
    shards = AlignedBuffer<Scalar>(parts, shard_size);
  }
  Scalar* shard(Index part) { return shards.data() + part * shard_size; }

  /// Whether a layer needs all rows of a mini-batch in one call.
  static bool whole_batch(const Step<Scalar>& step) {
    return step.layer->whole_batch() || step.layer->statistics() > 0;
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
