#pragma once
/// \file
/// The C functions of a frozen model, as text. In it @ stands for the model's name, $ for the name in capitals.

namespace tool {
namespace frozen {

/// The library's sums are made of fused multiply-adds: with them the scores are its own nearly to the bit.
inline constexpr char fma_text[] = R"(
/* a * b + c, rounded once where that costs nothing. */
#if defined(__FP_FAST_FMAF) || defined(__FMA__)
#define $_FMA(a, b, c) __builtin_fmaf((a), (b), (c))
#elif defined(__x86_64__) || defined(__i386__) || defined(_M_X64)
#define $_FMA(a, b, c) ((float)((double)(a) * (double)(b) + (double)(c)))
#else
#define $_FMA(a, b, c) ((a) * (b) + (c))
#endif
)";

inline constexpr char distance_text[] = R"(
/* The squared distance of a and b. */
static inline float @_distance(const float *a, const float *b, long n) {
  float s[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  long j;
  for (j = 0; j < n; ++j) {
    const float e = a[j] - b[j];
    s[j & 3] = $_FMA(e, e, s[j & 3]);
  }
  return (s[0] + s[1]) + (s[2] + s[3]);
}
)";

inline constexpr char difference_text[] = R"(
/* e = a - b; e may be a. */
static inline void @_difference(const float *a, const float *b, long n, float *e) {
  long j;
  for (j = 0; j < n; ++j) e[j] = a[j] - b[j];
}
)";

/// ||A e||^2. Four kinds: A of floats or bytes, whole or its lower triangle.
inline constexpr char whitened_text[] = R"(
/* The squared length of A e. */
static inline float @_whitened(const float *A, const float *e, long n) {
  float sum = 0.0f;
  long i, j;
  for (i = 0; i < n; ++i) {
    float s = 0.0f;
    for (j = 0; j < n; ++j) s = $_FMA(*A++, e[j], s);
    sum = $_FMA(s, s, sum);
  }
  return sum;
}
)";
inline constexpr char whitened_lower_text[] = R"(
/* The squared length of A e, A a lower triangle. */
static inline float @_whitened_lower(const float *A, const float *e, long n) {
  float sum = 0.0f;
  long i, j;
  for (i = 0; i < n; ++i) {
    float s = 0.0f;
    for (j = 0; j <= i; ++j) s = $_FMA(*A++, e[j], s);
    sum = $_FMA(s, s, sum);
  }
  return sum;
}
)";
inline constexpr char whitened8_text[] = R"(
/* The squared length of A e, row i of A being scale[i] times its bytes. */
static inline float @_whitened8(const int8_t *A, const float *scale, const float *e, long n) {
  float sum = 0.0f;
  long i, j;
  for (i = 0; i < n; ++i) {
    float s = 0.0f;
    for (j = 0; j < n; ++j) s += (float)*A++ * e[j];
    s *= scale[i];
    sum += s * s;
  }
  return sum;
}
)";
inline constexpr char whitened_lower8_text[] = R"(
/* The squared length of A e, A a lower triangle, row i of it scale[i] times its bytes. */
static inline float @_whitened_lower8(const int8_t *A, const float *scale, const float *e, long n) {
  float sum = 0.0f;
  long i, j;
  for (i = 0; i < n; ++i) {
    float s = 0.0f;
    for (j = 0; j <= i; ++j) s += (float)*A++ * e[j];
    s *= scale[i];
    sum += s * s;
  }
  return sum;
}
)";

inline constexpr char nearest_text[] = R"(
/* The squared distance of a and the nearest center. */
static inline float @_nearest(const float *centers, long count, const float *a, long n) {
  float nearest = FLT_MAX;
  long k;
  for (k = 0; k < count; ++k, centers += n) {
    const float distance = @_distance(a, centers, n);
    if (!(distance >= nearest)) nearest = distance;
  }
  return nearest;
}
)";
inline constexpr char nearest8_text[] = R"(
/* The squared distance of a and the nearest center, center k being scale[k] times its bytes. */
static inline float @_nearest8(const int8_t *centers, const float *scale, long count, const float *a,
                               long n) {
  float nearest = FLT_MAX;
  long k, j;
  for (k = 0; k < count; ++k, centers += n) {
    float distance = 0.0f;
    for (j = 0; j < n; ++j) {
      const float e = a[j] - scale[k] * (float)centers[j];
      distance += e * e;
    }
    if (!(distance >= nearest)) nearest = distance;
  }
  return nearest;
}
)";

