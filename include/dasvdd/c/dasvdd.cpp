/// \file
/// The C interface: each function is a call of the C++ library between a check of the pointers and a catch of all that
/// it throws.

#include <dasvdd/c/dasvdd.h>
#include <dasvdd/dasvdd.hpp>
#include <dasvdd/detect/drift_watch.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/train/mixed_precision.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

using dasvdd::Detector;
using dasvdd::Index;
using dasvdd::RowMatrix;
using dasvdd::Rows;
using dasvdd::detail::AlignedBuffer;
using dasvdd::detail::AnyRows;
using dasvdd::detail::ensure;

struct dasvdd_detector {
  std::variant<Detector<float>, Detector<double>> value;
};

namespace {

// ---- errors -----------------------------------------------------------------------------------------

constexpr char ellipsis[] = "...";

dasvdd_status report(dasvdd_error* error, dasvdd_status status,
                     std::string_view sentence) noexcept {
  if (!error) return status;
  error->status = status;
  constexpr std::size_t room = sizeof error->message - 1;
  std::size_t length = sentence.size();
  if (length > room) {
    length = room - (sizeof ellipsis - 1);
    // No half of a character: bytes 10xxxxxx continue one.
    while (length > 0 && (static_cast<unsigned char>(sentence[length]) & 0xc0) == 0x80) --length;
  }
  std::memcpy(error->message, sentence.data(), length);
  if (length < sentence.size()) {
    std::memcpy(error->message + length, ellipsis, sizeof ellipsis - 1);
    length += sizeof ellipsis - 1;
  }
  error->message[length] = '\0';
  return status;
}

/// Runs what may throw, and says how it ended.
template <class Action>
dasvdd_status guarded(dasvdd_error* error, Action&& action) noexcept {
  try {
    action();
    return report(error, DASVDD_OK, "");
  } catch (const dasvdd::InvalidArgument& problem) {
    return report(error, DASVDD_INVALID_ARGUMENT, problem.what());
  } catch (const dasvdd::FileError& problem) {
    return report(error, DASVDD_FILE_ERROR, problem.what());
  } catch (const std::bad_alloc&) {
    return report(error, DASVDD_OUT_OF_MEMORY, "there isn't enough memory");
  } catch (const std::exception& problem) {
    return report(error, DASVDD_FAILED, problem.what());
  } catch (...) {
    return report(error, DASVDD_FAILED, "something was thrown that is no std::exception");
  }
}

template <class T>
T& required(T* pointer, const char* what) {
  ensure(pointer != nullptr, what, " is NULL");
  return *pointer;
}

// ---- rows -------------------------------------------------------------------------------------------

Index index_of(std::int64_t number, const char* what) {
  ensure(number >= 0 && number <= std::numeric_limits<Index>::max(), what, " is ", number,
         ", expected a number from 0 to ", std::numeric_limits<Index>::max());
  return static_cast<Index>(number);
}

/// The batch as the C++ library's view of it.
AnyRows view_of(const dasvdd_rows* X) {
  const dasvdd_rows& batch = required(X, "the batch");
  const Index rows = index_of(batch.rows, "the batch's number of rows"),
              columns = index_of(batch.columns, "the batch's number of columns"),
              stride = index_of(batch.stride, "the batch's stride");
  ensure(stride == 0 || stride >= columns, "the batch's stride is ", stride,
         ", expected 0 or at least ", columns, ", its columns");
  ensure(!batch.f32 || !batch.f64,
         "the batch has both f32 and f64, expected one of them, the other NULL");
  if (batch.f64) return Rows<const double>(batch.f64, rows, columns, stride);
  ensure(batch.f32 || rows == 0, "the batch has neither f32 nor f64, expected one of them");
  return Rows<const float>(batch.f32, rows, columns, stride);
}

/// Calls f(detector, its batch).
template <class F>
void with_batch(const dasvdd_detector* handle, const dasvdd_rows* X, F&& f) {
  std::visit([&](const auto& detector) { f(detector, view_of(X)); },
             required(handle, "the detector").value);
}

template <class From, class To>
void copy_out(const From& values, To* to) {
  std::copy(values.data(), values.data() + values.size(), to);
}

// ---- handles ----------------------------------------------------------------------------------------

template <class Scalar>
dasvdd_detector* handle_of(Detector<Scalar> detector) {
  return new dasvdd_detector{std::move(detector)};
}

/// Calls f(detector) and makes a handle of the detector it returns.
template <class F>
dasvdd_status changed(const dasvdd_detector* handle, dasvdd_detector** result, dasvdd_error* error,
                      F&& f) {
  return guarded(error, [&] {
    required(result, "the result's place");
    *result = std::visit([&](const auto& detector) { return handle_of(f(detector)); },
                         required(handle, "the detector").value);
  });
}

/// f(detector), or `otherwise` for NULL.
template <class F, class Result>
Result asked(const dasvdd_detector* handle, Result otherwise, F&& f) noexcept {
  if (!handle) return otherwise;
  return std::visit([&](const auto& detector) -> Result { return f(detector); }, handle->value);
}

// ---- options ----------------------------------------------------------------------------------------

constexpr std::uint32_t options_version = 1;

template <class Options>
void initialize(Options* options, std::size_t size, const Options& defaults) noexcept {
  if (!options) return;
  // A caller compiled with a later version's header has more fields: they are 0, which means their default.
  std::memset(static_cast<void*>(options), 0, size);
  Options known = defaults;
  known.size = static_cast<std::uint32_t>(size);
  known.version = options_version;
  std::memcpy(static_cast<void*>(options), &known, std::min(size, sizeof known));
}

/// The options as this version knows them; refuses what another header's struct says beyond that. Fields that an older
/// header doesn't have keep their defaults.
/// \param least bytes of the first version's struct
template <class Options>
Options known_options(const Options* given, const Options& defaults, std::size_t least,
                      const char* init) {
  const std::uint32_t size = given->size;
  ensure(size >= least, "the options say that they have ", size, " bytes, expected at least ",
         least, "; ", init, " sets that");
  ensure(given->version == options_version, "the options are of version ", given->version,
         ", this library (", DASVDD_VERSION_STRING, ") knows version ", options_version, "; ", init,
         " sets that");
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t i = sizeof(Options); i < size; ++i)
    ensure(bytes[i] == 0, "the options have set a field that this library (", DASVDD_VERSION_STRING,
           ") doesn't know; it is older than the program's header");
  Options known = defaults;
  std::memcpy(static_cast<void*>(&known), given, (std::min)(std::size_t{size}, sizeof known));
  return known;
}

