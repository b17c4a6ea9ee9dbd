#pragma once
/// \file
/// Measures of detection: `roc_auc`, `average_precision`, `fpr_at_tpr`, `Confusion`.

#include <nanobind/nanobind.h>

namespace dasvdd::python {

void bind_measures(nanobind::module_& m);

}  // namespace dasvdd::python
