#pragma once
/// \file
/// `TensorFile`: named tensors and words in one file, in the safetensors format
/// (https://github.com/huggingface/safetensors): an 8-byte little-endian length n, n bytes of JSON
/// `{"__metadata__": {word: word}, name: {"dtype", "shape", "data_offsets": [begin, end]}, ...}`,
/// then the tensors' bytes, row-major and little-endian, one after the other without a gap.
///
///     dasvdd::TensorFile file;
///     file.add("center", {256}, center.data());
///     file.set_metadata("seed", "7");
///     file.write("net.safetensors");
///
///     auto back = dasvdd::TensorFile::read("net.safetensors");
///     std::vector<float> c = back["center"].as<float>({256});
///
/// The reader is for files from anywhere: everything is checked against the file's size before
/// memory is taken for it, and each thing that may be wrong has its own sentence.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <dasvdd/core/types.hpp>
#include <dasvdd/io/replace_file.hpp>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error \
    "dasvdd: tensor files are little-endian and so far read and written on little-endian machines only"
#endif

DASVDD_NAMESPACE_BEGIN

/// A tensor's type of number.
enum class DType { F64, I64, F32, BF16, U8 };

/// The 16 bits of a bfloat16 number: the upper half of a float's.
struct BFloat16 {
  std::uint16_t bits;
};

/// The name in the file: "F64", "I64", "F32", "BF16", "U8".
inline const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::F64:
      return "F64";
    case DType::I64:
      return "I64";
    case DType::F32:
      return "F32";
    case DType::BF16:
      return "BF16";
    default:
      return "U8";
  }
}

/// Bytes a number takes.
inline std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::F64:
    case DType::I64:
      return 8;
    case DType::F32:
      return 4;
    case DType::BF16:
      return 2;
    default:
      return 1;
  }
}

namespace detail {

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::F64;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::I64;
};
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::F32;
};
template <>
struct DTypeOf<BFloat16> {
  static constexpr DType value = DType::BF16;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::U8;
};

/// A name from a file, fit to stand in a sentence: short and printable whatever the file says.
inline std::string in_quotes(std::string_view name) {
  std::string text = "'";
  for (const char c : name.substr(0, 80)) text += (c >= 0 && c < ' ') || c == 127 ? '?' : c;
  return text + (name.size() > 80 ? "...'" : "'");
}

/// "2 x 3", or "a single number" for no dimensions at all.
inline std::string shape_text(const std::vector<Index>& shape) {
  if (shape.empty()) return "a single number";
  std::string text = std::to_string(shape[0]);
  for (std::size_t i = 1; i < shape.size(); ++i) text += " x " + std::to_string(shape[i]);
  return text;
}

/// The product of a shape's sizes times `scale`; false when it doesn't fit.
inline bool checked_volume(const std::vector<Index>& shape, std::size_t scale,
                           std::size_t& volume) {
  volume = scale;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return volume = 0, true;
  for (const Index size : shape) {
    const auto factor = static_cast<std::size_t>(size);
    if (volume > std::size_t(std::numeric_limits<Index>::max()) / factor) return false;
    volume *= factor;
  }
  return true;
}

}  // namespace detail

/// One tensor of a TensorFile: a name, a type, a shape (empty: a single number) and the row-major
/// bytes.
struct Tensor {
  std::string name;
  DType dtype = DType::F32;
  std::vector<Index> shape;
  std::vector<unsigned char> bytes;
  std::string source;  ///< what an error calls the file: its name, empty for one made in memory

  /// Numbers in it.
  Index size() const { return static_cast<Index>(bytes.size() / size_of(dtype)); }