dasvdd_fit_options default_fit_options() {
  const dasvdd::FitOptions o;
  dasvdd_fit_options c{};
  c.seed = o.seed;
  c.threads = o.threads;
  c.ensemble_size = o.ensemble_size;
  c.steps = o.steps;
  c.epochs = o.epochs;
  c.batch_size = o.batch_size;
  c.standardize = o.standardize;
  c.score = static_cast<std::int32_t>(o.score);
  c.contamination = o.contamination;
  c.gamma = -1;
  c.kappa = o.kappa;
  c.learning_rate = o.adam.learning_rate;
  c.weight_decay = o.adam.weight_decay;
  c.center_learning_rate = o.center.learning_rate;
  return c;
}

/// \param features columns of the rows
dasvdd::FitOptions options_of(const dasvdd_fit_options& c, std::int64_t features) {
  dasvdd::FitOptions o;
  o.seed = c.seed;
  o.threads = c.threads;
  o.ensemble_size = index_of(c.ensemble_size, "ensemble_size");
  o.steps = index_of(c.steps, "steps");
  o.epochs = index_of(c.epochs, "epochs");
  o.batch_size = index_of(c.batch_size, "batch_size");
  o.standardize = c.standardize != 0;
  ensure(c.score >= DASVDD_SCORE_PUBLISHED && c.score <= DASVDD_SCORE_SEVERAL_CENTERS, "score is ",
         c.score, ", expected one of DASVDD_SCORE_..., ", int(DASVDD_SCORE_PUBLISHED), " to ",
         int(DASVDD_SCORE_SEVERAL_CENTERS));
  o.score = static_cast<dasvdd::ScoreForm>(c.score);
  o.contamination = c.contamination;
  // Not by < 0 alone, which NaN would pass.
  if (!(c.gamma < 0)) o.gamma = dasvdd::GammaRule::value(c.gamma);
  o.kappa = c.kappa;
  o.adam.learning_rate = c.learning_rate;
  o.adam.weight_decay = c.weight_decay;
  o.center.learning_rate = c.center_learning_rate;
  ensure(c.missing >= DASVDD_MISSING_REFUSE && c.missing <= DASVDD_MISSING_IMPUTE, "missing is ",
         c.missing, ", expected one of DASVDD_MISSING_..., ", int(DASVDD_MISSING_REFUSE), " to ",
         int(DASVDD_MISSING_IMPUTE));
  ensure(c.reserved == 0, "reserved is ", c.reserved,
         ", expected 0");  // for a later version's field
  o.missing = static_cast<dasvdd::FitOptions::Missing>(c.missing);
  for (std::int64_t j = 0; c.feature_names && j < features; ++j) {
    ensure(c.feature_names[j], "feature_names[", j, "] is NULL");
    o.feature_names.emplace_back(c.feature_names[j]);
  }
  return o;
}
static_assert(static_cast<int>(dasvdd::FitOptions::Missing::refuse) == DASVDD_MISSING_REFUSE &&
              static_cast<int>(dasvdd::FitOptions::Missing::mask) == DASVDD_MISSING_MASK &&
              static_cast<int>(dasvdd::FitOptions::Missing::impute) == DASVDD_MISSING_IMPUTE);
