// As fftw3.h and lapacke.h have it.
#include <complex.h>

#include "everything.hpp"

#ifndef I
#error "complex.h defines no I: this checks nothing"
#endif
