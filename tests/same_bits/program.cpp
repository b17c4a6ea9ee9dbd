// A small training program that CMakeLists.txt builds with several compilers and flags: what it trains and how
// it scores must be the same bytes, whoever built it.
//
//   same_bits write   FOLDER KERNELS   leaves model files and scores in FOLDER
//   same_bits compare FOLDER KERNELS   trains with 1 to 4 threads, expects the bytes that are in FOLDER
//   same_bits near    FOLDER KERNELS   the portable kernels, whose sums run in another order: parameters after
//                                      one step and the scores of FOLDER's detectors within 1e-5
//
// Exit status 77, "skipped", where this CPU lacks the kernels.

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/model_file.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace {

using namespace dasvdd;

struct Task {
  const char* name;
  Index inputs;
  std::vector<Index> widths;
  Index rows, epochs;
};

/// Thirty epochs of a small net; one of the paper's net for images, large enough for a team of four.
const Task tasks[] = {{"small", 64, {32, 16}, 300, 30}, {"image", 784, {1024, 256, 256}, 300, 1}};

RowMatrix<float> rows_of(const Task& task) {
  Random random(11);
  RowMatrix<float> X(task.rows, task.inputs);
  for (Index i = 0; i < X.size(); ++i) X.data()[i] = static_cast<float>(random.uniform());
  return X;
}

Trainer<float> trainer_of(const Task& task, int threads) {
  Options options;
  options.epochs = task.epochs;
  options.batch_size = 100;
  options.seed = 3;
  options.threads = threads;
  options.gamma = GammaRule::ratio_of_means(2);
  return Trainer<float>(dense_autoencoder<float>(task.inputs, task.widths, sigmoid()), options);
}

std::string bytes_of(const float* numbers, Index count) {
  return {reinterpret_cast<const char*>(numbers), static_cast<std::size_t>(count) * sizeof(float)};
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A trained detector's file and scores, and the parameters after one step.
struct Result {
  std::string model, scores, parameters;
};

std::string parameters_after_a_step(const Task& task, const RowMatrix<float>& X) {
  Trainer<float> trainer = trainer_of(task, 1);
  trainer.step(X.topRows(100));
  return bytes_of(trainer.state().parameters.data(), trainer.state().parameters.size());
}

Result train(const Task& task, int threads, const std::string& scratch) {
  const RowMatrix<float> X = rows_of(task);
  Trainer<float> trainer = trainer_of(task, threads);
  trainer.fit(X);
  const Detector<float> detector = trainer.detector();
  save(detector, scratch);
  const auto scores = detector.score(X, threads);
  Result result{read(scratch), bytes_of(scores.data(), scores.size()),
                parameters_after_a_step(task, X)};
  std::remove(scratch.c_str());
  return result;
}

bool same(const char* task, const char* what, int threads, const std::string& a,
          const std::string& b) {
  const bool equal = !b.empty() && a == b;
  std::printf("%s net, %d threads: %s of %zu bytes %s\n", task, threads, what, a.size(),
              equal ? "the same" : "DIFFER");
  return equal;
}

bool near(const char* task, const char* what, const std::string& a, const std::string& b) {
  double worst = a.size() == b.size() && !a.empty() ? 0 : 1;
  for (std::size_t at = 0; worst < 1 && at < a.size(); at += sizeof(float)) {
    float x, y;
    std::memcpy(&x, a.data() + at, sizeof x);
    std::memcpy(&y, b.data() + at, sizeof y);
    worst = std::max(worst, std::abs(static_cast<double>(x) - static_cast<double>(y)));
  }
  std::printf("%s net: %s differ by %.2g at most\n", task, what, worst);
  return worst <= 1e-5;
}

int run(const std::string& mode, const std::string& folder) {
  bool right = true;
  for (const Task& task : tasks) {
    // Programs of several compilers do this at the same time.
    const std::string stem = folder + "/" + task.name,
                      scratch = stem + "-" + std::to_string(::getpid());
    const std::string model = stem + ".safetensors", scores = stem + ".scores",
                      parameters = stem + ".parameters";
    if (mode == "write") {
      const Result result = train(task, 1, scratch);
      write(model, result.model);
      write(scores, result.scores);
      write(parameters, result.parameters);
    } else if (mode == "compare") {
      for (int threads = 1; threads <= 4; ++threads) {
        const Result result = train(task, threads, scratch);
        right &= same(task.name, "model files", threads, result.model, read(model));
        right &= same(task.name, "scores", threads, result.scores, read(scores));
        right &= same(task.name, "parameters after a step", 1, result.parameters, read(parameters));
      }
    } else {
      const RowMatrix<float> X = rows_of(task);
      const auto mine = load<float>(model).score(X);
      right &= near(task.name, "scores", bytes_of(mine.data(), mine.size()), read(scores));
      right &= near(task.name, "parameters after a step", parameters_after_a_step(task, X),
                    read(parameters));
    }
  }
  return right ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string wanted = argv[3];
  for (const auto* table : dasvdd::detail::kernels::available<float>()) {
    if (table->name == wanted) {
      setenv("DASVDD_KERNELS", argv[3], 1);  // read at the first use, which is yet to come
      return run(argv[1], argv[2]);
    }
  }
  std::printf("skipped: this CPU has no %s kernels\n", argv[3]);
  return 77;
}
