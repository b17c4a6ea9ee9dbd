#pragma once
/// \file
/// Whether a text may stand in a file's JSON.

#include <dasvdd/core/config.hpp>

#include <cstddef>
#include <string>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Whether a text is in UTF-8.
inline bool is_utf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const int tail = byte < 0x80   ? 0
                     : byte < 0xc2 ? -1
                     : byte < 0xe0 ? 1
                     : byte < 0xf0 ? 2
                     : byte < 0xf5 ? 3
                                   : -1;
    if (tail < 0) return false;
    ++i;
    for (int k = 0; k < tail; ++k, ++i) {
      if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return false;
    }
  }
  return true;
}

}  // namespace detail
DASVDD_NAMESPACE_END