  /// A copy of the numbers, row-major. `T` is double, std::int64_t, float, BFloat16 or
  /// std::uint8_t.
  /// \throws FileError when the tensor is of another type
  template <class T>
  std::vector<T> as() const {
    constexpr DType expected = detail::DTypeOf<T>::value;
    if (dtype != expected) fail(name_of(dtype), name_of(expected));
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  /// A copy of the numbers of a tensor that must have the shape `expected`.
  /// \throws FileError when the tensor is of another type or shape
  template <class T>
  std::vector<T> as(const std::vector<Index>& expected) const {
    if (shape != expected) fail(detail::shape_text(shape), detail::shape_text(expected));
    return as<T>();
  }

  /// A copy of a tensor of two dimensions as a matrix.
  /// \throws FileError when the tensor is of another type or number of dimensions
  template <class T>
  RowMatrix<T> matrix() const {
    if (shape.size() != 2) fail(detail::shape_text(shape), "two dimensions");
    const std::vector<T> values = as<T>();
    return Eigen::Map<const RowMatrix<T>>(values.data(), shape[0], shape[1]);
  }

 private:
  template <class Got, class Expected>
  [[noreturn]] void fail(const Got& got, const Expected& expected) const {
    throw FileError(detail::sentence(source.empty() ? "" : detail::in_quotes(source) + ": ",
                                     "tensor ", detail::in_quotes(name), " is ", got, ", expected ",
                                     expected));
  }
};

/// Named tensors and a map of words; read from, and written to, a safetensors file.
class TensorFile {
 public:
  /// The longest header read: far more than any net needs, and a bound on what JSON costs in
  /// memory.
  static constexpr std::uint64_t max_header_bytes = std::uint64_t(16) << 20;

  TensorFile() = default;

  /// \throws FileError when the file can't be read or is no well-formed safetensors file
  static TensorFile read(const std::string& path);
  /// Reads from memory; `source` is what errors call the file.
  /// \throws FileError
  static TensorFile parse(std::string_view bytes, const std::string& source = "the file");

  /// Writes the file: a temporary one in the same folder, flushed to the disk, then put in the old
  /// one's place.
  /// \throws FileError when that fails; an old file is then as it was
  void write(const std::string& path) const { detail::replace_file(path, serialize()); }
  /// The file's bytes. They depend on the content alone, not on the order in which it was added:
  /// tensors of wide numbers come first, so that each is aligned to its type, then by name; words
  /// by name.
  std::string serialize() const;

  /// The tensors in the order in which they were added or stand in the file.
  const std::vector<Tensor>& tensors() const { return tensors_; }
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  /// \throws FileError when there is no tensor of that name
  const Tensor& operator[](std::string_view name) const {
    if (const Tensor* tensor = find(name)) return *tensor;
    throw FileError(detail::sentence(prefix(), "there is no tensor ", detail::in_quotes(name)));
  }

  /// Adds a copy of the row-major numbers at `data`, as many as `shape` says.
  /// \throws InvalidArgument when the name is taken or reserved, or a size is negative
  template <class T>
  void add(const std::string& name, const std::vector<Index>& shape, const T* data) {
    detail::require(name != "__metadata__",
                    "a tensor can't be named '__metadata__': the format reserves it");
    detail::require(!contains(name), "tensor ", detail::in_quotes(name),
                    " is there already; names are unique");
    detail::require(std::all_of(shape.begin(), shape.end(), [](Index n) { return n >= 0; }),
                    "tensor ", detail::in_quotes(name), " has the shape ",
                    detail::shape_text(shape), "; a size can't be negative");
    std::size_t bytes = 0;
    detail::require(detail::checked_volume(shape, sizeof(T), bytes), "tensor ",
                    detail::in_quotes(name), " has the shape ", detail::shape_text(shape),
                    ", more than memory can hold");
    Tensor tensor{name, detail::DTypeOf<T>::value, shape, std::vector<unsigned char>(bytes),
                  source_};
    if (bytes != 0) std::memcpy(tensor.bytes.data(), data, bytes);
    tensors_.push_back(std::move(tensor));
  }

  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// The word under `key`.
  /// \throws FileError when there is none
  const std::string& metadata(const std::string& key) const {
    const auto found = metadata_.find(key);
    if (found != metadata_.end()) return found->second;
    throw FileError(detail::sentence(prefix(), "the metadata have no ", detail::in_quotes(key)));
  }
  /// Sets or replaces the word under `key`.
  void set_metadata(const std::string& key, const std::string& word) { metadata_[key] = word; }

  /// What errors call the file: the name it was read by, empty for one made in memory.
  const std::string& source() const { return source_; }

 private:
  using Json = nlohmann::json;
  struct Span {
    std::uint64_t begin, end;
  };

  [[nodiscard]] std::string prefix() const {
    return source_.empty() ? std::string() : detail::in_quotes(source_) + ": ";
  }
  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    if (!condition) throw FileError(detail::sentence(prefix(), parts...));
  }
  const Tensor* find(std::string_view name) const {
    for (const Tensor& tensor : tensors_) {
      if (tensor.name == name) return &tensor;
    }
    return nullptr;
  }

