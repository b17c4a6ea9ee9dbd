#pragma once
/// \file
/// Whether a .mat file of version 4 or 5 is whole: matio reads what is missing as zeros. Version 7.3 is HDF5, whose own
/// library looks at that.

#include <tool/byte_stream.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <system_error>

namespace tool {
namespace detail {

/// Some of a file's bytes, from where it stands on.
class FilePart : public ByteStream {
 public:
  FilePart(std::ifstream& file, const std::string& name, std::uint64_t bytes)
      : ByteStream(name, static_cast<double>(bytes)), file_(file), left_(bytes) {}
  std::uint64_t left() const { return left_; }

 private:
  std::size_t fetch(char* to, std::size_t count) override {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, left_));
    file_.read(to, static_cast<std::streamsize>(part));
    const auto got = static_cast<std::size_t>(file_.gcount());
    left_ -= got;
    return got;
  }
  std::ifstream& file_;
  std::uint64_t left_;
};

/// What zlib unpacks of a part.
class Inflated : public ByteStream {
 public:
  explicit Inflated(FilePart& packed)
      : ByteStream(packed.name(), std::numeric_limits<double>::max()), packed_(packed) {
    check(inflateInit(&stream_) == Z_OK, name(), " can't be unpacked");
  }
  Inflated(const Inflated&) = delete;
  Inflated& operator=(const Inflated&) = delete;
  ~Inflated() override { inflateEnd(&stream_); }

 private:
  std::size_t fetch(char* to, std::size_t count) override {
    std::size_t done = 0;
    while (done < count && !ended_) {
      if (stream_.avail_in == 0) {
        stream_.next_in = reinterpret_cast<Bytef*>(bytes_);
        stream_.avail_in = static_cast<uInt>(packed_.read_some(bytes_, sizeof bytes_));
        check(stream_.avail_in > 0, name(), " is damaged: a packed array has no end");
      }
      const std::size_t part = std::min<std::size_t>(count - done, 1 << 24);
      stream_.next_out = reinterpret_cast<Bytef*>(to + done);
      stream_.avail_out = static_cast<uInt>(part);
      const int code = inflate(&stream_, Z_NO_FLUSH);
      ended_ = code == Z_STREAM_END;
      check(code == Z_OK || ended_, name(), " is damaged: an array can't be unpacked",
            stream_.msg == nullptr ? "" : " (" + std::string(stream_.msg) + ")");
      done += part - stream_.avail_out;
    }
    return done;
  }
  FilePart& packed_;
  z_stream stream_ = {};
  bool ended_ = false;
  char bytes_[1 << 14];
};

/// What a walk through a .mat file finds beside damage.
struct MatContent {
  std::set<std::string> objects;  ///< names of MATLAB's newer objects, for which matio has none
};

/// Looks at an array's element of version 5: a tag of type and size, and inside of it such elements again.
/// See "MAT-File Format", https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf.
class MatElement {
 public:
  /// \param bytes that the element's tag promises
  MatElement(ByteStream& stream, std::uint64_t bytes, bool swapped, MatContent& content)
      : stream_(stream), left_(bytes), swapped_(swapped), content_(content) {}

  /// \throws FileError where what it says of itself can't be
  void check_whole() {
    const Tag flags = take_tag();
    if (flags.type != type_uint32 || flags.bytes != 8) damaged();
    const std::uint32_t word = take_word();
    take_word();
    const std::uint32_t kind = word & 0xff;
    if (kind == 0 || kind > opaque) damaged();
    if (kind == opaque) {
      content_.objects.insert(take_name());
      return skip(left_);
    }
    const Tag shape = take_tag();
    // Some programs write sizes without a sign.
    const bool whole = shape.type == type_int32 || shape.type == type_uint32;
    if (!whole || shape.bytes < 8 || shape.bytes % 4 != 0) damaged();
    double count = 1;
    for (std::uint32_t i = 0; i < shape.bytes / 4; ++i) {
      const std::uint32_t size = take_word();
      if (size > 0x7fffffff) damaged();
      count *= size;
    }
    skip(padding(shape.bytes));
    name_ = take_name();
    // Cells and structs hold elements again, which nobody asks for; text may take more bytes than letters.
    if (kind < first_number || kind > last_number) return skip(left_);
    take_numbers(count);
    if ((word & complex_flag) != 0) take_numbers(count);
    if (left_ >= 8) damaged();
    skip(left_);
  }

