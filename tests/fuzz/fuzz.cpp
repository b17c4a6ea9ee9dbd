// The fuzzing target of tests/fuzz.sh: everything that reads a file, and what is done with what was read. Which reader
// is told by the environment variable DASVDD_FUZZ.

#include <tool/read_table.hpp>

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/bank_file.hpp>
#include <dasvdd/io/checkpoint_file.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/io/torch_net.hpp>

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

namespace {

const std::string& reader() {
  static const std::string name = [] {
    const char* chosen = std::getenv("DASVDD_FUZZ");
    if (chosen == nullptr) {
      std::fprintf(stderr, "fuzz: DASVDD_FUZZ names no reader\n");
      std::exit(2);
    }
    return std::string(chosen);
  }();
  return name;
}

/// The input with the checksum that its bytes have: a mutation gets past that check, to all the others.
std::string with_its_checksum(std::string bytes) {
  if (bytes.size() < 8) return bytes;
  std::uint64_t header = 0;
  for (int i = 7; i >= 0; --i) {
    header = header << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  }
  if (header > bytes.size() - 8) return bytes;
  const std::size_t start = 8 + static_cast<std::size_t>(header);
  const std::size_t at = bytes.find("crc32:");
  if (at == bytes.npos || at + 14 > start) return bytes;
  const std::string word = dasvdd::detail::checksum_word(dasvdd::detail::crc32(
      reinterpret_cast<const unsigned char*>(bytes.data()) + start, bytes.size() - start));
  return bytes.replace(at, word.size(), word);
}

/// Scores, explains and encodes a row, and saves and loads the detector again.
template <class Scalar>
void use(const dasvdd::Detector<Scalar>& detector) {
  dasvdd::RowMatrix<Scalar> row(1, detector.features());
  dasvdd::Random random(1);
  for (dasvdd::Index j = 0; j < row.size(); ++j)
    row.data()[j] = static_cast<Scalar>(random.normal());
  if (detector.model().scaler.masks() && row.size() > 1) {
    row(0, 1) = std::numeric_limits<Scalar>::quiet_NaN();  // a value that is missing
  }
  const Scalar score = detector.score(row, 1)[0];
  if (score != score) std::abort();  // a score is never NaN
  if (detector.features() <= 64) detector.explain(row.data());
  detector.encode(row, 0);
  if (!detector.calibration().empty()) detector.p_value(score);
  detector.is_anomaly(score);
  const auto again = dasvdd::detail::from_tensor_file<Scalar>(
      dasvdd::detail::TensorFile::parse(dasvdd::detail::to_tensor_file(detector).serialize()));
  if (!(again.score(row, 1)[0] == score)) std::abort();
}

void read_model(const std::string& bytes) {
  const auto file = dasvdd::detail::TensorFile::parse(with_its_checksum(bytes));
  // A unit of a fuzzer must end soon.
  const dasvdd::detail::LoadLimits limits{1 << 24, 1 << 24};
  if (dasvdd::detail::holds_doubles(file)) {
    use(dasvdd::detail::from_tensor_file<double>(file, {}, limits));
  } else {
    use(dasvdd::detail::from_tensor_file<float>(file, {}, limits));
  }
}

void read_checkpoint(const std::string& bytes) {
  const auto file = dasvdd::detail::TensorFile::parse(with_its_checksum(bytes));
  dasvdd::Checkpoint<float> checkpoint;
  checkpoint.set_content(dasvdd::detail::CheckpointReader<float>(file).content());
  // The state goes into a trainer of another net, or of its own.
  const auto net = dasvdd::dense_autoencoder<float>(3, {4, 2}, dasvdd::Activation());
  dasvdd::Options options;
  options.epochs = 2;
  options.threads = 1;
  for (const auto& kept : checkpoint.content().nets) {
    if (!kept) continue;
    dasvdd::Trainer<float> trainer(net, options);
    trainer.set_state(kept->state);
    const dasvdd::RowMatrix<float> X = dasvdd::RowMatrix<float>::Random(8, 3);
    trainer.resume(X, [](const dasvdd::EpochReport&) {});
  }
}

void read_bank(const std::string& bytes) {
  const dasvdd::Bank bank = dasvdd::detail::bank_from_tensor_file(
      dasvdd::detail::TensorFile::parse(with_its_checksum(bytes)));
  if (bank.size() > 0) {
    const std::string key = bank.keys().front();
    const dasvdd::RowMatrix<float> X = dasvdd::RowMatrix<float>::Random(3, bank.features());
    const auto scores = bank.score_many(X, {key, key, key});
    for (const float score : scores) {
      if (score != score) std::abort();
    }
    use(bank.detector(key));
  }
  dasvdd::detail::bank_from_tensor_file(
      dasvdd::detail::TensorFile::parse(dasvdd::detail::to_tensor_file(bank).serialize()));
}

void read_torch(const std::string& bytes) {
  const auto file = dasvdd::detail::TensorFile::parse(bytes);
  dasvdd::detail::TorchLayers layers;
  layers.activation = "relu";
  dasvdd::detail::TorchReader<float>(file, layers).read();
}

void read_table(const std::string& bytes) {
  static const std::string path = [] {
    const char* folder = std::getenv("TMPDIR");
    return std::string(folder ? folder : "/tmp") + "/dasvdd-fuzz-" + std::to_string(::getpid());
  }();
  std::ofstream(path, std::ios::binary) << bytes;
  tool::DataOptions options;
  if (!bytes.empty() && bytes.back() == 'L') options.label_column = "0";
  tool::read_table(path, options);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  try {
    if (reader() == "model") {
      read_model(bytes);
    } else if (reader() == "checkpoint") {
      read_checkpoint(bytes);
    } else if (reader() == "bank") {
      read_bank(bytes);
    } else if (reader() == "torch") {
      read_torch(bytes);
    } else {
      read_table(bytes);
    }
  } catch (const dasvdd::FileError&) {
  } catch (const dasvdd::InvalidArgument&) {
  }
  return 0;
}
