#pragma once
/// \file
/// The arithmetic of convolutions: one linear map between images and maps, its transpose, and its
/// derivative by the weights. Conv2d is the first, ConvTranspose2d the second.
///
/// X: an image of C x H x W, Y: a map of O x h x w, weights W: O x C x k x k, stride s, padding p;
/// pixels outside the image are zero:
///
///     correlate   Y[o, u, v] = sum over c, i, j of W[o, c, i, j] X[c, u s + i - p, v s + j - p]
///     transpose   X[c, y, x] = sum over o, i, j of W[o, c, i, j] Y[o, u, v],  u s + i - p = y,
///                              v s + j - p = x
///     weights     dW[o, c, i, j] += sum over rows, u, v of Y[o, u, v] X[c, u s + i - p, v s + j - p]
///
/// Each is a matrix product with the columns of im2col, made one strip at a time. They are cheap to
/// make: take the map's rows as wide as the padded image's, and drop the surplus outputs. Then the
/// pixels that one weight multiplies are one contiguous run of the flat image, and its neighbor's run
/// starts a pixel later. For a stride s > 1 the padded image's pixels are first sorted into s x s
/// images, one a phase. docs/method.md has the derivation.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/nn/shape.hpp>

#include <algorithm>
#include <cstdint>

DASVDD_NAMESPACE_BEGIN
namespace detail {

template <class Scalar>
class Correlation {
 public:
  /// \param image X \param map Y, as large as the kernel's places in the padded image
  Correlation(const Shape& image, const Shape& map, Index kernel, Index stride, Index padding)
      : image_(image),
        map_(map),
        kernel_(kernel),
        stride_(stride),
        padding_(padding),
        phase_{image.channels, ceil_div(image.height + 2 * padding, stride),
               ceil_div(image.width + 2 * padding, stride)},
        margin_((kernel - 1) / stride),
        wide_map_{map.channels, (image.height - 1 + padding) / stride + margin_ + 1,
                  (image.width - 1 + padding) / stride + margin_ + 1} {}

  const Shape& image() const { return image_; }
  const Shape& map() const { return map_; }
  Index kernel() const { return kernel_; }
  Index stride() const { return stride_; }
  Index padding() const { return padding_; }
  /// Weights of one map channel.
  Index depth() const { return image_.channels * kernel_ * kernel_; }
  Index weights() const { return map_.channels * depth(); }

  /// Scratch numbers that any of the three needs, for any number of rows.
  Index scratch() const {
    const Index panel = kernels::best<Scalar>().panel;
    const Index correlate = padded_image(panel) + section(depth() * panel) +
                            section(map_.channels * round_up(grid(), panel));
    const Index transpose = padded_map(panel) + section(weights()) +
                            section(map_.channels * kernel_ * kernel_ * panel) +
                            section(image_.channels * round_up(wide_map_.plane(), panel));
    const Index gradient = padded_image(panel) + section(map_.channels * grid()) +
                           section(depth() * chunk) + section(round_up(depth(), panel) * chunk) +
                           section(map_.channels * round_up(depth(), panel));
    return (std::max)({correlate, transpose, gradient});
  }

  /// What one row takes of correlate() and transpose(), in multiply-adds of wide products. Where few channels read
  /// a strip, or strips are short, making it takes longer than using it.
  std::int64_t correlate_cost() const {
    const std::int64_t padded = saturating_product(phase_.size(), std::int64_t(stride_) * stride_);
    return saturating_sum(strips_cost(grid(), weights(), depth(), 1),
                          saturating_product(64, padded));
  }
  std::int64_t transpose_cost() const {
    const Index rows = ceil_div(image_.height, stride_), cols = ceil_div(image_.width, stride_);
    // Each phase has its taps of the weights, all phases together have all of them.
    const std::int64_t strips =
        strips_cost((rows - 1) * wide_map_.width + cols, weights(),
                    map_.channels * kernel_ * kernel_, std::int64_t(stride_) * stride_);
    const std::int64_t moved =
        saturating_sum(std::int64_t(image_.size()) + wide_map_.size(), weights());
    return saturating_sum(strips, saturating_product(64, moved));
  }

