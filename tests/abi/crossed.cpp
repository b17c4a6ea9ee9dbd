#include "library.hpp"

double foreign_score(const Detector& detector);

int main() { return foreign_score(make_detector()) > 0 ? 0 : 1; }
