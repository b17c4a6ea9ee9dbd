#pragma once
/// \file
/// CIFAR-10's binary files: 3,073 bytes an image, its label and 1,024 red, 1,024 green and 1,024 blue
/// pixels of 32 x 32. Nothing in such a file says what it is but its length.

#include <tool/byte_stream.hpp>

#include <fstream>
#include <string>
#include <vector>

namespace tool {

/// Reads images as rows of pixels / 255, with their labels.
/// \throws FileError
inline Table read_cifar(const std::string& path) {
  constexpr Index side = 32, channels = 3, pixels = channels * side * side, record = 1 + pixels;
  FileStream stream(path);
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const Index size = static_cast<Index>(file.tellg());
  check(size > 0 && size % record == 0, stream.name(), " has ", size,
        " bytes, expected a multiple of ", record, ", CIFAR-10's bytes an image");
  Table table;
  table.images = true;
  table.pixels = Pixels::divided;
  table.channels = channels;
  table.height = table.width = side;
  table.X.resize(size / record, pixels);
  std::vector<unsigned char> bytes(static_cast<std::size_t>(record));
  for (Index i = 0; i < table.X.rows(); ++i) {
    stream.read(bytes.data(), bytes.size());
    check(bytes[0] < 10, stream.name(), " has the label ", int(bytes[0]), " at image ", i,
          ", expected 0 to 9");
    table.labels.push_back(canonical_label(double(bytes[0])));
    for (Index j = 0; j < pixels; ++j) {
      table.X(i, j) = bytes[static_cast<std::size_t>(j + 1)] / 255.0;
    }
  }
  stream.finish();
  return table;
}

}  // namespace tool
