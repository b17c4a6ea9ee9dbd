#pragma once
/// \file
/// NumPy's .npy (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html) and .npz,
/// a zip archive of them: numbers of two dimensions as rows, of one dimension, or words, as labels.

#include <tool/byte_stream.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// What an .npy file's header says.
struct NpyHeader {
  char kind = 0;          ///< 'f', 'i', 'u', 'b'; 'U' and 'S' are words
  std::size_t bytes = 0;  ///< of one element
  std::string descr;
  bool fortran_order = false;
  bool big_endian = false;
  std::vector<Index> shape;

  bool is_number() const { return std::strchr("fiub", kind) != nullptr; }
};

namespace detail {

/// Reads the Python dictionary of an .npy header, e.g. {'descr': '<f8', 'fortran_order': False,
/// 'shape': (3, 4), }.
class NpyDictionary {
 public:
  NpyDictionary(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  NpyHeader parse() {
    NpyHeader header;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!take('}')) {
      const std::string key = word();
      expect(':');
      if (key == "descr" && !descr) {
        check(next() == '\'' || next() == '"', name_,
              " holds records of several fields, expected plain numbers");
        header.descr = word();
        descr = true;
      } else if (key == "fortran_order" && !order) {
        header.fortran_order = boolean();
        order = true;
      } else if (key == "shape" && !shape) {
        header.shape = tuple();
        shape = true;
      } else {
        malformed();
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    if (!descr || !order || !shape || next() != '\0') malformed();
    read_descr(header);
    return header;
  }

 private:
  [[noreturn]] void malformed() const {
    throw FileError(name_ + " is no valid .npy file: its header is malformed");
  }
  char next() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (next() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) malformed();
  }
  std::string word() {
    const char quote = next();
    if (quote != '\'' && quote != '"') malformed();
    const std::size_t end = text_.find(quote, ++at_);
    if (end == std::string_view::npos) malformed();
    const std::string result(text_.substr(at_, end - at_));
    at_ = end + 1;
    return result;
  }
  bool boolean() {
    next();
    for (const std::string_view value : {"True", "False"}) {
      if (text_.substr(at_, value.size()) != value) continue;
      at_ += value.size();
      return value == "True";
    }
    malformed();
  }
  std::vector<Index> tuple() {
    std::vector<Index> sizes;
    expect('(');
    while (!take(')')) {
      next();
      Index size = 0;
      const auto [end, error] =
          std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (error != std::errc() || size < 0) malformed();
      at_ = static_cast<std::size_t>(end - text_.data());
      take('L');  // Python 2 wrote its long integers so
      sizes.push_back(size);
      if (!take(',') && next() != ')') malformed();
    }
    return sizes;
  }
  /// '<f8': byte order, kind, bytes ('U' counts characters of four).
  void read_descr(NpyHeader& header) const {
    const std::string& descr = header.descr;
    if (descr.size() < 2) malformed();
    header.kind = descr[1];
    check(header.kind != 'O', name_,
          " holds Python objects (dtype=object), expected plain numbers");
    check(std::strchr("fiubUS", header.kind) != nullptr, name_, " has the dtype '", descr,
          "', expected numbers");
    const char* last = descr.data() + descr.size();
    const auto [end, error] = std::from_chars(descr.data() + 2, last, header.bytes);
    if (error != std::errc() || end != last || header.bytes > 1 << 20) malformed();
    if (header.kind == 'U') header.bytes *= 4;
    const std::size_t n = header.bytes;
    header.big_endian = descr[0] == '>' && n > 1;
    const bool known = header.kind == 'f'   ? n == 2 || n == 4 || n == 8
                       : header.kind == 'b' ? n == 1
                                            : n == 1 || n == 2 || n == 4 || n == 8;
    check(!header.is_number() || known, name_, " has the dtype '", descr,
          "', expected float16, float32, float64, bool or integers");
  }

  std::string_view text_;
  std::string name_;
  std::size_t at_ = 0;
};

template <class T>
double to_double(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<double>(value);
}

/// IEEE 754's half: a sign, five bits of exponent, ten of fraction.
inline double half_to_double(const char* bytes) {
  const unsigned bits =
      static_cast<unsigned char>(bytes[0]) | unsigned(static_cast<unsigned char>(bytes[1])) << 8;
  const int exponent = static_cast<int>(bits >> 10 & 31), fraction = static_cast<int>(bits & 1023);
  double value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? HUGE_VAL : std::nan("");
  } else if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else {
    value = std::ldexp(1024 + fraction, exponent - 25);
  }
  return (bits >> 15) != 0 ? -value : value;
}

using ToDouble = double (*)(const char*);

/// Turns the bytes of a big-endian element around.
inline void turn_bytes(char* bytes, const NpyHeader& header) {
  const std::size_t unit = header.kind == 'U' ? 4 : header.bytes;
  for (std::size_t at = 0; header.big_endian && at + unit <= header.bytes; at += unit) {
    std::reverse(bytes + at, bytes + at + unit);
  }
}

inline ToDouble number_reader(const NpyHeader& header) {
  switch (header.kind) {
    case 'f':
      return header.bytes == 2   ? &half_to_double
             : header.bytes == 4 ? &to_double<float>
                                 : &to_double<double>;
    case 'i':
      return header.bytes == 1   ? &to_double<std::int8_t>
             : header.bytes == 2 ? &to_double<std::int16_t>
             : header.bytes == 4 ? &to_double<std::int32_t>
                                 : &to_double<std::int64_t>;
    default:
      return header.bytes == 1   ? &to_double<std::uint8_t>
             : header.bytes == 2 ? &to_double<std::uint16_t>
             : header.bytes == 4 ? &to_double<std::uint32_t>
                                 : &to_double<std::uint64_t>;
  }
}

template <class T>
void copy_numbers(const char* bytes, std::size_t count, double* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = to_double<T>(bytes + i * sizeof(T));
}

/// The numbers of `count` elements: what number_reader() gives one by one, in loops of one type.
/// \param bytes of the elements, which are turned around where the file is big-endian
inline void convert_numbers(const NpyHeader& header, char* bytes, std::size_t count, double* out) {
  for (std::size_t i = 0; header.big_endian && i < count; ++i) {
    turn_bytes(bytes + i * header.bytes, header);
  }
  const ToDouble number = number_reader(header);
  if (number == &to_double<float>) return copy_numbers<float>(bytes, count, out);
  if (number == &to_double<double>) return copy_numbers<double>(bytes, count, out);
  if (number == &to_double<std::uint8_t>) return copy_numbers<std::uint8_t>(bytes, count, out);
  for (std::size_t i = 0; i < count; ++i) out[i] = number(bytes + i * header.bytes);
}

/// Hands over the elements one after the other, as they lie in the file: use(i, bytes of element
/// i).
template <class Use>
void read_elements(ByteStream& stream, const NpyHeader& header, Index count, const Use& use) {
  stream.expect(double(count) * double(header.bytes));
  if (header.bytes == 0) return;
  const Index chunk = std::max<Index>(1, Index(1 << 16) / static_cast<Index>(header.bytes));
  std::string buffer(static_cast<std::size_t>(chunk) * header.bytes, '\0');
  for (Index first = 0; first < count; first += chunk) {
    const Index part = std::min(chunk, count - first);
    stream.read(&buffer[0], static_cast<std::size_t>(part) * header.bytes);
    char* bytes = &buffer[0];
    for (Index i = 0; i < part; ++i, bytes += header.bytes) {
      turn_bytes(bytes, header);
      use(first + i, bytes);
    }
  }
}

/// NumPy's UTF-32 as UTF-8, without the zeros that fill it up.
inline std::string utf8(const char* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i + 4 <= count; i += 4) {
    std::uint32_t c;
    std::memcpy(&c, bytes + i, 4);
    if (c == 0) break;
    if (c < 0x80) {
      text += static_cast<char>(c);
      continue;
    }
    const int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    const std::uint32_t lead = tail == 1 ? 0xc0 : tail == 2 ? 0xe0 : 0xf0;
    text += static_cast<char>(lead | (c >> (6 * tail) & 0x1f));
    for (int k = tail - 1; k >= 0; --k) text += static_cast<char>(0x80 | (c >> (6 * k) & 0x3f));
  }
  return text;
}

}  // namespace detail

