#pragma once
/// \file
/// `dasvdd score --heatmap`: images, what was expected in their place, and where their scores come from.

#include <tool/png.hpp>

#include <dasvdd/dasvdd.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace tool {

namespace detail {

/// One plane out of an image's channels: their mean, times `factor`.
inline Eigen::RowVectorXf plane_of(const std::vector<double>& pixels, const dasvdd::Shape& image,
                                   double factor) {
  Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(image.plane());
  for (Index c = 0; c < image.channels; ++c) {
    sum += Eigen::Map<const Eigen::RowVectorXd>(pixels.data() + c * image.plane(), image.plane());
  }
  return (sum * (factor / static_cast<double>(image.channels))).cast<float>();
}

}  // namespace detail

/// Writes a PNG of the first rows, eight at most: the images, below them what was expected, below that each
/// pixel's share of the score, the image's largest in white. Colors are shown as their mean.
/// \throws FileError when the file can't be written
template <class Scalar>
void write_heatmap(const std::string& path, const dasvdd::Detector<Scalar>& detector,
                   const dasvdd::RowMatrix<double>& X, const dasvdd::Shape& image) {
  const Index n = std::min<Index>(X.rows(), 8);
  ImageBlock observed{"image", {n, image.plane()}, {}}, expected = observed, shares = observed;
  expected.heading = "expected";
  shares.heading = "share of the score";
  shares.heat = true;
  for (Index i = 0; i < n; ++i) {
    const dasvdd::Explanation why = detector.explain(X.row(i));
    observed.images.row(i) = detail::plane_of(why.observed, image, 1);
    expected.images.row(i) = detail::plane_of(why.expected, image, 1);
    const Eigen::RowVectorXf heat = detail::plane_of(why.features, image, 1);
    const float most = heat.maxCoeff();
    shares.images.row(i) = most > 0 ? Eigen::RowVectorXf(heat / most) : heat;
    observed.captions.push_back(detector.is_anomaly(static_cast<Scalar>(why.score)) ? "anomaly"
                                                                                    : "normal");
    expected.captions.emplace_back();
    shares.captions.push_back(caption(why.score));
  }
  write_grid(path, "why images score as they do", {observed, expected, shares}, image.height,
             image.width);
}

}  // namespace tool
