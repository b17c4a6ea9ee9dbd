#pragma once
/// \file
/// Whether rows are images with pixels from 0 to 1.

#include <tool/table.hpp>

#include <algorithm>
#include <ostream>
#include <string>

namespace tool {

/// What a file's pixels are like beside those of a model, which go from 0 to 1.
class PixelRange {
 public:
  template <class Rows>
  void add(const Rows& X) {
    if (X.size() == 0) return;
    least_ = std::min<double>(least_, X.minCoeff());
    most_ = std::max<double>(most_, X.maxCoeff());
    rows_ += X.rows();
    whole_ = whole_ && (X.array() == X.array().floor()).all();
    // One anomaly may have any pixels; most rows of a file have none so far out.
    beyond_ +=
        (X.rowwise().minCoeff().array() < -0.5 || X.rowwise().maxCoeff().array() > 2).count();
  }
  /// Whether they are bytes, to be divided by 255.
  /// \param file, model what is known of both
  bool are_bytes(Pixels file, Pixels model) const {
    if (rows_ == 0 || least_ < 0 || most_ > 255 || !whole_) return false;
    return most_ > 1 || (file == Pixels::bytes && model == Pixels::divided);
  }
  double least() const { return least_; }
  double most() const { return most_; }
  Index rows() const { return rows_; }
  /// Says so where most rows are no images from 0 to 1.
  /// \param name of the file, in quotes
  void warn(const std::string& name, std::ostream& err) const {
    if (2 * beyond_ <= rows_) return;
    err << "dasvdd: warning: " << name << " has pixels from " << number_text(least_) << " to "
        << number_text(most_) << ", the model's go from 0 to 1: its scores say nothing\n";
  }

 private:
  double least_ = 0, most_ = 0;
  bool whole_ = true;
  Index rows_ = 0, beyond_ = 0;
};

}  // namespace tool