static_assert(static_cast<int>(dasvdd::ScoreForm::published) == DASVDD_SCORE_PUBLISHED &&
              static_cast<int>(dasvdd::ScoreForm::balanced) == DASVDD_SCORE_BALANCED &&
              static_cast<int>(dasvdd::ScoreForm::latent_whitened) ==
                  DASVDD_SCORE_LATENT_WHITENED &&
              static_cast<int>(dasvdd::ScoreForm::whitened) == DASVDD_SCORE_WHITENED &&
              static_cast<int>(dasvdd::ScoreForm::several_centers) == DASVDD_SCORE_SEVERAL_CENTERS);

dasvdd_image_options default_image_options() {
  const dasvdd::ImageOptions o;
  dasvdd_image_options c{};
  c.seed = o.seed;
  c.threads = o.threads;
  c.kind = o.kind == dasvdd::ImageOptions::Kind::objects ? DASVDD_OBJECTS : DASVDD_PHOTOGRAPHS;
  c.ensemble_size = o.ensemble_size;
  c.epochs = o.epochs;
  return c;
}

dasvdd::ImageOptions options_of(const dasvdd_image_options& c) {
  dasvdd::ImageOptions o;
  o.seed = c.seed;
  o.threads = c.threads;
  ensure(c.kind == DASVDD_OBJECTS || c.kind == DASVDD_PHOTOGRAPHS, "kind is ", c.kind,
         ", expected DASVDD_OBJECTS or DASVDD_PHOTOGRAPHS");
  o.kind = c.kind == DASVDD_OBJECTS ? dasvdd::ImageOptions::Kind::objects
                                    : dasvdd::ImageOptions::Kind::photographs;
  o.ensemble_size = index_of(c.ensemble_size, "ensemble_size");
  o.epochs = index_of(c.epochs, "epochs");
  o.shape = {index_of(c.channels, "channels"), index_of(c.height, "height"),
             index_of(c.width, "width")};
  if (c.mixed_precision != 0) o.precision = dasvdd::mixed_precision();
  return o;
}

/// The caller's function, as the library calls one.
class Progress {
 public:
  Progress(dasvdd_progress_function tell, void* user) : tell_(tell), user_(user) {}

  bool operator()(const dasvdd::FitProgress& at) const {
    if (!tell_) return true;
    const dasvdd_progress c = {sizeof c,       1,
                               at.screening,   0,
                               at.member,      at.ensemble_size,
                               at.epoch.epoch, at.epoch.epochs,
                               at.done,        at.total,
                               at.epoch.loss};
    return tell_(&c, user_) == 0;
  }

 private:
  dasvdd_progress_function tell_;
  void* user_;
};

