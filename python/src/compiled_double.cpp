// The library's heavy templates for double, compiled once, with the flags that it is measured with (compiled.hpp).
#define DASVDD_INSTANTIATE double
#include <dasvdd/dasvdd.hpp>
