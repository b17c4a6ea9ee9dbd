#include "arrays.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace dasvdd::python {

nb::object converted(const char* function, nb::handle X, const char* what, const char* dtype,
                     const Names& names) {
  return nb::module_::import_("dasvdd._arrays").attr(function)(X, what, dtype, names);
}

}  // namespace dasvdd::python
