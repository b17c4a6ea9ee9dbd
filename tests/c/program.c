/* A C99 program from rows to decisions: what docs/c.md promises. Ends with 0 where all of it holds. */
#include <dasvdd/c/dasvdd.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 200, D = 4 };

static int checks_failed = 0;
#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) {                                       \
      checks_failed = 1;                                      \
      fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
    }                                                         \
  } while (0)

static int32_t stop_after(const dasvdd_progress* progress, void* user) {
  const int64_t* most = (const int64_t*)user;
  return progress->done >= *most;
}

int main(void) {
  float numbers[N * D];
  uint32_t state = 1;
  int i, j;
  for (i = 0; i < N; ++i) {
    for (j = 0; j < D; ++j) {
      state = state * 1664525u + 1013904223u;
      numbers[i * D + j] = (float)(i % 20) * (float)(j + 1) + (float)(state >> 8) * 0x1p-24f;
    }
  }
  const dasvdd_rows X = {.f32 = numbers, .rows = N, .columns = D};

  dasvdd_fit_options options;
  dasvdd_fit_options_init(&options, sizeof options);
  options.ensemble_size = 2;
  options.steps = 200;
  int64_t most = 1000000;
  dasvdd_error error;
  dasvdd_detector* detector = NULL;
  if (dasvdd_fit(&X, &options, stop_after, &most, &detector, &error) != DASVDD_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  double scores[N];
  CHECK(dasvdd_score(detector, &X, 0, scores, &error) == DASVDD_OK);

  dasvdd_workspace* workspace = NULL;
  CHECK(dasvdd_workspace_new(detector, 1, &workspace, &error) == DASVDD_OK);
  double score;
  CHECK(dasvdd_score_one_f32(workspace, numbers + D, &score, &error) == DASVDD_OK);
  CHECK(score == scores[1]);
  const double far_off[D] = {1, -50, 3, 40};
  CHECK(dasvdd_score_one_f64(workspace, far_off, &score, &error) == DASVDD_OK);
  CHECK(dasvdd_is_anomaly(detector, score) == 1);
  double p;
  CHECK(dasvdd_p_value(detector, &score, 1, &p, &error) == DASVDD_OK);
  CHECK(p < 0.02);

  dasvdd_watch* watch = NULL;
  dasvdd_selection* selection = NULL;
  int32_t flag = -1;
  CHECK(dasvdd_watch_new(detector, NULL, 0.01, 1, &watch, &error) == DASVDD_OK);
  CHECK(dasvdd_watch_add(watch, score, NULL, &flag, &error) == DASVDD_OK);
  CHECK(flag == 0);
  CHECK(dasvdd_selection_new(detector, 0.1, 0, &selection, &error) == DASVDD_OK);
  CHECK(dasvdd_selection_add(selection, p, &flag, &error) == DASVDD_OK);
  CHECK(flag == 0 || flag == 1);
  dasvdd_watch_free(watch);
  dasvdd_selection_free(selection);

  void* bytes = NULL;
  size_t size = 0;
  CHECK(dasvdd_save_memory(detector, &bytes, &size, &error) == DASVDD_OK);
  dasvdd_detector* copy = NULL;
  CHECK(dasvdd_load_memory(bytes, size, &copy, &error) == DASVDD_OK);
  dasvdd_free(bytes);
  double again[N];
  CHECK(dasvdd_score(copy, &X, 1, again, &error) == DASVDD_OK);
  CHECK(memcmp(scores, again, sizeof scores) == 0);
  CHECK(dasvdd_load("no such file", &copy, &error) == DASVDD_FILE_ERROR);
  CHECK(strcmp(error.message, "'no such file': there is no such file") == 0);

  printf("dasvdd %s: %ld features, threshold %g, far off %g, p %g\n", dasvdd_version(),
         (long)dasvdd_features(detector), dasvdd_threshold(detector), score, p);
  dasvdd_workspace_free(workspace);
  dasvdd_detector_free(copy);
  dasvdd_detector_free(detector);
  return checks_failed;
}
