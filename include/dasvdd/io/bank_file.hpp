#pragma once
/// \file
/// A bank of small detectors as a file and back: `save(bank, path)`, `load(bank, path)`, and
/// `load(bank, path, {"host-17"})`, which reads the named groups alone, wherever they lie.
///
/// The file is in the safetensors format (tensor_file.hpp). Its tensors, with G detectors in the order of their keys'
/// bytes, each laid out as bank_layout.hpp says:
///
/// | tensor | shape, type |
/// | --- | --- |
/// | `detectors.floats` | G x the layout's floats: net, center, whitening, calibration scores, centers; F32 |
/// | `detectors.doubles` | G x the layout's doubles: scaler, threshold, weights; F64 |
/// | `detectors.counts` | G x 3: rows, calibration scores, centers; I64 |
/// | `detectors.checksums` | G: CRC-32 of a detector's key, floats, doubles and counts; I64 |
/// | `keys.text`, `keys.ends` | the keys' bytes one behind the other, and where each ends: G; U8, I64 |
/// | `refused.keys.text`, `.ends` | the same of the groups without a detector |
/// | `refused.sentences.text`, `.ends` | and of the reasons |
///
/// Metadata: `format` ("dasvdd bank"), `format_version`, `library_version`, `checksum` (of the whole file), `features`,
/// `feature_names` (a JSON array; only where there are names), and the bank's facts.

#include <dasvdd/core/version.hpp>
#include <dasvdd/detect/bank.hpp>
#include <dasvdd/detect/feature_names.hpp>
#include <dasvdd/io/tensor_file.hpp>
#include <dasvdd/io/tensor_file_map.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

inline const char* const bank_format = "dasvdd bank";

/// Whether a file's words say that it is a bank.
inline bool is_bank(const std::map<std::string, std::string>& metadata) {
  const auto format = metadata.find("format");
  return format != metadata.end() && format->second == bank_format;
}

/// The checksum of one detector.
inline std::int64_t checksum_of(const BankContent& content, Index g) {
  const auto add = [](const auto* numbers, std::size_t count, std::uint32_t before) {
    return crc32(reinterpret_cast<const unsigned char*>(numbers), count * sizeof(*numbers), before);
  };
  const std::string_view key = content.keys[g];
  std::uint32_t checksum = add(key.data(), key.size(), 0);
  checksum = add(content.floats_of(g), static_cast<std::size_t>(content.layout.floats()), checksum);
  checksum =
      add(content.doubles_of(g), static_cast<std::size_t>(content.layout.doubles()), checksum);
  return add(content.counts_of(g), static_cast<std::size_t>(BankLayout::counts), checksum);
}

/// A bank as tensors and words; what save() writes.
inline TensorFile to_tensor_file(const Bank& bank) {
  const BankContent& content = bank.content();
  const Index groups = bank.size();
  TensorFile file;
  for (const auto& [key, word] : content.facts) file.set_metadata(key, word);
  file.set_metadata("format", bank_format);
  file.set_metadata("format_version", "1");
  file.set_metadata("library_version", DASVDD_VERSION_STRING);
  file.set_metadata("features", std::to_string(content.layout.d));
  if (!content.feature_names.empty())
    file.set_metadata("feature_names", nlohmann::json(content.feature_names).dump());
  file.add("detectors.floats", {groups, content.layout.floats()}, content.floats.data());
  file.add("detectors.doubles", {groups, content.layout.doubles()}, content.doubles.data());
  file.add("detectors.counts", {groups, BankLayout::counts}, content.counts.data());
  std::vector<std::int64_t> checksums;
  for (Index g = 0; g < groups; ++g) checksums.push_back(checksum_of(content, g));
  file.add("detectors.checksums", {groups}, checksums.data());
  const auto add = [&](const std::string& name, const WordList& words) {
    file.add(name + ".text", {static_cast<Index>(words.text.size())},
             reinterpret_cast<const std::uint8_t*>(words.text.data()));
    file.add(name + ".ends", {words.size()}, words.ends.data());
  };
  add("keys", content.keys);
  add("refused.keys", content.refused_keys);
  add("refused.sentences", content.refusals);
  return file;
}

