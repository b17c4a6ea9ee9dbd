// A bank in a file: the same bits back, one group read alone, and every damage found.

#include <dasvdd/fit/fit_many.hpp>
#include <dasvdd/io/bank_file.hpp>
#include <dasvdd/io/model_file.hpp>

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include "file_error.hpp"

#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace dasvdd;

RowMatrix<float> rows(Index n, Index d) {
  RowMatrix<float> X(n, d);
  Random random(3);
  for (Index i = 0; i < X.size(); ++i) X.data()[i] = static_cast<float>(random.normal());
  return X;
}

struct Example {
  RowMatrix<float> X = rows(5 * 30 + 3, 4);
  std::vector<std::string> keys;
  Bank bank;

  Example() {
    for (Index i = 0; i < X.rows(); ++i)
      keys.push_back(i >= 150 ? "few" : "group " + std::to_string(i % 5));
    BankOptions options;
    options.steps = 8;
    options.threads = 1;
    options.feature_names = {"a", "b", "c", "d"};
    bank = fit_many(X, keys, options);
  }
};

void check_equal(const Bank& a, const Bank& b, const std::string& key, const RowMatrix<float>& X) {
  CHECK(a.score(X, key) == b.score(X, key));
  CHECK(a.threshold(a.find(key)) == b.threshold(b.find(key)));
  for (const float score : {0.f, 0.5f, 1.f, 2.f, 10.f})
    CHECK(a.p_value(a.find(key), score) == b.p_value(b.find(key), score));
}

}  // namespace

TEST_CASE("a bank comes back from its file, whole or by groups") {
  const Example example;
  const TemporaryFolder folder;
  const std::string path = folder / "bank";
  save(example.bank, path);
  Bank whole;
  load(whole, path);
  CHECK(whole.keys() == example.bank.keys());
  CHECK(whole.feature_names() == example.bank.feature_names());
  CHECK(whole.facts() == example.bank.facts());
  REQUIRE(whole.refused().size() == 1);
  CHECK(whole.refused()[0].key == "few");
  CHECK(whole.refused()[0].sentence == "has 3 rows, expected at least 20");
  for (const std::string& key : whole.keys()) check_equal(whole, example.bank, key, example.X);
  save(whole, folder / "again");
  CHECK(content(folder / "again") == content(path));

  Bank some;
  load(some, path, {"group 3", "few", "group 1", "group 3"});
  CHECK(some.keys() == std::vector<std::string>{"group 1", "group 3"});
  CHECK(some.feature_names() == example.bank.feature_names());
  CHECK(some.refused().size() == 1);
  check_equal(some, example.bank, "group 1", example.X);
  check_equal(some, example.bank, "group 3", example.X);
  CHECK(message([&] { load(some, path, {"group 7"}); }) ==
        "'" + path + "': there is no group 'group 7' among the bank's 5");

  // An empty one is a file too.
  save(Bank(), folder / "empty");
  load(some, folder / "empty");
  CHECK(some.size() == 0);
}

TEST_CASE("one group is read without the others: their bytes may be anything") {
  const Example example;
  const TemporaryFolder folder;
  const std::string path = folder / "bank";
  save(example.bank, path);
  std::string bytes = content(path);
  // A float of group 2, by its place behind the wide numbers.
  const detail::TensorFileMap map(path);
  const float wanted = example.bank.content().floats_of(2)[5];
  std::string pattern(sizeof wanted, '\0');
  std::memcpy(pattern.data(), &wanted, sizeof wanted);
  const std::size_t at = bytes.find(pattern);
  REQUIRE(at != std::string::npos);
  bytes[at] ^= 1;
  folder.put("damaged", bytes);
  Bank bank;
  load(bank, folder / "damaged", {"group 0", "group 1", "group 3", "group 4"});
  CHECK(bank.size() == 4);
  CHECK(message([&] {
          load(bank, folder / "damaged", {"group 2"});
        }).find("the detector of the group 'group 2' is damaged: its checksum is wrong") !=
        std::string::npos);
  CHECK(message([&] { load(bank, folder / "damaged"); }).find("the file is damaged") !=
        std::string::npos);
}