  /// Y from X, one row at a time. \param bias one number a map channel, or null
  void correlate(const Scalar* w, const Scalar* bias, Rows<const Scalar> image, Rows<Scalar> map,
                 Scalar* scratch) const {
    const auto& k = kernels::best<Scalar>();
    Scalar* padded = take(scratch, padded_image(k.panel));
    Scalar* strip = take(scratch, section(depth() * k.panel));
    const Index stride = round_up(grid(), k.panel);
    std::fill_n(padded, padded_image(k.panel), Scalar(0));
    for (Index row = 0; row < image.rows(); ++row) {
      pad_image(image.row(row), padded);
      for (Index first = 0; first < grid(); first += k.panel) {
        Scalar* to = strip;
        for (Index c = 0; c < image_.channels; ++c) {
          for (Index i = 0; i < kernel_; ++i) {
            // Weights side by side meet pixels side by side, or each another phase.
            const Index run = stride_ == 1 ? kernel_ : 1;
            for (Index j = 0; j < kernel_; j += run, to += run * k.panel) {
              k.pack_columns(padded + offset(c, i, j) + first, 1, k.panel, run, to);
            }
          }
        }
        k.product({map_.channels, (std::min)(k.panel, grid() - first), depth(), strip, w, depth(),
                   1, scratch + first, stride},
                  nullptr, {});
      }
      for (Index o = 0; o < map_.channels; ++o) {
        for (Index u = 0; u < map_.height; ++u) {
          store(scratch + o * stride + u * phase_.width, bias ? bias[o] : Scalar(0), map_.width,
                map.row(row) + (o * map_.height + u) * map_.width, 1);
        }
      }
    }
  }

  /// X from Y, one row at a time. \param bias one number an image channel, or null
  void transpose(const Scalar* w, const Scalar* bias, Rows<const Scalar> map, Rows<Scalar> image,
                 Scalar* scratch) const {
    const auto& k = kernels::best<Scalar>();
    Scalar* padded = take(scratch, padded_map(k.panel));
    Scalar* turned = take(scratch, section(weights()));
    Scalar* strip = take(scratch, section(map_.channels * kernel_ * kernel_ * k.panel));
    std::fill_n(padded, padded_map(k.panel), Scalar(0));
    turn_weights(w, turned);
    for (Index row = 0; row < map.rows(); ++row) {
      pad_map(map.row(row), padded);
      const Scalar* weights = turned;
      for (Index a = 0; a < stride_; ++a) {
        for (Index b = 0; b < stride_; ++b) {
          const Phase vertical = phase(a, image_.height), horizontal = phase(b, image_.width);
          transpose_phase(k, vertical, horizontal, weights, bias, padded, strip, scratch,
                          image.row(row));
          weights += image_.channels * map_.channels * vertical.taps * horizontal.taps;
        }
      }
    }
  }

