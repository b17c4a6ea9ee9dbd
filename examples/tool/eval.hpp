#pragma once
/// \file
/// `dasvdd eval`: how well a model's scores tell labelled anomalies from normal rows.

#include <tool/command.hpp>
#include <tool/groups.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace tool {

class EvalCommand {
 public:
  explicit EvalCommand(CLI::App& app)
      : command_(*app.add_subcommand("eval", "compare a model's scores with labels")) {
    command_.add_option("MODEL", model_path_, "a model that fit wrote")->required();
    data_.declare(command_, "DATA", true);
    command_.add_flag("--json", json_, "print a JSON object");
    groups_.declare(command_, data_);
  }

  bool chosen() const { return command_.parsed(); }

  void run(std::ostream& out, std::ostream& err) const {
    std::visit([&](const auto& detector) { run(detector, out, err); }, load_model(model_path_));
  }

 private:
  template <class Scalar>
  void run(const dasvdd::Detector<Scalar>& detector, std::ostream& out, std::ostream& err) const {
    const Table table = data_.read_for(detector, err);
    const Groups groups(table.groups);
    check(!table.labels.empty(), in_quotes(data_.path),
          " has no labels, which eval needs: y in an .npz, --label-column of a csv, or --labels");
    const auto& facts = detector.facts();
    const auto kept = facts.find("normal");
    const std::string normal = !data_.normal.empty() ? data_.normal
                               : kept != facts.end() ? kept->second
                                                     : "0";
    std::vector<int> anomaly = anomalies(table.labels, normal);
    if (groups_.given()) anomaly = groups_.labels(groups, anomaly);
    const Index n = static_cast<Index>(anomaly.size());
    const auto count = std::count(anomaly.begin(), anomaly.end(), 1);
    check(count > 0 && count < n, in_quotes(data_.path), " has ", count, " anomalies among ", n,
          groups_.given() ? " groups" : " rows", " where ", in_quotes(normal),
          " is normal; eval needs both kinds (the labels are ", label_listing(table.labels), ")");

    dasvdd::detail::Vector<Scalar> scores =
        naming(data_.path, [&] { return detector.score(table.X); });
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

  CLI::App& command_;
  DataArguments data_;
  GroupArguments groups_;
  std::string model_path_;
  bool json_ = false;
};

}  // namespace tool
