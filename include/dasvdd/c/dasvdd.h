#ifndef DASVDD_C_DASVDD_H
#define DASVDD_C_DASVDD_H
/**
 * \file
 * The C interface of dasvdd: fit, load, score, decide, save. C99, and C++; docs/c.md has a first program.
 *
 * Conventions
 * - Functions that can fail return a status, 0 for success, and take a `dasvdd_error *` as their last argument, which
 *   may be NULL. A function that fails has written to nothing but the error. No C++ exception ever leaves a function.
 * - A NULL handle or pointer where one is needed is DASVDD_INVALID_ARGUMENT. Functions that return a plain value say
 *   what they return for NULL.
 * - Batches are rows of numbers, one sample a row: see dasvdd_rows. Scores are doubles whatever the detector computes
 *   in; those of a detector of floats are floats, widened. Larger is more anomalous; a prediction of 1 is an anomaly.
 * - Strings are UTF-8 and end with a zero, file names too. Those that functions return belong to the detector.
 * - What `..._free` functions free may be NULL.
 *
 * Threads
 * - A detector never changes: any number of threads may use one at the same time, without a lock.
 * - A workspace is for one thread at a time. Scoring with it allocates nothing, takes no lock and starts no thread.
 * - Functions with the argument `threads` use so many threads; 0: as many as OpenMP would use (OMP_NUM_THREADS).
 *   The number never changes a result.
 * - There is no global state and nothing thread-local: an error lies in memory of the caller's own, so it reaches the
 *   right caller also where a run-time system moves calls between threads (Go, async tasks).
 */

#include <stddef.h>
#include <stdint.h>

#if defined(DASVDD_C_STATIC)
#define DASVDD_API
#elif defined(_WIN32) && defined(DASVDD_C_BUILD)
#define DASVDD_API __declspec(dllexport)
#elif defined(_WIN32)
#define DASVDD_API __declspec(dllimport)
#elif defined(__GNUC__)
#define DASVDD_API __attribute__((visibility("default")))
#else
#define DASVDD_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** A fitted detector; never changes. Freed with dasvdd_detector_free(). */
typedef struct dasvdd_detector dasvdd_detector;
/** The memory that one thread scores in. Freed with dasvdd_workspace_free(). */
typedef struct dasvdd_workspace dasvdd_workspace;

/* ---- errors ---------------------------------------------------------------------------------- */

/** How a function ended. Later versions may add numbers. */
typedef int32_t dasvdd_status;
enum {
  DASVDD_OK = 0,
  DASVDD_INVALID_ARGUMENT = 1, /**< an argument is wrong, numbers in rows included */
  DASVDD_FILE_ERROR = 2,       /**< a file can't be read or written, or holds something else */
  DASVDD_OUT_OF_MEMORY = 3,
  DASVDD_FAILED = 4 /**< anything else: what a progress callback written in C++ threw, say */
};

/** How a call ended, in memory of the caller's. It needs no initialization, is overwritten by each call it is given
 *  to, and will never grow. */
typedef struct dasvdd_error {
  dasvdd_status status;
  /** One sentence: which argument, what came, what was expected. Empty after success. One of more than 1019 bytes
   *  ends with "...". */
  char message[1020];
} dasvdd_error;

/* ---- rows ------------------------------------------------------------------------------------ */

/**
 * A batch in memory of the caller's: `rows` samples of `columns` numbers each, floats or doubles. It is read during the
 * call alone. Every number must be finite. In C99:
 * \code
 * dasvdd_rows X = {.f32 = numbers, .rows = 1000, .columns = 8};
 * \endcode
 * A detector of floats scales doubles as doubles, so that what a column varies by is kept beside a large offset.
 * The struct will never grow.
 */
typedef struct dasvdd_rows {
  const float* f32;  /**< the first row, where the numbers are floats; else NULL */
  const double* f64; /**< the first row, where the numbers are doubles; else NULL */
  int64_t rows;      /**< n */
  int64_t columns;   /**< d */
  int64_t stride;    /**< numbers from row to row; 0: `columns`, no gaps */
} dasvdd_rows;

/* ---- options --------------------------------------------------------------------------------- */