/// Fits a detector of floats or of doubles.
/// \param bits 32, 64, or 0: as the rows are
/// \param fit called as fit(a number of the detector's type, rows)
template <class Fit>
void fit_into(const dasvdd_rows* X, std::int32_t bits, dasvdd_detector** detector, Fit&& fit) {
  required(detector, "the detector's place");
  ensure(bits == 0 || bits == 32 || bits == 64, "bits is ", bits, ", expected 0, 32 or 64");
  const AnyRows rows = view_of(X);
  *detector = (bits == 0 ? rows.wide() : bits == 64) ? handle_of(fit(double(), rows))
                                                     : handle_of(fit(float(), rows));
}

// ---- files ------------------------------------------------------------------------------------------

dasvdd_detector* detector_of(const dasvdd::detail::TensorFile& file) {
  return dasvdd::detail::holds_doubles(file)
             ? handle_of(dasvdd::detail::from_tensor_file<double>(file))
             : handle_of(dasvdd::detail::from_tensor_file<float>(file));
}

std::filesystem::path path_of(const char* path) {
  const char* name = &required(path, "the path");
  ensure(*name != '\0', "the path is empty, expected the name of a file");
  return std::filesystem::u8path(name);
}

}  // namespace

// ---- workspaces -------------------------------------------------------------------------------------

namespace {

template <class Scalar>
class Scoring {
 public:
  Scoring(Detector<Scalar> detector, Index rows)
      : detector_(std::move(detector)),
        workspace_(detector_.make_workspace(rows)),
        scores_(workspace_.tile()) {}

  Index features() const { return detector_.features(); }

  /// scores[i] = S(X row i). Nothing is written where a row is bad.
  void score(const AnyRows& X, double* scores) {
    dasvdd::detail::require_width(X, features(), "the batch");
    detector_.model().scaler.validate(X, "the batch");
    for (Index first = 0; first < X.rows(); first += workspace_.tile()) {
      const AnyRows x = X.middle_rows(first, std::min(workspace_.tile(), X.rows() - first));
      detector_.score(x, workspace_, scores_.data());
      std::copy_n(scores_.data(), x.rows(), scores + first);
    }
  }

 private:
  Detector<Scalar> detector_;
  dasvdd::Workspace<Scalar> workspace_;
  AlignedBuffer<Scalar> scores_;  // of one tile
};

}  // namespace

struct dasvdd_workspace {
  std::variant<Scoring<float>, Scoring<double>> value;
};

namespace {

template <class From>
dasvdd_status score_one(dasvdd_workspace* workspace, const From* row, double* score,
                        dasvdd_error* error) noexcept {
  return guarded(error, [&] {
    auto& scoring = required(workspace, "the workspace").value;
    required(row, "the row");
    required(score, "the score's place");
    std::visit([&](auto& s) { s.score(Rows<const From>(row, 1, s.features()), score); }, scoring);
  });
}

/// Room for one result a row; may be NULL where there are none.
template <class T>
void require_room(T* results, const dasvdd_rows* X, const char* what) {
  ensure(results || required(X, "the batch").rows == 0, what, " is NULL");
}

}  // namespace

// ---- streams ----------------------------------------------------------------------------------------

struct dasvdd_watch {
  dasvdd::DriftWatch value;
};
struct dasvdd_selection {
  dasvdd::OnlineSelect value;
};

namespace {

const dasvdd::Calibration& calibration_of(const dasvdd_detector* detector) {
  return std::visit(
      [](const auto& d) -> const dasvdd::Calibration& {
        d.calibration().require_scores();
        return d.calibration();
      },
      required(detector, "the detector").value);
}

/// Calls f(the batch as rows of its own numbers), of a batch that view_of has looked at.
template <class F>
auto with_numbers(const dasvdd_rows& X, F&& f) {
  const Index rows = static_cast<Index>(X.rows), columns = static_cast<Index>(X.columns),
              stride = static_cast<Index>(X.stride);
  return X.f64 ? f(Rows<const double>(X.f64, rows, columns, stride))
               : f(Rows<const float>(X.f32, rows, columns, stride));
}

}  // namespace

// ---- the functions of the header ---------------------------------------------------------------------

void dasvdd_fit_options_init(dasvdd_fit_options* options, size_t size) {
  initialize(options, size, default_fit_options());
}

