#pragma once
/// \file
/// What `dasvdd score - --watch` says of a stream: that it has changed, and which features have.

#include <dasvdd/detect/drift_watch.hpp>
#include <dasvdd/detect/feature_names.hpp>

#include <cstddef>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tool {

/// A drift watch with its sentences: one at the alarm, and one for each feature that is found to have moved.
class StreamWatch {
 public:
  /// \param names of the features; empty where they have none
  StreamWatch(dasvdd::DriftWatch watch, std::vector<std::string> names)
      : watch_(std::move(watch)), names_(std::move(names)) {}

  /// Whether there is nothing left to say.
  bool done() const {
    return watch_.alarmed() && named_.size() == static_cast<std::size_t>(watch_.features());
  }

  /// The next row, d numbers, and its score.
  void add(double score, const double* row, std::ostream& err) {
    const bool before = watch_.alarmed();
    const bool alarmed = watch_.features() > 0 ? watch_.add(score, row) : watch_.add(score);
    if (!alarmed) return;
    if (!before) {
      err << "dasvdd: row " << watch_.alarm_row()
          << " of the stream: the rows are no longer what the model was calibrated with\n";
    }
    for (const auto& moved : watch_.moved_features()) {
      if (named_.insert(moved.feature).second) {
        err << "dasvdd: row " << watch_.rows() << " of the stream: "
            << dasvdd::detail::feature_text(names_, static_cast<std::size_t>(moved.feature))
            << " has moved\n";
      }
    }
    err << std::flush;
  }

 private:
  dasvdd::DriftWatch watch_;
  std::vector<std::string> names_;
  std::set<Eigen::Index> named_;
};

}  // namespace tool