/** The score that a trained net is given; the C++ library's ScoreForm. */
enum {
  DASVDD_SCORE_PUBLISHED = 0,       /**< the paper's: reconstruction + gamma * latent */
  DASVDD_SCORE_BALANCED = 1,        /**< each term divided by its mean over training rows */
  DASVDD_SCORE_LATENT_WHITENED = 2, /**< the same, the latent term by the code's covariance */
  DASVDD_SCORE_WHITENED = 3,        /**< the residual by its covariance */
  DASVDD_SCORE_SEVERAL_CENTERS = 4  /**< that, and the distance to the nearest of several centers */
};

/** What dasvdd_fit() does with values that are missing, which are NaN. */
enum {
  DASVDD_MISSING_REFUSE = 0, /**< an error that names row and column */
  DASVDD_MISSING_MASK = 1,   /**< they are left out of the score, in training and afterwards */
  DASVDD_MISSING_IMPUTE = 2  /**< the mean in their place, and a feature that says where */
};

/** What images show; see dasvdd_image_options. */
enum { DASVDD_OBJECTS = 0, DASVDD_PHOTOGRAPHS = 1 };

/**
 * Options of dasvdd_fit(). Set by dasvdd_fit_options_init(), then changed field by field. Later versions add fields at
 * the end: `size` and `version` say which of them the caller knows. Values out of range are refused before anything is
 * trained.
 */
typedef struct dasvdd_fit_options {
  uint32_t size;    /**< bytes of the struct, as compiled */
  uint32_t version; /**< 1 */
  uint64_t seed;    /**< of everything drawn; the same seed gives the same detector, to the bit */
  int32_t threads;  /**< 0: what OpenMP would use */
  int32_t
      bits; /**< 32 or 64: a detector of floats or doubles; 0 (the default): of the rows' type */
  int64_t ensemble_size; /**< nets in the ensemble */
  int64_t steps;         /**< mini-batches that each net trains for */
  int64_t epochs;        /**< passes over the rows instead; 0: as `steps` says */
  int64_t batch_size;    /**< rows of a mini-batch */
  int32_t standardize;   /**< not 0: subtract each feature's mean and divide by its deviation */
  int32_t score;         /**< DASVDD_SCORE_... */
  double contamination;  /**< the share of the rows that may be anomalies, below one half */
  double gamma; /**< weight of the latent term in training; below 0 (the default): estimated */
  double kappa; /**< share of each mini-batch for the network step, in (0, 1] */
  double learning_rate;             /**< Adam's */
  double weight_decay;              /**< AdamW's */
  double center_learning_rate;      /**< of the center step */
  const char* const* feature_names; /**< one a column, UTF-8; the detector keeps them; NULL: none */
  int32_t missing;                  /**< DASVDD_MISSING_... */
  int32_t reserved;                 /**< 0 */
} dasvdd_fit_options;

/** Options of dasvdd_fit_images(); as dasvdd_fit_options. */
typedef struct dasvdd_image_options {
  uint32_t size;    /**< bytes of the struct, as compiled */
  uint32_t version; /**< 1 */
  uint64_t seed;
  int32_t threads;
  int32_t bits;            /**< as dasvdd_fit_options::bits */
  int32_t kind;            /**< DASVDD_OBJECTS on a dark ground, or DASVDD_PHOTOGRAPHS */
  int32_t mixed_precision; /**< not 0: train on bfloat16 where the CPU is fast at it; for floats */
  int64_t ensemble_size;
  int64_t epochs;   /**< 0: what suits the kind */
  int64_t channels; /**< of an image; all three 0: a square of one channel, or else of three */
  int64_t height;
  int64_t width;
} dasvdd_image_options;

/**
 * Sets every field to its default, and `size` and `version`.
 * \code
 * dasvdd_fit_options options;
 * dasvdd_fit_options_init(&options, sizeof options);
 * \endcode
 */
DASVDD_API void dasvdd_fit_options_init(dasvdd_fit_options* options, size_t size);
DASVDD_API void dasvdd_image_options_init(dasvdd_image_options* options, size_t size);

