#include "detector.hpp"

#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>

#include <dasvdd/io/model_file.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dasvdd::python {
namespace {

using namespace nb::literals;

/// A detector of the type that the file's numbers have.
/// \param trusted whether it may cost what it will
AnyDetector from_file(const detail::TensorFile& file, bool trusted) {
  const detail::LoadLimits limits = trusted ? detail::LoadLimits::none() : detail::LoadLimits();
  for (const char* name : {"center", "members.0.center"}) {
    if (file.contains(name) && file[name].dtype == detail::DType::F64)
      return AnyDetector(detail::from_tensor_file<double>(file, {}, limits));
  }
  return AnyDetector(detail::from_tensor_file<float>(file, {}, limits));
}

AnyDetector load(const std::filesystem::path& path, bool trusted) {
  return without_gil([&] { return from_file(detail::TensorFile::read(path), trusted); });
}

AnyDetector from_bytes(const nb::bytes& bytes, bool trusted) {
  const std::string_view view(bytes.c_str(), bytes.size());
  return without_gil([&] { return from_file(detail::TensorFile::parse(view), trusted); });
}

nb::bytes to_bytes(const AnyDetector& self, const Words& facts) {
  const std::string bytes = self.with([&](const auto& detector) {
    return without_gil([&] { return detail::to_tensor_file(detector, facts).serialize(); });
  });
  return nb::bytes(bytes.data(), bytes.size());
}

void save(const AnyDetector& self, const std::filesystem::path& path, const Words& facts) {
  self.with([&](const auto& detector) {
    without_gil([&] { detail::to_tensor_file(detector, facts).write(path); });
  });
}

/// Tensors and words of a safetensors file, for dasvdd.torch.
nb::tuple read_tensors(const detail::TensorFile& file) {
  nb::dict tensors;
  for (const detail::Tensor& tensor : file.tensors()) {
    const std::vector<std::size_t> shape(tensor.shape.begin(), tensor.shape.end());
    const auto add = [&](auto numbers) {
      using Number = typename decltype(numbers)::value_type;
      auto* held = new std::vector<Number>(std::move(numbers));
      nb::capsule keeper(held,
                         [](void* p) noexcept { delete static_cast<std::vector<Number>*>(p); });
      tensors[tensor.name.c_str()] =
          nb::ndarray<nb::numpy, Number>(held->data(), shape.size(), shape.data(), keeper).cast();
    };
    switch (tensor.dtype) {
      case detail::DType::F32:
        add(tensor.as<float>());
        break;
      case detail::DType::F64:
        add(tensor.as<double>());
        break;
      case detail::DType::I64:
        add(tensor.as<std::int64_t>());
        break;
      default:
        break;  // no model file has others
    }
  }
  return nb::make_tuple(tensors, nb::cast(file.metadata()));
}

}  // namespace

void bind_model_files(nb::module_& m, nb::class_<AnyDetector>& detector) {
  detector
      .def("save", &save, "path"_a, "facts"_a = Words(), R"(Writes the model file.

Readers see the old file or the whole new one.

Parameters
----------
path : str or os.PathLike
facts : dict of str to str
    Words to find again in `facts` after loading.

Raises
------
FileError
    When the file can't be written; an old one is then as it was.)")
      .def("to_bytes", &to_bytes, "facts"_a = Words(), "The bytes of the model file.")
      .def_static("from_bytes", &from_bytes, "data"_a, nb::kw_only(), "trusted"_a = false,
                  "The detector whose model file has these bytes. Raises FileError for bytes that "
                  "are none; see dasvdd.load() for trusted.")
      .def_static("load", &load, "path"_a, nb::kw_only(), "trusted"_a = false,
                  "Reads a model file, see dasvdd.load().")
      .def(
          "__getstate__", [](const AnyDetector& self) { return to_bytes(self, {}); },
          nb::sig("def __getstate__(self) -> bytes"))
      .def(
          "__setstate__",
          [](AnyDetector& self, const nb::bytes& bytes) {
            new (&self) AnyDetector(from_bytes(bytes, true));  // a pickle is trusted anyway
          },
          nb::sig("def __setstate__(self, state: bytes) -> None"));

  m.def(
      "load", &load, "path"_a, nb::kw_only(), "trusted"_a = false,
      R"(Reads a detector from a model file: the same scores to the bit, of float32 or float64 as it was saved.

Nothing in the file is executed: it holds numbers and words.

Parameters
----------
path : str or os.PathLike
trusted : bool
    Without it a file is refused whose model would take more than about a second a row, or a gigabyte of memory a
    thread: a few hundred bytes can describe one. Give True for a model of your own that is refused.

Raises
------
FileError
    When the file can't be read, is no model, or contradicts itself.)");
  m.def(
      "_read_tensors",
      [](const std::filesystem::path& path) {
        return read_tensors(detail::TensorFile::read(path));
      },
      "path"_a, "Tensors and words of a safetensors file.");
  m.def(
      "_parse_tensors",
      [](const nb::bytes& bytes) {
        return read_tensors(
            detail::TensorFile::parse(std::string_view(bytes.c_str(), bytes.size())));
      },
      "data"_a, "The same of a file in memory.");
}

}  // namespace dasvdd::python
