#pragma once
/// \file
/// Reads a data set of any kind that the tool knows; which one it is the file's first bytes say.

#include <tool/cifar.hpp>
#include <tool/csv.hpp>
#include <tool/idx.hpp>
#include <tool/npy.hpp>

#include <algorithm>
#include <string>

namespace tool {

/// What the command line says about a data file.
struct DataOptions {
  std::string label_column;  ///< of a csv: name or index; empty for none
  std::string labels_path;   ///< a file of labels beside the data; empty for none
  bool with_labels =
      true;  ///< false: labels are left out, and not even looked at where that can be helped
};

namespace detail {

inline bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}
inline bool is_npy(const std::string& start) {
  return start.compare(0, npy_magic.size(), npy_magic) == 0;
}
inline bool is_zip(const std::string& start) {
  return start.compare(0, 2, "PK") == 0 && start.size() >= 4 && start[2] < 9;
}
inline bool is_idx(const std::string& start) {
  return start.size() >= 4 && start[0] == 0 && start[1] == 0 && start[3] > 0 && start[3] < 8;
}

inline Table read_data(const std::string& path, const DataOptions& options) {
  if (ends_with(path, ".bin")) {
    check(options.label_column.empty(), in_quotes(path),
          " is no csv file, so --label-column doesn't fit");
    return read_cifar(path);
  }
  FileStream stream(path);
  const std::string start = stream.peek(1024);
  const std::string name = stream.name();
  check(!start.empty(), name, " is empty");
  check(!ends_with(path, ".npy") || is_npy(start), name,
        " is no .npy file: it doesn't begin with NumPy's signature");
  check(!ends_with(path, ".npz") || is_zip(start), name, " is no .npz file: it is no zip archive");
  const bool csv = !is_npy(start) && !is_zip(start) && !is_idx(start);
  check(csv || options.label_column.empty(), name,
        " is no csv file, so --label-column doesn't fit");
  if (is_npy(start)) {
    Table table;
    table.X = read_npy_rows(stream);
    return table;
  }
  if (is_zip(start)) return read_npz(path, options.with_labels && options.labels_path.empty());
  if (is_idx(start)) return read_idx_images(stream);
  // A byte no text has, zero, tells that this is none.
  check(start.find('\0') == std::string::npos, name,
        " is of no known kind; known are .npy, .npz, .csv and IDX images");
  return read_csv(stream, options.label_column);
}

}  // namespace detail

/// Reads labels from an IDX file or an .npy array of one dimension.
/// \throws FileError
inline std::vector<std::string> read_labels(const std::string& path) {
  FileStream stream(path);
  return detail::is_npy(stream.peek(npy_magic.size())) ? read_npy_labels(stream)
                                                       : read_idx_labels(stream);
}

/// Reads a data set: .npy, .npz, .csv or IDX images, all but .npz gzipped or not, or CIFAR-10's .bin.
/// \throws FileError one sentence with the file's name
inline Table read_table(const std::string& path, const DataOptions& options) {
  const bool beside = !options.labels_path.empty();
  check(!beside || options.label_column.empty(),
        "--labels and --label-column are both given; one file holds the labels");
  Table table = detail::read_data(path, options);
  if (!options.with_labels) {
    table.labels.clear();
  } else if (beside) {
    table.labels = read_labels(options.labels_path);
    check(Index(table.labels.size()) == table.X.rows(), in_quotes(options.labels_path), " has ",
          table.labels.size(), " labels but ", in_quotes(path), " has ", table.X.rows(), " rows");
  }
  return table;
}

}  // namespace tool