/// Makes a bank of a file's tensors. Throws FileError.
class BankReader {
 public:
  explicit BankReader(std::string source) : source_(std::move(source)) {}

  /// All of a file.
  Bank whole(const TensorFile& file) const {
    auto content = std::make_shared<BankContent>();
    read_words(file.metadata(), *content);
    content->feature_names = feature_names(file.metadata(), content->layout.d);
    content->keys = word_list(file, "keys");
    content->refused_keys = word_list(file, "refused.keys");
    content->refusals = word_list(file, "refused.sentences");
    const Index groups = content->keys.size();
    const BankLayout& layout = content->layout;
    validate(content->refusals.size() == content->refused_keys.size(), "there are ",
             content->refused_keys.size(), " refused groups and ", content->refusals.size(),
             " sentences");
    const auto floats = file["detectors.floats"].as<float>({groups, layout.floats()});
    content->floats = AlignedBuffer<float>(groups, layout.floats());
    std::copy(floats.begin(), floats.end(), content->floats.data());
    content->doubles = file["detectors.doubles"].as<double>({groups, layout.doubles()});
    content->counts = file["detectors.counts"].as<std::int64_t>({groups, BankLayout::counts});
    const auto checksums = file["detectors.checksums"].as<std::int64_t>({groups});
    check_order(content->keys, "keys");
    check_order(content->refused_keys, "refused.keys");
    for (Index g = 0; g < groups; ++g)
      check_content(*content, g, checksums[static_cast<std::size_t>(g)]);
    return Bank(std::move(content));
  }

  /// The detectors of some groups.
  Bank some(TensorFileMap& file, std::vector<std::string> keys) const {
    auto content = std::make_shared<BankContent>();
    read_words(file.metadata(), *content);
    content->feature_names = feature_names(file.metadata(), content->layout.d);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    const Index all = length(file, "keys.ends"), refused = length(file, "refused.keys.ends");
    std::int64_t left = length(file, "refused.sentences.text");
    std::vector<Index> places;
    for (const std::string& key : keys) {
      const Index place = find(file, "keys", all, key);
      if (place >= 0) {
        places.push_back(place);
        content->keys.add(key);
        continue;
      }
      const Index among = find(file, "refused.keys", refused, key);
      validate(among >= 0, "there is no group ", in_quotes(key), " among the bank's ", all);
      content->refused_keys.add(key);
      const std::string why = word(file, "refused.sentences", among, left + 1);
      left -= static_cast<std::int64_t>(why.size());  // no part of it is another group's
      validate(left >= 0, "tensor 'refused.sentences.ends' doesn't fit its text");
      content->refusals.add(why);
    }
    const BankLayout& layout = content->layout;
    const Index groups = content->keys.size();
    content->floats = AlignedBuffer<float>(groups, layout.floats());
    for (Index g = 0; g < groups; ++g) {
      const Index place = places[static_cast<std::size_t>(g)];
      const auto floats = part<float>(file, "detectors.floats", {all, layout.floats()}, place);
      std::copy(floats.begin(), floats.end(), content->floats.data() + g * layout.floats());
      const auto doubles = part<double>(file, "detectors.doubles", {all, layout.doubles()}, place);
      content->doubles.insert(content->doubles.end(), doubles.begin(), doubles.end());
      const auto counts =
          part<std::int64_t>(file, "detectors.counts", {all, BankLayout::counts}, place);
      content->counts.insert(content->counts.end(), counts.begin(), counts.end());
      check_content(*content, g,
                    part<std::int64_t>(file, "detectors.checksums", {all}, place).front());
    }
    return Bank(std::move(content));
  }

 private:
  template <class... Parts>
  void validate(bool condition, const Parts&... parts) const {
    if (!condition) throw FileError(sentence(error_prefix(source_), parts...));
  }

