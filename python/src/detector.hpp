#pragma once
/// \file
/// `dasvdd.Detector`: a detector of float or of double.

#include "arrays.hpp"
#include "threads.hpp"

#include <dasvdd/detect/detector.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace dasvdd::python {

/// Workspaces of one detector for whoever scores a few rows. As many are made as there were threads at the same time.
template <class Scalar>
class WorkspacePool {
 public:
  /// A workspace for the time of a call.
  class Loan {
   public:
    Loan(WorkspacePool& pool, const Detector<Scalar>& detector)
        : pool_(pool), workspace_(pool.take(detector)) {}
    ~Loan() { pool_.give_back(std::move(workspace_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Workspace<Scalar>& workspace() { return *workspace_; }

   private:
    WorkspacePool& pool_;
    std::unique_ptr<Workspace<Scalar>> workspace_;
  };

 private:
  using Owned = std::unique_ptr<Workspace<Scalar>>;

  Owned take(const Detector<Scalar>& detector) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!idle_.empty()) {
        Owned workspace = std::move(idle_.back());
        idle_.pop_back();
        return workspace;
      }
    }
    return std::make_unique<Workspace<Scalar>>(detector.make_workspace());
  }
  void give_back(Owned workspace) {
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(std::move(workspace));
  }

  std::mutex mutex_;
  std::vector<Owned> idle_;
};

/// A detector with what makes scoring a row quick.
template <class Scalar_>
struct Scorer {
  using Scalar = Scalar_;
  Detector<Scalar> detector;
  std::unique_ptr<WorkspacePool<Scalar>> pool = std::make_unique<WorkspacePool<Scalar>>();

  explicit Scorer(Detector<Scalar> d) : detector(std::move(d)) {}
};

/// What Python sees as one class.
class AnyDetector {
 public:
  template <class Scalar>
  explicit AnyDetector(Detector<Scalar> detector)
      : scorer_(std::in_place_type<Scorer<Scalar>>, std::move(detector)) {}

  /// f(scorer), a Scorer of float or double.
  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit(std::forward<F>(f), scorer_);
  }
  /// f(detector), a Detector of float or double.
  template <class F>
  decltype(auto) with(F&& f) const {
    return visit([&](const auto& scorer) -> decltype(auto) { return f(scorer.detector); });
  }

 private:
  std::variant<Scorer<float>, Scorer<double>> scorer_;
};

/// Words that are kept in a model file.
using Words = std::map<std::string, std::string>;

void bind_detector(nb::module_& m);
/// How it is saved, loaded and pickled.
void bind_model_files(nb::module_& m, nb::class_<AnyDetector>& detector);

}  // namespace dasvdd::python