void dasvdd_image_options_init(dasvdd_image_options* options, size_t size) {
  initialize(options, size, default_image_options());
}

dasvdd_status dasvdd_fit(const dasvdd_rows* X, const dasvdd_fit_options* options,
                         dasvdd_progress_function progress, void* user, dasvdd_detector** detector,
                         dasvdd_error* error) {
  return guarded(error, [&] {
    const dasvdd_fit_options known =
        options
            ? known_options(options, default_fit_options(),
                            offsetof(dasvdd_fit_options, feature_names), "dasvdd_fit_options_init")
            : default_fit_options();
    const dasvdd::FitOptions settings = options_of(known, X ? X->columns : 0);
    settings.validate();
    fit_into(X, known.bits, detector, [&](auto number, const AnyRows& rows) {
      return dasvdd::detail::fit_table<decltype(number)>(rows, settings, Progress(progress, user),
                                                         nullptr);
    });
  });
}

dasvdd_status dasvdd_fit_images(const dasvdd_rows* X, const dasvdd_image_options* options,
                                dasvdd_progress_function progress, void* user,
                                dasvdd_detector** detector, dasvdd_error* error) {
  return guarded(error, [&] {
    const dasvdd_image_options known =
        options ? known_options(options, default_image_options(), sizeof(dasvdd_image_options),
                                "dasvdd_image_options_init")
                : default_image_options();
    const dasvdd::ImageOptions settings = options_of(known);
    settings.validate();
    fit_into(X, known.bits, detector, [&](auto number, const AnyRows& rows) {
      return dasvdd::detail::fit_image_ensemble<decltype(number)>(
          rows, settings, Progress(progress, user), nullptr);
    });
  });
}

dasvdd_status dasvdd_load(const char* path, dasvdd_detector** detector, dasvdd_error* error) {
  return guarded(error, [&] {
    required(detector, "the detector's place");
    *detector = detector_of(dasvdd::detail::TensorFile::read(path_of(path)));
  });
}

dasvdd_status dasvdd_load_memory(const void* bytes, size_t size, dasvdd_detector** detector,
                                 dasvdd_error* error) {
  return guarded(error, [&] {
    required(detector, "the detector's place");
    ensure(bytes || size == 0, "the bytes are NULL");
    const std::string_view file(static_cast<const char*>(bytes), size);
    *detector = detector_of(dasvdd::detail::TensorFile::parse(file, "the model in memory"));
  });
}

dasvdd_status dasvdd_save(const dasvdd_detector* detector, const char* path, dasvdd_error* error) {
  return guarded(error, [&] {
    std::visit([&](const auto& d) { dasvdd::save(d, path_of(path)); },
               required(detector, "the detector").value);
  });
}

dasvdd_status dasvdd_save_memory(const dasvdd_detector* detector, void** bytes, size_t* size,
                                 dasvdd_error* error) {
  return guarded(error, [&] {
    required(bytes, "the bytes' place");
    required(size, "the size's place");
    const std::string file =
        std::visit([](const auto& d) { return dasvdd::detail::to_tensor_file(d).serialize(); },
                   required(detector, "the detector").value);
    void* memory = std::malloc(file.size());
    if (!memory) throw std::bad_alloc();
    std::memcpy(memory, file.data(), file.size());
    *bytes = memory;
    *size = file.size();
  });
}

void dasvdd_free(void* bytes) { std::free(bytes); }

void dasvdd_detector_free(dasvdd_detector* detector) { delete detector; }

dasvdd_status dasvdd_score(const dasvdd_detector* detector, const dasvdd_rows* X, int32_t threads,
                           double* scores, dasvdd_error* error) {
  return guarded(error, [&] {
    require_room(scores, X, "the scores' place");
    with_batch(detector, X, [&](const auto& d, const AnyRows& rows) {
      copy_out(d.score(rows, threads), scores);
    });
  });
}

dasvdd_status dasvdd_score_parts(const dasvdd_detector* detector, const dasvdd_rows* X,
                                 int32_t threads, double* reconstruction, double* latent,
                                 dasvdd_error* error) {
  return guarded(error, [&] {
    with_batch(detector, X, [&](const auto& d, const AnyRows& rows) {
      const auto parts = d.score_parts(rows, threads);
      if (reconstruction) copy_out(parts.reconstruction, reconstruction);
      if (latent) copy_out(parts.latent, latent);
    });
  });
}

