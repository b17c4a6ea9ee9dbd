// The library's heavy templates for float, compiled once, with the flags that it is measured with (compiled.hpp).
#define DASVDD_INSTANTIATE float
#include <dasvdd/dasvdd.hpp>
