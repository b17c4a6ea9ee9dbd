#pragma once
/// \file
/// A running fit as a file and back: `save(checkpoint, path)`, `load(checkpoint, path)`.
///
/// The file is in the safetensors format (tensor_file.hpp). Its tensors, for each net k that has begun,
/// with S the scalar type:
///
/// | tensor | shape, type |
/// | --- | --- |
/// | `nets.{k}.parameters`, `.first_moments`, `.second_moments` | the net's flat layout; S |
/// | `nets.{k}.statistics` | the same of running statistics; S |
/// | `nets.{k}.center`, `.center.squared_sum` | m; S |
/// | `nets.{k}.numbers` | 4: gamma, beta1^t, beta2^t, center steps; F64 |
/// | `nets.{k}.counts` | 6: epochs, 1 where trained, the random generator's state; I64 |
/// | `nets.{k}.losses` | one an epoch; F64; may be missing |
/// | `nets.{k}.scaler.mean`, ... | as in a model file |
///
/// Metadata: `format` ("dasvdd checkpoint"), `format_version`, `task` (the rows and options that it belongs
/// to), `nets` (how many there will be), and `nets.{k}.warnings`, a JSON array.

#include <dasvdd/fit/checkpoint.hpp>
#include <dasvdd/io/tensor_file.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Refuses a file that is no checkpoint.
inline void check_checkpoint(const TensorFile& file) {
  const auto format = file.metadata().find("format");
  ensure(format != file.metadata().end() && format->second == "dasvdd checkpoint",
         "this is no checkpoint of a dasvdd fit");
}

/// Reads one net's tensors; throws FileError, and InvalidArgument for what its parts refuse.
template <class Scalar>
class CheckpointReader {
 public:
  explicit CheckpointReader(const TensorFile& file) : file_(file) {}

  typename Checkpoint<Scalar>::Content content() const {
    check_checkpoint(file_);
    ensure(file_.metadata("format_version") == "1" && file_.verified(),
           "the checkpoint is of another version of the library");
    // More than have begun, but no number that alone takes memory.
    const std::size_t nets =
        file_.count("nets", "nets", most_nets_to_come + file_.tensors().size());
    typename Checkpoint<Scalar>::Content content{file_.metadata("task"), {}};
    content.nets.resize(nets);
    for (std::size_t k = 0; k < nets; ++k) {
      const std::string prefix = sentence("nets.", k, ".");
      if (file_.contains(prefix + "parameters")) content.nets[k] = net(prefix);
    }
    return content;
  }

 private:
  /// Of a fit whose nets have not begun.
  static constexpr std::size_t most_nets_to_come = 10000;

  typename Checkpoint<Scalar>::Net net(const std::string& prefix) const {
    typename Checkpoint<Scalar>::Net net;
    auto& state = net.state;
    state.parameters = buffer(prefix + "parameters");
    state.first_moments = buffer(prefix + "first_moments");
    state.second_moments = buffer(prefix + "second_moments");
    state.statistics = buffer(prefix + "statistics");
    state.center.center = buffer(prefix + "center");
    state.center.squared_sum = buffer(prefix + "center.squared_sum");
    const auto numbers = file_[prefix + "numbers"].template as<double>({4});
    for (const double number : numbers) {
      ensure(is_finite(number), "tensor ", in_quotes(prefix + "numbers"), " has ",
             non_finite_name(number), ", expected finite numbers");
    }
    state.gamma = numbers[0];
    state.clock.beta1_power = numbers[1];
    state.clock.beta2_power = numbers[2];
    state.center.steps = numbers[3];
    const auto counts = file_[prefix + "counts"].template as<std::int64_t>({6});
    ensure(counts[0] >= 0, "tensor ", in_quotes(prefix + "counts"), " has ", counts[0],
           " epochs, expected none below 0");
    state.epochs = static_cast<Index>(counts[0]);
    net.trained = counts[1] != 0;
    std::array<std::uint64_t, 4> order{};
    std::memcpy(order.data(), counts.data() + 2, sizeof order);
    state.order.set_state(order);
    ScalerFile scaler{file_, prefix};
    const Tensor* mean =
        file_.contains(prefix + "scaler.mean") ? &file_[prefix + "scaler.mean"] : nullptr;
    state.scaler = Scaler<Scalar>::read(scaler, mean ? mean->size() : 0);
    net.warnings = file_.strings(prefix + "warnings");
    if (file_.contains(prefix + "losses")) {
      net.losses = file_[prefix + "losses"].template as<double>();
    }
    return net;
  }

