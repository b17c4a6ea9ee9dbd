#pragma once
/// \file
/// `TensorFile`: named tensors and words in one file, in the safetensors format
/// (https://github.com/huggingface/safetensors): an 8-byte little-endian length n, n bytes of JSON
/// `{"__metadata__": {word: word}, name: {"dtype", "shape", "data_offsets": [begin, end]}, ...}`,
/// then the tensors' bytes, row-major and little-endian, one after the other without a gap. Files written
/// here have one word more, `checksum`: "crc32:" and eight hexadecimal digits, of all bytes behind the
/// header. Where a file has it, it is checked.
///
///     dasvdd::detail::TensorFile file;
///     file.add("center", {256}, center.data());
///     file.set_metadata("seed", "7");
///     file.write("net.safetensors");
///
///     auto back = dasvdd::detail::TensorFile::read("net.safetensors");
///     std::vector<float> c = back["center"].as<float>({256});
///
/// Here is how a file is made and written; tensor_file_reader.hpp reads and checks one.

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <dasvdd/core/checksum.hpp>
#include <dasvdd/io/limited_json.hpp>
#include <dasvdd/io/replace_file.hpp>
#include <dasvdd/io/tensor.hpp>
#include <dasvdd/io/tensor_file_reader.hpp>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error \
    "dasvdd: tensor files are little-endian and so far read and written on little-endian machines only"
#endif

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Named tensors and a map of words; read from, and written to, a safetensors file.
class TensorFile {
 public:
  /// The longest header read.
  static constexpr std::uint64_t max_header_bytes = TensorFileReader::max_header_bytes;

  TensorFile() = default;

  /// \throws FileError when the file can't be read or is no well-formed safetensors file
  static TensorFile read(const std::filesystem::path& path) {
    return {path.string(), TensorFileReader(path.string()).read_file(path)};
  }
  /// Reads from memory; `source` is what errors call the file.
  /// \throws FileError
  static TensorFile parse(std::string_view bytes, const std::string& source = "the file") {
    return {source, TensorFileReader(source).read_bytes(bytes)};
  }

  /// Writes the file: a temporary one in the same folder, flushed to the disk, then put in the old
  /// one's place.
  /// \throws FileError when that fails; an old file is then as it was
  void write(const std::filesystem::path& path) const { replace_file(path, serialize()); }
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
    throw FileError(sentence(error_prefix(source_), "there is no tensor ", in_quotes(name)));
  }

  /// Adds a copy of the row-major numbers at `data`, as many as `shape` says.
  /// \throws InvalidArgument when the name is taken or reserved, or a size is negative
  template <class T>
  void add(const std::string& name, const std::vector<Index>& shape, const T* data) {
    ensure(name != "__metadata__",
           "a tensor can't be named '__metadata__': the format reserves it");
    ensure(!contains(name), "tensor ", in_quotes(name), " is there already; names are unique");
    ensure(std::all_of(shape.begin(), shape.end(), [](Index n) { return n >= 0; }), "tensor ",
           in_quotes(name), " has the shape ", shape_text(shape), "; a size can't be negative");
    std::size_t bytes = 0;
    ensure(checked_volume(shape, sizeof(T), bytes), "tensor ", in_quotes(name), " has the shape ",
           shape_text(shape), ", more than memory can hold");
    Tensor tensor{name, DTypeOf<T>::value, shape, std::vector<unsigned char>(bytes), source_};
    if (bytes != 0) std::memcpy(tensor.bytes.data(), data, bytes);
    place_[name] = tensors_.size();
    tensors_.push_back(std::move(tensor));
  }

  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// The word under `key`.
  /// \throws FileError when there is none
  const std::string& metadata(const std::string& key) const {
    const auto found = metadata_.find(key);
    if (found != metadata_.end()) return found->second;
    throw FileError(sentence(error_prefix(source_), "the metadata have no ", in_quotes(key)));
  }
  /// The list of strings under `key`, written as JSON; empty where there is none.
  /// \throws FileError when the word is something else
  std::vector<std::string> strings(const std::string& key) const {
    const auto word = metadata_.find(key);
    if (word == metadata_.end()) return {};
    const std::string what = error_prefix(source_) + "the metadata's " + in_quotes(key);
    const auto list = limited_json(word->second, 1, what);
    const bool right = list.is_array() && std::all_of(list.begin(), list.end(),
                                                      [](const auto& w) { return w.is_string(); });
    if (!right) throw FileError(what + " is no JSON list of strings");
    return list.template get<std::vector<std::string>>();
  }
  /// The whole number from 1 to `most` under `key`.
  /// \param what it counts, for the sentence
  /// \throws FileError when there is none
  std::size_t count(const std::string& key, const char* what, std::size_t most) const {
    const std::string& word = metadata(key);
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error == std::errc() && end == word.data() + word.size() && number >= 1 && number <= most)
      return number;
    throw FileError(sentence(error_prefix(source_), "the number of ", what, " is ", in_quotes(word),
                             ", expected a whole number from 1 to ", most));
  }
  /// Sets or replaces the word under `key`.
  void set_metadata(const std::string& key, const std::string& word) { metadata_[key] = word; }

  /// Whether the bytes are known to be those that were written: the file had a checksum, or was made here.
  bool verified() const { return verified_; }

  /// What errors call the file: the name it was read by, empty for one made in memory.
  const std::string& source() const { return source_; }

 private:
  TensorFile(std::string source, TensorFileContent content)
      : source_(std::move(source)),
        tensors_(std::move(content.tensors)),
        metadata_(std::move(content.metadata)),
        verified_(content.verified) {
    for (std::size_t i = 0; i < tensors_.size(); ++i) place_[tensors_[i].name] = i;
  }

  const Tensor* find(std::string_view name) const {
    const auto found = place_.find(std::string(name));
    return found != place_.end() ? &tensors_[found->second] : nullptr;
  }

  std::string source_;
  std::vector<Tensor> tensors_;
  std::unordered_map<std::string, std::size_t> place_;  // of a name in tensors_
  std::map<std::string, std::string> metadata_;
  bool verified_ = true;
};

inline std::string TensorFile::serialize() const {
  using Json = nlohmann::json;
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : tensors_) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const Tensor* a, const Tensor* b) {
    if (size_of(a->dtype) != size_of(b->dtype)) return size_of(a->dtype) > size_of(b->dtype);
    return a->name < b->name;
  });

  std::uint32_t checksum = 0;
  for (const Tensor* tensor : order)
    checksum = crc32(tensor->bytes.data(), tensor->bytes.size(), checksum);
  Json header = Json::object();
  header["__metadata__"] = metadata_;
  header["__metadata__"]["checksum"] = checksum_word(checksum);
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

}  // namespace detail
DASVDD_NAMESPACE_END