  /// dw += the gradient with respect to the weights, row after row.
  void add_weight_gradient(Rows<const Scalar> image, Rows<const Scalar> map, Scalar* dw,
                           Scalar* scratch) const {
    const auto& k = kernels::best<Scalar>();
    const Index stride = round_up(depth(), k.panel);
    Scalar* padded = take(scratch, padded_image(k.panel));
    Scalar* wide = take(scratch, section(map_.channels * grid()));
    Scalar* columns = take(scratch, section(depth() * chunk));
    Scalar* strips = take(scratch, section(stride * chunk));
    std::fill_n(padded, padded_image(k.panel), Scalar(0));
    std::fill_n(wide, map_.channels * grid(), Scalar(0));
    std::fill_n(scratch, map_.channels * stride, Scalar(0));
    for (Index row = 0; row < image.rows(); ++row) {
      pad_image(image.row(row), padded);
      // The map with rows as wide as the image's: what lies between them is zero and adds nothing.
      for (Index o = 0; o < map_.channels; ++o) {
        for (Index u = 0; u < map_.height; ++u) {
          std::copy_n(map.row(row) + (o * map_.height + u) * map_.width, map_.width,
                      wide + o * grid() + u * phase_.width);
        }
      }
      for (Index first = 0; first < grid(); first += chunk) {
        const Index count = (std::min)(chunk, grid() - first);
        Scalar* to = columns;
        for (Index c = 0; c < image_.channels; ++c) {
          for (Index i = 0; i < kernel_; ++i) {
            for (Index j = 0; j < kernel_; ++j, to += chunk) {
              std::copy_n(padded + offset(c, i, j) + first, count, to);
            }
          }
        }
        k.pack_rows(columns, chunk, depth(), count, strips);
        k.product_add(
            {map_.channels, depth(), count, strips, wide + first, grid(), 1, scratch, stride});
      }
    }
    for (Index o = 0; o < map_.channels; ++o) {
      for (Index l = 0; l < depth(); ++l) dw[o * depth() + l] += scratch[o * stride + l];
    }
  }

 private:
  /// Positions of the map whose columns stand in memory at a time.
  static constexpr Index chunk = 128;

  /// One direction's pixels of one phase: those at first, first + s, ..., which meet every s-th
  /// weight.
  struct Phase {
    Index first, count, taps;
    Index offset;  ///< of the first pixel's first weight in the padded map
  };
  Phase phase(Index a, Index pixels) const {
    Phase result;
    result.first = ((a - padding_) % stride_ + stride_) % stride_;
    result.count = result.first < pixels ? ceil_div(pixels - result.first, stride_) : 0;
    result.taps = a < kernel_ ? ceil_div(kernel_ - a, stride_) : 0;
    result.offset =
        (result.first + padding_) / stride_ + margin_ - std::max<Index>(result.taps - 1, 0);
    return result;
  }

  /// Of products with all columns for `positions` places: a weight's multiply-add and, at 16 times that, a number of
  /// the strips; `phases` calls for each panel of places.
  static std::int64_t strips_cost(std::int64_t positions, std::int64_t weights, std::int64_t depth,
                                  std::int64_t phases) {
    const std::int64_t place = saturating_sum(
        saturating_sum(weights, saturating_product(16, depth)), saturating_product(64, phases));
    return saturating_product(ceil_div(positions, widest_panel) * widest_panel, place);
  }

  static Index section(Index size) { return round_up(size, tensor_alignment); }
  static Scalar* take(Scalar*& scratch, Index size) {
    Scalar* taken = scratch;
    scratch += size;
    return taken;
  }
  // A panel more, because strips are read whole.
  Index padded_image(Index panel) const {
    return section(stride_ * stride_ * phase_.size() + panel);
  }
  Index padded_map(Index panel) const { return section(wide_map_.size() + panel); }

  /// Outputs of one channel where rows are as wide as the padded image's.
  Index grid() const { return (map_.height - 1) * phase_.width + map_.width; }

  /// Where the weight (c, i, j) meets the padded image for the map's first position.
  Index offset(Index c, Index i, Index j) const {
    const Index phase = (i % stride_) * stride_ + j % stride_;
    return (phase * phase_.channels + c) * phase_.plane() + (i / stride_) * phase_.width +
           j / stride_;
  }

