#pragma once
/// \file
/// Rows that belong together, the windows of one recording say, and one score for all rows of a group.

#include <tool/command.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tool {

/// Which group each row is in.
struct Groups {
  std::vector<std::string> names;     ///< one a group, in the order in which they come
  std::vector<std::size_t> group_of;  ///< one a row: its place in `names`

  bool empty() const { return group_of.empty(); }

  void add(const std::string& name) {
    const auto [at, fresh] = places_.insert({name, names.size()});
    if (fresh) names.push_back(name);
    group_of.push_back(at->second);
  }

 private:
  std::map<std::string, std::size_t> places_;
};

/// A field as it stands in a csv file.
inline std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

namespace detail {

/// A csv file's text with one column taken out.
struct CutCsv {
  std::string rest;
  std::vector<std::string> column;  ///< its fields, a header's too
  std::size_t place;
};

/// \param column a name in the first row or, from 0, an index
inline CutCsv cut_column(ByteStream& stream, const std::string& column) {
  const std::string& name = stream.name();
  CsvRows rows(read_all(stream), name);
  CutCsv cut;
  std::vector<std::string> fields;
  check(rows.next(fields), name, " is empty");
  const auto same = [&](const std::string& field) { return trimmed(field) == column; };
  const auto index = parse_index(column);
  cut.place = index ? *index
                    : static_cast<std::size_t>(std::find_if(fields.begin(), fields.end(), same) -
                                               fields.begin());
  check(index.has_value() || cut.place < fields.size(), name, " has no column named '", column,
        "'");
  check(cut.place < fields.size(), name, " has ", fields.size(), " columns, so none of index ",
        column, " (from 0)");
  const std::size_t columns = fields.size();
  check(columns > 1, name, " has no column beside the groups");
  do {
    check(fields.size() == columns, name, ", line ", rows.line(), " has ", fields.size(),
          " fields, expected ", columns, " as in line 1");
    bool first = true;
    for (std::size_t j = 0; j < columns; ++j) {
      if (j == cut.place) continue;
      if (!first) cut.rest += ',';
      first = false;
      cut.rest += csv_field(fields[j]);
    }
    cut.rest += '\n';
    cut.column.emplace_back(trimmed(fields[cut.place]));
    check(!cut.column.back().empty(), name, ", line ", rows.line(), ": the row's group is empty");
  } while (rows.next(fields));
  return cut;
}

/// Bytes in memory.
class TextStream : public ByteStream {
 public:
  TextStream(std::string name, std::string text)
      : ByteStream(std::move(name), static_cast<double>(text.size())), text_(std::move(text)) {}

 private:
  std::size_t fetch(char* to, std::size_t count) override {
    const std::size_t n = std::min(count, text_.size() - at_);
    std::copy_n(text_.data() + at_, n, to);
    at_ += n;
    return n;
  }
  std::string text_;
  std::size_t at_ = 0;
};

}  // namespace detail

/// The options --group and --group-by.
class GroupArguments {
 public:
  void declare(CLI::App& command) {
    CLI::Option* group =
        command
            .add_option("--group", group_,
                        "one score for all rows of a group: of a csv the column, by name or by "
                        "index from 0, that names the group; of other files so many rows that "
                        "follow each other")
            ->type_name("COLUMN|N");
    command.add_option("--group-by", by_, "a group's score: the mean or the maximum of its rows'")
        ->capture_default_str()
        ->check(CLI::IsMember({"mean", "max"}))
        ->needs(group);
  }

  bool given() const { return !group_.empty(); }
  /// "mean" or "max".
  const std::string& by() const { return by_; }

  /// Reads the rows, and the group of each where groups are asked for.
  Table read(const DataArguments& data, Groups& groups) const {
    if (!given()) return data.read();
    {
      FileStream stream(data.path);
      if (is_csv(data.path, stream)) return read_csv_groups(stream, data.options, groups);
    }
    const auto size = detail::parse_index(group_);
    check(size.has_value() && *size > 0, "--group is ", in_quotes(group_), " and ",
          in_quotes(data.path), " no csv file, expected a whole number of rows from 1");
    Table table = data.read();
    const std::size_t rows = static_cast<std::size_t>(table.X.rows());
    check(rows % *size == 0, in_quotes(data.path), " has ", rows,
          " rows, which are no whole number of groups of ", *size);
    for (std::size_t i = 0; i < rows; ++i) groups.add(std::to_string(i / *size));
    return table;
  }

  /// Whether a model is calibrated by groups, and of these: its p-values are then theirs.
  bool calibrates(const std::map<std::string, std::string>& facts) const {
    const auto fact = facts.find("group_by");
    return fact != facts.end() && fact->second == by_;
  }

  /// One label a group; its rows must share it.
  std::vector<int> labels(const Groups& groups, const std::vector<int>& labels) const {
    std::vector<int> result(groups.names.size(), -1);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::size_t g = groups.group_of[i];
      check(result[g] == -1 || result[g] == labels[i], "group ", in_quotes(groups.names[g]),
            " has normal rows and anomalies, expected one kind in a group");
      result[g] = labels[i];
    }
    return result;
  }

  /// One score a group.
  /// \param scores one a row
  Eigen::VectorXf scores(const Groups& groups, const Eigen::VectorXf& scores) const {
    std::vector<double> sums(groups.names.size(), 0), counts(sums), largest(sums);
    for (std::size_t i = 0; i < groups.group_of.size(); ++i) {
      const std::size_t g = groups.group_of[i];
      const double score = static_cast<double>(scores[static_cast<Index>(i)]);
      sums[g] += score;
      counts[g] += 1;
      largest[g] = std::max(largest[g], score);
    }
    Eigen::VectorXf result(static_cast<Index>(sums.size()));
    for (std::size_t g = 0; g < sums.size(); ++g) {
      result[static_cast<Index>(g)] =
          static_cast<float>(by_ == "mean" ? sums[g] / counts[g] : largest[g]);
    }
    return result;
  }

 private:
  static bool is_csv(const std::string& path, ByteStream& stream) {
    const std::string start = stream.peek(8);
    return !detail::ends_with(path, ".bin") && !detail::is_npy(start) && !detail::is_zip(start) &&
           !detail::is_idx(start);
  }

  Table read_csv_groups(ByteStream& stream, const DataOptions& options, Groups& groups) const {
    detail::CutCsv cut = detail::cut_column(stream, group_);
    // The labels' column, where it is a number, counts the column that was taken out.
    std::string labels = options.label_column;
    const auto index = detail::parse_index(labels);
    check(options.labels_path.empty(),
          "--labels doesn't go with --group of a csv, whose labels are a column");
    check(labels != group_ && index != cut.place,
          "--group and --label-column name the same column, ", in_quotes(group_));
    if (index && *index > cut.place) labels = std::to_string(*index - 1);
    detail::TextStream rest(stream.name(), std::move(cut.rest));
    Table table = read_csv(rest, labels);
    if (!options.with_labels) table.labels.clear();
    // What is one more than the rows is the header.
    const std::size_t header = cut.column.size() - static_cast<std::size_t>(table.X.rows());
    for (std::size_t i = header; i < cut.column.size(); ++i) groups.add(cut.column[i]);
    return table;
  }

  std::string group_, by_ = "mean";
};

}  // namespace tool
