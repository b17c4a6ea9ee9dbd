#pragma once
/// \file
/// What a fragment of docs/ may take for granted: the includes, and a few names.

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/fit/fit_many.hpp>
#include <dasvdd/io/bank_file.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/train/mixed_precision.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

/// The head of a function that holds a fragment: its parameters are the names.
#define FRAGMENT(name)                                                                          \
  void name([[maybe_unused]] dasvdd::RowMatrix<float>& X,                                       \
            [[maybe_unused]] const dasvdd::RowMatrix<float>& X_held_out,                        \
            [[maybe_unused]] const dasvdd::RowMatrix<float>& X_new,                             \
            [[maybe_unused]] const std::vector<std::string>& keys,                              \
            [[maybe_unused]] const std::vector<std::string>& keys_new,                          \
            [[maybe_unused]] const std::vector<int>& y,                                         \
            [[maybe_unused]] const dasvdd::Detector<float>& detector,                           \
            [[maybe_unused]] const dasvdd::Autoencoder<float>& net,                             \
            [[maybe_unused]] dasvdd::Options options,                                           \
            [[maybe_unused]] dasvdd::Trainer<float> trainer, [[maybe_unused]] const float* row, \
            [[maybe_unused]] const float* data, [[maybe_unused]] dasvdd::Index n,               \
            [[maybe_unused]] dasvdd::Index d, [[maybe_unused]] dasvdd::Index stride)