  /// A tag from the stream, or the bytes of one.
  static std::uint32_t word_of(const char* bytes, bool swapped) {
    unsigned char in[4];
    std::memcpy(in, bytes, 4);
    if (swapped) std::reverse(in, in + 4);
    return in[0] | std::uint32_t(in[1]) << 8 | std::uint32_t(in[2]) << 16 |
           std::uint32_t(in[3]) << 24;
  }

 private:
  static constexpr std::uint32_t type_int8 = 1, type_int32 = 5, type_uint32 = 6, type_utf8 = 16,
                                 opaque = 17, first_number = 6, last_number = 15,
                                 complex_flag = 0x800;
  struct Tag {
    std::uint32_t type = 0, bytes = 0;
    bool small = false;  ///< its data lie in the tag
  };

  [[noreturn]] void damaged() const {
    throw FileError(stream_.name() + " is damaged: " +
                    (name_.empty() ? "an array" : "the array " + printable(name_)) +
                    " isn't what its header says");
  }
  void take(char* to, std::uint64_t count) {
    if (count > left_) damaged();
    stream_.read(to, static_cast<std::size_t>(count));
    left_ -= count;
  }
  void skip(std::uint64_t count) {
    char bytes[1 << 14];
    for (; count > 0; count -= std::min<std::uint64_t>(count, sizeof bytes)) {
      take(bytes, std::min<std::uint64_t>(count, sizeof bytes));
    }
  }
  std::uint32_t take_word() {
    char bytes[4];
    take(bytes, 4);
    return word_of(bytes, swapped_);
  }
  Tag take_tag() {
    const std::uint32_t first = take_word();
    if (first >> 16 != 0) {
      if (first >> 16 > 4) damaged();
      return {first & 0xffff, first >> 16, true};
    }
    return {first, take_word(), false};
  }
  static std::uint64_t padding(std::uint64_t bytes) { return (8 - bytes % 8) % 8; }
  /// Steps over what fills an element up; the last one of an array may lack it.
  void skip_padding(const Tag& tag) {
    skip(std::min<std::uint64_t>(tag.small ? 4 - tag.bytes : padding(tag.bytes), left_));
  }
  std::string take_name() {
    const Tag tag = take_tag();
    if ((tag.type != type_int8 && tag.type != type_utf8) || tag.bytes > left_) damaged();
    check(tag.bytes < 1 << 16, stream_.name(), " is damaged: an array's name has ", tag.bytes,
          " letters");
    std::string name(tag.bytes, '\0');
    take(&name[0], name.size());
    skip_padding(tag);
    return name;
  }
  /// The bytes of a number as it is stored; 0 of what is none.
  static std::uint32_t size_of(std::uint32_t type) {
    constexpr std::uint32_t sizes[] = {0, 1, 1, 2, 2, 4, 4, 4, 0, 8, 0, 0, 8, 8};
    return type < sizeof sizes / sizeof *sizes ? sizes[type] : 0;
  }
  void take_numbers(double count) {
    if (count == 0 && left_ == 0) return;
    const Tag tag = take_tag();
    const std::uint32_t size = size_of(tag.type);
    if (size == 0 || count * size != tag.bytes) damaged();
    skip(tag.bytes);
    skip_padding(tag);
  }

  ByteStream& stream_;
  std::uint64_t left_;
  bool swapped_;
  MatContent& content_;
  std::string name_;
};

