#pragma once
/// \file
/// Parts of a tensor file's tensors, read where they lie: for files of which little is needed.

#include <dasvdd/io/tensor_file_reader.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A file that is open, of which the header has been read. The checksum of the whole file is not looked at: what reads
/// parts has checksums of parts.
class TensorFileMap {
 public:
  /// \throws FileError when the file can't be read or is no well-formed safetensors file
  explicit TensorFileMap(const std::filesystem::path& path)
      : reader_(path.string()),
        source_(path.string()),
        entries_(reader_.read_entries(path, stream_, metadata_)) {
    for (std::size_t i = 0; i < entries_.size(); ++i) place_[entries_[i].tensor.name] = i;
  }

  const std::string& source() const { return source_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// A tensor without its bytes. \throws FileError when there is none of that name
  const Tensor& operator[](std::string_view name) const { return entry(name).tensor; }

  /// `count` numbers of a tensor from its number `first` on.
  /// \throws FileError when the tensor is of another type or has fewer
  template <class T>
  std::vector<T> part(std::string_view name, std::int64_t first, std::int64_t count) {
    const TensorEntry& e = entry(name);
    const auto size = static_cast<std::int64_t>((e.end - e.begin) / sizeof(T));
    if (e.tensor.dtype != DTypeOf<T>::value || first < 0 || count < 0 || count > size - first) {
      throw FileError(sentence(error_prefix(source_), "tensor ", in_quotes(name),
                               " doesn't have the numbers that the others say it has"));
    }
    std::vector<T> numbers(static_cast<std::size_t>(count));
    if (count == 0) return numbers;
    stream_.seekg(
        static_cast<std::streamoff>(e.begin + static_cast<std::uint64_t>(first) * sizeof(T)));
    reader_.fetch(stream_, numbers.data(), numbers.size() * sizeof(T));
    return numbers;
  }

 private:
  const TensorEntry& entry(std::string_view name) const {
    const auto found = place_.find(std::string(name));
    if (found != place_.end()) return entries_[found->second];
    throw FileError(sentence(error_prefix(source_), "there is no tensor ", in_quotes(name)));
  }

  TensorFileReader reader_;
  std::string source_;
  std::ifstream stream_;
  std::map<std::string, std::string> metadata_;
  std::vector<TensorEntry> entries_;
  std::unordered_map<std::string, std::size_t> place_;  // of a name in entries_
};

}  // namespace detail
DASVDD_NAMESPACE_END
