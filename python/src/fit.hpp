#pragma once
/// \file
/// `dasvdd.fit` and `dasvdd.fit_images`, with the reports that all training gives.

#include <nanobind/nanobind.h>

namespace dasvdd::python {

void bind_fit(nanobind::module_& m);

}  // namespace dasvdd::python
