#pragma once
/// \file
/// What the subcommands share: the options about data, which rows are anomalies, and how things
/// fail.

#include <tool/big_file.hpp>
#include <tool/output_file.hpp>
#include <tool/pixel_range.hpp>
#include <tool/places.hpp>
#include <tool/read_table.hpp>

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/bank_file.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/io/replace_file.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <ostream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>
#include <vector>

namespace tool {

/// Running failed, though nothing was wrong with the input: a full disk, say. Exit status 1,
/// everything else 2.
class RunError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Runs what writes a file: what goes wrong there is no fault of the input.
template <class Action>
void writing(const Action& action) {
  try {
    action();
  } catch (const FileError& error) {
    throw RunError(error.what());
  }
}

/// Refuses a result's place before hours are spent on it: its folder must be there, it no folder itself, and
/// no file that is read, or that another result goes to.
/// \param inputs files that are read; empty names are none
/// \param option that names the place
/// \param outputs other results' places; empty names are none
inline void check_output(const std::string& path, const std::vector<std::string>& inputs,
                         const char* option = "-o", const std::vector<std::string>& outputs = {}) {
  check(!path.empty(), option, " is empty, expected the name of a file");
  std::error_code error;
  const std::filesystem::path file = output_place(path);
  check(!std::filesystem::is_symlink(std::filesystem::symlink_status(file, error)) ||
            std::filesystem::exists(file, error),
        in_quotes(path), " can't be written: its links lead in a circle");
  for (const std::string& input : inputs) {
    check(input.empty() || !same_place(path, input), option, " ", in_quotes(path),
          " would take the place of ", in_quotes(input), ", which is read");
  }
  for (const std::string& output : outputs) {
    check(output.empty() || !same_place(path, output), option, " ", in_quotes(path),
          " would take the place of ", in_quotes(output), ", which is written, too");
  }
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  check(std::filesystem::is_directory(folder, error), in_quotes(path),
        " can't be written: there is no folder ", in_quotes(folder.string()));
  check(!std::filesystem::is_directory(file, error), in_quotes(path),
        " can't be written: it is a folder");
}

/// Begins to write a file, and takes that back: a place that refuses is known before the work.
inline void try_output(const std::string& path) {
  const std::filesystem::path place = output_place(path);
  check(is_replaced(place), in_quotes(path), " can't be written: it is no regular file");
  writing([&] { const dasvdd::detail::ReplacementFile file(place); });
}

/// Runs what looks at the rows of a file: the library's sentence about a row or a width gets the
/// file's name.
template <class Action>
auto naming(const std::string& path, const Action& action) {
  try {
    return action();
  } catch (const dasvdd::InvalidArgument& error) {
    throw FileError(in_quotes(path) + ": " + error.what());
  }
}

/// For CLI11's transform(): refuses what is no whole number of the type. By itself CLI11 takes -1 for the largest
/// number that has no sign, what is too large for the largest, and 010 for 8.
template <class Integer>
CLI::Validator whole_number() {
  const auto rewrite = [](std::string& text) {
    Integer number;
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    if (error != std::errc() || end != last) {
      return in_quotes(text) + " is no whole number from 0 to " +
             std::to_string(std::numeric_limits<Integer>::max());
    }
    text = std::to_string(number);
    return std::string();
  };
  return CLI::Validator(rewrite, "");
}

/// The numbers of an option like 1,28,28.
inline std::vector<Index> sizes(const char* option, std::string_view text) {
  std::vector<Index> numbers;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    Index number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + comma, number);
    const bool whole = error == std::errc() && end == rest.data() + comma && number > 0;
    check(whole && comma + 1 != rest.size(), option, " is ", in_quotes(std::string(text)),
          ", expected whole numbers from 1 with commas between them");
    numbers.push_back(number);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return numbers;
}

/// The three numbers of --image-shape.
inline dasvdd::Shape image_shape(const std::string& text) {
  const std::vector<Index> n = sizes("--image-shape", text);
  check(n.size() == 3, "--image-shape is ", in_quotes(text),
        ", expected three numbers: channels, height and width");
  return {n[0], n[1], n[2]};
}

/// Whether rows of `width` numbers can be such images; the product of three large numbers has no place in an
/// Index.
inline bool fits(const dasvdd::Shape& image, Index width) {
  return image.channels <= width && image.height <= width && image.width <= width &&
         image.channels * image.height <= width && image.size() == width;
}

/// The words of an option like a,b,c.
inline std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) words.emplace_back(trimmed(word));
  return words;
}

/// A model file's detector, in the type it was trained in.
using AnyDetector = std::variant<dasvdd::Detector<float>, dasvdd::Detector<double>>;