  void read_words(const std::map<std::string, std::string>& metadata, BankContent& content) const {
    validate(is_bank(metadata), "this is no bank of detectors");
    const auto word = [&](const char* key) {
      const auto found = metadata.find(key);
      return found == metadata.end() ? std::string() : found->second;
    };
    validate(word("format_version") == "1", "the bank is of the format ",
             in_quotes(word("format_version")), ", this library reads 1");
    const std::string features = word("features");
    Index d = 0;
    const char* last = features.data() + features.size();
    const auto [end, error] = std::from_chars(features.data(), last, d);
    validate(error == std::errc() && end == last && d >= 1 && d <= BankLayout::most_features,
             "the number of features is ", in_quotes(features), ", expected 1 to ",
             BankLayout::most_features);
    content.layout = BankLayout{d};
    for (const auto& [key, text] : metadata) {
      const bool reserved = key == "format" || key == "format_version" || key == "features" ||
                            key == "feature_names" || key == "library_version" || key == "checksum";
      if (!reserved) content.facts[key] = text;
    }
  }

  /// None, or one for each of d features, as in a model file.
  std::vector<std::string> feature_names(const std::map<std::string, std::string>& metadata,
                                         Index d) const {
    const auto found = metadata.find("feature_names");
    if (found == metadata.end()) return {};
    TensorFile words;
    words.set_metadata("feature_names", found->second);
    std::vector<std::string> names;
    try {
      names = words.strings("feature_names");
      check_feature_names(names);
    } catch (const InvalidArgument& error) {
      throw FileError(error_prefix(source_) + error.what());
    } catch (const FileError& error) {
      throw FileError(error_prefix(source_) + error.what());
    }
    validate(names.empty() || static_cast<Index>(names.size()) == d, "there are ", names.size(),
             " feature names for ", d, " features");
    return names;
  }

  WordList word_list(const TensorFile& file, const std::string& name) const {
    const auto text = file[name + ".text"].as<std::uint8_t>();
    WordList words;
    words.text.assign(text.begin(), text.end());
    words.ends = file[name + ".ends"].as<std::int64_t>();
    std::int64_t before = 0;
    for (const std::int64_t end : words.ends) {
      validate(end >= before && end <= static_cast<std::int64_t>(text.size()), "tensor ",
               in_quotes(name + ".ends"), " doesn't fit its text");
      before = end;
    }
    return words;
  }
  void check_order(const WordList& words, const char* name) const {
    for (Index i = 1; i < words.size(); ++i)
      validate(words[i - 1] < words[i], "the ", name, " are not in order");
  }

