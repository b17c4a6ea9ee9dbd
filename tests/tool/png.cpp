#include <tool/png.hpp>

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb_image.h>

#include <memory>
#include <set>
#include <string>

namespace {

struct Picture {
  int width = 0, height = 0;
  std::unique_ptr<unsigned char, void (*)(void*)> pixels{nullptr, stbi_image_free};

  explicit Picture(const std::string& path) {
    int channels = 0;
    pixels.reset(stbi_load(path.c_str(), &width, &height, &channels, 3));
    REQUIRE(pixels != nullptr);
  }
  std::string at(int x, int y) const {
    return std::string(reinterpret_cast<const char*>(pixels.get()) + 3 * (y * width + x), 3);
  }
  /// Whether the rectangle has pixels of more than one color.
  bool drawn(int x, int y, int w, int h) const {
    std::set<std::string> colors;
    for (int j = y; j < y + h; ++j) {
      for (int i = x; i < x + w; ++i) colors.insert(at(i, j));
    }
    return colors.size() > 1;
  }
};

tool::ImageBlock make_block(tool::Index images) {
  tool::ImageBlock block{"most normal", dasvdd::RowMatrix<float>::Constant(images, 4, 0.2f), {}};
  for (tool::Index i = 0; i < images; ++i) block.captions.push_back("0.1");
  return block;
}

std::string gray(unsigned char value) { return std::string(3, static_cast<char>(value)); }

}  // namespace

TEST_CASE("png: thumbnails stand in a grid, enlarged, with their captions under them") {
  const TemporaryFolder folder;
  tool::ImageBlock block = make_block(3);
  block.images.row(0) << 0.0f, 1.0f, 0.2f, 7.0f;  // above 1 is white, too
  tool::write_grid(folder / "grid.png", "title", {block}, 2, 2, 2);
  const Picture picture(folder / "grid.png");

  // A pixel is 42 x 42; the grid begins behind the margin (28), the title (52) and the heading
  // (46).
  const int x = 28, y = 28 + 52 + 46;
  CHECK(picture.at(x, y) == gray(0));
  CHECK(picture.at(x + 41, y + 41) == gray(0));
  CHECK(picture.at(x + 42, y) == gray(255));
  CHECK(picture.at(x, y + 42) == gray(51));
  CHECK(picture.at(x + 83, y + 83) == gray(255));
  const int right = x + 84 + 14, below = y + 84 + 6 + 20 + 14;
  CHECK(picture.at(right, y) == gray(51));
  CHECK(picture.at(x, below) == gray(51));
  CHECK(picture.at(right + 40, below + 40) == gray(255));  // no fourth image
  CHECK(picture.drawn(x, y + 84 + 6, 84, 20));             // a caption
  CHECK_FALSE(picture.drawn(right, below + 84 + 6, 84, 20));
  CHECK(picture.drawn(28, 28, 60, 30));            // the title
  CHECK(picture.drawn(28, 28 + 52 + 10, 60, 30));  // the heading
  CHECK(picture.width >= right + 84 + 28);
  CHECK(picture.height >= below + 84 + 6 + 20);
}

TEST_CASE("png: a second block stands below the first, and a block may be empty") {
  const TemporaryFolder folder;
  tool::write_grid(folder / "one.png", "t", {make_block(9)}, 2, 2);
  tool::write_grid(folder / "two.png", "t", {make_block(9), make_block(0)}, 2, 2);
  tool::write_grid(folder / "three.png", "t", {make_block(9), make_block(8)}, 2, 2);
  const int one = Picture(folder / "one.png").height, two = Picture(folder / "two.png").height;
  CHECK(two > one);
  CHECK(Picture(folder / "three.png").height == two + 84 + 6 + 20 + 14);
}

TEST_CASE("png: sizes that don't fit and a place that can't be written are refused") {
  const TemporaryFolder folder;
  const std::string path = folder / "grid.png", nowhere = folder / "missing/grid.png";
  CHECK_THROWS_WITH_AS(tool::write_grid(path, "t", {make_block(1)}, 2, 3),
                       "write_grid: images have 4 pixels, expected 2 x 3", dasvdd::InvalidArgument);
  tool::ImageBlock bare = make_block(2);
  bare.captions.pop_back();
  CHECK_THROWS_WITH_AS(tool::write_grid(path, "t", {bare}, 2, 2),
                       "write_grid: 2 images have 1 captions", dasvdd::InvalidArgument);
  CHECK_THROWS_WITH_AS(tool::write_grid(nowhere, "t", {make_block(1)}, 2, 2),
                       ("'" + nowhere + "' can't be written: No such file or directory").c_str(),
                       dasvdd::FileError);
  CHECK(folder.files() == 0);
}

TEST_CASE("png: a caption is short whatever the score") {
  CHECK(tool::caption(0.012345) == "0.0123");
  CHECK(tool::caption(123456) == "1.23e+05");
  CHECK(tool::caption(1) == "1");
}
