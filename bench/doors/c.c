/* The C door: c MODEL ROWS SCORES, as doors.cpp. */
#include "doors.h"

#include <dasvdd/c/dasvdd.h>

static dasvdd_detector* detector;
static dasvdd_workspace* workspace;

static void singly(const float* rows, long n, long d, double* scores) {
  long i;
  for (i = 0; i < n; ++i) dasvdd_score_one_f32(workspace, rows + i * d, scores + i, NULL);
}

static void together(const float* rows, long n, long d, double* scores) {
  const dasvdd_rows X = {.f32 = rows, .rows = n, .columns = d};
  dasvdd_score(detector, &X, 1, scores, NULL);
}

int main(int argc, char** argv) {
  dasvdd_error error;
  if (argc != 4) return 2;
  if (dasvdd_load(argv[1], &detector, &error) != DASVDD_OK ||
      dasvdd_workspace_new(detector, 1, &workspace, &error) != DASVDD_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  return measure(argv[2], argv[3], (long)dasvdd_features(detector), singly, together);
}