/** How far a fit is, after an epoch of one of its nets. Later versions add fields at the end. */
typedef struct dasvdd_progress {
  uint32_t size;
  uint32_t version;  /**< 1 */
  int32_t screening; /**< 1 while the rows to train on are chosen (contamination), else 0 */
  int32_t reserved;  /**< 0 */
  int64_t member;    /**< which net of the ensemble, from 0 */
  int64_t ensemble_size;
  int64_t epoch;  /**< of this net, from 1 */
  int64_t epochs; /**< of this net, in all */
  int64_t done;   /**< epochs done, of all nets */
  int64_t total;  /**< what `done` ends at */
  double loss;    /**< mean over the epoch's rows */
} dasvdd_progress;

/**
 * Called after each epoch, by one thread at a time, though perhaps not by the one that called the fit.
 * \param user what the fit was given
 * \return 0 to go on. Anything else ends the fit: nets in training finish their epoch, and the detector is made of the
 *   nets that had begun.
 */
typedef int32_t (*dasvdd_progress_function)(const dasvdd_progress* progress, void* user);

/* ---- fitting, loading, saving ---------------------------------------------------------------- */

/**
 * Fits a detector to a table of normal rows: dasvdd::fit.
 * \param X n x d, n at least 2
 * \param options NULL: the defaults
 * \param progress NULL: none
 * \param detector receives the detector, which has p-values from the rows that each net leaves out
 */
DASVDD_API dasvdd_status dasvdd_fit(const dasvdd_rows* X, const dasvdd_fit_options* options,
                                    dasvdd_progress_function progress, void* user,
                                    dasvdd_detector** detector, dasvdd_error* error);

/** Fits a detector to normal images, pixels from 0 to 1, channel after channel, one image a row: dasvdd::fit_images. */
DASVDD_API dasvdd_status dasvdd_fit_images(const dasvdd_rows* X,
                                           const dasvdd_image_options* options,
                                           dasvdd_progress_function progress, void* user,
                                           dasvdd_detector** detector, dasvdd_error* error);

/** Reads a detector from a model file, of floats or of doubles. */
DASVDD_API dasvdd_status dasvdd_load(const char* path, dasvdd_detector** detector,
                                     dasvdd_error* error);
/** Reads a detector from the bytes of a model file; they are not needed afterwards. */
DASVDD_API dasvdd_status dasvdd_load_memory(const void* bytes, size_t size,
                                            dasvdd_detector** detector, dasvdd_error* error);

/** Writes a detector to a model file. A reader sees the old file or the whole new one. */
DASVDD_API dasvdd_status dasvdd_save(const dasvdd_detector* detector, const char* path,
                                     dasvdd_error* error);
/** The bytes of that file in memory, which dasvdd_free() frees. */
DASVDD_API dasvdd_status dasvdd_save_memory(const dasvdd_detector* detector, void** bytes,
                                            size_t* size, dasvdd_error* error);
DASVDD_API void dasvdd_free(void* bytes);

/** Frees a detector. Its workspaces, and detectors made of it, go on living. */
DASVDD_API void dasvdd_detector_free(dasvdd_detector* detector);

/* ---- scores ---------------------------------------------------------------------------------- */

/**
 * The score of each row, the same bits in any batch. A row so far out that the net overflows gets infinity.
 * \param scores room for n
 */
DASVDD_API dasvdd_status dasvdd_score(const dasvdd_detector* detector, const dasvdd_rows* X,
                                      int32_t threads, double* scores, dasvdd_error* error);
/** The two terms of each row's score, which is their sum.
 *  \param reconstruction, latent room for n each; either may be NULL */
DASVDD_API dasvdd_status dasvdd_score_parts(const dasvdd_detector* detector, const dasvdd_rows* X,
                                            int32_t threads, double* reconstruction, double* latent,
                                            dasvdd_error* error);

/**
 * Memory for one thread to score in; it keeps the detector's model alive.
 * \param rows the largest batch expected; longer ones are scored in parts. 1 saves memory where rows come singly.
 */
DASVDD_API dasvdd_status dasvdd_workspace_new(const dasvdd_detector* detector, int64_t rows,
                                              dasvdd_workspace** workspace, dasvdd_error* error);
DASVDD_API void dasvdd_workspace_free(dasvdd_workspace* workspace);
/** The score of each row, by the calling thread alone. Allocates nothing, unless it fails. */
DASVDD_API dasvdd_status dasvdd_workspace_score(dasvdd_workspace* workspace, const dasvdd_rows* X,
                                                double* scores, dasvdd_error* error);
