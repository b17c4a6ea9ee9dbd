#include "library.hpp"

double compiled_score() { return score_of(make_detector()); }
