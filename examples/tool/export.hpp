#pragma once
/// \file
/// `dasvdd export`: a model as an ONNX file.

#include <tool/command.hpp>

#include <dasvdd/io/model_file.hpp>
#include <dasvdd/io/onnx.hpp>

#include <algorithm>
#include <string>

namespace tool {

class ExportCommand {
 public:
  explicit ExportCommand(CLI::App& app)
      : command_(
            *app.add_subcommand("export", "write a model as an ONNX file, for other engines")) {
    command_.add_option("MODEL", model_path_, "a model that fit wrote")->required();
    command_.add_option("-o", output_, "the ONNX file to write")
        ->required()
        ->type_name("FILE.onnx");
    command_.add_flag("--matmul", options_.matmul,
                      "dense layers as MatMul and Add, for importers that refuse Gemm");
    command_.add_flag("--float32", options_.as_float,
                      "a model in double becomes a graph in float, which more engines run");
  }

  bool chosen() const { return command_.parsed(); }

  void run(std::ostream& out) const {
    check_output(output_);
    const auto file = dasvdd::detail::TensorFile::read(model_path_);
    const auto& tensors = file.tensors();
    const bool in_double = std::any_of(tensors.begin(), tensors.end(), [](const auto& tensor) {
      return detail::ends_with(tensor.name, "center") && tensor.dtype == dasvdd::detail::DType::F64;
    });
    const std::string bytes = in_double ? onnx_of<double>(file) : onnx_of<float>(file);
    writing([&] { dasvdd::detail::replace_file(output_, bytes); });
    out << "opset " << dasvdd::detail::OnnxGraph::opset << "\nbytes " << bytes.size() << "\nmodel "
        << output_ << '\n';
  }

 private:
  template <class Scalar>
  std::string onnx_of(const dasvdd::detail::TensorFile& file) const {
    const auto detector = dasvdd::detail::from_tensor_file<Scalar>(file);
    return naming(model_path_, [&] { return dasvdd::detail::to_onnx(detector, options_); });
  }

  CLI::App& command_;
  std::string model_path_, output_;
  dasvdd::detail::OnnxOptions options_;
};

}  // namespace tool