inline constexpr char dense_text[] = R"(
/* y = W x + b, four rows at a time; b may be 0. */
static inline void @_dense(const float *x, long n, const float *w, const float *b, long rows, float *y) {
  long i, k;
  for (i = rows / 4; i > 0; --i, w += 4 * n) {
    const float *w1 = w + n, *w2 = w1 + n, *w3 = w2 + n;
    float s0 = 0.0f, s1 = 0.0f, s2 = 0.0f, s3 = 0.0f;
    if (b) {
      s0 = *b++;
      s1 = *b++;
      s2 = *b++;
      s3 = *b++;
    }
    for (k = 0; k < n; ++k) {
      const float v = x[k];
      s0 = $_FMA(w[k], v, s0);
      s1 = $_FMA(w1[k], v, s1);
      s2 = $_FMA(w2[k], v, s2);
      s3 = $_FMA(w3[k], v, s3);
    }
    *y++ = s0;
    *y++ = s1;
    *y++ = s2;
    *y++ = s3;
  }
  for (i = rows % 4; i > 0; --i, w += n) {
    float s = b ? *b++ : 0.0f;
    for (k = 0; k < n; ++k) s = $_FMA(w[k], x[k], s);
    *y++ = s;
  }
}
)";

/// Shapes: channels, height and width of input and output, kernel, stride, padding.
inline constexpr char conv_text[] = R"(
/* A convolution. s: C, H, W of x; O, h, w of y; kernel, stride, padding. */
static inline void @_conv(const float *x, const long *s, const float *w, const float *b, float *y) {
  const long C = s[0], H = s[1], W = s[2], K = s[6];
  long o, u, v, c, i, j;
  for (o = 0; o < s[3]; ++o) {
    for (u = 0; u < s[4]; ++u) {
      for (v = 0; v < s[5]; ++v) {
        const float *k = w + o * C * K * K;
        float sum = 0.0f;
        for (c = 0; c < C; ++c) {
          for (i = 0; i < K; ++i, k += K) {
            const long a = u * s[7] + i - s[8], left = v * s[7] - s[8];
            if (a < 0 || a >= H) continue;
            for (j = left < 0 ? -left : 0; j < K && left + j < W; ++j)
              sum = $_FMA(k[j], x[(c * H + a) * W + left + j], sum);
          }
        }
        *y++ = b ? sum + b[o] : sum;
      }
    }
  }
}
)";
/// The rows, or columns, of the input that reach place `at` of the output: a * stride + i - padding == at with 0 <= i < K.
inline constexpr char reach_text[] = R"(
static inline long @_first(long at, const long *s) {
  const long low = at + s[8] - s[6] + 1;
  return low > 0 ? (low + s[7] - 1) / s[7] : 0;
}
static inline long @_last(long at, const long *s, long size) {
  const long last = (at + s[8]) / s[7];
  return last < size ? last : size - 1;
}
)";
inline constexpr char conv_transpose_text[] = R"(
/* A transposed convolution; s as of a convolution. */
static inline void @_conv_transpose(const float *x, const long *s, const float *w, const float *b,
                                    float *y) {
  const long H = s[1], W = s[2], O = s[3], K = s[6];
  long o, u, v, c, a, d;
  for (o = 0; o < O; ++o) {
    for (u = 0; u < s[4]; ++u) {
      const long top = @_first(u, s), bottom = @_last(u, s, H);
      for (v = 0; v < s[5]; ++v) {
        const long left = @_first(v, s), right = @_last(v, s, W);
        float sum = 0.0f;
        for (c = 0; c < s[0]; ++c) {
          for (a = top; a <= bottom; ++a) {
            const float *k = w + ((c * O + o) * K + u + s[8] - a * s[7]) * K + v + s[8];
            for (d = left; d <= right; ++d) sum = $_FMA(k[-d * s[7]], x[(c * H + a) * W + d], sum);
          }
        }
        *y++ = b ? sum + b[o] : sum;
      }
    }
  }
}
)";
inline constexpr char max_pool_text[] = R"(
/* The largest number of each window; s as of a convolution. */
static inline void @_max_pool(const float *x, const long *s, float *y) {
  long c, u, v, i, j;
  for (c = 0; c < s[3]; ++c) {
    for (u = 0; u < s[4]; ++u) {
      for (v = 0; v < s[5]; ++v) {
        const float *window = x + (c * s[1] + u * s[7]) * s[2] + v * s[7];
        float most = window[0];
        for (i = 0; i < s[6]; ++i) {
          for (j = 0; j < s[6]; ++j) {
            const float value = window[i * s[2] + j];
            most = !(value <= most) ? value : most;
          }
        }
        *y++ = most;
      }
    }
  }
}
)";
inline constexpr char upsample_text[] = R"(
/* Each pixel as a square of equal ones; s as of a convolution. */
static inline void @_upsample(const float *x, const long *s, float *y) {
  long c, u, v;
  for (c = 0; c < s[3]; ++c) {
    for (u = 0; u < s[4]; ++u) {
      for (v = 0; v < s[5]; ++v) *y++ = x[(c * s[1] + u / s[7]) * s[2] + v / s[7]];
    }
  }
}
)";
inline constexpr char nothing_text[] = R"(
static inline void @_copy(const float *x, long n, float *y) {
  long i;
  for (i = 0; i < n; ++i) y[i] = x[i];
}
)";
inline constexpr char channels_text[] = R"(
/* y = (y - mean) factor + shift, a number of each for every channel. */
static inline void @_channels(float *y, long channels, long plane, const float *mean, const float *factor,
                              const float *shift) {
  long c, i;
  for (c = 0; c < channels; ++c) {
    for (i = 0; i < plane; ++i, ++y) *y = (*y - mean[c]) * factor[c] + shift[c];
  }
}
)";
inline constexpr char activate_text[] = R"(
static inline void @_activate(float *y, long n, int f) {
  long i;
  for (i = 0; i < n; ++i) y[i] = @_f(f, y[i]);
}
)";