  template <class Fetch>
  void load(std::uint64_t file_size, const Fetch& fetch);
  Json parse_header(const std::string& text) const;
  Span read_entry(const std::string& name, const Json& entry, std::uint64_t data_size);
  std::uint64_t read_unsigned(const std::string& name, const char* field, const Json& value) const;

  std::string source_;
  std::vector<Tensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

inline TensorFile TensorFile::read(const std::string& path) {
  TensorFile file;
  file.source_ = path;
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  file.check(std::filesystem::exists(status), "there is no such file");
  file.check(std::filesystem::is_regular_file(status), "this is no regular file");
  const std::uint64_t size = std::filesystem::file_size(path, error);
  std::ifstream stream(path, std::ios::binary);
  file.check(!error && stream.is_open(), "the file can't be opened");
  file.load(size, [&](void* to, std::size_t bytes) {
    stream.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    file.check(!stream.fail(), "the file can't be read to its end");
  });
  return file;
}

inline TensorFile TensorFile::parse(std::string_view bytes, const std::string& source) {
  TensorFile file;
  file.source_ = source;
  file.load(bytes.size(), [&](void* to, std::size_t count) {
    if (count != 0) std::memcpy(to, bytes.data(), count);
    bytes.remove_prefix(count);
  });
  return file;
}

/// `fetch(to, n)` gives the file's next n bytes; it is never asked for more than `file_size` in
/// all.
template <class Fetch>
void TensorFile::load(std::uint64_t file_size, const Fetch& fetch) {
  check(file_size >= 8, "the file has ", file_size, " bytes, too few for a safetensors file");
  unsigned char length_bytes[8];
  fetch(length_bytes, 8);
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | length_bytes[i];
  check(length <= file_size - 8, "the header's length is ", length, " bytes but only ",
        file_size - 8, " follow; the file is cut short or no safetensors file");
  check(length <= max_header_bytes, "the header's length is ", length, " bytes, at most ",
        max_header_bytes, " are read");
  std::string text(static_cast<std::size_t>(length), '\0');
  fetch(text.data(), text.size());

  const std::uint64_t data_size = file_size - 8 - length;
  const Json header = parse_header(text);
  std::vector<Span> spans;
  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") {
      spans.push_back(read_entry(name, entry, data_size));
      continue;
    }
    check(entry.is_object(), "'__metadata__' is ", entry.type_name(), ", expected an object");
    for (const auto& [key, word] : entry.items()) {
      check(word.is_string(), "the metadata's ", detail::in_quotes(key), " is ", word.type_name(),
            ", expected a string");
      metadata_[key] = word.template get<std::string>();
    }
  }

  // In the order of their bytes, each must begin where the one before it ended.
  std::vector<std::size_t> order(spans.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(spans[a].begin, spans[a].end, a) < std::tie(spans[b].begin, spans[b].end, b);
  });
  std::uint64_t end = 0;
  for (const std::size_t i : order) {
    const std::string& name = tensors_[i].name;
    check(spans[i].begin >= end, "tensor ", detail::in_quotes(name), " begins at byte ",
          spans[i].begin, ", inside the one before it, which ends at ", end);
    check(spans[i].begin == end, "tensor ", detail::in_quotes(name), " begins at byte ",
          spans[i].begin, " and leaves a gap after ", end);
    end = spans[i].end;
  }
  check(end == data_size, data_size - end, " bytes follow the last tensor");

  std::vector<Tensor> sorted;
  sorted.reserve(tensors_.size());
  for (const std::size_t i : order) {
    sorted.push_back(std::move(tensors_[i]));
    sorted.back().bytes.resize(static_cast<std::size_t>(spans[i].end - spans[i].begin));
    fetch(sorted.back().bytes.data(), sorted.back().bytes.size());
  }
  tensors_ = std::move(sorted);
}

/// The header as JSON, refused when a name stands twice in one object (JSON readers take the last,
/// silently, and differ in that) or when it is nested deeper than the format is.
inline TensorFile::Json TensorFile::parse_header(const std::string& text) const {
  check(!text.empty() && text.front() == '{',
        "the header is no JSON object; this is no safetensors file");
  std::vector<std::set<std::string>> names;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    const auto level = static_cast<std::size_t>(depth);
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      check(depth <= 2, "the header is nested deeper than a safetensors header is");
      names.resize(level + 1);
      names.emplace_back();
    } else if (event == Json::parse_event_t::key) {
      const auto& name = value.get_ref<const std::string&>();
      check(names.at(level).insert(name).second, "the header names ", detail::in_quotes(name),
            " twice");
    }
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const Json::exception& error) {
    const auto* syntax = dynamic_cast<const Json::parse_error*>(&error);
    throw FileError(detail::sentence(prefix(), "the header is no valid JSON (at its byte ",
                                     syntax ? syntax->byte : 0, ")"));
  }
}

