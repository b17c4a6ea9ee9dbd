#pragma once
/// \file
/// Many small detectors, one a group of rows: what fit, score and info do with --by or a bank.

#include <tool/command.hpp>
#include <tool/progress.hpp>
#include <tool/score_lines.hpp>

#include <dasvdd/fit/fit_many.hpp>
#include <dasvdd/io/bank_file.hpp>

#include <algorithm>
#include <limits>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace tool {

/// The option --by.
class ByArgument {
 public:
  /// \param data gets what --by says
  void declare(CLI::App& command, DataArguments& data, const char* what) {
    data_ = &data;
    option_ = command.add_option("--by", column_, what)->type_name("COLUMN|N");
  }
  bool given() const { return option_->count() > 0; }

  /// Reads the rows with their groups.
  /// \param expected the bank's feature names
  Table read(const std::vector<std::string>& expected = {}) const {
    check(!column_.empty(), "--by is empty, expected the name of a column");
    DataOptions options = data_->all_options(expected);
    options.group = column_;
    options.group_option = "--by";
    return read_table(data_->path, options);
  }

 private:
  DataArguments* data_ = nullptr;
  CLI::Option* option_ = nullptr;
  std::string column_;
};

/// Whether a file is a bank; false where it can't be read, which loading it says better.
inline bool is_bank_file(const std::string& path) {
  try {
    return dasvdd::detail::is_bank(dasvdd::detail::TensorFileMap(path).metadata());
  } catch (const FileError&) {
    return false;
  }
}

/// Refuses what --by, for which all is chosen, leaves no choice of.
inline void check_options_by(const CLI::App& command, const std::set<std::string>& allowed) {
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    const bool fits = option->count() == 0 || name == "--help" || allowed.count(name) > 0;
    check(fits, name, " doesn't go with --by");
  }
}

/// Fits one detector a group of a table's rows and writes the bank.
/// \param name of the table's file; \param dropped labeled anomalies that were left out
inline void fit_bank(const Table& table, dasvdd::BankOptions options, const std::string& name,
                     std::size_t dropped, const std::string& path, std::ostream& out,
                     std::ostream& err) {
  options.feature_names = table.names;
  Progress bar("group");
  const dasvdd::Bank bank = naming(name, [&] {
    namespace detail = dasvdd::detail;
    return detail::fit_groups<float>(
        detail::AnyRows(table.X), detail::groups_of(table.groups, table.X.rows()), options,
        [&](const dasvdd::FitProgress& at) {
          bar.update(static_cast<long>(at.done), static_cast<long>(at.total), "");
          return true;
        },
        places_of(table));
  });
  bar.finish();
  const auto refused = bank.refused();
  const auto sentence = [&](std::size_t i) {
    return "group " + in_quotes(refused[i].key) + " " + refused[i].sentence;
  };
  check(bank.size() > 0, in_quotes(name),
        " has no group that can be fitted: ", refused.empty() ? "it has no rows" : sentence(0));
  constexpr std::size_t shown = 20;
  for (std::size_t i = 0; i < std::min(shown, refused.size()); ++i)
    err << "dasvdd: warning: " << printable(sentence(i)) << '\n';
  if (refused.size() > shown) {
    err << "dasvdd: warning: " << refused.size() - shown
        << " more groups have no detector; info lists them\n";
  }
  writing([&] { dasvdd::save(bank, output_place(path)); });
  out << "trained " << bank.size() << " detectors on " << table.X.rows() << " rows of "
      << table.X.cols() << " features";
  if (dropped != 0) out << ", " << dropped << " labelled anomalies dropped";
  if (!refused.empty()) out << ", " << refused.size() << " groups refused";
  out << "\nbank " << path << '\n';
}

/// The scores of a table's rows, each by the detector of its own group; one line a row.
class BankScores {
 public:
  /// \param rows the table's options
  BankScores(const std::string& path, const ByArgument& by, const std::string& data) {
    // The names first, which the file's columns are matched with; then no more groups than there are.
    dasvdd::load(bank_, path, {});
    table_ = by.read(bank_.feature_names());
    check_numbers(table_, in_quotes(data), std::numeric_limits<double>::max());
    const std::set<std::string> keys(table_.groups.begin(), table_.groups.end());
    constexpr std::size_t few = 100;
    if (keys.size() <= few) {
      try {
        dasvdd::load(bank_, path, {keys.begin(), keys.end()});
      } catch (const FileError&) {
        // Perhaps a group nobody knows, of which check_groups() says the line.
        dasvdd::load(bank_, path);
      }
    } else {
      dasvdd::load(bank_, path);
    }
    check_groups(in_quotes(data));
    scores_ = naming(data, [&] { return bank_.score_many(table_.X, table_.groups); });
  }

  void write(std::ostream& to) const {
    const std::vector<Index> places = bank_.places(table_.groups, table_.X.rows());
    to << "group,score,p_value,anomaly\n";
    for (Index i = 0; to && i < scores_.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const Index group = places[at];
      to << csv_field(table_.groups[at]) << ',';
      if (group < 0) {
        to << ",,\n";
        continue;
      }
      to << number_text(scores_[i]) << ',' << number_text(bank_.p_value(group, scores_[i]))
         << (static_cast<double>(scores_[i]) > bank_.threshold(group) ? ",1\n" : ",0\n");
    }
  }

 private:
  /// Refuses a row of a group that the bank has never seen.
  void check_groups(const std::string& file) const {
    std::set<std::string> known;
    for (const auto& refused : bank_.refused()) known.insert(refused.key);
    for (std::size_t i = 0; i < table_.groups.size(); ++i) {
      const std::string& key = table_.groups[i];
      if (known.count(key) > 0) continue;
      check(bank_.find(key) >= 0, file, ", ", table_.row_text(static_cast<Index>(i)),
            ": the row is of the group ", in_quotes(key), ", of which the bank has no detector");
      known.insert(key);
    }
  }

  dasvdd::Bank bank_;
  Table table_;
  dasvdd::detail::Vector<float> scores_;
};

/// What a bank holds.
inline void describe_bank(const std::string& path, std::ostream& out) {
  dasvdd::Bank bank;
  dasvdd::load(bank, path);
  out << "groups " << bank.size() << "\nfeatures " << bank.features() << '\n';
  for (const std::string& name : bank.feature_names()) out << "feature " << printable(name) << '\n';
  using Layout = dasvdd::detail::BankLayout;
  out << "net " << bank.features() << '-' << Layout::hidden << '-' << Layout::code << " | "
      << Layout::code << '-' << Layout::hidden << '-' << bank.features() << "\ncenters "
      << bank.content().layout.centers() << "\nbytes_a_detector " << bank.detector_bytes() << '\n';
  for (const auto& [key, word] : bank.facts())
    out << printable(key) << ' ' << printable(word) << '\n';
  const auto refused = bank.refused();
  out << "refused " << refused.size() << '\n';
  for (const auto& [key, sentence] : refused)
    out << "refused " << printable(in_quotes(key) + " " + sentence) << '\n';
}

}  // namespace tool