// ---- eight bits ---------------------------------------------------------------------------------------

inline constexpr char bytes_text[] = R"(
/* Real numbers are scale * (q - zero) for whole numbers q. */
static inline @_whole @_byte(float x, float inverse, int zero) {
  float r = x * inverse;
  int q;
  r = r > -5000.0f ? r : -5000.0f;
  r = r < 5000.0f ? r : 5000.0f;
  q = (int)(r < 0.0f ? r - 0.5f : r + 0.5f) + zero;
  return (@_whole)(q < -$_HALF ? -$_HALF : q >= $_HALF ? $_HALF - 1 : q);
}
static inline void @_quantize(const float *x, long n, float inverse, int zero, @_whole *q) {
  long i;
  for (i = 0; i < n; ++i) q[i] = @_byte(x[i], inverse, zero);
}
/* Where a layer's outputs go, one by one: into the squared distance from `row`, to `real`, or as whole numbers to `bytes`. */
typedef struct @_out {
  const float *row;
  float *real;
  @_whole *bytes;
  float inverse, distance;
  int zero;
  int f; /* what each goes through before */
} @_out;
static inline void @_put(@_out *out, long i, float x) {
  x = @_f(out->f, x);
  if (out->row) {
    const float e = x - out->row[i];
    out->distance += e * e;
  } else if (out->real) {
    out->real[i] = x;
  } else {
    out->bytes[i] = @_byte(x, out->inverse, out->zero);
  }
}
)";
inline constexpr char dense8_text[] = R"(
/* scale W x + offset, four rows at a time; the input's zero is in the offset. */
static inline void @_dense8(const @_whole *x, long n, const int8_t *w, const float *scale,
                            const float *offset, long rows, @_out *out) {
  long i, k, at = 0;
  for (i = rows / 4; i > 0; --i, w += 4 * n) {
    const int8_t *w1 = w + n, *w2 = w1 + n, *w3 = w2 + n;
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (k = 0; k < n; ++k) {
      const int32_t v = x[k];
      s0 += w[k] * v;
      s1 += w1[k] * v;
      s2 += w2[k] * v;
      s3 += w3[k] * v;
    }
    @_put(out, at++, (float)s0 * *scale++ + *offset++);
    @_put(out, at++, (float)s1 * *scale++ + *offset++);
    @_put(out, at++, (float)s2 * *scale++ + *offset++);
    @_put(out, at++, (float)s3 * *scale++ + *offset++);
  }
  for (i = rows % 4; i > 0; --i, w += n) {
    int32_t s = 0;
    for (k = 0; k < n; ++k) s += w[k] * (int32_t)x[k];
    @_put(out, at++, (float)s * *scale++ + *offset++);
  }
}
)";
inline constexpr char conv8_text[] = R"(
/* A convolution. s: C, H, W of x; O, h, w of y; kernel, stride, padding. */
static inline void @_conv8(const @_whole *x, int zero, const long *s, const int8_t *w, const float *scale,
                           const float *offset, @_out *out) {
  const long C = s[0], H = s[1], W = s[2], K = s[6];
  long o, u, v, c, i, j, at = 0;
  for (o = 0; o < s[3]; ++o) {
    for (u = 0; u < s[4]; ++u) {
      for (v = 0; v < s[5]; ++v) {
        const int8_t *k = w + o * C * K * K;
        int32_t sum = 0;
        for (c = 0; c < C; ++c) {
          for (i = 0; i < K; ++i, k += K) {
            const long a = u * s[7] + i - s[8], left = v * s[7] - s[8];
            if (a < 0 || a >= H) continue;
            for (j = left < 0 ? -left : 0; j < K && left + j < W; ++j)
              sum += (int32_t)k[j] * ((int32_t)x[(c * H + a) * W + left + j] - zero);
          }
        }
        @_put(out, at++, (float)sum * scale[o] + offset[o]);
      }
    }
  }
}
)";
inline constexpr char conv_transpose8_text[] = R"(
/* A transposed convolution; s as of a convolution. */
static inline void @_conv_transpose8(const @_whole *x, int zero, const long *s, const int8_t *w,
                                     const float *scale, const float *offset, @_out *out) {
  const long H = s[1], W = s[2], O = s[3], K = s[6];
  long o, u, v, c, a, d, at = 0;
  for (o = 0; o < O; ++o) {
    for (u = 0; u < s[4]; ++u) {
      const long top = @_first(u, s), bottom = @_last(u, s, H);
      for (v = 0; v < s[5]; ++v) {
        const long left = @_first(v, s), right = @_last(v, s, W);
        int32_t sum = 0;
        for (c = 0; c < s[0]; ++c) {
          for (a = top; a <= bottom; ++a) {
            const int8_t *k = w + ((c * O + o) * K + u + s[8] - a * s[7]) * K + v + s[8];
            for (d = left; d <= right; ++d) sum += k[-d * s[7]] * ((int32_t)x[(c * H + a) * W + d] - zero);
          }
        }
        @_put(out, at++, (float)sum * scale[o] + offset[o]);
      }
    }
  }
}
)";
inline constexpr char max_pool8_text[] = R"(
/* The largest number of each window; s as of a convolution. */
static inline void @_max_pool8(const @_whole *x, int zero, const long *s, const float *scale,
                               const float *offset, @_out *out) {
  long c, u, v, i, j, at = 0;
  for (c = 0; c < s[3]; ++c) {
    for (u = 0; u < s[4]; ++u) {
      for (v = 0; v < s[5]; ++v) {
        const @_whole *window = x + (c * s[1] + u * s[7]) * s[2] + v * s[7];
        int most = window[0];
        for (i = 0; i < s[6]; ++i) {
          for (j = 0; j < s[6]; ++j) most = window[i * s[2] + j] > most ? window[i * s[2] + j] : most;
        }
        @_put(out, at++, (float)(most - zero) * scale[c] + offset[c]);
      }
    }
  }
}
)";
inline constexpr char upsample8_text[] = R"(
/* Each pixel as a square of equal ones; s as of a convolution. */
static inline void @_upsample8(const @_whole *x, int zero, const long *s, const float *scale,
                               const float *offset, @_out *out) {
  long c, u, v, at = 0;
  for (c = 0; c < s[3]; ++c) {
    for (u = 0; u < s[4]; ++u) {
      for (v = 0; v < s[5]; ++v) {
        const int q = x[(c * s[1] + u / s[7]) * s[2] + v / s[7]];
        @_put(out, at++, (float)(q - zero) * scale[c] + offset[c]);
      }
    }
  }
}
)";
inline constexpr char nothing8_text[] = R"(
static inline void @_copy8(const @_whole *x, int zero, const long *s, const float *scale,
                           const float *offset, @_out *out) {
  long c, i, at = 0;
  for (c = 0; c < s[3]; ++c) {
    for (i = 0; i < s[4] * s[5]; ++i, ++at) @_put(out, at, (float)(x[at] - zero) * scale[c] + offset[c]);
  }
}
)";

