#pragma once
/// \file
/// CRC-32, the checksum of zip and PNG (Python: zlib.crc32): of a file's tensors, of a fit's rows.

#include <dasvdd/core/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Table k says what a byte does to the remainder k bytes later, so that eight bytes are taken at a time.
constexpr std::array<std::array<std::uint32_t, 256>, 8> make_crc32_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0xedb88320u : 0u);
    }
    tables[0][byte] = remainder;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}
inline constexpr auto crc32_tables = make_crc32_tables();

/// The checksum of bytes that come in parts: crc32(part 2, n2, crc32(part 1, n1)).
inline std::uint32_t crc32(const unsigned char* bytes, std::size_t count,
                           std::uint32_t before = 0) {
  const auto& t = crc32_tables;
  std::uint32_t c = ~before;
  for (; count >= 8; count -= 8, bytes += 8) {
    c ^= std::uint32_t(bytes[0]) | std::uint32_t(bytes[1]) << 8 | std::uint32_t(bytes[2]) << 16 |
         std::uint32_t(bytes[3]) << 24;
    c = t[7][c & 0xff] ^ t[6][c >> 8 & 0xff] ^ t[5][c >> 16 & 0xff] ^ t[4][c >> 24] ^
        t[3][bytes[4]] ^ t[2][bytes[5]] ^ t[1][bytes[6]] ^ t[0][bytes[7]];
  }
  for (; count > 0; --count, ++bytes) c = (c >> 8) ^ t[0][(c ^ *bytes) & 0xff];
  return ~c;
}

/// How a checksum is written into a file: "crc32:0001e240".
inline std::string checksum_word(std::uint32_t checksum) {
  std::string word = "crc32:";
  for (int shift = 28; shift >= 0; shift -= 4) word += "0123456789abcdef"[checksum >> shift & 0xf];
  return word;
}

}  // namespace detail
DASVDD_NAMESPACE_END
