#pragma once
/// \file
/// The scaler of images of things on an empty ground: softening.

#include <dasvdd/detect/scaler_tensor.hpp>
#include <dasvdd/kernels/table.hpp>
#include <dasvdd/nn/shape.hpp>

#include <cmath>
#include <optional>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Softening of images: each pixel becomes the square root of the mean of its neighborhood,
///     out(y, x) = sqrt(sum over i, j from -1 to 1 of b_i b_j in(y + i, x + j)),  b = (1, 2, 1) / 4,
/// channel by channel, with zeros outside the image; the root of a negative mean m is -sqrt(-m).
/// An edge that is moved by a pixel then changes the row less, and dark pixels count as much as bright
/// ones.
template <class Scalar>
class Softener {
 public:
  /// \param image channels, height and width of a row's image
  explicit Softener(const Shape& image) : image_(image) {
    check_shape("the softening", "image", image);
  }

  const Shape& image() const { return image_; }

  Index features() const { return image_.size(); }
  /// Sums with weights 1, 2, 1 down the columns, then along the rows. Doubling is exact, so a
  /// compiler that fuses it with the addition gets the same sums.
  template <class Number>
  void apply(const kernels::Table<Scalar>&, const Number* row, Index, Scalar* out) const {
    const auto at = [&](Index x) { return static_cast<Scalar>(row[x]); };
    const Index width = image_.width, lines = image_.channels * image_.height;
    for (Index line = 0; line < lines; ++line, row += width, out += width) {
      const bool first = line % image_.height == 0;
      const bool last = line % image_.height == image_.height - 1;
      for (Index x = 0; x < width; ++x) {
        out[x] =
            (first ? Scalar(0) : at(x - width)) + (last ? Scalar(0) : at(x + width)) + 2 * at(x);
      }
      Scalar left = 0;
      for (Index x = 0; x < width; ++x) {
        const Scalar middle = out[x], right = x + 1 < width ? out[x + 1] : Scalar(0);
        const Scalar mean = (left + right + 2 * middle) / 16;
        out[x] = std::copysign(std::sqrt(std::abs(mean)), mean);
        left = middle;
      }
    }
  }
  /// Undoes the root. The mean over the neighborhood can't be undone: pixels stay blurred.
  template <class Number, class Out>
  void undo(const kernels::Table<Scalar>&, const Number*, Index d, const Scalar* from,
            Out* out) const {
    for (Index j = 0; j < d; ++j) out[j] = static_cast<Out>(from[j] * std::abs(from[j]));
  }
  std::string text() const {
    return sentence("softened, ", image_.channels, " x ", image_.height, " x ", image_.width);
  }
  std::vector<ScalerTensor> tensors() const {
    return {{"scaler.softened_image",
             {static_cast<double>(image_.channels), static_cast<double>(image_.height),
              static_cast<double>(image_.width)}}};
  }
  template <class File>
  static std::optional<Softener> read(File& file, Index) {
    if (!file.has("scaler.softened_image")) return {};
    const std::vector<double> n = file.numbers("scaler.softened_image", {3});
    for (const double size : n) {
      ensure(size >= 1 && size <= 1e9 && size == std::floor(size),
             "the softened image's shape has the number ", size, ", expected whole numbers from 1");
    }
    return Softener(
        Shape{static_cast<Index>(n[0]), static_cast<Index>(n[1]), static_cast<Index>(n[2])});
  }
  friend bool operator==(const Softener& a, const Softener& b) { return a.image_ == b.image_; }

 private:
  Shape image_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