  AlignedBuffer<Scalar> buffer(const std::string& name) const {
    const std::vector<Scalar> values = file_[name].template as<Scalar>();
    AlignedBuffer<Scalar> result(static_cast<Index>(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      ensure(is_finite(values[i]), "tensor ", in_quotes(name), " has ", non_finite_name(values[i]),
             " at index ", i, ", expected finite numbers");
      result[static_cast<Index>(i)] = values[i];
    }
    return result;
  }

  /// What Scaler::read asks.
  struct ScalerFile {
    const TensorFile& file;
    const std::string& prefix;
    bool has(const char* name) const { return file.contains(prefix + name); }
    double number(const char* name) const {
      return file[prefix + name].template as<double>({}).front();
    }
    std::vector<double> numbers(const char* name, const std::vector<Index>& shape) const {
      return file[prefix + name].template as<double>(shape);
    }
  };

  const TensorFile& file_;
};

template <class Scalar>
TensorFile to_tensor_file(const Checkpoint<Scalar>& checkpoint) {
  const auto content = checkpoint.content();
  ensure(!content.task.empty(), "the checkpoint is empty: no fit has begun with it");
  TensorFile file;
  file.set_metadata("format", "dasvdd checkpoint");
  file.set_metadata("format_version", "1");
  file.set_metadata("task", content.task);
  file.set_metadata("nets", std::to_string(content.nets.size()));
  for (std::size_t k = 0; k < content.nets.size(); ++k) {
    if (!content.nets[k]) continue;
    const auto& net = *content.nets[k];
    const auto& state = net.state;
    const std::string prefix = sentence("nets.", k, ".");
    const auto add = [&](const char* name, const AlignedBuffer<Scalar>& numbers) {
      file.add(prefix + name, {numbers.size()}, numbers.data());
    };
    add("parameters", state.parameters);
    add("first_moments", state.first_moments);
    add("second_moments", state.second_moments);
    add("statistics", state.statistics);
    add("center", state.center.center);
    add("center.squared_sum", state.center.squared_sum);
    const double numbers[] = {state.gamma, state.clock.beta1_power, state.clock.beta2_power,
                              state.center.steps};
    file.add(prefix + "numbers", {4}, numbers);
    std::int64_t counts[6] = {static_cast<std::int64_t>(state.epochs), net.trained ? 1 : 0};
    std::memcpy(counts + 2, state.order.state().data(), sizeof state.order.state());
    file.add(prefix + "counts", {6}, counts);
    file.add(prefix + "losses", {static_cast<Index>(net.losses.size())}, net.losses.data());
    for (const ScalerTensor& tensor : state.scaler.tensors()) {
      const std::vector<Index> shape =
          tensor.single ? std::vector<Index>{}
                        : std::vector<Index>{static_cast<Index>(tensor.numbers.size())};
      file.add(prefix + tensor.name, shape, tensor.numbers.data());
    }
    file.set_metadata(prefix + "warnings", nlohmann::json(net.warnings).dump());
  }
  return file;
}

}  // namespace detail

/// Writes what a fit has reached to the file `path`, whole or not at all. May be called from the fit's
/// progress callback.
/// \throws FileError when the file can't be written; an old file is then as it was
/// \throws InvalidArgument where no fit has begun with the checkpoint
template <class Scalar>
void save(const Checkpoint<Scalar>& checkpoint, const std::filesystem::path& path) {
  detail::to_tensor_file(checkpoint).write(path);
}

/// Reads what save() wrote.
/// \throws FileError when the file can't be read, is no checkpoint, is of another scalar type or damaged
template <class Scalar>
void load(Checkpoint<Scalar>& checkpoint, const std::filesystem::path& path) {
  const auto file = detail::TensorFile::read(path);
  try {
    checkpoint.set_content(detail::CheckpointReader<Scalar>(file).content());
  } catch (const InvalidArgument& error) {
    throw FileError(detail::error_prefix(file.source()) + error.what());
  }
}

DASVDD_NAMESPACE_END
