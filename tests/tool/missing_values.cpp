// Tables that lack values, and rows with values far from all others, through the tool.

#include "tool/support.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace tool_tests;

namespace {

/// csv() with every seventh row's second field replaced.
std::string lacking(int normal, int anomalies, const std::string& word, unsigned seed = 1) {
  std::string text;
  int row = 0;
  for (std::string line : lines(csv(normal, anomalies, "0", "1", seed))) {
    if (row > 0 && row % 7 == 0) {
      const std::size_t from = line.find(',') + 1, to = line.find(',', from);
      line.replace(from, to - from, word);
    }
    text += line + "\n";
    ++row;
  }
  return text;
}

double roc_auc_of(const std::string& model, const std::string& data) {
  const Outcome outcome = dasvdd_tool({"eval", model, data, "--label-column", "label"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  return std::stod(outcome.out.substr(outcome.out.find(' ') + 1));
}

}  // namespace

TEST_CASE("--missing masks or imputes empty fields, NA, ? and null, in files and in streams") {
  const TemporaryFolder folder;
  const std::string test = folder.put("test.csv", lacking(60, 60, "?", 2)), model = folder / "m";
  for (const char* word : {"", "NA", "nan", "null"}) {
    CAPTURE(word);
    const std::string train = folder.put("train.csv", lacking(200, 0, word));
    check_failure(fit_arguments(train, model, by_label), 2, "line 8, column 'b'");
    std::vector<std::string> more = by_label;
    more.insert(more.end(), {"--missing", "mask"});
    const Outcome outcome = dasvdd_tool(fit_arguments(train, model, more));
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(roc_auc_of(model, test) > 0.8);
  }
  const std::string train = folder.put("train.csv", lacking(200, 0, ""));
  for (const char* missing : {"mask", "impute"}) {
    CAPTURE(missing);
    const Outcome outcome =
        dasvdd_tool({"fit", train, "-o", model, "--label-column", "label", "--missing", missing,
                     "--members", "2", "--epochs", "10", "--threads", "1"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(roc_auc_of(model, test) > 0.7);
    const Outcome row =
        dasvdd_tool({"score", model, "-", "--explain", "1"}, "a,b,c\n1,,-1\n2,5,-2\n1,#N/A,-1\n");
    CAPTURE(row.err);
    CHECK(row.status == 0);
    CHECK(lines(row.out).size() == 4);
    // A row without a value is named by its line, in a file too.
    const std::string bare = "a,b,c\n1,2,3\n,,\n1,2,3\n";
    const std::string sentence = "line 3: the row has no value at all";
    const Outcome none = dasvdd_tool({"score", model, "-"}, bare);
    CHECK(none.status == 2);
    CHECK(lines(none.out).size() == 2);
    CHECK(contains(none.err, "standard input, " + sentence));
    check_failure({"score", model, folder.put("bare.csv", bare)}, 2, "bare.csv', " + sentence);
    check_failure({"fit", folder / "bare.csv", "-o", folder / "b", "--missing", missing}, 2,
                  sentence);
    // What can't take such rows says so.
    check_failure({"export", model, "-o", folder / "m.onnx"}, 2, "missing values");
    check_failure({"freeze", model, "-o", folder / "m.h"}, 2, "missing values");
  }
  check_failure({"score", model, folder.put("c.csv", "a,b,c\n1,2,\n")}, 2,
                "no training row lacked that value");
  CHECK(contains(dasvdd_tool({"score", model, "-"}, "a,b,c\n1,2,3\n1,2,\n").err,
                 "standard input, line 3, column 'c': the value is missing"));
  check_failure({"score", model, folder.put("c.csv", "a,b,c\n1,inf,2\n")}, 2, "infinity");
  check_failure({"fit", train, "-o", model, "--label-column", "label", "--missing", "mask",
                 "--no-standardize"},
                2, "--no-standardize");
  check_failure(fit_arguments(train, model, {"--label-column", "label", "--missing", "impute"}), 2,
                "--missing impute goes without --layers");
}

TEST_CASE("--missing: a first row without a header may lack its last value") {
  const TemporaryFolder folder;
  std::string text;
  for (const std::string& line : lines(lacking(100, 0, "")))
    text += line.substr(0, line.rfind(',')) + "\n";
  const std::string rows = text.substr(text.find('\n') + 1), model = folder / "m";
  const std::string train = folder.put("train.csv", rows);
  REQUIRE(dasvdd_tool(fit_arguments(train, model, {"--missing", "mask"})).status == 0);
  const std::string some = "1,2,\n1,2,3\n";
  const Outcome stream = dasvdd_tool({"score", model, "-"}, some);
  CHECK(stream.err.empty());
  CHECK(lines(stream.out).size() == 3);
  CHECK(dasvdd_tool({"score", model, folder.put("some.csv", some)}).out == stream.out);
  CHECK(dasvdd_tool({"score", model, "-"}, "1,2,NA\n1,2,3\n").out == stream.out);
  // A separator at the end of every line stays one.
  CHECK(lines(dasvdd_tool({"score", model, "-"}, "1,2,4,\n1,2,,\n").out).size() == 3);
  // Of a file for fit nothing is known but the file.
  const std::string first = folder.put("first.csv", "1,2,\n" + rows);
  check_failure(
      fit_arguments(first, model, {"--missing", "mask"}), 2,
      "line 2 has 3 fields, expected 2 as in line 1, which ends with a separator (NA behind "
      "it makes a missing value of it)");
}

TEST_CASE("--layers leaves rows with far values out, as the fit without it does") {
  const TemporaryFolder folder;
  const std::string test = folder.put("test.csv", csv(100, 100, "0", "1", 3)), model = folder / "m";
  std::vector<std::string> rows = lines(csv(300, 0));
  for (std::size_t i = 20; i <= 100; i += 20) {
    const std::size_t from = rows[i].find(',') + 1, to = rows[i].find(',', from);
    rows[i].replace(from, to - from, "-9999");
  }
  std::string text;
  for (const std::string& row : rows) text += row + "\n";
  const std::string train = folder.put("train.csv", text);
  const Outcome outcome = dasvdd_tool(fit_arguments(train, model, by_label));
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  CHECK(contains(outcome.err, "5 of 300 values of feature 'b' lie far from all others: -9999"));
  CHECK(contains(outcome.err, "have no part in the fit"));
  CHECK(contains(outcome.out, "trained on 295 rows"));
  CHECK(dasvdd::load<float>(model).warnings().size() == 1);
  // With the five rows the second feature tells nothing: about 0.8.
  CHECK(roc_auc_of(model, test) > 0.95);
}