/// The argument MODEL.
class ModelArgument {
 public:
  void declare(CLI::App& command) {
    command.add_option("MODEL", path_, "a model that fit wrote")->required();
    command.add_flag("--trust-model", trusted_,
                     "the model is your own: it may take more time and memory than a stranger's");
  }

  const std::string& path() const { return path_; }
  /// Reads a model of either type. \throws FileError
  AnyDetector load() const {
    const auto file = dasvdd::detail::TensorFile::read(path_);
    check(!dasvdd::detail::is_bank(file.metadata()), in_quotes(path_),
          " is a bank of detectors, one a group, which info and score --by take");
    using dasvdd::detail::LoadLimits;
    const LoadLimits limits = trusted_ ? LoadLimits::none() : LoadLimits();
    if (dasvdd::detail::holds_doubles(file))
      return dasvdd::detail::from_tensor_file<double>(file, {}, limits);
    return dasvdd::detail::from_tensor_file<float>(file, {}, limits);
  }

 private:
  std::string path_;
  bool trusted_ = false;
};

/// Images with whole pixels from 0 to 255 become images from 0 to 1, as IDX files are read, and `err` says so.
/// Rows of another kind are left as they are.
/// \param name of the file, in quotes
/// \param model the same of the model's: where those were divided, bytes are, though they be 0 and 1 alone
inline void scale_pixels(Table& table, const std::string& name, std::ostream& err,
                         Pixels model = Pixels::any) {
  PixelRange range;
  range.add(table.X);
  if (!range.are_bytes(table.pixels, model)) return;
  table.X /= 255;
  table.pixels = Pixels::divided;
  err << "dasvdd: note: " << name << " has pixels from 0 to 255: divided by 255\n";
}
/// What a model's pixels were before they went from 0 to 1.
template <class Scalar>
Pixels pixels_of(const dasvdd::Detector<Scalar>& detector) {
  return detector.facts().count("pixels") > 0 ? Pixels::divided : Pixels::any;
}

/// Whether a model's rows are images with pixels from 0 to 1.
template <class Scalar>
bool takes_pixels(const dasvdd::Detector<Scalar>& detector) {
  return detector.facts().count("image_shape") > 0 &&
         detector.model().scaler.text() != "standardized";
}

/// For what takes rows of float in place of double: names the features that lose by it, less than sixteen floats to a
/// standard deviation.
/// \param what takes them
template <class Scalar>
void warn_of_float_rows(const dasvdd::Detector<Scalar>& detector, const char* what,
                        std::ostream& err) {
  using Standardizer = dasvdd::detail::Standardizer<Scalar>;
  const auto* scaler = std::get_if<Standardizer>(&detector.model().scaler.kind());
  if (scaler == nullptr) return;
  for (std::size_t j = 0; j < scaler->mean().size(); ++j) {
    const double scale = scaler->scale()[j];
    const double apart =
        std::abs(scaler->mean()[j]) * static_cast<double>(std::numeric_limits<float>::epsilon());
    if (scale == 1 || 16 * apart <= scale) continue;  // 1: of a feature that does not vary
    err << "dasvdd: warning: " << what << " takes rows of 32 bits, and there the values of "
        << dasvdd::detail::feature_text(detector.feature_names(), j) << ", about "
        << number_text(scaler->mean()[j]) << " with a deviation of " << number_text(scale)
        << ", are " << number_text(apart)
        << " apart: fit rows from which an offset was subtracted\n";
  }
}

/// The arguments that say where the rows and their labels are.
struct DataArguments {
  std::string path;
  DataOptions options;
  std::string normal;  ///< --normal; empty when it isn't given

  void declare(CLI::App& command, const char* name, bool labels_matter) {
    command
        .add_option(name, path,
                    ".npy, .npz or .mat (arrays X and y), .csv or IDX images, gzipped or not; "
                    "CIFAR-10's .bin")
        ->required();
    command
        .add_option(
            "--memory", memory,
            "rows whose numbers take more bytes than that are read in pieces, and the "
            "command then takes about so much; M and G are a million and a thousand of them")
        ->capture_default_str()
        ->type_name("BYTES");
    declare_options(command, labels_matter);
  }
  /// The options alone, for a command that has another way to the path.
  void declare_options(CLI::App& command, bool labels_matter) {
    command
        .add_option("--label-column", options.label_column,
                    "csv: the column of labels, by name or by index from 0")
        ->type_name("NAME|INDEX");
    command
        .add_option("--labels", options.labels_path, "labels in a file of their own (IDX or .npy)")
        ->type_name("FILE");
    command
        .add_option("--columns", columns,
                    "the columns that are features, by name or by index from 0")
        ->type_name("A,B,...");
    command.add_option("--drop", drop, "columns to leave out, by name or by index from 0")
        ->type_name("A,B,...");
    command
        .add_option("--header", header,
                    "csv: whether the first line holds the columns' names (where neither a "
                    "line of names nor one of numbers, this asks for it)")
        ->check(CLI::IsMember({"yes", "no"}));
    command.add_option("--key", options.key, ".npz, .mat: the array of rows")
        ->capture_default_str();
    label_key =
        command.add_option("--label-key", options.label_key, ".npz, .mat: the array of labels")
            ->capture_default_str();
    if (labels_matter) {
      command.add_option("--normal", normal, "the label of normal rows; all others are anomalies")
          ->type_name("V");
    }
    options.with_labels = labels_matter;
  }

