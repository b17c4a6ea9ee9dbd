// Sentences name the place in the file, whatever rows and columns were left out before the library saw them.

#include "tool/arrays.hpp"
#include "tool/support.hpp"

#include <string>
#include <vector>

using namespace tool_tests;

namespace {

constexpr int anomalies = 50, normal = 250;

/// A header and 50 anomalies on lines 2 to 51, then normal rows, with columns a, b, c and d.
std::string table(const std::string& fields_of_202 = {}, const std::string& d = "1.5",
                  int rows = normal) {
  dasvdd::Random random(4);
  std::string text = "a,b,c,d,label\n";
  for (int line = 2; line < 2 + anomalies + rows; ++line) {
    const bool anomaly = line < 2 + anomalies;
    std::string fields;
    for (int j = 0; j < 3; ++j) fields += tool::number_text(random.normal()) + ",";
    fields += d == "1.5" ? tool::number_text(random.normal()) : d;
    if (line == 202 && !fields_of_202.empty()) fields = fields_of_202;
    text += fields + (anomaly ? ",1\n" : ",0\n");
  }
  return text;
}

std::vector<std::string> quick(const std::string& data, const std::string& model,
                               const std::vector<std::string>& more) {
  std::vector<std::string> all = {"fit", data,       "-o", model,       "--members",
                                  "1",   "--epochs", "3",  "--threads", "1"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

using Words = std::vector<std::string>;
Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE(
    "a value far from all others is named by its line, whatever rows are dropped or held out") {
  const TemporaryFolder folder;
  const std::string data = folder.put("far.csv", table("-9999,0.5,0.5,0.5")), model = folder / "m";
  for (const Words& more : {Words{}, Words{"--false-alarm-rate", "0.1", "--hold-out", "last"}}) {
    for (const bool published : {false, true}) {
      CAPTURE(published);
      const Words all = with(by_label, more);
      const Outcome outcome =
          dasvdd_tool(published ? fit_arguments(data, model, all) : quick(data, model, all));
      CAPTURE(outcome.err);
      REQUIRE(outcome.status == 0);
      CHECK(
          contains(outcome.err, "values of feature 'a' lie far from all others: -9999 (line 202)"));
      CHECK(contains(dasvdd::load<float>(model).warnings()[0], "(line 202)"));
    }
  }
  // The same when it is read in pieces, of which the fit has a sample.
  const Words pieces = with(by_label, {"--memory", "1K"});
  const Outcome sampled = dasvdd_tool(quick(data, model, pieces));
  CAPTURE(sampled.err);
  CHECK(sampled.status == 0);
  CHECK(contains(sampled.err, "lie far from all others: -9999 (line 202)"));
}

TEST_CASE("windows leave rows with far values out, and name their lines") {
  const TemporaryFolder folder;
  std::string text;
  int row = -1, at = 0, first = 0, count = 0;  // the header is no row
  for (const std::string& line : lines(table("", "1.5", 2000))) {
    if (row >= 0 && row % 10 == 0) {
      text += "# a comment moves the lines\n";
      ++at;
    }
    ++at;
    const bool far = row >= anomalies && row % 640 == 3;
    if (far && count++ == 0) first = at;
    text += (far ? "-9999" + line.substr(line.find(',')) : line) + "\n";
    ++row;
  }
  REQUIRE(count == 3);
  const std::string model = folder / "m", data = folder.put("far.csv", text);
  const Outcome outcome =
      dasvdd_tool(fit_arguments(data, model, with(by_label, {"--memory", "100K"})));
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  CHECK(contains(outcome.err,
                 "3 of 2000 values of feature 'a' lie far from all others: -9999 "
                 "(first in line " +
                     std::to_string(first) + ")"));
  CHECK(contains(outcome.err, "Their rows have no part in the fit"));
  CHECK(contains(outcome.out, "trained on 1997 rows"));
  // As they are, they are measurements.
  const Outcome raw = dasvdd_tool(
      fit_arguments(data, model, with(by_label, {"--memory", "100K", "--no-standardize"})));
  CHECK(contains(raw.out, "trained on 2000 rows"));
}

TEST_CASE("a far value of an array is named by its row and column there") {
  const TemporaryFolder folder;
  dasvdd::Random random(1);
  std::vector<double> numbers, labels;
  for (int i = 0; i < 200; ++i) {
    for (int j = 0; j < 4; ++j) numbers.push_back(i == 150 && j == 3 ? -9999 : random.normal());
    labels.push_back(i < 20);
  }
  const std::string model = folder / "m";
  const std::string data = folder.put(
      "a.npz",
      test_files::zipped({{"X.npy", test_files::array("<f8", "(200, 4)", test_files::raw(numbers))},
                          {"y.npy", test_files::array("<f8", "(200,)", test_files::raw(labels))}},
                         ZIP_CM_STORE));
  for (const bool published : {false, true}) {
    const Words drop = {"--drop", "0,1"};
    const Outcome outcome =
        dasvdd_tool(published ? fit_arguments(data, model, drop) : quick(data, model, drop));
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(contains(
        outcome.err,
        "of 180 values of column 3 (from 0) lie far from all others: -9999 (row 150, from 0)"));
  }
  for (std::size_t i = 0; i < numbers.size(); i += 4)
    numbers[i + 3] = 1e9 + static_cast<double>(i % 8);
  const std::string rounded =
      folder.put("r.npy", test_files::array("<f8", "(200, 4)", test_files::raw(numbers)));
  const Outcome outcome = dasvdd_tool(quick(rounded, model, {"--drop", "0,1", "--no-standardize"}));
  CAPTURE(outcome.err);
  CHECK(outcome.status == 0);
  CHECK(contains(outcome.err, "warning: column 3 (from 0) varies by 4 about"));
}

TEST_CASE("rows and columns without a value are refused by line and name before the work") {
  const TemporaryFolder folder;
  const std::string model = folder / "m", empty_row = folder.put("row.csv", table(",,,")),
                    empty_column = folder.put("column.csv", table("", "NA"));
  for (const char* missing : {"mask", "impute"}) {
    CAPTURE(missing);
    const Words more = with(by_label, {"--missing", missing});
    check_failure(quick(empty_row, model, more), 2,
                  "row.csv', line 202: the row has no value at all; leave it out");
    check_failure(quick(empty_row, model, with(more, {"--false-alarm-rate", "0.1"})), 2,
                  "row.csv', line 202: the row has no value at all; leave it out");
    check_failure(quick(empty_column, model, more), 2,
                  "column.csv', column 'd' has no value in the 250 rows to train on; --drop leaves "
                  "it out");
    CHECK(dasvdd_tool(quick(empty_column, model, with(more, {"--drop", "d"}))).status == 0);
  }
  std::string numbers;
  for (int i = 0; i < 40; ++i)
    numbers += tool::number_text(i % 7) + ",1," + (i % 5 ? "2" : "") + ",NA\n";
  const std::string bare = folder.put("bare.csv", numbers);
  check_failure(quick(bare, model, {"--missing", "mask", "--drop", "0", "--header", "no"}), 2,
                "bare.csv', column 3 (from 0) has no value");
  // Of the rows that are held out too, before the training.
  const std::string lacking = folder.put("held.csv", table() + "1,,1,1,0\n");
  check_failure(quick(lacking, model,
                      with(by_label, {"--missing", "impute", "--false-alarm-rate", "0.1",
                                      "--hold-out", "last"})),
                2, "held.csv', line 302, column 'b': the value is missing; no training row lacked");
}

TEST_CASE("scores of rows that lack values name the line, in a file and in a stream") {
  const TemporaryFolder folder;
  const std::string model = folder / "m";
  const std::string train = folder.put("train.csv", table("1,,1,1"));
  REQUIRE(dasvdd_tool(quick(train, model, with(by_label, {"--missing", "impute"}))).status == 0);
  const std::string rows = "# measured\na,b,c,d\n1,,1,1\n1,1,,1\n", none = "a,b,c,d\n1,,1,1\n,,,\n";
  check_failure(
      {"score", model, folder.put("c.csv", rows)}, 2,
      "c.csv', line 4, column 'c': the value is missing; no training row lacked that value");
  const Outcome stream = dasvdd_tool({"score", model, "-"}, rows);
  CHECK(stream.status == 2);
  CHECK(lines(stream.out).size() == 2);
  CHECK(contains(stream.err, "standard input, line 4, column 'c': the value is missing; no"));
  REQUIRE(dasvdd_tool(quick(train, model, with(by_label, {"--missing", "mask"}))).status == 0);
  check_failure({"score", model, folder.put("n.csv", none)}, 2,
                "n.csv', line 3: the row has no value at all");
  CHECK(contains(dasvdd_tool({"score", model, "-"}, none).err,
                 "standard input, line 3: the row has no value at all"));
}

TEST_CASE("--by: a group with NaN is refused by line and column, a group nobody knows by line") {
  const TemporaryFolder folder;
  std::string text = "a,b,machine,label\n";
  dasvdd::Random random(2);
  for (int line = 2; line < 200; ++line) {
    text += tool::number_text(random.normal()) + "," +
            (line == 102 ? "nan" : tool::number_text(random.normal())) +
            (line % 2 == 0 ? ",even," : ",odd,") + (line < 40 ? "1\n" : "0\n");
  }
  const std::string model = folder / "m";
  const Outcome outcome = dasvdd_tool({"fit", folder.put("g.csv", text), "-o", model, "--by",
                                       "machine", "--label-column", "label", "--threads", "1"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  CHECK(contains(outcome.err, "group 'even' has NaN in line 102, column 'b'; every value must be"));
  CHECK(contains(dasvdd_tool({"info", model}).out, "has NaN in line 102, column 'b'"));
  check_failure({"score", model, folder.put("n.csv", "a,b,machine\n1,1,odd\n1,1,even\n1,2,new\n"),
                 "--by", "machine"},
                2,
                "n.csv', line 4: the row is of the group 'new', of which the bank has no detector");
}
