#include "library.hpp"

double plain_score() { return score_of(make_detector()); }
