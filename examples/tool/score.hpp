#pragma once
/// \file
/// `dasvdd score`: one line a row, its score, its p-value where the model is calibrated, and 1 for
/// an anomaly.

#include <tool/command.hpp>

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/model_file.hpp>

#include <filesystem>
#include <sstream>
#include <string>
#include <system_error>

namespace tool {

class ScoreCommand {
 public:
  explicit ScoreCommand(CLI::App& app)
      : command_(*app.add_subcommand("score", "score every row of a file")) {
    command_.add_option("MODEL", model_path_, "a model that fit wrote")->required();
    data_.declare(command_, "DATA", false);
    command_
        .add_option("-o", output_, "the csv file to write; without it scores go to standard output")
        ->type_name("FILE");
  }

  bool chosen() const { return command_.parsed(); }

  void run(std::ostream& out) const {
    if (!output_.empty()) check_output(output_);
    const auto detector = dasvdd::load<float>(model_path_);
    const Table table = data_.read();
    const auto scores = naming(data_.path, [&] { return detector.score(table.X); });
    if (output_.empty()) {
      write(out, detector, scores);
      return;
    }
    std::error_code error;
    const std::filesystem::file_status there = std::filesystem::status(output_, error);
    if (!std::filesystem::exists(there) || std::filesystem::is_regular_file(there)) {
      std::ostringstream text;
      write(text, detector, scores);
      writing([&] { dasvdd::detail::replace_file(output_, text.str()); });
      return;
    }
    // A device or a pipe, which nothing can take the place of.
    std::ofstream file(output_, std::ios::binary);
    if (file) write(file, detector, scores);
    file.close();
    if (!file) throw RunError(in_quotes(output_) + " can't be written");
  }

 private:
  static void write(std::ostream& out, const dasvdd::Detector<float>& detector,
                    const Eigen::VectorXf& scores) {
    const bool calibrated = !detector.calibration().empty();
    out << "score,p_value,anomaly\n";
    for (const float score : scores) {
      out << number_text(score) << ',';
      if (calibrated) out << number_text(detector.p_value(score));
      out << ',' << (detector.is_anomaly(score) ? 1 : 0) << '\n';
    }
  }

  CLI::App& command_;
  DataArguments data_;
  std::string model_path_, output_;
};

}  // namespace tool
