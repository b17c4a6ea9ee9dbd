#include "bank.hpp"
#include "calibration.hpp"
#include "detector.hpp"
#include "fit.hpp"
#include "measures.hpp"
#include "nets.hpp"
#include "threads.hpp"
#include "trainer.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/version.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <string>
#include <vector>

namespace {

std::vector<std::string> available_kernels() {
  std::vector<std::string> names;
  for (const auto& row : dasvdd::detail::kernels::set_table) {
    if (row.runs()) names.emplace_back(row.name);
  }
  return names;
}

}  // namespace

NB_MODULE(_core, m) {
  namespace python = dasvdd::python;
  m.doc() = "The compiled part of the package dasvdd.";
  m.attr("__version__") = DASVDD_VERSION_STRING;
  // InvalidArgument is a std::invalid_argument, which becomes a ValueError.
  nb::exception<dasvdd::FileError>(m, "FileError", PyExc_OSError);
  m.def(
      "kernels",
      [] {
        return std::string(dasvdd::detail::kernels::name_of(dasvdd::detail::kernels::best_set()));
      },
      R"(The instruction set that computes: the fastest of available_kernels().

The environment variable DASVDD_KERNELS names another one; it is read at the first use. Raises ValueError where it names
none of them.)");
  m.def("available_kernels", &available_kernels,
        "The instruction sets that this CPU runs, the fastest first: \"avx512\", \"avx2\", "
        "\"portable\".");
  python::bind_threads(m);
  python::bind_calibration(m);
  python::bind_detector(m);
  python::bind_fit(m);
  python::bind_bank(m);
  python::bind_measures(m);
  python::bind_nets(m);
  python::bind_trainer(m);
}
