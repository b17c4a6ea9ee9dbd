#include "detector.hpp"
#include "fit.hpp"
#include "threads.hpp"

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/version.hpp>

NB_MODULE(_core, m) {
  namespace python = dasvdd::python;
  m.doc() = "The compiled part of the package dasvdd.";
  m.attr("__version__") = DASVDD_VERSION_STRING;
  // InvalidArgument is a std::invalid_argument, which becomes a ValueError.
  nb::exception<dasvdd::FileError>(m, "FileError", PyExc_OSError);
  python::bind_threads(m);
  python::bind_detector(m);
  python::bind_fit(m);
}
