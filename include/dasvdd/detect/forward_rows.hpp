#pragma once
/// \file
/// Many rows through one net, by a team of threads.

#include <dasvdd/core/parallel.hpp>
#include <dasvdd/detect/scaler.hpp>
#include <dasvdd/nn/packed_network.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Puts the output into the scaled rows x in place of X's missing values.
template <class Scalar>
void leave_no_residual(const AnyRows& X, Rows<const Scalar> output, Scalar* x, Index stride) {
  X.visit([&](auto rows) {
    for (Index i = 0; i < rows.rows(); ++i) {
      for (Index j = 0; j < rows.cols(); ++j) {
        if (is_missing(rows(i, j))) x[i * stride + j] = output(i, j);
      }
    }
  });
}

/// Calls f(first row, Rows x in the net's units, result) for tiles of X's rows. f runs on any member
/// of the team. With `decode`, x has the output itself in place of missing values that are masked: no residual.
/// \param decode whether the results have an output beside the latent code
/// \param meanwhile one member does this first, while the others take tiles
template <class Scalar>
void forward_rows(
    const PackedNetwork<Scalar>& net, const Scaler<Scalar>& scaler, const AnyRows& X, int threads,
    bool decode, typename PackedNetwork<Scalar>::Visitor f, FunctionRef<void()> meanwhile = [] {}) {
  constexpr Index tile = kernels::batch_tile;
  const Index tiles = ceil_div(X.rows(), tile);
  const int size = worthwhile_threads(
      threads, saturating_product(row_cost(net.net().multiply_adds()), X.rows()));
  const Index d = scaler.inputs(X.cols()), stride = padded_stride<Scalar>(d);
  std::vector<ForwardBuffers<Scalar>> buffers;
  std::vector<AlignedBuffer<Scalar>> inputs;
  for (int i = 0; i < size; ++i) {
    buffers.push_back(net.make_buffers(tile));
    inputs.emplace_back(tile * stride);
  }
  std::atomic<Index> next{0};
  parallel(size, [&](const Team& team) {
    const std::size_t member = static_cast<std::size_t>(team.member());
    if (member == 0) team.guard(meanwhile);
    for (Index t; (t = next.fetch_add(1, std::memory_order_relaxed)) < tiles;) {
      const Index first = t * tile, count = (std::min)(tile, X.rows() - first);
      scaler.apply(net.kernels(), X.middle_rows(first, count), inputs[member].data(), stride);
      const Rows<const Scalar> x(inputs[member].data(), count, d, stride);
      team.guard([&] {
        const auto result = net.forward(x, buffers[member], decode);
        if (decode && scaler.masks()) {
          leave_no_residual(X.middle_rows(first, count), result.output, inputs[member].data(),
                            stride);
        }
        f(first, x, result);
      });
    }
  });
}

}  // namespace detail
DASVDD_NAMESPACE_END