/** The score of one row of d numbers, by the calling thread alone. Allocates nothing, unless it fails. */
DASVDD_API dasvdd_status dasvdd_score_one_f32(dasvdd_workspace* workspace, const float* row,
                                              double* score, dasvdd_error* error);
DASVDD_API dasvdd_status dasvdd_score_one_f64(dasvdd_workspace* workspace, const double* row,
                                              double* score, dasvdd_error* error);

/* ---- decisions ------------------------------------------------------------------------------- */

/** 1 for each row that is an anomaly, 0 for a normal one.
 *  \param labels room for n */
DASVDD_API dasvdd_status dasvdd_predict(const dasvdd_detector* detector, const dasvdd_rows* X,
                                        int32_t threads, int32_t* labels, dasvdd_error* error);
/** 1 where the score is above the threshold, else 0; 0 for NULL. */
DASVDD_API int32_t dasvdd_is_anomaly(const dasvdd_detector* detector, double score);
/** Rows with a score above it are anomalies. NaN for NULL. */
DASVDD_API double dasvdd_threshold(const dasvdd_detector* detector);
/**
 * For each of n scores the probability that a normal row scores at least as high.
 * \param p room for n; may be `scores` itself
 * \return DASVDD_INVALID_ARGUMENT where the detector has no p-values
 */
DASVDD_API dasvdd_status dasvdd_p_value(const dasvdd_detector* detector, const double* scores,
                                        int64_t n, double* p, dasvdd_error* error);
/**
 * Selects rows so that, of those selected, at most about the share `fdr` is normal (Benjamini and Hochberg).
 * \param labels room for n; 1 for a row that is selected
 */
DASVDD_API dasvdd_status dasvdd_select(const dasvdd_detector* detector, const dasvdd_rows* X,
                                       double fdr, int32_t threads, int32_t* labels,
                                       dasvdd_error* error);
/**
 * Where a row's score comes from.
 * \param X one row
 * \param shares room for d: each feature's share of the score; they sum to it
 * \param expected room for d, or NULL: the row as the detector reconstructs it, in the row's units
 */
DASVDD_API dasvdd_status dasvdd_explain(const dasvdd_detector* detector, const dasvdd_rows* X,
                                        double* shares, double* expected, dasvdd_error* error);

/* ---- streams, row by row ---------------------------------------------------------------------- */

/** Is the stream still what the detector was calibrated with? For one thread at a time; holds no detector. */
typedef struct dasvdd_watch dasvdd_watch;
/** Selects anomalies row by row, few of them normal: dasvdd::OnlineSelect. For one thread at a time; holds no detector. */
typedef struct dasvdd_selection dasvdd_selection;

/**
 * A watch of scores, beginning with those that the detector is calibrated by: dasvdd::DriftWatch.
 * \param X normal rows not trained on, n x d: each feature is watched, too; NULL: the scores alone
 * \param false_alarms the probability of a false alarm in a stream without end, between 0 and 1
 * \param seed of the order of equal values
 */
DASVDD_API dasvdd_status dasvdd_watch_new(const dasvdd_detector* detector, const dasvdd_rows* X,
                                          double false_alarms, uint64_t seed, dasvdd_watch** watch,
                                          dasvdd_error* error);
DASVDD_API void dasvdd_watch_free(dasvdd_watch* watch);
/**
 * Takes the next row. Allocates nothing, unless it fails.
 * \param row one row; NULL where the scores alone are watched
 * \param alarmed 1 from the row on that gave the alarm, else 0; may be NULL
 */
DASVDD_API dasvdd_status dasvdd_watch_add(dasvdd_watch* watch, double score, const dasvdd_rows* row,
                                          int32_t* alarmed, dasvdd_error* error);
/** The row, counted from 1, that gave the alarm; 0 where there was none, and for NULL. */
DASVDD_API uint64_t dasvdd_watch_alarm_row(const dasvdd_watch* watch);
/** The evidence in the scores that the stream has changed; about 1 while it has not. NaN for NULL. */
DASVDD_API double dasvdd_watch_evidence(const dasvdd_watch* watch);
/** Which features have moved.
 *  \param evidence room for d: of each feature that has moved, 0 of the others */
