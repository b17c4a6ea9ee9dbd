#pragma once
/// \file
/// `dasvdd eval`: how well a model's scores tell labelled anomalies from normal rows.

#include <tool/command.hpp>
#include <tool/groups.hpp>
#include <tool/streamed_rows.hpp>

#include <nlohmann/json.hpp>

#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tool {

class EvalCommand {
 public:
  explicit EvalCommand(CLI::App& app)
      : command_(*app.add_subcommand("eval", "compare a model's scores with labels")) {
    model_.declare(command_);
    data_.declare(command_, "DATA", true);
    command_.add_flag("--json", json_, "print a JSON object");
    groups_.declare(command_, data_);
  }

  bool chosen() const { return command_.parsed(); }

  void run(std::ostream& out, std::ostream& err) const {
    std::visit([&](const auto& detector) { run(detector, out, err); }, model_.load());
  }

 private:
  template <class Scalar>
  void run(const dasvdd::Detector<Scalar>& detector, std::ostream& out, std::ostream& err) const {
    const auto big = data_.open_big_for(detector, err);
    const Table table = big ? big->frame() : data_.read_for(detector, err);
    const Groups groups(table.groups);
    check(big ? big->has_labels() : !table.labels.empty(), in_quotes(data_.path),
          " has no labels, which eval needs: y in an .npz, --label-column of a csv, or --labels");
    check(!big || !groups_.given(), "--group goes with rows that are in memory, and ",
          in_quotes(data_.path), " is read in pieces; --memory says from which size on");
    const auto& facts = detector.facts();
    const auto kept = facts.find("normal");
    const std::string normal = !data_.normal.empty() ? data_.normal
                               : kept != facts.end() ? kept->second
                                                     : "0";
    std::vector<std::string> different;
    std::vector<int> anomaly =
        big ? anomalies_of(*big, normal, different) : anomalies(table.labels, normal);
    if (groups_.given()) anomaly = groups_.labels(groups, anomaly);
    const Index n = static_cast<Index>(anomaly.size());
    const auto count = std::count(anomaly.begin(), anomaly.end(), 1);
    check(count > 0 && count < n, in_quotes(data_.path), " has ", count, " anomalies among ", n,
          groups_.given() ? " groups" : " rows", " where ", in_quotes(normal),
          " is normal; eval needs both kinds (the labels are ",
          label_listing(big ? different : table.labels), ")");

    dasvdd::detail::Vector<Scalar> scores =
        big ? scores_of(*big, n, detector, err)
            : naming(data_.path, [&] { return detector.score(table.X); });
    if (groups_.given()) scores = groups_.scores(groups, scores);
    const std::pair<const char*, double> measures[] = {
        {"roc_auc", dasvdd::roc_auc(scores, anomaly)},
        {"average_precision", dasvdd::average_precision(scores, anomaly)},
        {"fpr_at_95_tpr", dasvdd::fpr_at_tpr(scores, anomaly)}};
    if (json_) {
      nlohmann::ordered_json object;
      for (const auto& [name, value] : measures) object[name] = value;
      object["n"] = n;
      object["anomalies"] = count;
      out << object.dump() << '\n';
      return;
    }
    for (const auto& [name, value] : measures) out << name << ' ' << number_text(value) << '\n';
    out << "n " << n << "\nanomalies " << count << '\n';
  }

  /// 1 for each row whose label isn't `normal`.
  /// \param different gets the first hundred labels that differ
  static std::vector<int> anomalies_of(const BigFile& file, const std::string& normal,
                                       std::vector<std::string>& different) {
    const std::string label_of_normal = canonical_label(normal);
    std::set<std::string> seen;
    std::vector<int> result;
    file.each_label([&](const std::string& label) {
      result.push_back(label != label_of_normal);
      if (seen.size() < 100) seen.insert(label);
    });
    different.assign(seen.begin(), seen.end());
    return result;
  }

  /// Piece by piece.
  template <class Scalar>
  dasvdd::detail::Vector<Scalar> scores_of(const BigFile& file, Index n,
                                           const dasvdd::Detector<Scalar>& detector,
                                           std::ostream& err) const {
    StreamedRows rows(file, in_quotes(data_.path), data_.memory_bytes());
    rows.set_largest(std::numeric_limits<double>::max());
    if (takes_pixels(detector))
      rows.scale_pixels(err, pixels_of(detector)).warn(in_quotes(data_.path), err);
    dasvdd::detail::Vector<Scalar> scores(n);
    StreamedRows::Pass pass = rows.scored();
    for (Index at = 0; pass.next(); at += pass.piece().X.rows()) {
      scores.segment(at, pass.piece().X.rows()) =
          naming(data_.path, [&] { return detector.score(pass.piece().X); });
    }
    return scores;
  }

  CLI::App& command_;
  DataArguments data_;
  GroupArguments groups_;
  ModelArgument model_;
  bool json_ = false;
};

}  // namespace tool
