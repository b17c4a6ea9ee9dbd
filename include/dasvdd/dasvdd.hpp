#pragma once
/// \file
/// dasvdd: one-class anomaly detection by Deep Autoencoding Support Vector Data Description.
///
/// The one include: everything that needs only Eigen and, when on, OpenMP. Model files are in
/// <dasvdd/io/model_file.hpp>.

#include <dasvdd/compiled.hpp>
#include <dasvdd/detect/detector.hpp>
#include <dasvdd/eval/average_precision.hpp>
#include <dasvdd/eval/confusion.hpp>
#include <dasvdd/eval/fpr_at_tpr.hpp>
#include <dasvdd/eval/roc_auc.hpp>
#include <dasvdd/fit/fit.hpp>
#include <dasvdd/fit/fit_images.hpp>
#include <dasvdd/nn/autoencoder.hpp>
#include <dasvdd/nn/batch_norm.hpp>
#include <dasvdd/nn/conv2d.hpp>
#include <dasvdd/nn/conv_autoencoder.hpp>
#include <dasvdd/nn/conv_transpose2d.hpp>
#include <dasvdd/nn/max_pool2d.hpp>
#include <dasvdd/nn/upsample_nearest2d.hpp>
#include <dasvdd/objective/dasvdd.hpp>
#include <dasvdd/objective/deep_svdd.hpp>
#include <dasvdd/objective/reconstruction.hpp>
#include <dasvdd/objective/soft_boundary_deep_svdd.hpp>
#include <dasvdd/train/presets.hpp>
