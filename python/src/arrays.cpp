#include "arrays.hpp"

namespace dasvdd::python {

nb::object converted(const char* function, nb::handle X, const char* what, const char* dtype) {
  return nb::module_::import_("dasvdd._arrays").attr(function)(X, what, dtype);
}

}  // namespace dasvdd::python
