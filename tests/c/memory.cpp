// What the C interface takes from the heap, and what it says where there is none.

#include "c/support.hpp"
#include "heap.hpp"

#include <cstring>
#include <string>
#include <vector>

#if DASVDD_TEST_COUNTS_MEMORY

using namespace c_tests;

TEST_CASE("scoring with a workspace allocates nothing, whatever the rows' type") {
  const auto X = curve<double>(300, 2);
  const dasvdd::RowMatrix<float> X32 = X.cast<float>();
  const Handle of_float = fitted(dasvdd::RowMatrix<float>(X32.topRows(60))),
               of_double = fitted(dasvdd::RowMatrix<double>(X.topRows(60)));
  std::vector<double> scores(300);
  for (const dasvdd_detector* detector : {of_float.get(), of_double.get()}) {
    for (const std::int64_t tile : {1, 96}) {
      const Workspace workspace = workspace_of(detector, tile);
      for (const dasvdd_rows& rows : {view(X), view(X32)}) {
        dasvdd_error error;
        CHECK(heap::allocations_in([&] {
                dasvdd_workspace_score(workspace.get(), &rows, scores.data(), &error);
              }) == 0);
        CHECK(error.status == DASVDD_OK);
      }
      dasvdd_watch* watch = nullptr;
      dasvdd_selection* selection = nullptr;
      const dasvdd_rows normal = view(X), one = view(X, 0, 1);
      REQUIRE(dasvdd_watch_new(detector, &normal, 0.1, 0, &watch, nullptr) == DASVDD_OK);
      REQUIRE(dasvdd_selection_new(detector, 0.1, 0, &selection, nullptr) == DASVDD_OK);
      CHECK(heap::allocations_in([&] {
              std::int32_t flag;
              dasvdd_watch_add(watch, scores[0], &one, &flag, nullptr);
              dasvdd_selection_add(selection, 0.5, &flag, nullptr);
            }) == 0);
      dasvdd_watch_free(watch);
      dasvdd_selection_free(selection);
      CHECK(heap::allocations_in([&] {
              dasvdd_score_one_f32(workspace.get(), X32.data(), scores.data(), nullptr);
              dasvdd_score_one_f64(workspace.get(), X.data(), scores.data(), nullptr);
              dasvdd_is_anomaly(detector, scores[0]);
              dasvdd_p_value(detector, scores.data(), 300, scores.data(), nullptr);
            }) == 0);
    }
  }
}

namespace {

/// Lets each allocation of the call fail in turn, until the call succeeds without one that failed.
/// \param least bytes of the smallest that fails. The JSON library's destructor takes a few bytes, and ends the program
///   where there are none: docs/c.md says so.
template <class Call>
void check_every_allocation(const char* name, Call&& call, std::size_t least = 0) {
  INFO(name);
  long failed = 0;
  for (;; ++failed) {
    dasvdd_error error;
    heap::fail_next(failed, least);
    const dasvdd_status status = call(&error);
    const bool none_failed = heap::successes >= 0;
    heap::fail_next(-1);
    if (none_failed) {
      CHECK(status == DASVDD_OK);
      break;
    }
    // A file that can't be opened for want of memory is a file error; what has a way out of its own succeeds.
    REQUIRE((status == DASVDD_OUT_OF_MEMORY || status == DASVDD_FILE_ERROR || status == DASVDD_OK));
    if (status == DASVDD_OUT_OF_MEMORY)
      REQUIRE(std::string(error.message) == "there isn't enough memory");
  }
  CHECK(failed > 0);
}

}  // namespace

TEST_CASE("no memory, at whatever point, is a status and no exception") {
  const auto X = curve<float>(12, 1);
  const dasvdd_rows rows = view(X), one = view(X, 0, 1);
  dasvdd_fit_options options = fast_options();
  options.ensemble_size = 1;
  options.epochs = 1;
  const Handle handle = fitted(curve<float>(60, 1));
  const dasvdd_detector* detector = handle.get();
  double numbers[12];
  std::int32_t labels[12];
  void* bytes = nullptr;
  std::size_t size = 0;
  // Large enough for its weights to be told from its header by their bytes.
  const Handle large = fitted(curve<float>(60, 1, 100));
  REQUIRE(dasvdd_save_memory(large.get(), &bytes, &size, nullptr) == DASVDD_OK);

  const auto make = [](auto call) {
    return [call](dasvdd_error* error) {
      dasvdd_detector* made = nullptr;
      const dasvdd_status status = call(&made, error);
      CHECK((made != nullptr) == (status == DASVDD_OK));
      dasvdd_detector_free(made);
      return status;
    };
  };
  check_every_allocation("fit", make([&](auto** made, auto* error) {
                           return dasvdd_fit(&rows, &options, nullptr, nullptr, made, error);
                         }));
  check_every_allocation("load", make([&](auto** made, auto* error) {
                           return dasvdd_load_memory(bytes, size, made, error);
                         }),
                         16384);
  check_every_allocation("calibrated", make([&](auto** made, auto* error) {
                           return dasvdd_calibrated(detector, &rows, 0.5, 1, made, error);
                         }));
  check_every_allocation("with_threshold", make([&](auto** made, auto* error) {
                           return dasvdd_with_threshold(detector, 1, made, error);
                         }));
  check_every_allocation("compacted", make([&](auto** made, auto* error) {
                           return dasvdd_compacted(detector, made, error);
                         }));
  check_every_allocation("watch", [&](auto* error) {
    dasvdd_watch* made = nullptr;
    const dasvdd_status status = dasvdd_watch_new(detector, &rows, 0.1, 0, &made, error);
    CHECK((made != nullptr) == (status == DASVDD_OK));
    dasvdd_watch_free(made);
    return status;
  });
  check_every_allocation("workspace", [&](auto* error) {
    dasvdd_workspace* made = nullptr;
    const dasvdd_status status = dasvdd_workspace_new(detector, 1, &made, error);
    dasvdd_workspace_free(made);
    return status;
  });
  check_every_allocation(
      "save",
      [&](auto* error) {
        void* copy = nullptr;
        std::size_t length = 0;
        const dasvdd_status status = dasvdd_save_memory(large.get(), &copy, &length, error);
        dasvdd_free(copy);
        return status;
      },
      16384);
  check_every_allocation(
      "score", [&](auto* error) { return dasvdd_score(detector, &rows, 1, numbers, error); });
  check_every_allocation(
      "predict", [&](auto* error) { return dasvdd_predict(detector, &rows, 1, labels, error); });
  check_every_allocation(
      "select", [&](auto* error) { return dasvdd_select(detector, &rows, 0.1, 1, labels, error); });
  check_every_allocation("explain", [&](auto* error) {
    return dasvdd_explain(detector, &one, numbers, numbers + 6, error);
  });
  dasvdd_free(bytes);
}

#endif
