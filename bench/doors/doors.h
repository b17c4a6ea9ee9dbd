/* What the doors in C share: rows of a file, the median of passes, scores in a file. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int ascending(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

/* Scores n rows of d floats, singly or together. */
typedef void scoring(const float* rows, long n, long d, double* scores);

/* The median seconds of a pass, over a third of a second and three passes at least. */
static double seconds_of(scoring* pass, const float* rows, long n, long d, double* scores) {
  enum { MOST = 100000 };
  static double seconds[MOST];
  double sum = 0;
  int count = 0;
  while (count < MOST && (sum < 0.33 || count < 3)) {
    const clock_t begin = clock();
    pass(rows, n, d, scores);
    seconds[count] = (double)(clock() - begin) / CLOCKS_PER_SEC;
    sum += seconds[count++];
  }
  qsort(seconds, (size_t)count, sizeof *seconds, ascending);
  return seconds[count / 2];
}

/* Prints what bench/doors/doors.cpp prints. */
static int measure(const char* rows_path, const char* scores_path, long d, scoring* singly,
                   scoring* together) {
  FILE* file = fopen(rows_path, "rb");
  long n;
  float* rows;
  double *scores, one, all;
  if (!file || fseek(file, 0, SEEK_END) != 0) return 2;
  n = ftell(file) / (long)sizeof(float) / d;
  rewind(file);
  rows = malloc((size_t)(n * d) * sizeof *rows);
  scores = malloc((size_t)n * sizeof *scores);
  if (!rows || !scores || fread(rows, sizeof *rows, (size_t)(n * d), file) != (size_t)(n * d))
    return 2;
  fclose(file);
  all = seconds_of(together, rows, n, d, scores);
  one = singly == together ? all : seconds_of(singly, rows, n, d, scores);
  file = fopen(scores_path, "wb");
  if (!file || fwrite(scores, sizeof *scores, (size_t)n, file) != (size_t)n || fclose(file) != 0)
    return 2;
  printf("%.17g %.17g\n", 1e6 * one / (double)n, (double)n / all);
  free(rows);
  free(scores);
  return 0;
}
