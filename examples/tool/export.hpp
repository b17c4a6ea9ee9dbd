#pragma once
/// \file
/// `dasvdd export`: a model as an ONNX file.

#include <tool/command.hpp>

#include <dasvdd/io/model_file.hpp>
#include <dasvdd/io/onnx.hpp>

#include <algorithm>
#include <string>
#include <type_traits>

namespace tool {

class ExportCommand {
 public:
  explicit ExportCommand(CLI::App& app)
      : command_(
            *app.add_subcommand("export", "write a model as an ONNX file, for other engines")) {
    model_.declare(command_);
    command_.add_option("-o", output_, "the ONNX file to write")
        ->required()
        ->type_name("FILE.onnx");
    command_.add_flag("--matmul", options_.matmul,
                      "dense layers as MatMul and Add, for importers that refuse Gemm");
    command_.add_flag("--float32", options_.as_float,
                      "a model in double becomes a graph in float, which more engines run");
  }

  bool chosen() const { return command_.parsed(); }

  void run(std::ostream& out, std::ostream& err) const {
    check_output(output_, {model_.path()});
    try_output(output_);
    const std::string bytes = std::visit(
        [&](const auto& detector) {
          using Detector = std::decay_t<decltype(detector)>;
          if (options_.as_float || std::is_same_v<Detector, dasvdd::Detector<float>>) {
            warn_of_float_rows(detector, "the graph", err);
          }
          return naming(model_.path(), [&] { return dasvdd::detail::to_onnx(detector, options_); });
        },
        model_.load());
    writing([&] { dasvdd::detail::replace_file(output_place(output_), bytes); });
    out << "opset " << dasvdd::detail::OnnxGraph::opset << "\nbytes " << bytes.size() << "\nmodel "
        << output_ << '\n';
  }

 private:
  CLI::App& command_;
  ModelArgument model_;
  std::string output_;
  dasvdd::detail::OnnxOptions options_;
};

}  // namespace tool