// ---- scaling ------------------------------------------------------------------------------------------

inline constexpr char standardize_text[] = R"(
static inline void @_scale(const float *row, float *x) {
  long j;
  for (j = 0; j < $_FEATURES; ++j) x[j] = (row[j] - @_mean[j]) * @_inverse_deviation[j];
}
)";
inline constexpr char contrast_text[] = R"(
/* (x - mean) / sqrt(variance + floor), over the row's own numbers. */
static inline void @_scale(const float *row, float *x) {
  double sum = 0.0, squares = 0.0;
  float mean, factor;
  long j;
  for (j = 0; j < $_FEATURES; ++j) sum += (double)row[j];
  mean = (float)(sum / $_FEATURES);
  for (j = 0; j < $_FEATURES; ++j) squares += (double)(row[j] - mean) * (double)(row[j] - mean);
  factor = (float)(1.0 / sqrt(squares / $_FEATURES + (double)@_contrast_floor));
  for (j = 0; j < $_FEATURES; ++j) x[j] = (row[j] - mean) * factor;
}
)";
inline constexpr char soften_text[] = R"(
/* Each pixel becomes the root of the mean of its neighborhood, weights 1 2 1 in both directions. */
static inline void @_scale(const float *row, float *x) {
  long line, j;
  for (line = 0; line < $_CHANNELS * $_HEIGHT; ++line, row += $_WIDTH, x += $_WIDTH) {
    const int first = line % $_HEIGHT == 0, last = line % $_HEIGHT == $_HEIGHT - 1;
    float left = 0.0f;
    for (j = 0; j < $_WIDTH; ++j) {
      x[j] = (first ? 0.0f : row[j - $_WIDTH]) + (last ? 0.0f : row[j + $_WIDTH]) + 2.0f * row[j];
    }
    for (j = 0; j < $_WIDTH; ++j) {
      const float middle = x[j], right = j + 1 < $_WIDTH ? x[j + 1] : 0.0f;
      const float mean = (left + right + 2.0f * middle) / 16.0f;
      x[j] = mean < 0.0f ? -sqrtf(-mean) : sqrtf(mean);
      left = middle;
    }
  }
}
)";

inline constexpr char score_text[] = R"(
/* 1 for an anomaly, 0 for a normal row. */
static inline int @_is_anomaly(const float *row) { return @_score(row) > $_THRESHOLD; }

/* 1 where the row kept here gets the score that it should, else 0: after a new compiler, board or flag. */
static inline int @_self_test(void) {
  const float score = @_score(@_test_row);
  const float error = score > $_TEST_SCORE ? score - $_TEST_SCORE : $_TEST_SCORE - score;
  return error <= $_TEST_TOLERANCE * $_TEST_SCORE;
}
)";

}  // namespace frozen
}  // namespace tool