  /// The files that are read.
  std::vector<std::string> files() const { return {path, options.labels_path}; }

  /// What the options say.
  /// \param expected the model's feature names, which a file's are matched with
  DataOptions all_options(const std::vector<std::string>& expected = {}) const {
    DataOptions all = options;
    all.columns = words_of(columns);
    all.drop = words_of(drop);
    if (!header.empty())
      all.header = header == "yes" ? DataOptions::Header::yes : DataOptions::Header::no;
    all.label_key_given = label_key->count() > 0;
    all.expected = expected;
    return all;
  }

  /// \param missing whether rows may lack values
  Table read(bool missing = false) const {
    DataOptions all = all_options();
    all.missing = missing;
    return read_table(path, all);
  }
  /// What the options say of rows for a detector.
  template <class Scalar>
  DataOptions options_for(const dasvdd::Detector<Scalar>& detector) const {
    DataOptions all = all_options(detector.feature_names());
    all.features = detector.features();
    all.missing = detector.model().scaler.missing() != dasvdd::detail::MissingRule::refuse;
    return all;
  }

  /// --memory in bytes.
  double memory_bytes() const {
    const std::string_view text = memory;
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = parse_number(text.substr(0, digits));
    const std::string unit(text.substr(digits));
    const double factor = unit == "G" ? 1e9 : unit == "M" ? 1e6 : unit == "K" ? 1e3 : 1;
    check(number && (unit.empty() || factor > 1), "--memory is ", in_quotes(memory),
          ", expected a number of bytes, as in 300M or 2G");
    return *number * factor;
  }
  /// The file, where it is to be read in pieces; else null.
  /// \param expected the model's feature names
  std::unique_ptr<BigFile> open_big(std::ostream& err,
                                    const std::vector<std::string>& expected = {}) const {
    auto file = tool::open_big(path, all_options(expected), memory_bytes());
    if (file) {
      err << "dasvdd: note: the rows of " << in_quotes(path) << " take about "
          << static_cast<long>(file->bytes() / 1e6) << " MB, more than --memory " << memory
          << ": they are read in pieces\n";
    }
    return file;
  }
  /// The same for rows of a detector. Rows that may lack values are read at once.
  template <class Scalar>
  std::unique_ptr<BigFile> open_big_for(const dasvdd::Detector<Scalar>& detector,
                                        std::ostream& err) const {
    if (options_for(detector).missing) return nullptr;
    return open_big(err, detector.feature_names());
  }
  /// The rows for a detector: features in its order, every number one that it takes.
  template <class Scalar>
  Table read_for(const dasvdd::Detector<Scalar>& detector, std::ostream& err) const {
    const DataOptions all = options_for(detector);
    Table table = read_table(path, all);
    check_numbers(table, in_quotes(path), std::numeric_limits<double>::max(), all.missing);
    if (all.missing) {
      MayLack(detector.model().scaler, table.X.cols()).check_rows(table, in_quotes(path));
    }
    if (takes_pixels(detector)) {
      scale_pixels(table, in_quotes(path), err, pixels_of(detector));
      PixelRange range;
      range.add(table.X);
      range.warn(in_quotes(path), err);
    }
    return table;
  }

 private:
  std::string columns, drop, header, memory = "1G";
  CLI::Option* label_key = nullptr;
};

/// 1 for each row whose label isn't `normal`.
inline std::vector<int> anomalies(const std::vector<std::string>& labels,
                                  const std::string& normal) {
  const std::string label = canonical_label(normal);
  std::vector<int> result;
  result.reserve(labels.size());
  for (const std::string& other : labels) result.push_back(other != label);
  return result;
}

/// The different labels there are, for a sentence.
inline std::string label_listing(const std::vector<std::string>& labels) {
  const std::set<std::string> different(labels.begin(), labels.end());
  std::string text;
  for (const std::string& label : different) {
    if (text.size() > 100) return text + ", ...";
    text += (text.empty() ? "" : ", ") + label;
  }
  return text;
}

}  // namespace tool