DASVDD_API dasvdd_status dasvdd_watch_moved(const dasvdd_watch* watch, double* evidence,
                                            dasvdd_error* error);

/**
 * A selection of which, at every row, at most about the share `fdr` of those selected is expected to be normal.
 * \param memory rows that the rate is counted over; 0: the whole stream
 */
DASVDD_API dasvdd_status dasvdd_selection_new(const dasvdd_detector* detector, double fdr,
                                              double memory, dasvdd_selection** selection,
                                              dasvdd_error* error);
DASVDD_API void dasvdd_selection_free(dasvdd_selection* selection);
/** Takes the next row's p-value; `selected` receives 1 or 0. Allocates nothing, unless it fails. */
DASVDD_API dasvdd_status dasvdd_selection_add(dasvdd_selection* selection, double p,
                                              int32_t* selected, dasvdd_error* error);
/** The largest p-value that would be selected next. NaN for NULL. */
DASVDD_API double dasvdd_selection_level(const dasvdd_selection* selection);

/* ---- detectors made of a detector; all share its weights -------------------------------------- */

/** With p-values, and the threshold of a rate of false alarms, from normal rows that were not trained on. */
DASVDD_API dasvdd_status dasvdd_calibrated(const dasvdd_detector* detector,
                                           const dasvdd_rows* X_held_out, double false_alarm_rate,
                                           int32_t threads, dasvdd_detector** calibrated,
                                           dasvdd_error* error);
/** With the threshold of another rate of false alarms, from the p-values that the detector has. */
DASVDD_API dasvdd_status dasvdd_with_false_alarm_rate(const dasvdd_detector* detector,
                                                      double false_alarm_rate,
                                                      dasvdd_detector** changed,
                                                      dasvdd_error* error);
/** With another threshold, a finite number. */
DASVDD_API dasvdd_status dasvdd_with_threshold(const dasvdd_detector* detector, double threshold,
                                               dasvdd_detector** changed, dasvdd_error* error);
/** With weights of two bytes: faster for single rows of large nets; scores change by about a thousandth. */
DASVDD_API dasvdd_status dasvdd_compacted(const dasvdd_detector* detector,
                                          dasvdd_detector** compacted, dasvdd_error* error);

/* ---- what a detector is ---------------------------------------------------------------------- */

/** Numbers d that a row must have; 0 for NULL. */
DASVDD_API int64_t dasvdd_features(const dasvdd_detector* detector);
/** The name of column j, from 0; NULL where the detector has no names. */
DASVDD_API const char* dasvdd_feature_name(const dasvdd_detector* detector, int64_t j);
/** Nets in the ensemble; 0 for NULL. */
DASVDD_API int64_t dasvdd_ensemble_size(const dasvdd_detector* detector);
/** 32 for a detector of floats, 64 for one of doubles; 0 for NULL. */
DASVDD_API int32_t dasvdd_bits(const dasvdd_detector* detector);
/** Scores behind the p-values; 0 where there are none, and for NULL. */
DASVDD_API int64_t dasvdd_calibration_size(const dasvdd_detector* detector);
/** The instruction set that scores rows: "avx512", "avx2" or "portable"; NULL for NULL. */
DASVDD_API const char* dasvdd_kernels(const dasvdd_detector* detector);
/** Sentences that training warned with; 0 after a training in which nothing looked wrong, and for NULL. */
DASVDD_API int64_t dasvdd_warning_count(const dasvdd_detector* detector);
/** Warning i, from 0; NULL where there is none. */
DASVDD_API const char* dasvdd_warning(const dasvdd_detector* detector, int64_t i);
/** Facts that the model file keeps: training options, the seed. */
DASVDD_API int64_t dasvdd_fact_count(const dasvdd_detector* detector);
/** The name of fact i, from 0, in the order of the names; NULL where there is none. */
DASVDD_API const char* dasvdd_fact_name(const dasvdd_detector* detector, int64_t i);
/** The fact of that name; NULL where there is none. */
DASVDD_API const char* dasvdd_fact(const dasvdd_detector* detector, const char* name);

/** The library's version: "0.1.0". */
DASVDD_API const char* dasvdd_version(void);

#ifdef __cplusplus
}
#endif
#endif
