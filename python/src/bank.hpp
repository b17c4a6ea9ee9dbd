#pragma once
/// \file
/// `dasvdd.Bank` and `dasvdd.fit_many`.

#include <nanobind/nanobind.h>

namespace dasvdd::python {

void bind_bank(nanobind::module_& m);

}  // namespace dasvdd::python
