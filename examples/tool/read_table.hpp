#pragma once
/// \file
/// Reads a data set of any kind that the tool knows; which one it is the file's first bytes say.

#include <tool/cifar.hpp>
#include <tool/csv.hpp>
#include <tool/idx.hpp>
#include <tool/mat.hpp>
#include <tool/npy.hpp>

#include <algorithm>
#include <string>

namespace tool {

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
inline bool is_mat(const std::string& start) { return start.compare(0, 7, "MATLAB ") == 0; }
inline bool is_idx(const std::string& start) {
  return start.size() >= 4 && start[0] == 0 && start[1] == 0 && start[3] > 0 && start[3] < 8;
}

/// Refuses what the command line says of other kinds of files.
inline void check_kind(const std::string& name, const DataOptions& options, bool csv, bool keys) {
  check(csv || options.label_column.empty(), name,
        " is no csv file, so --label-column doesn't fit");
  check(csv || options.header == DataOptions::Header::automatic, name,
        " is no csv file, so --header doesn't fit");
  check(keys || (options.key == "X" && !options.label_key_given), name,
        " holds no named arrays, so --key and --label-key don't fit");
}

inline Table read_data(const std::string& path, const DataOptions& options) {
  if (ends_with(path, ".bin")) {
    check_kind(in_quotes(path), options, false, false);
    return read_cifar(path);
  }
  FileStream stream(path);
  const std::string start = stream.peek(1024);
  const std::string name = stream.name();
  check(!start.empty(), name, " is empty");
  check(!ends_with(path, ".npy") || is_npy(start), name,
        " is no .npy file: it doesn't begin with NumPy's signature");
  check(!ends_with(path, ".npz") || is_zip(start), name, " is no .npz file: it is no zip archive");
  const bool mat = is_mat(start) || ends_with(path, ".mat");
  const bool csv = !is_npy(start) && !is_zip(start) && !is_idx(start) && !mat;
  check(start.compare(0, 4, "PAR1") != 0, name,
        " is a Parquet file, which isn't read; python3 -c \"import pandas, sys; "
        "pandas.read_parquet(sys.argv[1]).to_csv(sys.argv[2], index=False)\" IN OUT makes a csv of "
        "it");
  check(start.compare(0, 8, "\x89HDF\r\n\x1a\n") != 0 || mat, name,
        " is an HDF5 file, which isn't read; h5py and numpy.savez make an .npz of it");
  check_kind(name, options, csv, is_zip(start) || mat);
  if (is_npy(start)) return read_npy_rows(stream);
  if (is_zip(start)) return read_npz(path, options);
  if (mat) return read_mat(path, options);
  if (is_idx(start)) return read_idx_images(stream);
  const std::string foreign = foreign_kind(start);
  check(foreign.empty(), name, foreign);
  // A byte no text has, zero, tells that this is none.
  check(start.find('\0') == std::string::npos, name,
        " is of no known kind; known are .npy, .npz, .mat, .csv and IDX images");
  return read_csv(stream, options);
}

/// Makes groups of so many rows that follow each other.
inline void group_rows(Table& table, const DataOptions& options, const std::string& name) {
  const auto size = parse_index(options.group);
  check(size.has_value() && *size > 0, options.group_option, " is ", in_quotes(options.group),
        " and ", name, " no csv file, expected a whole number of rows from 1");
  const auto rows = static_cast<std::size_t>(table.X.rows());
  check(rows % *size == 0, name, " has ", rows, " rows, which are no whole number of groups of ",
        *size);
  for (std::size_t i = 0; i < rows; ++i) table.groups.push_back(std::to_string(i / *size));
}

}  // namespace detail

/// Hands over labels from an IDX file or an .npy array of one dimension.
/// \param use called as use(label) for each row
/// \throws FileError
template <class Use>
void each_label_beside(const std::string& path, const Use& use) {
  FileStream stream(path);
  const std::string start = stream.peek(1024);
  check(!start.empty(), stream.name(), " is empty");
  if (detail::is_npy(start)) return each_npy_label(stream, use);
  const bool zip = detail::is_zip(start), mat = detail::is_mat(start);
  check(start[0] == '\0', stream.name(), " is ",
        zip   ? "a zip archive, as an .npz is"
        : mat ? "a .mat file"
              : "no IDX file and no .npy file",
        "; --labels takes labels in an IDX file or in an .npy of one dimension, as numpy.save "
        "writes it",
        zip || mat ? "" : " (--label-column names a csv's own column)");
  each_idx_label(stream, use);
}
inline std::vector<std::string> read_labels(const std::string& path) {
  std::vector<std::string> labels;
  each_label_beside(path, [&](const std::string& label) { labels.push_back(label); });
  return labels;
}

/// Reads a data set: .npy, .npz, .mat, .csv or IDX images, all but .npz and .mat gzipped or not, or
/// CIFAR-10's .bin.
/// \throws FileError one sentence with the file's name
inline Table read_table(const std::string& path, const DataOptions& options) {
  const bool beside = !options.labels_path.empty();
  check(!beside || options.label_column.empty(),
        "--labels and --label-column are both given; one file holds the labels");
  Table table = detail::read_data(path, options);
  if (table.columns.empty()) detail::choose_columns(table, options, in_quotes(path));
  if (!options.group.empty() && table.lines.empty()) {
    detail::group_rows(table, options, in_quotes(path));
  }
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