  Index length(const TensorFileMap& file, const std::string& name) const {
    const Tensor& tensor = file[name];
    validate(tensor.shape.size() == 1, "tensor ", in_quotes(name), " is ", shape_text(tensor.shape),
             ", expected one dimension");
    return tensor.shape[0];
  }
  /// \param most bytes of it, from its start
  std::string word(TensorFileMap& file, const std::string& name, Index i, std::int64_t most) const {
    const std::string ends = name + ".ends";
    const auto begin = i == 0 ? 0 : file.part<std::int64_t>(ends, i - 1, 1).front();
    const auto end = file.part<std::int64_t>(ends, i, 1).front();
    const Index size = length(file, name + ".text");
    validate(begin >= 0 && begin <= end && end <= size, "tensor ", in_quotes(ends),
             " doesn't fit its text");
    const auto text = file.part<std::uint8_t>(name + ".text", begin, (std::min)(end - begin, most));
    return std::string(text.begin(), text.end());
  }
  /// The place of a word by bisection; -1 where it isn't there. Of each word on the way no more is read than tells it
  /// from the wanted one: it may be as long as the file.
  Index find(TensorFileMap& file, const std::string& name, Index count,
             const std::string& wanted) const {
    Index first = 0, last = count;
    while (first < last) {
      const Index middle = first + (last - first) / 2;
      const std::string there =
          word(file, name, middle, static_cast<std::int64_t>(wanted.size()) + 1);
      if (there == wanted) return middle;
      if (there < wanted) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    return -1;
  }
  /// Row `place` of a tensor.
  template <class T>
  std::vector<T> part(TensorFileMap& file, const char* name, const std::vector<Index>& shape,
                      Index place) const {
    validate(file[name].shape == shape, "tensor ", in_quotes(name), " is ",
             shape_text(file[name].shape), ", expected ", shape_text(shape));
    const Index width = shape.size() > 1 ? shape[1] : 1;
    return file.part<T>(name, place * width, width);
  }

  /// One detector's numbers: those that were written, and such as a detector can have.
  void check_content(const BankContent& content, Index g, std::int64_t checksum) const {
    const BankLayout& layout = content.layout;
    const auto name = [&] { return "the detector of the group " + in_quotes(content.keys[g]); };
    validate(checksum_of(content, g) == checksum, name(), " is damaged: its checksum is wrong");
    const float* floats = content.floats_of(g);
    const double* doubles = content.doubles_of(g);
    const std::int64_t* counts = content.counts_of(g);
    bool good = all_finite(floats, layout.floats()) && all_finite(doubles, layout.doubles());
    for (Index j = 0; good && j < layout.d; ++j) {
      const double scale = doubles[layout.scale() + j];
      good = Standardizer<float>::Constants(doubles[layout.mean() + j], scale).good(scale);
    }
    good = good && doubles[layout.reconstruction_weight()] >= 0 &&
           doubles[layout.latent_weight()] >= 0 && doubles[layout.gamma()] >= 0;
    good = good && counts[BankLayout::rows] >= 0 &&
           counts[BankLayout::rows] <= BankLayout::most_rows &&
           counts[BankLayout::calibration] >= 0 && counts[BankLayout::used_centers] >= 0 &&
           counts[BankLayout::used_centers] <= layout.centers();
    if (good) {
      // Each is of a row of its own; Bank::detector() takes memory for all of them.
      const std::int64_t most =
          (std::min)(counts[BankLayout::rows], static_cast<std::int64_t>(BankLayout::most_scores));
      validate(counts[BankLayout::calibration] <= most, name(), " has ",
               counts[BankLayout::calibration], " calibration scores of ", counts[BankLayout::rows],
               " rows, expected at most ", most);
      const float* scores = floats + layout.scores();
      const std::int64_t kept = (std::min)(counts[BankLayout::calibration],
                                           static_cast<std::int64_t>(BankLayout::kept_scores));
      good = std::is_sorted(scores, scores + kept, std::greater<float>());
    }
    validate(good, name(), " has numbers that no detector has");
  }

  std::string source_;
};

/// The bank that to_tensor_file() wrote down. \throws FileError
inline Bank bank_from_tensor_file(const TensorFile& file) {
  return BankReader(file.source()).whole(file);
}

}  // namespace detail

/// Writes a bank to the file `path`. A reader sees the old file or the whole new one.
/// \throws FileError when the file can't be written; an old file is then as it was
inline void save(const Bank& bank, const std::filesystem::path& path) {
  detail::to_tensor_file(bank).write(path);
}

/// Reads what save() wrote: the same scores to the bit, and the refused groups with their sentences.
/// \throws FileError when the file can't be read, is no bank or damaged
inline void load(Bank& bank, const std::filesystem::path& path) {
  bank = detail::bank_from_tensor_file(detail::TensorFile::read(path));
}
/// Reads the detectors of these groups alone, some kilobytes each and not the whole file. Each is checked by its own
/// checksum.
/// \param keys of the groups, in any order; groups that were refused are among the result's refused
/// \throws FileError also when there is no group of a key
inline void load(Bank& bank, const std::filesystem::path& path,
                 const std::vector<std::string>& keys) {
  detail::TensorFileMap file(path);
  bank = detail::BankReader(file.source()).some(file, keys);
}

DASVDD_NAMESPACE_END