TEST_CASE("what is no bank is refused") {
  const Example example;
  const TemporaryFolder folder;
  save(example.bank.detector("group 0"), folder / "model");
  Bank bank;
  CHECK(message([&] { load(bank, folder / "model"); }).find("this is no bank of detectors") !=
        std::string::npos);
  CHECK(message([&] {
          load(bank, folder / "model", {"group 0"});
        }).find("this is no bank of detectors") != std::string::npos);
  save(example.bank, folder / "bank");
  CHECK(message([&] { load<float>(folder / "bank"); }) != "nothing thrown");
  CHECK(message([&] { load(bank, folder / "none"); }).find("there is no such file") !=
        std::string::npos);

  // Tensors that contradict each other, under a right checksum.
  const auto changed = [&](const std::function<void(detail::BankContent&)>& change) {
    auto content = std::make_shared<detail::BankContent>(example.bank.content());
    change(*content);
    save(Bank(content), folder / "changed");
    return message([&] { load(bank, folder / "changed"); });
  };
  const auto layout = example.bank.content().layout;
  const std::string none = "has numbers that no detector has";
  CHECK(changed([](auto&) {}) == "nothing thrown");
  CHECK(changed([&](auto& c) { c.counts[2] = layout.centers() + 1; }).find(none) !=
        std::string::npos);
  CHECK(changed([&](auto& c) {
          c.doubles[static_cast<std::size_t>(layout.scale())] = 0;
        }).find(none) != std::string::npos);
  CHECK(changed([&](auto& c) {
          c.floats[0] = std::numeric_limits<float>::infinity();
        }).find(none) != std::string::npos);
  const auto counted = [&](std::int64_t rows, std::int64_t scores) {
    return changed([=](auto& c) { c.counts[0] = rows, c.counts[1] = scores; });
  };
  constexpr std::int64_t most_rows = detail::BankLayout::most_rows;
  constexpr std::int64_t most_scores = detail::BankLayout::most_scores;
  CHECK(counted(most_rows, most_scores) == "nothing thrown");
  CHECK(counted(most_rows + 1, most_scores).find(none) != std::string::npos);
  const std::string changed_file = "'" + (folder / "changed") + "': ";
  CHECK(counted(most_rows, most_scores + 1) ==
        changed_file +
            "the detector of the group 'group 0' has 16777217 calibration scores of "
            "83886080 rows, expected at most 16777216");
  CHECK(counted(30, 30) == "nothing thrown");
  CHECK(counted(30, 31) == changed_file +
                               "the detector of the group 'group 0' has 31 calibration "
                               "scores of 30 rows, expected at most 30");
  CHECK(counted(30, -1).find(none) != std::string::npos);
  CHECK(changed([&](auto& c) { c.floats[layout.scores()] = -1; }).find(none) != std::string::npos);
  CHECK(changed([](auto& c) {
          std::swap(c.keys.text[6], c.keys.text[13]);
        }).find("the keys are not in order") != std::string::npos);
  CHECK(changed([](auto& c) { c.keys.ends[1] = 3; }).find("doesn't fit its text") !=
        std::string::npos);

  // Feature names as in model files, whatever part of the file is read.
  const auto named = [&](const std::string& names, const std::string& sentence) {
    detail::TensorFile file = detail::to_tensor_file(example.bank);
    file.set_metadata("feature_names", names);
    file.write(folder / "named");
    const std::string whole = message([&] { load(bank, folder / "named"); });
    CHECK(whole == message([&] { load(bank, folder / "named", {"group 0"}); }));
    CHECK(whole ==
          (sentence.empty() ? "nothing thrown" : "'" + (folder / "named") + "': " + sentence));
  };
  named(R"(["a","b","c","d"])", "");
  named(R"(["a"])", "there are 1 feature names for 4 features");
  named(R"(["a","b","c","d","e"])", "there are 5 feature names for 4 features");
  named(R"(["a","b","","d"])", "feature 2 has an empty name");
  named(R"(["a","b","c","a"])", "two features are named 'a'");
  named(R"({"a":1})", "the metadata's 'feature_names' is no JSON list of strings");

  // Cut short anywhere.
  const std::string bytes = content(folder / "bank");
  for (std::size_t size = 0; size < bytes.size(); size += 97) {
    folder.put("cut", bytes.substr(0, size));
    CHECK(message([&] { load(bank, folder / "cut"); }) != "nothing thrown");
    CHECK(message([&] { load(bank, folder / "cut", {"group 4"}); }) != "nothing thrown");
  }
}
