#pragma once
/// \file
/// Draws blocks of small images with a caption under each as one PNG (stb_image_write,
/// stb_easy_font).

#include <tool/output_file.hpp>
#include <tool/table.hpp>

#ifndef STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_STATIC
#endif
#define STB_IMAGE_WRITE_IMPLEMENTATION
#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb_easy_font.h>
#include <stb_image_write.h>
#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace tool {

/// Images under a heading.
struct ImageBlock {
  std::string heading;
  dasvdd::RowMatrix<float> images;    ///< n x (height * width), 0 is black, 1 white
  std::vector<std::string> captions;  ///< one an image
  bool heat = false;                  ///< in colors from black through red and yellow to white
};

/// Three significant digits, which is what fits under a thumbnail.
inline std::string caption(double score) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", score);
  return text;
}

namespace detail {

using Color = std::array<unsigned char, 3>;

inline constexpr Color ink = {38, 43, 51}, faded = {112, 120, 130}, line = {222, 225, 230},
                       paper = {255, 255, 255};

/// A picture to draw on; whatever falls outside is left out.
class Canvas {
 public:
  Canvas(int width, int height)
      : width_(width), height_(height), pixels_(std::size_t(width) * std::size_t(height), paper) {}

  void rectangle(int x, int y, int width, int height, Color color) {
    for (int j = std::max(y, 0); j < std::min(y + height, height_); ++j) {
      for (int i = std::max(x, 0); i < std::min(x + width, width_); ++i) {
        pixels_[std::size_t(j) * std::size_t(width_) + std::size_t(i)] = color;
      }
    }
  }

  /// Pixels, each a square of `scale`, in gray or in colors of heat.
  void image(int x, int y, const float* pixels, int height, int width, int scale, bool heat) {
    for (int j = 0; j < height; ++j) {
      for (int i = 0; i < width; ++i) {
        const float value = pixels[j * width + i];
        rectangle(x + i * scale, y + j * scale, scale, scale,
                  heat ? Color{byte(3 * value), byte(3 * value - 1), byte(3 * value - 2)}
                       : Color{byte(value), byte(value), byte(value)});
      }
    }
  }

  static int text_width(std::string text, int scale) {
    return stb_easy_font_width(text.data()) * scale;
  }

  void text(int x, int y, std::string text, int scale, Color color) {
    struct Vertex {
      float x, y, z;
      unsigned char color[4];
    };
    std::vector<Vertex> corners(64 * (text.size() + 1));
    const int bytes = static_cast<int>(corners.size() * sizeof(Vertex));
    const int quads = stb_easy_font_print(0, 0, text.data(), nullptr, corners.data(), bytes);
    for (int q = 0; q < quads; ++q) {
      const Vertex &from = corners[std::size_t(4 * q)], &to = corners[std::size_t(4 * q + 2)];
      const int left = int(from.x) * scale, top = int(from.y) * scale;
      rectangle(x + left, y + top, int(to.x) * scale - left, int(to.y) * scale - top, color);
    }
  }

  void write(const std::string& path) const {
    std::string bytes;
    const auto append = [](void* to, void* part, int size) {
      static_cast<std::string*>(to)->append(static_cast<const char*>(part),
                                            static_cast<std::size_t>(size));
    };
    stbi_write_png_to_func(append, &bytes, width_, height_, 3, pixels_.data(), 3 * width_);
    write_output(path, bytes);
  }

 private:
  /// Written so that NaN becomes black.
  static unsigned char byte(float value) {
    return static_cast<unsigned char>(value > 0 ? 255 * std::min(value, 1.0f) + 0.5f : 0);
  }

  int width_, height_;
  std::vector<Color> pixels_;
};

}  // namespace detail

/// Writes a PNG: a title, then block under block of thumbnails, `columns` in a row, each with its
/// caption. \throws FileError when the file can't be written; InvalidArgument when sizes don't fit
inline void write_grid(const std::string& path, const std::string& title,
                       const std::vector<ImageBlock>& blocks, Index height, Index width,
                       int columns = 8) {
  using namespace detail;
  for (const ImageBlock& block : blocks) {
    dasvdd::detail::ensure(height > 0 && width > 0 && block.images.cols() == height * width,
                           "write_grid: images have ", block.images.cols(), " pixels, expected ",
                           height, " x ", width);
    dasvdd::detail::ensure(Index(block.captions.size()) == block.images.rows(),
                           "write_grid: ", block.images.rows(), " images have ",
                           block.captions.size(), " captions");
  }
  const int h = static_cast<int>(height), w = static_cast<int>(width);
  const int scale = std::max(1, 84 / std::max(h, w));  // thumbnails of about 84 pixels
  const int margin = 28, gap = 14, letters = 2, text_height = 10 * letters;
  const int cell_width = w * scale + gap, cell_height = h * scale + 6 + text_height + gap;
  const int heading_height = 3 * 10 + 16, title_height = 3 * 10 + 22;
  const auto lines = [&](const ImageBlock& block) {
    return (int(block.images.rows()) + columns - 1) / columns;
  };

  int text_width = Canvas::text_width(title, 3);
  int picture_height = margin + title_height;
  for (const ImageBlock& block : blocks) {
    text_width = std::max(text_width, 18 + Canvas::text_width(block.heading, letters));
    picture_height += heading_height + lines(block) * cell_height + margin / 2;
  }
  const int inner_width = std::max(columns * cell_width - gap, text_width);
  Canvas canvas(inner_width + 2 * margin, picture_height + margin / 2);

  // Blocks alternate between the two colors of "fine" and "look here".
  const Color accents[] = {{24, 128, 100}, {200, 60, 50}};
  int y = margin;
  canvas.text(margin, y, title, 3, ink);
  y += title_height;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const ImageBlock& block = blocks[b];
    canvas.rectangle(margin, y, inner_width, 1, line);
    canvas.rectangle(margin, y + 14, 8, 8 * letters, accents[b % 2]);
    canvas.text(margin + 18, y + 14, block.heading, letters, accents[b % 2]);
    y += heading_height;
    for (Index i = 0; i < block.images.rows(); ++i) {
      const int left = margin + int(i) % columns * cell_width,
                top = y + int(i) / columns * cell_height;
      canvas.rectangle(left - 1, top - 1, w * scale + 2, h * scale + 2, line);
      canvas.image(left, top, block.images.data() + i * block.images.cols(), h, w, scale,
                   block.heat);
      const std::string& words = block.captions[static_cast<std::size_t>(i)];
      const int indent = (w * scale - Canvas::text_width(words, letters)) / 2;
      canvas.text(left + indent, top + h * scale + 6, words, letters, faded);
    }
    y += lines(block) * cell_height + margin / 2;
  }
  canvas.write(path);
}

}  // namespace tool
