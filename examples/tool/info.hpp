#pragma once
/// \file
/// `dasvdd info`: what a model file holds.

#include <tool/bank.hpp>
#include <tool/command.hpp>

#include <string>
#include <type_traits>

namespace tool {

class InfoCommand {
 public:
  explicit InfoCommand(CLI::App& app) : command_(*app.add_subcommand("info", "describe a model")) {
    model_.declare(command_);
  }

  bool chosen() const { return command_.parsed(); }

  void run(std::ostream& out) const {
    if (is_bank_file(model_.path())) {
      describe_bank(model_.path(), out);
      return;
    }
    std::visit([&](const auto& detector) { describe(detector, out); }, model_.load());
  }

 private:
  template <class Scalar>
  static void describe(const dasvdd::Detector<Scalar>& detector, std::ostream& out) {
    const auto& model = detector.model();
    Index parameters = 0;
    for (const auto& member : model.members) {
      for (const auto& place : dasvdd::detail::tensor_places(member.network.net()))
        parameters += place.statistics ? 0 : place.size();
    }
    out << "features " << detector.features() << '\n';
    for (const std::string& name : detector.feature_names())
      out << "feature " << printable(name) << '\n';
    if (!std::is_same_v<Scalar, float>) out << "numbers double\n";
    out << "members " << model.members.size() << '\n';
    for (const auto& member : model.members)
      out << "net " << net_text(member.network.net()) << '\n';
    out << "parameters " << parameters << "\ncode " << model.members.front().network.net().code()
        << '\n';
    for (const auto& member : model.members) out << "gamma " << number_text(member.gamma) << '\n';
    const std::string scaling = model.scaler.text();
    out << "standardized " << (scaling == "standardized" ? "yes" : "no") << '\n';
    if (scaling != "standardized" && !model.scaler.empty()) out << "images " << scaling << '\n';
    out << "threshold " << number_text(detector.threshold()) << "\ncalibration_scores "
        << detector.calibration().scores().size() << '\n';
    for (const auto& [key, word] : detector.facts())
      out << printable(key) << ' ' << printable(word) << '\n';
    for (const std::string& warning : detector.warnings())
      out << "warning " << printable(warning) << '\n';
  }

  /// "784-1024-256 | 1024-784 sigmoid": the widths before and behind the code, and each half's last
  /// activation. Layers that are not dense have their names before their widths: "conv2d:6272".
  template <class Scalar>
  static std::string net_text(const dasvdd::Autoencoder<Scalar>& net) {
    std::string text = std::to_string(net.inputs());
    const auto half = [&](const dasvdd::Network<Scalar>& network) {
      for (const auto& step : network.steps()) {
        if (step.kind == dasvdd::detail::Step<Scalar>::Kind::activation) continue;
        text += "-" + (step.layer ? step.layer->spec().name + ":" : std::string());
        text += std::to_string(step.outputs);
      }
      text += std::string(" ") + network.steps().back().activation.name();
    };
    half(net.encoder());
    if (!net.has_decoder()) return text;
    text += " | " + std::to_string(net.code());
    half(net.decoder());
    return text;
  }

  CLI::App& command_;
  ModelArgument model_;
};

}  // namespace tool