dasvdd_status dasvdd_workspace_new(const dasvdd_detector* detector, int64_t rows,
                                   dasvdd_workspace** workspace, dasvdd_error* error) {
  return guarded(error, [&] {
    required(workspace, "the workspace's place");
    const Index tile = index_of(rows, "the workspace's number of rows");
    std::visit(
        [&](const auto& d) {
          using Scalar = typename std::decay_t<decltype(d)>::Scalar;
          *workspace = new dasvdd_workspace{Scoring<Scalar>(d, tile)};
        },
        required(detector, "the detector").value);
  });
}

void dasvdd_workspace_free(dasvdd_workspace* workspace) { delete workspace; }

dasvdd_status dasvdd_workspace_score(dasvdd_workspace* workspace, const dasvdd_rows* X,
                                     double* scores, dasvdd_error* error) {
  return guarded(error, [&] {
    require_room(scores, X, "the scores' place");
    const AnyRows rows = view_of(X);
    std::visit([&](auto& s) { s.score(rows, scores); }, required(workspace, "the workspace").value);
  });
}

dasvdd_status dasvdd_score_one_f32(dasvdd_workspace* workspace, const float* row, double* score,
                                   dasvdd_error* error) {
  return score_one(workspace, row, score, error);
}

dasvdd_status dasvdd_score_one_f64(dasvdd_workspace* workspace, const double* row, double* score,
                                   dasvdd_error* error) {
  return score_one(workspace, row, score, error);
}

dasvdd_status dasvdd_predict(const dasvdd_detector* detector, const dasvdd_rows* X, int32_t threads,
                             int32_t* labels, dasvdd_error* error) {
  return guarded(error, [&] {
    require_room(labels, X, "the labels' place");
    with_batch(detector, X, [&](const auto& d, const AnyRows& rows) {
      copy_out(d.predict(rows, threads), labels);
    });
  });
}

int32_t dasvdd_is_anomaly(const dasvdd_detector* detector, double score) {
  return asked(detector, std::int32_t(0),
               [&](const auto& d) { return std::int32_t(score > d.threshold()); });
}

double dasvdd_threshold(const dasvdd_detector* detector) {
  return asked(detector, std::numeric_limits<double>::quiet_NaN(),
               [](const auto& d) { return d.threshold(); });
}

dasvdd_status dasvdd_p_value(const dasvdd_detector* detector, const double* scores, int64_t n,
                             double* p, dasvdd_error* error) {
  return guarded(error, [&] {
    const Index count = index_of(n, "the number of scores");
    ensure(scores || count == 0, "the scores are NULL");
    ensure(p || count == 0, "the p-values' place is NULL");
    std::visit(
        [&](const auto& d) {
          const dasvdd::Calibration& calibration = d.calibration();
          calibration.require_scores();
          for (Index i = 0; i < count; ++i)
            ensure(!dasvdd::detail::is_nan(scores[i]), "score ", i,
                   " is NaN, expected a number or infinity");
          std::transform(scores, scores + count, p,
                         [&](double s) { return calibration.p_value(s); });
        },
        required(detector, "the detector").value);
  });
}

dasvdd_status dasvdd_select(const dasvdd_detector* detector, const dasvdd_rows* X, double fdr,
                            int32_t threads, int32_t* labels, dasvdd_error* error) {
  return guarded(error, [&] {
    require_room(labels, X, "the labels' place");
    with_batch(detector, X, [&](const auto& d, const AnyRows& rows) {
      copy_out(d.select(rows, fdr, threads), labels);
    });
  });
}

dasvdd_status dasvdd_explain(const dasvdd_detector* detector, const dasvdd_rows* X, double* shares,
                             double* expected, dasvdd_error* error) {
  return guarded(error, [&] {
    required(shares, "the shares' place");
    with_batch(detector, X, [&](const auto& d, const AnyRows& rows) {
      ensure(rows.rows() == 1, "the batch to explain has ", rows.rows(), " rows, expected one");
      dasvdd::detail::require_width(rows, d.features(), "the batch");
      const dasvdd::Explanation e =
          rows.visit([&](auto numbers) { return d.explain(numbers.data()); });
      copy_out(e.features, shares);
      if (expected) copy_out(e.expected, expected);
    });
  });
}

