#include "library.hpp"

double native_score() { return score_of(make_detector()); }

// What crossed.cpp, which is built without OpenMP, looks for under another name.
double foreign_score(const Detector& detector) { return score_of(detector); }
