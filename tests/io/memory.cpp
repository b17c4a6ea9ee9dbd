// What reading a file from a stranger takes of memory.

#include "heap.hpp"

#include <dasvdd/fit/fit_many.hpp>
#include <dasvdd/io/bank_file.hpp>
#include <dasvdd/io/checkpoint_file.hpp>
#include <dasvdd/io/model_file.hpp>

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include "file_error.hpp"

#if DASVDD_TEST_COUNTS_MEMORY

using namespace dasvdd;
using namespace dasvdd::detail;
using heap::most_bytes_in;

namespace {

/// A bank of one detector under many keys, one of them very long, and of two groups without a detector.
Bank bank_with_long_key(std::size_t length) {
  RowMatrix<float> X(20, 1);
  Random random(1);
  for (Index i = 0; i < X.size(); ++i) X.data()[i] = static_cast<float>(random.normal());
  BankOptions options;
  options.threads = 1;
  options.steps = 1;
  const Bank bank = fit_many(X, std::vector<std::string>(20, "m"), options);
  const BankContent& one = bank.content();
  auto many = std::make_shared<BankContent>(one);
  constexpr Index groups = 11;
  many->keys = {};
  many->floats = AlignedBuffer<float>(groups, one.layout.floats());
  many->doubles.clear();
  many->counts.clear();
  for (Index g = 0; g < groups; ++g) {
    many->keys.add(g == groups / 2 ? std::string(length, 'f')
                                   : std::string(1, static_cast<char>('a' + g)));
    std::copy_n(one.floats.data(), one.layout.floats(),
                many->floats.data() + g * one.layout.floats());
    many->doubles.insert(many->doubles.end(), one.doubles.begin(), one.doubles.end());
    many->counts.insert(many->counts.end(), one.counts.begin(), one.counts.end());
  }
  for (const char* key : {"x", "y", "z"}) {
    many->refused_keys.add(key);
    many->refusals.add(*key == 'x' ? std::string(length, '.') : "too few");
  }
  return Bank(std::move(many));
}

}  // namespace

TEST_CASE("a bank's group is found without reading the keys on the way, however long") {
  constexpr std::size_t length = 4000000;
  const TemporaryFolder folder;
  const std::string path = folder / "bank";
  save(bank_with_long_key(length), path);
  Bank bank;
  CHECK(most_bytes_in([&] { load(bank, path, {"a", "e", "g", "k", "y"}); }) < 200000);
  CHECK(bank.keys() == std::vector<std::string>{"a", "e", "g", "k"});
  CHECK(bank.refused().front().sentence == "too few");
  CHECK(message([&] { load(bank, path, {"ff"}); }).find("there is no group 'ff'") !=
        std::string::npos);
  load(bank, path, {std::string(length, 'f')});
  CHECK(bank.size() == 1);

  // One sentence for many groups, by ends that go back.
  const auto file = TensorFile::read(path);
  TensorFile bad;
  for (const Tensor& t : file.tensors()) {
    if (t.name == "refused.sentences.ends") {
      const std::int64_t end = static_cast<std::int64_t>(length);
      bad.add(t.name, t.shape, std::vector<std::int64_t>{end, 0, end}.data());
    } else if (t.dtype == DType::F64) {
      bad.add(t.name, t.shape, t.as<double>().data());
    } else if (t.dtype == DType::F32) {
      bad.add(t.name, t.shape, t.as<float>().data());
    } else if (t.dtype == DType::I64) {
      bad.add(t.name, t.shape, t.as<std::int64_t>().data());
    } else {
      bad.add(t.name, t.shape, t.as<std::uint8_t>().data());
    }
  }
  for (const auto& [key, word] : file.metadata()) bad.set_metadata(key, word);
  bad.write(path);
  CHECK(message([&] {
          load(bank, path, {"x", "z"});
        }) == "'" + path + "': tensor 'refused.sentences.ends' doesn't fit its text");
}

TEST_CASE("a word of a few megabytes takes a few times as much memory") {
  constexpr std::size_t length = 6000000;
  const auto read = [](const std::string& word) {
    TensorFile file;
    file.set_metadata("warnings", word);
    std::string why;
    const long most = most_bytes_in([&] { why = message([&] { file.strings("warnings"); }); });
    CHECK(most < 1000000);
    return why;
  };
  CHECK(read(std::string(length, '[')) == "the metadata's 'warnings' is no JSON list of strings");
  std::string lists = "[[]", words = "[\"\"";
  while (lists.size() < length) lists += ",[]", words += ",\"\"";
  CHECK(read(lists + "]") == "the metadata's 'warnings' is no JSON list of strings");
  CHECK(read(words + "]") == "the metadata's 'warnings' has more than 1048576 values");

  // A net's layers are lists in two lists of an object.
  TensorFile model;
  for (const auto& [key, word] : std::map<std::string, std::string>{
           {"format", "dasvdd"}, {"format_version", "1"}, {"members", "1"}}) {
    model.set_metadata(key, word);
  }
  const float one = 1;
  model.add("center", {1}, &one);
  const auto read_net = [&](const std::string& word) {
    model.set_metadata("net", word);
    std::string why;
    const long most =
        most_bytes_in([&] { why = message([&] { from_tensor_file<float>(model); }); });
    CHECK(most < 1000000);
    return why;
  };
  CHECK(read_net(R"({"decoder":[],"encoder":)" + std::string(length, '[')) ==
        "the metadata's 'net' is no JSON object of encoder and decoder");
  std::string numbers = R"({"decoder":[],"encoder":[["dense",5)";
  while (numbers.size() < length) numbers += ",5";
  CHECK(read_net(numbers + "]]}") == "the metadata's 'net' has more than 1048576 values");
}

TEST_CASE("a checkpoint's number of nets alone takes no memory") {
  TensorFile file;
  for (const auto& [key, word] : std::map<std::string, std::string>{{"format", "dasvdd checkpoint"},
                                                                    {"format_version", "1"},
                                                                    {"task", "x"},
                                                                    {"nets", "1000000"}}) {
    file.set_metadata(key, word);
  }
  std::string why;
  CHECK(most_bytes_in([&] { why = message([&] { CheckpointReader<float>(file).content(); }); }) <
        1000000);
  CHECK(why == "the number of nets is '1000000', expected a whole number from 1 to 10000");
  file.set_metadata("nets", "10000");
  CHECK(CheckpointReader<float>(file).content().nets.size() == 10000);
}

#endif