dasvdd_status dasvdd_watch_new(const dasvdd_detector* detector, const dasvdd_rows* X,
                               double false_alarms, uint64_t seed, dasvdd_watch** watch,
                               dasvdd_error* error) {
  return guarded(error, [&] {
    required(watch, "the watch's place");
    const std::vector<double>& scores = calibration_of(detector).scores();
    if (!X) {
      *watch = new dasvdd_watch{dasvdd::DriftWatch(scores, false_alarms, seed)};
      return;
    }
    const AnyRows batch = view_of(X);
    dasvdd::detail::require_width(batch, dasvdd_features(detector), "the batch");
    *watch = new dasvdd_watch{with_numbers(
        *X, [&](auto rows) { return dasvdd::DriftWatch(scores, rows, false_alarms, seed); })};
  });
}

void dasvdd_watch_free(dasvdd_watch* watch) { delete watch; }

dasvdd_status dasvdd_watch_add(dasvdd_watch* watch, double score, const dasvdd_rows* row,
                               int32_t* alarmed, dasvdd_error* error) {
  return guarded(error, [&] {
    dasvdd::DriftWatch& value = required(watch, "the watch").value;
    bool alarm = false;
    if (row && value.features() > 0) {
      const AnyRows batch = view_of(row);
      ensure(batch.rows() == 1, "the batch has ", batch.rows(), " rows, expected one");
      dasvdd::detail::require_width(batch, value.features(), "the row");
      alarm = with_numbers(*row, [&](auto rows) { return value.add(score, rows.row(0)); });
    } else {
      alarm = value.add(score);
    }
    if (alarmed) *alarmed = alarm;
  });
}

uint64_t dasvdd_watch_alarm_row(const dasvdd_watch* watch) {
  return watch ? watch->value.alarm_row() : 0;
}

double dasvdd_watch_evidence(const dasvdd_watch* watch) {
  return watch ? watch->value.evidence() : std::numeric_limits<double>::quiet_NaN();
}

dasvdd_status dasvdd_watch_moved(const dasvdd_watch* watch, double* evidence, dasvdd_error* error) {
  return guarded(error, [&] {
    const dasvdd::DriftWatch& value = required(watch, "the watch").value;
    ensure(evidence || value.features() == 0, "the evidence's place is NULL");
    const auto moved = value.moved_features();
    std::fill_n(evidence, value.features(), 0.0);
    for (const auto& feature : moved) evidence[feature.feature] = feature.evidence;
  });
}

dasvdd_status dasvdd_selection_new(const dasvdd_detector* detector, double fdr, double memory,
                                   dasvdd_selection** selection, dasvdd_error* error) {
  return guarded(error, [&] {
    required(selection, "the selection's place");
    const double rows = memory == 0 ? std::numeric_limits<double>::infinity() : memory;
    *selection = new dasvdd_selection{
        dasvdd::OnlineSelect(fdr, calibration_of(detector).scores().size(), rows)};
  });
}

void dasvdd_selection_free(dasvdd_selection* selection) { delete selection; }

dasvdd_status dasvdd_selection_add(dasvdd_selection* selection, double p, int32_t* selected,
                                   dasvdd_error* error) {
  return guarded(error, [&] {
    dasvdd::OnlineSelect& value = required(selection, "the selection").value;
    required(selected, "the flag's place");
    *selected = value.add(p);
  });
}

double dasvdd_selection_level(const dasvdd_selection* selection) {
  return selection ? selection->value.level() : std::numeric_limits<double>::quiet_NaN();
}

dasvdd_status dasvdd_calibrated(const dasvdd_detector* detector, const dasvdd_rows* X_held_out,
                                double false_alarm_rate, int32_t threads,
                                dasvdd_detector** calibrated, dasvdd_error* error) {
  return guarded(error, [&] {
    required(calibrated, "the result's place");
    const auto alarm = dasvdd::false_alarm_rate(false_alarm_rate);
    with_batch(detector, X_held_out, [&](const auto& d, const AnyRows& rows) {
      *calibrated = handle_of(d.calibrated(rows, alarm, threads));
    });
  });
}

