#pragma once
/// \file
/// How a tensor file is read, and all that may be wrong with one.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <dasvdd/core/checksum.hpp>
#include <dasvdd/io/tensor.hpp>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <unordered_set>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What a tensor file holds.
struct TensorFileContent {
  std::vector<Tensor> tensors;
  std::map<std::string, std::string> metadata;  ///< without the checksum
  bool verified = false;  ///< the tensors' bytes have the checksum that the file names
};

/// One tensor of a file, without its bytes, and where in the file these are.
struct TensorEntry {
  Tensor tensor;
  std::uint64_t begin, end;
};

/// Reads one tensor file; tensor_file.hpp has the format. It may come from anywhere: everything is
/// checked against the file's size before memory is taken for it, and each thing that may be wrong
/// has its own sentence, a FileError.
class TensorFileReader {
 public:
  /// Far more than any net needs, and a bound on what JSON costs in memory.
  static constexpr std::uint64_t max_header_bytes = std::uint64_t(16) << 20;

  /// \param source what errors call the file
  explicit TensorFileReader(std::string source) : source_(std::move(source)) {}

  TensorFileContent read_file(const std::filesystem::path& path) const {
    std::ifstream stream;
    const std::uint64_t size = open(path, stream);
    return read(size, [&](void* to, std::size_t count) { fetch(stream, to, count); });
  }

  /// Opens a file and reads its header alone.
  /// \param metadata gets the words, the checksum's among them
  /// \return the tensors in the order of their bytes, with places that count from the file's start
  std::vector<TensorEntry> read_entries(const std::filesystem::path& path, std::ifstream& stream,
                                        std::map<std::string, std::string>& metadata) const {
    const std::uint64_t size = open(path, stream);
    std::uint64_t at = 0;
    std::vector<TensorEntry> entries = read_entries(
        size,
        [&](void* to, std::size_t count) {
          fetch(stream, to, count);
          at += count;
        },
        metadata);
    for (TensorEntry& entry : entries) {
      entry.begin += at;
      entry.end += at;
    }
    return entries;
  }
  /// The stream's next bytes.
  void fetch(std::ifstream& stream, void* to, std::size_t count) const {
    stream.read(static_cast<char*>(to), static_cast<std::streamsize>(count));
    validate(!stream.fail(), "the file can't be read to its end");
  }

  /// A file in memory.
  TensorFileContent read_bytes(std::string_view bytes) const {
    return read(bytes.size(), [&](void* to, std::size_t count) {
      if (count != 0) std::memcpy(to, bytes.data(), count);
      bytes.remove_prefix(count);
    });
  }

 private:
  using Json = nlohmann::json;
  using Entry = TensorEntry;

  /// \return the file's size
  std::uint64_t open(const std::filesystem::path& path, std::ifstream& stream) const {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    validate(status.type() != std::filesystem::file_type::none,
             "the file can't be opened: ", error.message());
    validate(std::filesystem::exists(status), "there is no such file");
    validate(std::filesystem::is_regular_file(status), "this is no regular file");
    const std::uint64_t size = std::filesystem::file_size(path, error);
    stream.open(path, std::ios::binary);
    validate(!error && stream.is_open(), "the file can't be opened");
    return size;
  }

  template <class... Parts>
  void validate(bool condition, const Parts&... parts) const {
    if (!condition) throw FileError(sentence(error_prefix(source_), parts...));
  }

  /// `fetch(to, n)` gives the file's next n bytes; it is never asked for more than `file_size` in
  /// all.
  template <class Fetch>
  TensorFileContent read(std::uint64_t file_size, const Fetch& fetch) const {
    TensorFileContent content;
    std::vector<Entry> entries = read_entries(file_size, fetch, content.metadata);
    std::uint32_t checksum = 0;
    for (Entry& entry : entries) {
      std::vector<unsigned char>& bytes = entry.tensor.bytes;
      bytes.resize(static_cast<std::size_t>(entry.end - entry.begin));
      fetch(bytes.data(), bytes.size());
      checksum = crc32(bytes.data(), bytes.size(), checksum);
      content.tensors.push_back(std::move(entry.tensor));
    }
    const auto word = content.metadata.find("checksum");
    // Other programs may mean something else by the word.
    if (word != content.metadata.end() && word->second.compare(0, 6, "crc32:") == 0) {
      validate(word->second == checksum_word(checksum),
               "the file is damaged: its tensors have the checksum ", checksum_word(checksum),
               ", its header says ", in_quotes(word->second));
      content.metadata.erase(word);
      content.verified = true;
    }
    return content;
  }

