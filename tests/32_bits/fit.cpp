// The library on a CPU whose Index has 32 bits: it fits and scores, and refuses what cannot be counted.

#include <doctest/doctest.h>
#include <dasvdd/dasvdd.hpp>

#include <string>

using namespace dasvdd;

static_assert(sizeof(Index) == 4, "tests/CMakeLists.txt compiles this file with -m32");

namespace {

RowMatrix<float> waves(Index rows, Index cols) {
  RowMatrix<float> X(rows, cols);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < cols; ++j) {
      X(i, j) = std::sin(0.1f * static_cast<float>(i * (j + 1)));
    }
  }
  return X;
}

template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a table is fitted, and what is far out scores higher than any of its rows") {
  FitOptions options;
  options.steps = 200;
  options.ensemble_size = 2;
  const RowMatrix<float> X = waves(300, 6);
  const auto detector = fit(X, options);
  const auto scores = detector.score(X);
  CHECK(scores.allFinite());
  const RowMatrix<float> far = RowMatrix<float>::Constant(1, 6, 30);
  CHECK(detector.score(far)[0] > scores.maxCoeff());
}

TEST_CASE("a net of convolutions is trained: its loss falls") {
  Options options;
  options.epochs = 5;
  options.batch_size = 20;
  Trainer<float> trainer(conv_autoencoder<float>({1, 8, 8}, {4, 8}, 8), options);
  const auto report = trainer.fit(waves(60, 64));
  CHECK(report.epochs.back().loss < report.epochs.front().loss);
}

TEST_CASE("work of more multiply-adds than an Index counts is still worth all threads") {
  CHECK(detail::worthwhile_threads(4, detail::row_cost(3000000) * 1000000) == 4);
  CHECK(conv2d<float>({64, 128, 128}, 64, 9, 1, 4).multiply_adds() == 5435817984);
}

TEST_CASE("what an Index cannot count is refused before anything is allocated") {
  CHECK(refusal([] { dense<float>(1 << 15, 1 << 15); }) ==
        "dense layer: sizes are 32768 and 32768, expected at most 268435456 weights");
  Network<float> net;
  for (int i = 0; i < 4; ++i) net.add(dense<float>(1 << 13, 1 << 13, false));
  CHECK(refusal([&] { net.add(dense<float>(1 << 13, 1)); }) ==
        "layer 4 of the net has 8192 parameters after 268435456 of the layers before it, expected "
        "at most 268435456 in all");
  CHECK(refusal([] {
          conv2d<float>({1, 2048, 2048}, 1, 3);
        }).find("at most 1048576 in all") != std::string::npos);
  CHECK(refusal([] {
          conv2d<float>({4096, 1, 1}, 256, 32, 1, 31);
        }) ==
        "conv2d: 256 x 4096 x 32 x 32 weights are too many, expected at most 268435456, and "
        "2097152 for one channel");
}
