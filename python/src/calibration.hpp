#pragma once
/// \file
/// `dasvdd.Calibration`, and the two that follow a stream: `OnlineSelect` and `DriftWatch`.

#include <nanobind/nanobind.h>

namespace dasvdd::python {

void bind_calibration(nanobind::module_& m);

}  // namespace dasvdd::python
