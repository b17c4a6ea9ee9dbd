#pragma once
/// \file
/// Rows that belong together, the windows of one recording say, and one score for all rows of a group.

#include <tool/command.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace tool {

/// Which group each row is in.
struct Groups {
  std::vector<std::string> names;     ///< one a group, in the order in which they come
  std::vector<std::size_t> group_of;  ///< one a row: its place in `names`

  /// \param of_rows the name of each row's group
  explicit Groups(const std::vector<std::string>& of_rows = {}) {
    std::map<std::string, std::size_t> places;
    for (const std::string& name : of_rows) {
      const auto [at, fresh] = places.insert({name, names.size()});
      if (fresh) names.push_back(name);
      group_of.push_back(at->second);
    }
  }
};

/// The options --group and --group-by.
class GroupArguments {
 public:
  /// \param data gets what --group says
  void declare(CLI::App& command, DataArguments& data) {
    option_ =
        command
            .add_option("--group", data.options.group,
                        "one score for all rows of a group: of a csv the column, by name or by "
                        "index from 0, that names the group; of other files so many rows that "
                        "follow each other")
            ->type_name("COLUMN|N");
    command.add_option("--group-by", by_, "a group's score: the mean or the maximum of its rows'")
        ->capture_default_str()
        ->check(CLI::IsMember({"mean", "max"}))
        ->needs(option_);
  }

  bool given() const { return option_->count() > 0; }
  /// "mean" or "max".
  const std::string& by() const { return by_; }

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
  template <class Scalar>
  dasvdd::detail::Vector<Scalar> scores(const Groups& groups,
                                        const dasvdd::detail::Vector<Scalar>& scores) const {
    std::vector<double> sums(groups.names.size(), 0), counts(sums), largest(sums);
    for (std::size_t i = 0; i < groups.group_of.size(); ++i) {
      const std::size_t g = groups.group_of[i];
      const double score = static_cast<double>(scores[static_cast<Index>(i)]);
      sums[g] += score;
      counts[g] += 1;
      largest[g] = std::max(largest[g], score);
    }
    dasvdd::detail::Vector<Scalar> result(static_cast<Index>(sums.size()));
    for (std::size_t g = 0; g < sums.size(); ++g) {
      result[static_cast<Index>(g)] =
          static_cast<Scalar>(by_ == "mean" ? sums[g] / counts[g] : largest[g]);
    }
    return result;
  }

 private:
  CLI::Option* option_ = nullptr;
  std::string by_ = "mean";
};

}  // namespace tool
