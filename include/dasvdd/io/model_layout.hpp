#pragma once
/// \file
/// What the writer and the reader of model files agree on: names and shapes.

#include <dasvdd/detect/self_test.hpp>
#include <dasvdd/io/tensor.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Version 2 has a checksum and a self-test more than version 1, which is still read.
inline constexpr int model_format_version = 2;

inline bool is_reserved_fact(const std::string& key) {
  return key == "format" || key == "format_version" || key == "library_version" ||
         key == "members" || key == "net" || key == "warnings" || key == "feature_names" ||
         key == "checksum" || key.compare(0, 8, "members.") == 0;
}

/// A row and the two terms of its score, for load() to try.
inline const char* const self_test_row = "self_test.row";
inline const char* const self_test_score = "self_test.score";

/// The prefix of member k's tensors.
inline std::string member_prefix(std::size_t k, std::size_t members) {
  return members == 1 ? std::string() : sentence("members.", k, ".");
}

/// A place in the net's flat vectors that is a tensor of its own in the file.
struct TensorPlace {
  std::string name;
  std::vector<Index> shape;
  Index at;  ///< first number in the flat vector
  bool statistics;

  Index size() const {
    Index size = 1;
    for (const Index n : shape) size *= n;
    return size;
  }
  /// Whether its numbers are never negative.
  bool is_variance() const {
    constexpr std::string_view end = ".running_var";
    return name.size() >= end.size() &&
           name.compare(name.size() - end.size(), end.size(), end) == 0;
  }
};

/// Every tensor of a net in the order of the layers. Throws InvalidArgument where a layer of the user's own names
/// tensors of more or fewer numbers than it has.
template <class Scalar>
std::vector<TensorPlace> tensor_places(const Autoencoder<Scalar>& net) {
  std::vector<TensorPlace> places;
  const auto& steps = net.joined().steps();
  const auto code_steps = static_cast<std::size_t>(net.code_steps());
  for (std::size_t l = 0; l < steps.size(); ++l) {
    const auto& s = steps[l];
    // The joined net counts its layers through; in the file each half counts its own.
    const bool encoder = l < code_steps;
    const Index position = encoder ? net.encoder().steps()[l].position
                                   : net.decoder().steps()[l - code_steps].position;
    const std::string prefix = sentence(encoder ? "encoder." : "decoder.", position, ".");
    if (s.kind == Step<Scalar>::Kind::dense) {
      places.push_back({prefix + "weight", {s.outputs, s.inputs}, s.weight_at, false});
      if (s.bias) places.push_back({prefix + "bias", {s.outputs}, s.bias_at, false});
    } else if (s.kind == Step<Scalar>::Kind::layer) {
      const auto add = [&](std::vector<TensorSpec> tensors, const char* single, Index size,
                           Index at, bool statistics) {
        if (tensors.empty() && size > 0) tensors = {{single, {size}}};
        std::int64_t total = 0;
        for (const TensorSpec& tensor : tensors) {
          std::int64_t numbers = 1;
          for (const Index n : tensor.shape) {
            ensure(n >= 0, "tensor ", prefix, tensor.name, " of a layer is ",
                   shape_text(tensor.shape), ", expected no number below 0");
            numbers = saturating_product(numbers, n);
          }
          total = saturating_sum(total, numbers);
        }
        ensure(total == size, "the ", statistics ? "statistics" : "parameter", " tensors of layer ",
               prefix.substr(0, prefix.size() - 1), " have ", total, " numbers, expected ", size,
               " as its ", statistics ? "statistics()" : "parameters()", " says");
        for (const TensorSpec& tensor : tensors) {
          places.push_back({prefix + tensor.name, tensor.shape, at, statistics});
          at += places.back().size();
        }
      };
      add(s.layer->parameter_tensors(), "weight", s.layer->parameters(), s.weight_at, false);
      add(s.layer->statistics_tensors(), "statistics", s.layer->statistics(), s.statistics_at,
          true);
    }
  }
  return places;
}

}  // namespace detail
DASVDD_NAMESPACE_END