/// Looks at the elements of version 5 behind the header of 128 bytes.
inline void check_mat_5(std::ifstream& file, const std::string& name, std::uint64_t size,
                        bool swapped, MatContent& content) {
  constexpr std::uint32_t array = 14, packed = 15;
  for (std::uint64_t at = 128; at < size;) {
    check(size - at >= 8, name, " is cut short");
    char tag[8];
    file.read(tag, 8);
    const std::uint32_t type = MatElement::word_of(tag, swapped),
                        bytes = MatElement::word_of(tag + 4, swapped);
    check(type == array || type == packed, name, " is damaged: no array begins at byte ", at);
    check(bytes <= size - at - 8, name, " is cut short: by its header it holds ", at + 8 + bytes,
          " bytes");
    FilePart part(file, name, bytes);
    if (type == array) {
      MatElement(part, bytes, swapped, content).check_whole();
    } else {
      Inflated inside(part);
      inside.read(tag, 8);
      check(MatElement::word_of(tag, swapped) == array, name,
            " is damaged: no array begins in the packed one at byte ", at);
      MatElement(inside, MatElement::word_of(tag + 4, swapped), swapped, content).check_whole();
      // Up to the end, where zlib compares its checksum.
      check(inside.read_some(tag, 8) < 8 && part.left() == 0, name,
            " is damaged: the array at byte ", at, " has more bytes than its header says");
    }
    at += 8 + std::uint64_t(bytes);
    file.seekg(static_cast<std::streamoff>(at));
  }
}

/// Looks at the arrays of version 4: a header of five numbers, the name, the numbers column by column.
inline void check_mat_4(std::ifstream& file, const std::string& name, std::uint64_t size) {
  for (std::uint64_t at = 0; at < size;) {
    char header[20] = {};
    file.read(header, 20);
    std::uint32_t words[5];
    const auto read_words = [&](bool swapped) {
      for (int i = 0; i < 5; ++i) words[i] = MatElement::word_of(header + 4 * i, swapped);
    };
    read_words(false);
    if (words[0] > 9999) read_words(true);
    // The type in decimals: the machine, nothing, the numbers' type, and whether they are full, text or sparse.
    const std::uint32_t type = words[0] / 10 % 10, kind = words[0] % 10;
    const bool known =
        words[0] < 9999 && words[0] / 100 % 10 == 0 && type <= 5 && kind <= 2 && words[3] <= 1;
    if (!known && at == 0) return;  // no such file
    check(size - at >= 20, name, " is cut short");
    check(known && words[4] > 0 && words[4] < 1 << 16, name,
          " is damaged: no array begins at byte ", at);
    constexpr std::uint64_t sizes[] = {8, 4, 4, 2, 2, 1};
    const double bytes = double(words[1]) * words[2] * double(sizes[type]) * (1 + words[3]);
    const double end = double(at) + 20 + words[4] + bytes;
    check(end <= double(size), name, " is cut short: by its header it holds ", end, " bytes");
    at = static_cast<std::uint64_t>(end);
    file.seekg(static_cast<std::streamoff>(at));
  }
}

/// Refuses a .mat file of version 4 or 5 that is cut short or damaged: before memory is taken for what it promises.
/// \param name of the file, in quotes
/// \throws FileError
inline MatContent check_mat(const std::string& path, const std::string& name) {
  MatContent content;
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  char header[128] = {};
  if (error || !file) return content;  // which matio says
  file.read(header, sizeof header);
  const std::string end(header + 124, 4);
  const bool whole = size >= sizeof header;
  if (whole && (end == std::string("\0\1IM", 4) || end == std::string("\1\0MI", 4))) {
    check_mat_5(file, name, size, end[2] == 'M', content);
  } else if (!whole || (end.substr(2) != "IM" && end.substr(2) != "MI")) {
    file.clear();
    file.seekg(0);
    check_mat_4(file, name, size);
  }
  return content;
}

}  // namespace detail
}  // namespace tool
