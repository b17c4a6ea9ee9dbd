#pragma once
/// \file
/// fit() and fit_images() by several processes, which share the nets of the ensemble out among them.

#include <dasvdd/fit/fit.hpp>
#include <dasvdd/fit/fit_images.hpp>
#include <dasvdd/mpi/fit_rank.hpp>

#include <filesystem>
#include <type_traits>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

template <class R>
using IfRanks = std::enable_if_t<std::is_base_of_v<Ranks, R>>;

/// Calls fit(options, progress, process): the fit of one process, or of one of several ranks.
template <class Scalar, class AnyOptions, class F>
Detector<Scalar> fit_on_ranks(AnyOptions options, Ranks& ranks,
                              FunctionRef<bool(const FitProgress&)> progress, F&& fit) {
  if (ranks.alone()) return fit(options, progress, static_cast<FitProcess<Scalar>*>(nullptr));
  FitRank<Scalar> here(ranks, options.stop, progress);
  options.stop = here.stop();
  // By the calling thread, whose OpenMP may have been told otherwise than that of a new one.
  if (options.threads == 0) options.threads = resolve_threads(0);
  const auto none = [](const FitProgress&) { return true; };
  return fit(options, FunctionRef<bool(const FitProgress&)>(none), &here);
}

/// fit_table() on ranks.
template <class Scalar>
Detector<Scalar> fit_table_on_ranks(const AnyRows& X, const FitOptions& options, Ranks& ranks,
                                    FunctionRef<bool(const FitProgress&)> progress,
                                    Checkpoint<Scalar>* checkpoint, const Places& places = {}) {
  return fit_on_ranks<Scalar>(
      options, ranks, progress, [&](const auto& chosen, auto tell, FitProcess<Scalar>* process) {
        return fit_table<Scalar>(X, chosen, tell, checkpoint, places, process);
      });
}
/// fit_image_ensemble() on ranks.
template <class Scalar>
Detector<Scalar> fit_images_on_ranks(const AnyRows& X, const ImageOptions& options, Ranks& ranks,
                                     FunctionRef<bool(const FitProgress&)> progress,
                                     Checkpoint<Scalar>* checkpoint) {
  return fit_on_ranks<Scalar>(
      options, ranks, progress, [&](const auto& chosen, auto tell, FitProcess<Scalar>* process) {
        return fit_image_ensemble<Scalar>(X, chosen, tell, checkpoint, process);
      });
}

}  // namespace detail

/// fit() by several ranks, which all call it in the same way:
/// \code
/// dasvdd::MpiRanks ranks;  // <dasvdd/mpi/mpi_ranks.hpp>; of MPI_COMM_WORLD
/// auto detector = dasvdd::fit(X, options, ranks);  // the same on all ranks
/// \endcode
/// Each rank trains some nets of the ensemble, and gets those of the others. The detector has the bits that fit() of one
/// process gives, whatever the number of ranks.
/// \param X all rows, on every rank
/// \param ranks MpiRanks
/// \param progress called as progress(const FitProgress&) on every rank, by the thread that called fit() and at the same
///   time, a few times a second: `done` counts the epochs of all ranks, `member` and `epoch` are this rank's last.
///   Where it returns false on any rank, all stop; what it throws ends the fit on all
/// \param checkpoint gives what an earlier fit has reached, the same on every rank and of any number of them; gets what
///   the nets of this rank reach. save(checkpoint, path, ranks) writes those of all
/// \throws InvalidArgument on all ranks, for what fit() refuses, and where ranks have other rows or options than rank 0.
///   What else goes wrong on one rank is thrown there, and its sentence on all others as a std::runtime_error
template <class Batch, class R, class Progress = detail::NoProgress, class = detail::IfRanks<R>>
Detector<detail::BatchScalar<Batch>> fit(
    const Batch& X, const FitOptions& options, R& ranks, Progress&& progress = {},
    Checkpoint<detail::BatchScalar<Batch>>* checkpoint = nullptr) {
  return detail::fit_table_on_ranks<detail::BatchScalar<Batch>>(
      detail::rows_of(X), options, ranks,
      [&](const FitProgress& at) { return detail::keep_going(progress, at); }, checkpoint);
}
/// The same with the detector's scalar type named: `fit<float>(X, options, ranks)` of double rows.
template <class Scalar, class Batch, class R, class Progress = detail::NoProgress,
          class = detail::IfRanks<R>>
Detector<Scalar> fit(const Batch& X, const FitOptions& options, R& ranks, Progress&& progress = {},
                     detail::NotDeduced<Checkpoint<Scalar>>* checkpoint = nullptr) {
  return detail::fit_table_on_ranks<Scalar>(
      detail::rows_of(X), options, ranks,
      [&](const FitProgress& at) { return detail::keep_going(progress, at); }, checkpoint);
}

/// fit_images() by several ranks, as fit() is.
template <class Batch, class R, class Progress = detail::NoProgress, class = detail::IfRanks<R>>
Detector<detail::BatchScalar<Batch>> fit_images(
    const Batch& X, const ImageOptions& options, R& ranks, Progress&& progress = {},
    Checkpoint<detail::BatchScalar<Batch>>* checkpoint = nullptr) {
  return detail::fit_images_on_ranks<detail::BatchScalar<Batch>>(
      detail::rows_of(X), options, ranks,
      [&](const FitProgress& at) { return detail::keep_going(progress, at); }, checkpoint);
}
/// The same with the detector's scalar type named.
template <class Scalar, class Batch, class R, class Progress = detail::NoProgress,
          class = detail::IfRanks<R>>
Detector<Scalar> fit_images(const Batch& X, const ImageOptions& options, R& ranks,
                            Progress&& progress = {},
                            detail::NotDeduced<Checkpoint<Scalar>>* checkpoint = nullptr) {
  return detail::fit_images_on_ranks<Scalar>(
      detail::rows_of(X), options, ranks,
      [&](const FitProgress& at) { return detail::keep_going(progress, at); }, checkpoint);
}

/// Writes what all ranks have reached to the file `path`, as save(checkpoint, path) does: rank 0 gets what the others
/// have, and writes. All ranks call it in the same way, such as in the progress of a fit.
/// \throws FileError on rank 0, when the file can't be written; an old file is then as it was
/// \throws InvalidArgument where no fit has begun with the checkpoint
template <class Scalar>
void save(Checkpoint<Scalar>& checkpoint, const std::filesystem::path& path, detail::Ranks& ranks) {
  detail::gather_nets(checkpoint, ranks);
  if (ranks.rank() == 0) save(checkpoint, path);
}

DASVDD_NAMESPACE_END