/// The first bytes of an .npy file.
inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// Reads the header of version 1, 2 or 3 and leaves the stream at the first element.
/// \throws FileError
inline NpyHeader read_npy_header(ByteStream& stream) {
  unsigned char start[8] = {};
  const bool npy = stream.read_some(start, 8) == 8 && std::memcmp(start, npy_magic.data(), 6) == 0;
  check(npy, stream.name(), " is no .npy file: it doesn't begin with NumPy's signature");
  check(start[6] >= 1 && start[6] <= 3, stream.name(), " is of version ", int(start[6]),
        " of the .npy format, known are 1 to 3");
  unsigned char length[4] = {};
  stream.read(length, start[6] == 1 ? 2 : 4);
  std::uint32_t size = 0;
  for (int i = 3; i >= 0; --i) size = size << 8 | length[i];
  check(size <= 1 << 20, stream.name(), " is no valid .npy file: its header takes ", size,
        " bytes");
  std::string text(size, '\0');
  stream.read(&text[0], size);
  return detail::NpyDictionary(text, stream.name()).parse();
}

/// Reads an array of two dimensions as rows, or of three as images of one channel; C or Fortran order.
/// \throws FileError
inline Table read_npy_rows(ByteStream& stream) {
  const NpyHeader header = read_npy_header(stream);
  check(header.is_number(), stream.name(), " has the dtype '", header.descr, "', expected numbers");
  const std::vector<Index>& shape = header.shape;
  check(shape.size() == 2 || shape.size() == 3, stream.name(), " has ", shape.size(),
        " dimension(s), expected 2: one sample a row, or 3: images of height and width");
  const bool images = shape.size() == 3;
  const Index rows = shape[0], height = shape[1], width = images ? shape[2] : 1;
  check(height > 0 && width > 0, stream.name(), " has no columns");
  stream.expect(double(rows) * double(height) * double(width) * double(header.bytes));

  Table table;
  table.images = images;
  table.height = images ? height : 0;
  table.width = images ? width : 0;
  if (header.bytes == 1) table.pixels = Pixels::bytes;
  table.X.resize(rows, height * width);
  const detail::ToDouble number = detail::number_reader(header);
  detail::read_elements(stream, header, rows * height * width, [&](Index at, const char* bytes) {
    if (header.fortran_order) {
      const Index pixel = at / rows;
      table.X(at % rows, pixel % height * width + pixel / height) = number(bytes);
    } else {
      table.X.data()[at] = number(bytes);
    }
  });
  stream.finish();
  return table;
}