  /// The tensors in the order of their bytes, with places that count from the end of the header.
  template <class Fetch>
  std::vector<Entry> read_entries(std::uint64_t file_size, const Fetch& fetch,
                                  std::map<std::string, std::string>& metadata) const {
    const std::string text = read_header(file_size, fetch);
    const std::uint64_t data_size = file_size - 8 - text.size();
    std::vector<Entry> entries;
    const Json header = parse_header(text);
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        metadata = read_metadata(entry);
      } else {
        entries.push_back(read_entry(name, entry, data_size));
      }
    }
    sort_by_place(entries, data_size);
    return entries;
  }

  template <class Fetch>
  std::string read_header(std::uint64_t file_size, const Fetch& fetch) const {
    validate(file_size >= 8, "the file has ", file_size, " bytes, too few for a safetensors file");
    unsigned char length_bytes[8];
    fetch(length_bytes, 8);
    std::uint64_t length = 0;
    for (int i = 7; i >= 0; --i) length = length << 8 | length_bytes[i];
    validate(length <= file_size - 8, "the header's length is ", length, " bytes but only ",
             file_size - 8, " follow; the file is cut short or no safetensors file");
    validate(length <= max_header_bytes, "the header's length is ", length, " bytes, at most ",
             max_header_bytes, " are read");
    std::string text(static_cast<std::size_t>(length), '\0');
    fetch(text.data(), text.size());
    return text;
  }

  /// The header as JSON, refused when a name stands twice in one object (JSON readers take the last,
  /// silently, and differ in that) or when it is nested deeper than the format is.
  Json parse_header(const std::string& text) const {
    validate(!text.empty() && text.front() == '{',
             "the header is no JSON object; this is no safetensors file");
    // In a pass of its own: nlohmann's parser with a callback takes quadratic time in the number of tensors.
    HeaderCheck events(source_);
    static_cast<void>(Json::sax_parse(text, &events));
    return Json::parse(text);
  }

  /// Sees the header's JSON event by event, and throws FileError where a safetensors header has no such thing.
  class HeaderCheck final : public Json::json_sax_t {
   public:
    explicit HeaderCheck(const std::string& source) : source_(source) {}

    bool null() override { return entry(); }
    bool boolean(bool) override { return entry(); }
    bool number_integer(Json::number_integer_t) override { return entry(); }
    bool number_unsigned(Json::number_unsigned_t) override { return entry(); }
    bool number_float(Json::number_float_t, const Json::string_t&) override { return entry(); }
    bool string(Json::string_t&) override { return entry(); }
    bool binary(Json::binary_t&) override { return entry(); }
    bool start_object(std::size_t) override { return enter(false); }
    bool end_object() override { return leave(); }
    bool start_array(std::size_t) override { return enter(true); }
    bool end_array() override { return leave(); }
    bool key(Json::string_t& name) override {
      if (open_.back().names.insert(name).second) return true;
      throw FileError(
          sentence(error_prefix(source_), "the header names ", in_quotes(name), " twice"));
    }
    bool parse_error(std::size_t byte, const std::string&, const Json::exception&) override {
      throw FileError(
          sentence(error_prefix(source_), "the header is no valid JSON (at its byte ", byte, ")"));
    }

   private:
    /// A tensor has a few sizes and two offsets.
    static constexpr int most_entries = 64;

    bool entry() {
      if (!open_.empty() && open_.back().is_array && ++open_.back().entries > most_entries) {
        throw FileError(sentence(error_prefix(source_), "the header has a list of more than ",
                                 most_entries, " entries"));
      }
      return true;
    }
    bool enter(bool array) {
      if (open_.size() >= 3) {
        throw FileError(sentence(error_prefix(source_),
                                 "the header is nested deeper than a safetensors header is"));
      }
      entry();
      open_.push_back({array, 0, {}});
      return true;
    }
    bool leave() {
      open_.pop_back();
      return true;
    }

    struct Open {
      bool is_array;
      int entries;                            // of an array
      std::unordered_set<std::string> names;  // of an object
    };

    const std::string& source_;
    std::vector<Open> open_;
  };

  std::map<std::string, std::string> read_metadata(const Json& words) const {
    validate(words.is_object(), "'__metadata__' is ", words.type_name(), ", expected an object");
    std::map<std::string, std::string> metadata;
    for (const auto& [key, word] : words.items()) {
      validate(word.is_string(), "the metadata's ", in_quotes(key), " is ", word.type_name(),
               ", expected a string");
      metadata[key] = word.get<std::string>();
    }
    return metadata;
  }

  /// One tensor's entry in the header.
  Entry read_entry(const std::string& name, const Json& entry, std::uint64_t data_size) const {
    const std::string tensor = "tensor " + in_quotes(name);
    validate(entry.is_object(), tensor, " is described by ", entry.type_name(),
             ", expected an object");
    for (const char* field : {"dtype", "shape", "data_offsets"}) {
      validate(entry.contains(field), tensor, " has no '", field, "'");
    }
    validate(entry.size() == 3, tensor, " has other fields than dtype, shape and data_offsets");

    const Json& dtype = entry["dtype"];
    validate(dtype.is_string(), tensor, " has as dtype ", dtype.type_name(), ", expected a string");
    const DType dtypes[] = {DType::F64, DType::I64, DType::F32, DType::BF16, DType::U8};
    const auto* known = std::find_if(std::begin(dtypes), std::end(dtypes), [&](DType candidate) {
      return dtype.get_ref<const std::string&>() == name_of(candidate);
    });
    validate(known != std::end(dtypes), tensor, " is of the dtype ",
             in_quotes(dtype.get_ref<const std::string&>()),
             "; known are F64, I64, F32, BF16 and U8");

    const Json& sizes = entry["shape"];
    validate(sizes.is_array(), tensor, " has as shape ", sizes.type_name(), ", expected an array");
    std::vector<Index> shape;
    for (const Json& size : sizes) {
      shape.push_back(static_cast<Index>(read_unsigned(name, "shape", size)));
    }
    std::size_t bytes = 0;
    validate(checked_volume(shape, size_of(*known), bytes), tensor,
             " has a shape whose numbers overflow when multiplied");

    const Json& offsets = entry["data_offsets"];
    validate(offsets.is_array() && offsets.size() == 2, tensor,
             " has data_offsets that are no pair");
    const std::uint64_t begin = read_unsigned(name, "data_offsets", offsets[0]);
    const std::uint64_t end = read_unsigned(name, "data_offsets", offsets[1]);
    validate(begin <= end, tensor, " ends at byte ", end, ", before it begins at ", begin);
    validate(end <= data_size, tensor, " ends at byte ", end, " but the file has ", data_size,
             " bytes of data");
    validate(end - begin == bytes, tensor, " has ", end - begin, " bytes but its shape and dtype (",
             shape_text(shape), ", ", name_of(*known), ") take ", bytes);

    return {{name, *known, std::move(shape), {}, source_}, begin, end};
  }

  std::uint64_t read_unsigned(const std::string& name, const char* field, const Json& value) const {
    const bool fits =
        value.is_number_unsigned() &&
        value.get<std::uint64_t>() <= std::uint64_t((std::numeric_limits<Index>::max)());
    validate(fits, "tensor ", in_quotes(name), " has in its ", field,
             " something else than whole numbers from 0");
    return value.get<std::uint64_t>();
  }

  /// Puts the tensors in the order of their bytes, where each must begin at the end of the one before.
  void sort_by_place(std::vector<Entry>& entries, std::uint64_t data_size) const {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.begin, a.end, a.tensor.name) < std::tie(b.begin, b.end, b.tensor.name);
    });
    std::uint64_t end = 0;
    for (const Entry& entry : entries) {
      const std::string name = in_quotes(entry.tensor.name);
      validate(entry.begin >= end, "tensor ", name, " begins at byte ", entry.begin,
               ", inside the one before it, which ends at ", end);
      validate(entry.begin == end, "tensor ", name, " begins at byte ", entry.begin,
               " and leaves a gap after ", end);
      end = entry.end;
    }
    validate(end == data_size, data_size - end, " bytes follow the last tensor");
  }

  std::string source_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