/// Checks one tensor's entry, adds the tensor without its bytes, and says where these are.
inline TensorFile::Span TensorFile::read_entry(const std::string& name, const Json& entry,
                                               std::uint64_t data_size) {
  const std::string tensor = "tensor " + detail::in_quotes(name);
  check(entry.is_object(), tensor, " is described by ", entry.type_name(), ", expected an object");
  for (const char* field : {"dtype", "shape", "data_offsets"}) {
    check(entry.contains(field), tensor, " has no '", field, "'");
  }
  check(entry.size() == 3, tensor, " has other fields than dtype, shape and data_offsets");

  const Json& dtype = entry["dtype"];
  check(dtype.is_string(), tensor, " has as dtype ", dtype.type_name(), ", expected a string");
  const DType dtypes[] = {DType::F64, DType::I64, DType::F32, DType::BF16, DType::U8};
  const auto* known = std::find_if(std::begin(dtypes), std::end(dtypes), [&](DType candidate) {
    return dtype.get_ref<const std::string&>() == name_of(candidate);
  });
  check(known != std::end(dtypes), tensor, " is of the dtype ",
        detail::in_quotes(dtype.get_ref<const std::string&>()),
        "; known are F64, I64, F32, BF16 and U8");

  const Json& sizes = entry["shape"];
  check(sizes.is_array(), tensor, " has as shape ", sizes.type_name(), ", expected an array");
  std::vector<Index> shape;
  for (const Json& size : sizes) {
    shape.push_back(static_cast<Index>(read_unsigned(name, "shape", size)));
  }
  std::size_t bytes = 0;
  check(detail::checked_volume(shape, size_of(*known), bytes), tensor,
        " has a shape whose numbers overflow when multiplied");

  const Json& offsets = entry["data_offsets"];
  check(offsets.is_array() && offsets.size() == 2, tensor, " has data_offsets that are no pair");
  const Span span{read_unsigned(name, "data_offsets", offsets[0]),
                  read_unsigned(name, "data_offsets", offsets[1])};
  check(span.begin <= span.end, tensor, " ends at byte ", span.end, ", before it begins at ",
        span.begin);
  check(span.end <= data_size, tensor, " ends at byte ", span.end, " but the file has ", data_size,
        " bytes of data");
  check(span.end - span.begin == bytes, tensor, " has ", span.end - span.begin,
        " bytes but its shape and dtype (", detail::shape_text(shape), ", ", name_of(*known),
        ") take ", bytes);

  tensors_.push_back({name, *known, std::move(shape), {}, source_});
  return span;
}

inline std::uint64_t TensorFile::read_unsigned(const std::string& name, const char* field,
                                               const Json& value) const {
  const bool fits = value.is_number_unsigned() &&
                    value.get<std::uint64_t>() <= std::uint64_t(std::numeric_limits<Index>::max());
  check(fits, "tensor ", detail::in_quotes(name), " has in its ", field,
        " something else than whole numbers from 0");
  return value.get<std::uint64_t>();
}

inline std::string TensorFile::serialize() const {
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : tensors_) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const Tensor* a, const Tensor* b) {
    if (size_of(a->dtype) != size_of(b->dtype)) return size_of(a->dtype) > size_of(b->dtype);
    return a->name < b->name;
  });

  Json header = Json::object();
  if (!metadata_.empty()) header["__metadata__"] = metadata_;
  std::size_t end = 0;
  for (const Tensor* tensor : order) {
    const std::size_t begin = end;
    end += tensor->bytes.size();
    header[tensor->name] = {{"dtype", name_of(tensor->dtype)},
                            {"shape", tensor->shape},
                            {"data_offsets", {begin, end}}};
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception&) {
    throw InvalidArgument("a tensor's name or a word of the metadata is no valid UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the first tensor begins aligned

  std::string file;
  file.reserve(8 + text.size() + end);
  for (int i = 0; i < 8; ++i)
    file += static_cast<char>(std::uint64_t(text.size()) >> (8 * i) & 0xff);
  file += text;
  for (const Tensor* tensor : order) file.append(tensor->bytes.begin(), tensor->bytes.end());
  return file;
}

DASVDD_NAMESPACE_END
