/// \file
/// The C++ door of `sh bench/run.sh doors`: bench_doors MODEL ROWS SCORES. ROWS has floats, row by row; SCORES gets doubles.
/// Prints microseconds a row where rows come singly, and rows a second where all come at once, in processor time of one
/// thread: medians over passes.

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/model_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

/// The median seconds of a pass, over a third of a second and three passes at least.
template <class Pass>
double seconds_of(Pass&& pass) {
  std::vector<double> seconds;
  double sum = 0;
  while (sum < 0.33 || seconds.size() < 3) {
    const std::clock_t begin = std::clock();
    pass();
    seconds.push_back(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    sum += seconds.back();
  }
  std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
  return seconds[seconds.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("usage: bench_doors MODEL ROWS SCORES\n", stderr), 2;
  const auto detector = dasvdd::load<float>(argv[1]);
  std::ifstream file(argv[2], std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  const dasvdd::Index d = detector.features();
  const dasvdd::Index n = static_cast<dasvdd::Index>(bytes.size() / sizeof(float)) / d;
  dasvdd::RowMatrix<float> X(n, d);
  std::copy_n(bytes.data(), static_cast<std::size_t>(n * d) * sizeof(float),
              reinterpret_cast<char*>(X.data()));

  std::vector<double> scores(static_cast<std::size_t>(n));
  auto workspace = detector.make_workspace(1);
  const double singly = seconds_of([&] {
    for (dasvdd::Index i = 0; i < n; ++i) {
      scores[static_cast<std::size_t>(i)] =
          static_cast<double>(detector.score_one(X.data() + i * d, workspace));
    }
  });
  const double together = seconds_of([&] { detector.score(X, 1); });
  const auto* from = reinterpret_cast<const char*>(scores.data());
  std::ofstream(argv[3], std::ios::binary)
      .write(from, static_cast<std::streamsize>(scores.size() * sizeof(double)));
  std::printf("%.17g %.17g\n", 1e6 * singly / static_cast<double>(n),
              static_cast<double>(n) / together);
}
