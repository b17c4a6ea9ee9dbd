#pragma once
/// \file
/// The shape of an image that lies flattened in a row.

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/memory.hpp>

DASVDD_NAMESPACE_BEGIN

/// An image as a row of a batch: channel after channel, each row by row, so that feature
/// (c, y, x) is number (c height + y) width + x (PyTorch's NCHW bytes). Written {channels, height,
/// width}, PyTorch's order.
struct Shape {
  Index channels, height, width;

  /// Features of one row.
  Index size() const { return channels * height * width; }
  /// Features of one channel.
  Index plane() const { return height * width; }
};
inline bool operator==(const Shape& a, const Shape& b) {
  return a.channels == b.channels && a.height == b.height && a.width == b.width;
}
inline bool operator!=(const Shape& a, const Shape& b) { return !(a == b); }

namespace detail {

/// Refuses a shape that is empty, or too large for products of sizes to stay an Index; `layer`
/// begins the sentence.
inline void check_shape(const char* layer, const char* what, const Shape& s) {
  constexpr Index most = most_features;
  const auto in_range = [](Index n) { return n >= 1 && n <= most; };
  ensure(in_range(s.channels) && in_range(s.height) && in_range(s.width) &&
             s.height <= most / s.width && s.channels <= most / s.plane(),
         layer, ": the ", what, " is ", s.channels, " x ", s.height, " x ", s.width,
         " (channels, height, width), expected at least 1 each and at most ", most, " in all");
}

}  // namespace detail
DASVDD_NAMESPACE_END
