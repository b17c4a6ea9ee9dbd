#pragma once
/// \file
/// IDX, the format of MNIST and Fashion-MNIST: two zero bytes, the type (8: unsigned bytes), the
/// number of dimensions, each dimension as a big-endian 32-bit number, then the bytes.

#include <tool/byte_stream.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace tool {
namespace detail {

/// Reads the header of an IDX file of unsigned bytes with `dimensions` dimensions.
inline std::vector<Index> read_idx_header(ByteStream& stream, int dimensions, const char* what) {
  unsigned char magic[4] = {};
  stream.read(magic, 4);
  check(magic[0] == 0 && magic[1] == 0, stream.name(),
        " is no IDX file: it doesn't begin with two zero bytes");
  check(magic[2] == 8, stream.name(), " has the IDX type ", int(magic[2]),
        ", expected 8, unsigned bytes");
  check(magic[3] == dimensions, stream.name(), " has ", int(magic[3]), " dimension(s), expected ",
        dimensions, " for ", what);
  std::vector<Index> shape;
  double volume = 1;
  for (int i = 0; i < dimensions; ++i) {
    unsigned char size[4];
    stream.read(size, 4);
    shape.push_back(Index(size[0]) << 24 | Index(size[1]) << 16 | Index(size[2]) << 8 |
                    Index(size[3]));
    volume *= double(shape.back());
  }
  stream.expect(volume);
  return shape;
}

}  // namespace detail

/// Reads images: n x height x width bytes, as rows of pixels / 255.
/// \throws FileError
inline Table read_idx_images(ByteStream& stream) {
  const std::vector<Index> shape = detail::read_idx_header(stream, 3, "images");
  Table table;
  table.images = true;
  table.pixels = Pixels::divided;
  table.height = shape[1];
  table.width = shape[2];
  check(table.height > 0 && table.width > 0, stream.name(), " has images without pixels");
  check(double(table.height) * double(table.width) < 1e9, stream.name(), " has images of ",
        table.height, " x ", table.width, " pixels, more than this reader takes");
  const Index pixels = table.height * table.width;
  table.X.resize(shape[0], pixels);
  std::vector<unsigned char> row(static_cast<std::size_t>(pixels));
  for (Index i = 0; i < shape[0]; ++i) {
    stream.read(row.data(), row.size());
    for (Index j = 0; j < pixels; ++j) {
      table.X(i, j) = row[static_cast<std::size_t>(j)] / 255.0;
    }
  }
  stream.finish();
  return table;
}

/// Hands over labels: n bytes.
/// \param use called as use(label) for each row
/// \throws FileError
template <class Use>
void each_idx_label(ByteStream& stream, const Use& use) {
  const std::vector<Index> shape = detail::read_idx_header(stream, 1, "labels");
  std::vector<unsigned char> bytes(1 << 16);
  for (Index left = shape[0]; left > 0;) {
    const auto part = std::min<std::size_t>(static_cast<std::size_t>(left), bytes.size());
    stream.read(bytes.data(), part);
    for (std::size_t i = 0; i < part; ++i) use(canonical_label(double(bytes[i])));
    left -= static_cast<Index>(part);
  }
  stream.finish();
}

}  // namespace tool