/// Refuses labels of which one says that there is none.
inline void check_labels(const std::vector<std::string>& labels, const std::string& name) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    check(!is_missing_word(labels[i]), name, ", row ", i, " (from 0): the label is missing (",
          labels[i], ")");
  }
}

/// Hands over an array of one dimension, or of a single column, as labels: numbers or words.
/// \param use called as use(label) for each row
/// \throws FileError
template <class Use>
void each_npy_label(ByteStream& stream, const Use& use) {
  const NpyHeader header = read_npy_header(stream);
  const bool column =
      header.shape.size() == 1 || (header.shape.size() == 2 && header.shape[1] == 1);
  check(column, stream.name(), " has ", header.shape.size(),
        " dimension(s), expected 1: one label a row");
  check(header.bytes > 0, stream.name(), " holds empty labels");
  stream.expect(double(header.shape[0]) * double(header.bytes));

  detail::read_elements(stream, header, header.shape[0], [&](Index i, const char* bytes) {
    const std::string label =
        header.kind == 'U'   ? canonical_label(detail::utf8(bytes, header.bytes))
        : header.kind == 'S' ? canonical_label(std::string(bytes, header.bytes).c_str())
                             : canonical_label(detail::number_reader(header)(bytes));
    // Python's words for no value, where an array of objects was turned into words.
    const bool none = label == "None" || label == "NaT" || label == "<NA>";
    check(!none && !is_missing_word(label), stream.name(), ", row ", i,
          " (from 0): the label is missing (", label, ")");
    use(label);
  });
  stream.finish();
}
inline std::vector<std::string> read_npy_labels(ByteStream& stream) {
  std::vector<std::string> labels;
  each_npy_label(stream, [&](const std::string& label) { labels.push_back(label); });
  return labels;
}

/// The member that a key names, with its .npy or without; empty where there is none.
inline std::string npz_member(const ZipArchive& archive, const std::string& key) {
  if (archive.contains(key + ".npy")) return key + ".npy";
  return archive.contains(key) ? key : "";
}

/// Refuses an archive of other things than arrays by what it is.
inline void check_npz(const ZipArchive& archive) {
  check(!archive.contains("xl/workbook.xml") && !archive.contains("xl/workbook.bin"),
        archive.name(),
        " is an Excel workbook, which isn't read; python3 -c \"import pandas, sys; "
        "pandas.read_excel(sys.argv[1]).to_csv(sys.argv[2], index=False)\" IN OUT makes a csv of "
        "its first sheet");
  check(archive.any_ends_with(".npy"), archive.name(),
        " is a zip archive without an array, expected an .npz as numpy.savez writes it; it holds ",
        archive.listing(), archive.any_ends_with(".csv") ? "; unpack it and give the csv" : "");
}

/// Whether labels are wanted of an archive that has them. \throws FileError where it lacks those asked for
inline bool has_labels(const ZipArchive& archive, const DataOptions& options) {
  if (!options.with_labels || !options.labels_path.empty()) return false;
  const bool there = !npz_member(archive, options.label_key).empty();
  check(there || !options.label_key_given, archive.name(), " has no array ", options.label_key,
        "; it holds ", archive.listing());
  return there;
}

/// Reads the array X of an .npz archive and, when it has one and labels are wanted, y; options may name others.
/// \throws FileError
inline Table read_npz(const std::string& path, const DataOptions& options) {
  const ZipArchive archive(path);
  check_npz(archive);
  const std::string rows_name = npz_member(archive, options.key);
  check(!rows_name.empty(), archive.name(), " has no array ", options.key, "; it holds ",
        archive.listing(), options.key == "X" ? "; --key names the array to take" : "");
  const bool labelled = has_labels(archive, options);
  ZipMember rows(archive, rows_name);
  Table table = read_npy_rows(rows);
  if (labelled) {
    ZipMember labels(archive, npz_member(archive, options.label_key));
    table.labels = read_npy_labels(labels);
    check(Index(table.labels.size()) == table.X.rows(), archive.name(), " has ", table.X.rows(),
          " rows in ", options.key, " but ", table.labels.size(), " labels in ", options.label_key);
  }
  return table;
}

}  // namespace tool
