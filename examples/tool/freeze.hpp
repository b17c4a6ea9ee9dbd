#pragma once
/// \file
/// `dasvdd freeze`: a model as one C99 header, for devices without a file system, a heap, or a library.

#include <tool/command.hpp>
#include <tool/frozen_source.hpp>

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/train/far_values.hpp>
#include <dasvdd/train/row_numbers.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tool {

class FreezeCommand {
 public:
  explicit FreezeCommand(CLI::App& app)
      : command_(*app.add_subcommand("freeze", "write a model as a C header for small devices")) {
    model_.declare(command_);
    command_.add_option("-o", output_, "the C header to write")->required()->type_name("FILE.h");
    command_.add_option("--name", name_, "what all names in the header begin with")
        ->capture_default_str()
        ->type_name("NAME");
    rows_option_ =
        command_
            .add_option(
                "--int8", data_.path,
                "round weights and activations to eight bits, by these rows: normal ones; with "
                "labels, anomalies too, to say what it costs")
            ->type_name("ROWS");
    data_.declare_options(command_, true);
    for (const char* option : {"--label-column", "--labels", "--normal"})
      command_.get_option(option)->needs(rows_option_);
  }

  bool chosen() const { return command_.parsed(); }

  void run(std::ostream& out, std::ostream& err) const {
    std::vector<std::string> read = data_.files();
    read.push_back(model_.path());
    check_output(output_, read);
    try_output(output_);
    check_name();
    std::visit([&](const auto& detector) { freeze(detector, out, err); }, model_.load());
  }

 private:
  void check_name() const {
    const auto letter = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
    };
    const bool good = !name_.empty() && std::all_of(name_.begin(), name_.end(), letter) &&
                      std::isdigit(static_cast<unsigned char>(name_.front())) == 0;
    check(good, "--name is ", in_quotes(name_), ", expected a name in C: letters, digits, _");
  }

  template <class Scalar>
  void freeze(const dasvdd::Detector<Scalar>& detector, std::ostream& out,
              std::ostream& err) const {
    const FrozenModel model = FrozenModel::of(detector);
    warn_of_float_rows(detector, "the header", err);
    std::optional<Table> table;
    std::optional<FrozenBytes> bytes;
    std::vector<int> anomaly;
    if (rows_option_->count() > 0) {
      table = data_.read_for(detector, err);
      naming(data_.path,
             [&] { dasvdd::detail::require_width(table->X, model.features, "the batch"); });
      anomaly = anomalies(table->labels, normal_label(detector.facts()));
      bytes.emplace(model, normal_rows(detector, *table, anomaly, err));
    }
    const FrozenSource source(model, bytes ? &*bytes : nullptr, name_,
                              title(detector, bytes.has_value()));
    writing([&] { dasvdd::detail::replace_file(output_place(output_), source.text()); });

    out << "features " << model.features << "\nnets " << model.members.size() << "\nmultiply_adds "
        << model.multiply_adds << "\nweights " << source.weight_bytes() << " bytes\nmemory "
        << source.memory_bytes() << " bytes\n";
    if (bytes) say_cost(detector, *table, anomaly, *bytes, out);
    out << "header " << output_ << '\n';
  }

  std::string normal_label(const dasvdd::detail::Facts& facts) const {
    const auto kept = facts.find("normal");
    return !data_.normal.empty() ? data_.normal : kept != facts.end() ? kept->second : "0";
  }

  /// The rows that eight bits are chosen by: not labelled anomalies, without values far from all others.
  template <class Scalar>
  dasvdd::RowMatrix<float> normal_rows(const dasvdd::Detector<Scalar>& detector, const Table& table,
                                       const std::vector<int>& anomaly, std::ostream& err) const {
    namespace detail = dasvdd::detail;
    std::vector<Index> normal;
    for (Index i = 0; i < table.X.rows(); ++i) {
      if (anomaly.empty() || anomaly[static_cast<std::size_t>(i)] == 0) normal.push_back(i);
    }
    check(!normal.empty(), in_quotes(data_.path), " has no normal row to choose the eight bits by");
    Table rows = table.chosen(normal);
    const detail::AnyRows X{dasvdd::Rows<const double>(rows.X)};
    const std::vector<Index> far = detail::few_far_rows(detail::far_values(X), X.rows());
    if (!far.empty()) {
      err << "dasvdd: note: eight bits are chosen without " << far.size() << " of the " << X.rows()
          << " normal rows of " << in_quotes(data_.path)
          << ", whose values lie far from all others\n";
      rows.keep(detail::all_rows_but(far, X.rows()));
    }
    const auto scores = detector.score(rows.X);
    for (Index i = 0; i < scores.size(); ++i) {
      check(detail::is_finite(scores[i]), in_quotes(data_.path), ", ", rows.row_text(i),
            ": the row is so far out that its score is infinity; eight bits are chosen by others");
    }
    return rows.X.cast<float>();
  }

  template <class Scalar>
  std::string title(const dasvdd::Detector<Scalar>& detector, bool eight) const {
    const Index nets = detector.ensemble_size();
    return "An anomaly detector for rows of " + std::to_string(detector.features()) +
           " numbers: " + std::to_string(nets) + (nets == 1 ? " net, " : " nets, ") +
           (eight ? "eight bits" : "float") +
           ". Written by dasvdd " DASVDD_VERSION_STRING " freeze.";
  }

  /// What eight bits change: the scores of the rows, their order, the decisions.
  template <class Scalar>
  void say_cost(const dasvdd::Detector<Scalar>& detector, const Table& table,
                const std::vector<int>& anomaly, const FrozenBytes& bytes,
                std::ostream& out) const {
    const dasvdd::RowMatrix<float> X = table.X.template cast<float>();
    const Eigen::VectorXd exact = detector.score(table.X).template cast<double>();
    Eigen::VectorXd rounded(X.rows());
    std::vector<double> errors;  // of rows that aren't infinitely far
    Index changed = 0;
    for (Index i = 0; i < X.rows(); ++i) {
      rounded[i] = static_cast<double>(bytes.score(X.data() + i * X.cols()));
      if (dasvdd::detail::is_finite(exact[i]))
        errors.push_back(std::fabs(rounded[i] - exact[i]) / std::max(exact[i], 1e-30));
      changed += (rounded[i] > detector.threshold()) != (exact[i] > detector.threshold());
    }
    std::sort(errors.begin(), errors.end());
    out << "score_error median " << number_text(static_cast<float>(errors[errors.size() / 2]))
        << ", largest " << number_text(static_cast<float>(errors.back())) << "\ndecisions_changed "
        << changed << " of " << X.rows() << '\n';
    const auto count = std::count(anomaly.begin(), anomaly.end(), 1);
    if (count > 0 && count < X.rows()) {
      out << "roc_auc float " << number_text(dasvdd::roc_auc(exact, anomaly)) << ", int8 "
          << number_text(dasvdd::roc_auc(rounded, anomaly)) << '\n';
    }
  }

  CLI::App& command_;
  DataArguments data_;
  ModelArgument model_;
  std::string output_, name_ = "model";
  CLI::Option* rows_option_ = nullptr;
};

}  // namespace tool
