/* A frozen detector, and others that are C sources: frozen - ROWS SCORES, as doors.cpp. Compiled with -DSOURCE='"model.h"'
 * and, where the names are not freeze's, -DFEATURES= and -DSCORE=. */
#include "doors.h"

#include SOURCE
#ifndef SCORE
#define SCORE model_score
#define FEATURES MODEL_FEATURES
#endif

static void singly(const float* rows, long n, long d, double* scores) {
  long i;
  for (i = 0; i < n; ++i) scores[i] = (double)SCORE(rows + i * d);
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  return measure(argv[2], argv[3], FEATURES, singly, singly);
}