  /// Sorts the image's pixels into the phases; the zeros around them are there already.
  void pad_image(const Scalar* from, Scalar* padded) const {
    for (Index c = 0; c < image_.channels; ++c) {
      for (Index y = 0; y < image_.height; ++y, from += image_.width) {
        for (Index b = 0; b < stride_; ++b) {
          // Column b of the padded image's first s, or the first pixel's where that is further.
          const Index first = ((b - padding_) % stride_ + stride_) % stride_;
          if (first >= image_.width) continue;
          Scalar* to = padded + offset(c, y + padding_, first + padding_);
          if (stride_ == 1) {
            std::copy_n(from, image_.width, to);
          } else {
            for (Index x = first; x < image_.width; x += stride_) *to++ = from[x];
          }
        }
      }
    }
  }
  void pad_map(const Scalar* from, Scalar* padded) const {
    for (Index o = 0; o < map_.channels; ++o) {
      for (Index u = 0; u < map_.height; ++u, from += map_.width) {
        std::copy_n(from, map_.width,
                    padded + o * wide_map_.plane() + (u + margin_) * wide_map_.width + margin_);
      }
    }
  }

  /// Phase after phase C x O x taps x taps: channels change places, and the kernel is turned by half
  /// a turn, because the transpose meets the map's pixels in the opposite order.
  void turn_weights(const Scalar* w, Scalar* to) const {
    for (Index a = 0; a < stride_; ++a) {
      for (Index b = 0; b < stride_; ++b) {
        const Index rows = phase(a, image_.height).taps, cols = phase(b, image_.width).taps;
        for (Index c = 0; c < image_.channels; ++c) {
          for (Index o = 0; o < map_.channels; ++o) {
            const Scalar* from = w + (o * image_.channels + c) * kernel_ * kernel_;
            for (Index i = rows; i-- > 0;) {
              for (Index j = cols; j-- > 0;) {
                *to++ = from[(i * stride_ + a) * kernel_ + j * stride_ + b];
              }
            }
          }
        }
      }
    }
  }

  void transpose_phase(const kernels::Table<Scalar>& k, const Phase& vertical,
                       const Phase& horizontal, const Scalar* weights, const Scalar* bias,
                       const Scalar* padded, Scalar* strip, Scalar* out, Scalar* image) const {
    if (vertical.count == 0 || horizontal.count == 0) return;
    const Index width = wide_map_.width;
    const Index grid = (vertical.count - 1) * width + horizontal.count;
    const Index stride = round_up(grid, k.panel);
    const Index depth = map_.channels * vertical.taps * horizontal.taps;
    const Scalar* from = padded + vertical.offset * width + horizontal.offset;
    for (Index first = 0; first < grid; first += k.panel) {
      Scalar* to = strip;
      for (Index o = 0; o < map_.channels; ++o) {
        for (Index i = 0; i < vertical.taps; ++i, to += horizontal.taps * k.panel) {
          k.pack_columns(from + o * wide_map_.plane() + i * width + first, 1, k.panel,
                         horizontal.taps, to);
        }
      }
      k.product({image_.channels, (std::min)(k.panel, grid - first), depth, strip, weights, depth,
                 1, out + first, stride},
                nullptr, {});
    }
    for (Index c = 0; c < image_.channels; ++c) {
      for (Index r = 0; r < vertical.count; ++r) {
        const Index y = vertical.first + r * stride_;
        store(out + c * stride + r * width, bias ? bias[c] : Scalar(0), horizontal.count,
              image + (c * image_.height + y) * image_.width + horizontal.first, stride_);
      }
    }
  }

  /// to = from + bias, elements of `to` lying `step` apart.
  static void store(const Scalar* from, Scalar bias, Index count, Scalar* to, Index step) {
    if (step == 1) {
      using Line = Eigen::Array<Scalar, Eigen::Dynamic, 1>;
      Eigen::Map<Line>(to, count) = Eigen::Map<const Line>(from, count) + bias;
    } else {
      for (Index l = 0; l < count; ++l) to[l * step] = from[l] + bias;
    }
  }

  Shape image_, map_;
  Index kernel_, stride_, padding_;
  Shape phase_;     ///< one of the s x s images that the padded image is sorted into
  Index margin_;    ///< zeros before the map's first row and column in the transpose
  Shape wide_map_;  ///< the map with zeros around it
};

}  // namespace detail
DASVDD_NAMESPACE_END
