#pragma once
// A model file with other names for its tensors, or without some of them.

#include <dasvdd/io/tensor_file.hpp>

#include <string>

/// A copy of a file's tensors and words.
/// \param name_of called as name_of(name) for each tensor: its name in the copy; empty where it is left out
template <class NameOf>
dasvdd::detail::TensorFile copied_file(const dasvdd::detail::TensorFile& from, NameOf&& name_of) {
  dasvdd::detail::TensorFile to;
  for (const dasvdd::detail::Tensor& tensor : from.tensors()) {
    const std::string name = name_of(tensor.name);
    if (name.empty()) continue;
    if (tensor.dtype == dasvdd::detail::DType::F64) {
      to.add(name, tensor.shape, tensor.as<double>().data());
    } else {
      to.add(name, tensor.shape, tensor.as<float>().data());
    }
  }
  for (const auto& [key, word] : from.metadata()) to.set_metadata(key, word);
  return to;
}
