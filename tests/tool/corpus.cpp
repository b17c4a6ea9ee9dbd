// The corpora of tests/fuzz.sh, which hold every kind of file and whatever once broke a reader: each is read, or refused
// in a sentence. The fuzzer looks at them under the sanitizers, and at what can be made of them.

#include "tool/support.hpp"

#include <dasvdd/io/bank_file.hpp>
#include <dasvdd/io/torch_net.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

using namespace tool_tests;

namespace {

std::vector<std::string> files_of(const std::string& reader) {
  std::vector<std::string> files;
  const std::string folder = std::string(DASVDD_TEST_DATA) + "/../fuzz/corpus/" + reader;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    files.push_back(file.path().string());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(!files.empty());
  return files;
}

/// Whether the file is read, and not refused.
template <class Read>
bool is_read(Read&& read) {
  try {
    read();
    return true;
  } catch (const dasvdd::FileError& error) {
    CHECK(std::string(error.what()).size() > 10);
    return false;
  }
}

}  // namespace

TEST_CASE("every file of the fuzzer's corpora is read, or refused in a sentence") {
  for (const std::string reader : {"csv", "npy", "npz", "idx", "mat"}) {
    int read = 0;
    for (const std::string& file : files_of(reader)) {
      CAPTURE(file);
      tool::DataOptions options;
      const bool with_labels = is_read([&] { tool::read_table(file, options); });
      options.with_labels = false;  // as score reads it
      read += is_read([&] { tool::read_table(file, options); }) || with_labels;
    }
    CAPTURE(reader);
    if (reader != "mat") CHECK(read >= 1);  // which a tool without matio refuses
  }
  int models = 0;
  for (const std::string& file : files_of("model")) {
    CAPTURE(file);
    const auto use = [](const auto& detector) {
      const dasvdd::RowMatrix<float> zeros = dasvdd::RowMatrix<float>::Zero(1, detector.features());
      CHECK(detector.score(zeros).size() == 1);
    };
    models += is_read([&] { use(dasvdd::load<float>(file)); }) ||
              is_read([&] { use(dasvdd::load<double>(file)); });
  }
  CHECK(models >= 1);
  int checkpoints = 0;
  for (const std::string& file : files_of("checkpoint")) {
    CAPTURE(file);
    dasvdd::Checkpoint<float> checkpoint;
    checkpoints += is_read([&] { dasvdd::load(checkpoint, file); });
  }
  CHECK(checkpoints >= 1);
  int banks = 0, nets = 0;
  for (const std::string& file : files_of("bank")) {
    CAPTURE(file);
    dasvdd::Bank bank;
    banks += is_read([&] { dasvdd::load(bank, file); });
  }
  CHECK(banks >= 1);
  for (const std::string& file : files_of("torch")) {
    CAPTURE(file);
    dasvdd::detail::TorchLayers layers;
    layers.activation = "relu";
    const auto tensors = dasvdd::detail::TensorFile::read(file);
    nets += is_read([&] { dasvdd::detail::TorchReader<float>(tensors, layers).read(); });
  }
  CHECK(nets >= 2);
}