dasvdd_status dasvdd_with_false_alarm_rate(const dasvdd_detector* detector, double false_alarm_rate,
                                           dasvdd_detector** result, dasvdd_error* error) {
  return changed(detector, result, error, [&](const auto& d) {
    const auto alarm = dasvdd::false_alarm_rate(false_alarm_rate);
    d.calibration().require_scores();
    return d.with_threshold(d.calibration().threshold(alarm));
  });
}

dasvdd_status dasvdd_with_threshold(const dasvdd_detector* detector, double threshold,
                                    dasvdd_detector** result, dasvdd_error* error) {
  return changed(detector, result, error,
                 [&](const auto& d) { return d.with_threshold(threshold); });
}

dasvdd_status dasvdd_compacted(const dasvdd_detector* detector, dasvdd_detector** compacted,
                               dasvdd_error* error) {
  return changed(detector, compacted, error, [](const auto& d) { return d.compacted(); });
}

int64_t dasvdd_features(const dasvdd_detector* detector) {
  return asked(detector, std::int64_t(0), [](const auto& d) { return std::int64_t(d.features()); });
}

const char* dasvdd_feature_name(const dasvdd_detector* detector, int64_t j) {
  return asked(detector, static_cast<const char*>(nullptr), [&](const auto& d) -> const char* {
    const auto& names = d.feature_names();
    const bool known = j >= 0 && static_cast<std::uint64_t>(j) < names.size();
    return known ? names[static_cast<std::size_t>(j)].c_str() : nullptr;
  });
}

int64_t dasvdd_ensemble_size(const dasvdd_detector* detector) {
  return asked(detector, std::int64_t(0),
               [](const auto& d) { return std::int64_t(d.ensemble_size()); });
}

int32_t dasvdd_bits(const dasvdd_detector* detector) {
  return asked(detector, std::int32_t(0), [](const auto& d) {
    return std::int32_t(8 * sizeof(typename std::decay_t<decltype(d)>::Scalar));
  });
}

int64_t dasvdd_calibration_size(const dasvdd_detector* detector) {
  return asked(detector, std::int64_t(0),
               [](const auto& d) { return std::int64_t(d.calibration().scores().size()); });
}

const char* dasvdd_kernels(const dasvdd_detector* detector) {
  return asked(detector, static_cast<const char*>(nullptr),
               [](const auto& d) { return d.kernels(); });
}

int64_t dasvdd_warning_count(const dasvdd_detector* detector) {
  return asked(detector, std::int64_t(0),
               [](const auto& d) { return std::int64_t(d.warnings().size()); });
}

const char* dasvdd_warning(const dasvdd_detector* detector, int64_t i) {
  if (i < 0 || i >= dasvdd_warning_count(detector)) return nullptr;
  return asked(detector, static_cast<const char*>(nullptr),
               [&](const auto& d) { return d.warnings()[static_cast<std::size_t>(i)].c_str(); });
}

int64_t dasvdd_fact_count(const dasvdd_detector* detector) {
  return asked(detector, std::int64_t(0),
               [](const auto& d) { return std::int64_t(d.facts().size()); });
}

const char* dasvdd_fact_name(const dasvdd_detector* detector, int64_t i) {
  if (i < 0 || i >= dasvdd_fact_count(detector)) return nullptr;
  return asked(detector, static_cast<const char*>(nullptr), [&](const auto& d) {
    return std::next(d.facts().begin(), static_cast<std::ptrdiff_t>(i))->first.c_str();
  });
}

const char* dasvdd_fact(const dasvdd_detector* detector, const char* name) {
  if (!name) return nullptr;
  return asked(detector, static_cast<const char*>(nullptr), [&](const auto& d) -> const char* {
    // A loop, not map::find, whose key would have to be allocated.
    for (const auto& [key, word] : d.facts()) {
      if (key == name) return word.c_str();
    }
    return nullptr;
  });
}

const char* dasvdd_version(void) { return DASVDD_VERSION_STRING; }
