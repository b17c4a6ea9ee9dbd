// Files that are read in pieces: the rows, labels and sentences of the same file read whole, and the same models, scores
// and measures.

#include "support.hpp"

#include <tool/streamed_rows.hpp>

#include "arrays.hpp"
#include "file_error.hpp"

#include <cstdint>
#include <string>
#include <vector>

using namespace test_files;
using namespace tool_tests;
using tool::DataOptions;
using tool::Index;
using tool::Table;

namespace {

/// The pieces from row `first` on as one table.
Table joined(tool::Pieces& pieces) {
  Table all, piece;
  std::vector<double> values;
  while (pieces.next(piece)) {
    values.insert(values.end(), piece.X.data(), piece.X.data() + piece.X.size());
    all.lines.insert(all.lines.end(), piece.lines.begin(), piece.lines.end());
    all.rows.insert(all.rows.end(), piece.rows.begin(), piece.rows.end());
    all.labels.insert(all.labels.end(), piece.labels.begin(), piece.labels.end());
    all.names = piece.names;
    all.images = piece.images;
    all.X.resize(0, piece.X.cols());
  }
  const Index d = all.X.cols();
  if (d > 0) {
    all.X = Eigen::Map<const dasvdd::RowMatrix<double>>(values.data(), Index(values.size()) / d, d);
  }
  return all;
}

std::vector<double> numbers(int count) {
  std::vector<double> x;
  for (int i = 0; i < count; ++i) x.push_back(i * 37 % 101);
  return x;
}
template <class T>
std::string raw_as(const std::vector<double>& x) {
  return raw(std::vector<T>(x.begin(), x.end()));
}

/// A csv in parts of so many bytes, or the sentence that refuses it.
std::string in_parts(const std::string& path, const DataOptions& options, std::size_t bytes) {
  std::string text;
  try {
    tool::detail::CsvPieces pieces(path, options, bytes);
    const Table table = joined(pieces);
    for (Index i = 0; i < table.X.rows(); ++i) {
      text += std::to_string(table.lines[static_cast<std::size_t>(i)]) + ":";
      for (Index j = 0; j < table.X.cols(); ++j) text += " " + tool::number_text(table.X(i, j));
      if (!table.labels.empty()) text += " " + table.labels[static_cast<std::size_t>(i)];
      text += "\n";
    }
    for (const std::string& name : pieces.frame().names) text += name + ";";
  } catch (const dasvdd::FileError& error) {
    return error.what();
  }
  return text;
}
std::string whole(const std::string& path, const DataOptions& options) {
  std::string text;
  try {
    const Table table = tool::read_table(path, options);
    for (Index i = 0; i < table.X.rows(); ++i) {
      text += std::to_string(table.lines[static_cast<std::size_t>(i)]) + ":";
      for (Index j = 0; j < table.X.cols(); ++j) text += " " + tool::number_text(table.X(i, j));
      if (!table.labels.empty()) text += " " + table.labels[static_cast<std::size_t>(i)];
      text += "\n";
    }
    for (const std::string& name : table.names) text += name + ";";
  } catch (const dasvdd::FileError& error) {
    return error.what();
  }
  return text;
}

}  // namespace

TEST_CASE("pieces: a csv in parts of any size means what it means whole") {
  const TemporaryFolder folder;
  DataOptions labelled;
  labelled.label_column = "2";
  const std::vector<std::string> texts = {
      "1,2,3\n4,5,6\n7,8,9\n",
      "a,b,label\r\n1,2,x\r\n3,4,y\r\n5,6,x",
      "\xef\xbb\xbf\"a\",\"b\nb\",label\n1,2,\"x\ny\"\n3,4,\"say \"\"no\"\"\n\"\n5,6,z\n",
      "# a \"comment\n1;2,5;u\n# more\n\n3;4,5;v\n\n \n",
      "1,2,3\r4,5,6\r7,8,9\r\r",
      "\n\n1,2,3\n4,5,6\n",
      "1,2,3\n4,5,6\n\n7,8,9\n",         // a blank line between rows
      "1,2,3\n4,5\n6,7,8\n",             // a field short
      "1,2,3\n4,5,6\n7,x,9\n",           // a word
      "1,2,3\n4,5,6\n7,8,9\n\"1,2,3\n",  // a quote that is never closed
      "1,2,3,\n4,5,6,\n7,8,9,\n",
      "1,2,3\n#N/A,5,6\n7,8,9\n",  // no comment
      "a|b|\"c|\nd\"\n1|2|3\n4|5|6\n",
      "# x, y\n#a,b,c\n1,2,3\n4,5,6\n",
      "sep=;\r\na;b;c\r\n1;2;3\r\n4;5;x\r\n",
      "\"a\rb\",\"b\r\nc\",c\r1,2,3\r4,5,x\r",
      "\xef\xbb\xbf\xef\xbb\xbf\"a\nb\",b,c\n1,2,3\n4,5,6\n",
      "1;2\n1,001;2\n999;3\n",  // a separator of thousands
      "",
  };
  for (const std::string& text : texts) {
    const std::string path = folder.put("t.csv", text);
    for (const DataOptions& options : {DataOptions(), labelled}) {
      for (const std::size_t bytes : {1u, 5u, 12u, 25u, 1000u}) {
        CAPTURE(text);
        CAPTURE(bytes);
        CHECK(in_parts(path, options, bytes) == whole(path, options));
      }
    }
  }
}

TEST_CASE("pieces: arrays of every kind give the rows they give whole, from any row on") {
  const TemporaryFolder folder;
  const std::vector<double> x = numbers(70 * 6);
  const std::string floats = array("<f4", "(70, 6)", raw_as<float>(x));
  const std::string idx = big_endian({0x803, 70, 2, 3}) + raw_as<std::uint8_t>(x);
  std::string turned = raw_as<float>(x);
  for (std::size_t i = 0; i < turned.size(); i += 4) {
    std::swap(turned[i], turned[i + 3]);
    std::swap(turned[i + 1], turned[i + 2]);
  }
  const auto check = [&](const std::string& name, const std::string& bytes, bool seeks,
                         const DataOptions& options = {}) {
    CAPTURE(name);
    const std::string path = folder.put(name, bytes);
    const Table expected = tool::read_table(path, options);
    const auto file = tool::open_big(path, options, 1000);
    REQUIRE(file != nullptr);
    CHECK(file->seeks() == seeks);
    CHECK(file->bytes() == 70 * 6 * 8);
    for (const std::size_t piece : {1u, 500u, 100000u}) {
      const Table table = joined(*file->open(0, piece));
      CHECK(table.X == expected.X);
      CHECK(table.images == expected.images);
      CHECK(table.rows.front() == 0);
      CHECK(file->frame().columns == expected.columns);
      if (!seeks) continue;
      const Table rest = joined(*file->open(33, piece));
      CHECK(rest.X == expected.X.bottomRows(37));
      CHECK(rest.rows.front() == 33);
      CHECK(rest.rows.back() == 69);
    }
    CHECK(tool::open_big(path, options, 70 * 6 * 8) == nullptr);
  };
  check("f4.npy", floats, true);
  check("f8.npy", array("<f8", "(70, 6)", raw_as<double>(x)), true);
  check("big.npy", array(">f4", "(70, 6)", turned), true);
  check("i2.npy", array("<i2", "(70, 6)", raw_as<std::int16_t>(x)), true);
  check("u1.npy", array("|u1", "(70, 2, 3)", raw_as<std::uint8_t>(x)), true);
  check("f4.npy.gz", gzipped(floats), false);
  check("stored.npz", zipped({{"X.npy", floats}}, ZIP_CM_STORE), true);
  check("deflated.npz", zipped({{"X.npy", floats}}, ZIP_CM_DEFLATE), false);
  check("images", idx, true);
  check("images.gz", gzipped(idx), false);
  DataOptions some;
  some.columns = {"4", "1"};
  check("columns.npy", floats, true, some);

  // What isn't read in pieces is left to the reader of whole files, and refused as there.
  CHECK(tool::open_big(folder.put("short.npy", floats.substr(0, 1000)), {}, 100) == nullptr);
  const std::string columns =
      npy("{'descr': '<f4', 'fortran_order': True, 'shape': (70, 6)}", raw_as<float>(x));
  CHECK(tool::open_big(folder.put("fortran.npy", columns), {}, 100) == nullptr);
  DataOptions wrong;
  wrong.label_column = "2";
  CHECK(message([&] {
          tool::open_big(folder / "f4.npy", wrong, 100);
        }).find("is no csv file, so --label-column doesn't fit") != std::string::npos);
}

TEST_CASE("pieces: a row that was chosen is found by its number among them") {
  tool::ChosenBits chosen;
  CHECK(chosen.row_of(7) == 7);
  std::vector<Index> rows;
  for (Index i = 0; i < 20000; ++i) {
    const bool mine = i % 7 == 3 || (i > 9000 && i < 14000);
    chosen.add(mine);
    if (mine) rows.push_back(i);
  }
  REQUIRE(chosen.count() == static_cast<Index>(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    REQUIRE(chosen.row_of(static_cast<Index>(i)) == rows[i]);
  }
  CHECK(chosen.row_of(chosen.count()) == 20000);
}

namespace {

/// 60 normal rows of three numbers among 1,000 that are labelled 1, in an .npz.
std::string mixed_archive(const TemporaryFolder& folder, int normal = 60) {
  dasvdd::Random random(3);
  std::vector<float> x;
  std::vector<std::int64_t> y;
  for (int i = 0; i < 1000 + normal; ++i) {
    const double t = random.normal();
    const bool anomaly =
        i % ((1000 + normal) / normal) != 0 || i / ((1000 + normal) / normal) >= normal;
    for (const double value : {t, 2 * t + 1, anomaly ? 4 - t : -t}) {
      x.push_back(static_cast<float>(value + 0.05 * random.normal()));
    }
    y.push_back(anomaly);
  }
  const std::string n = std::to_string(1000 + normal);
  return folder.put("mixed" + std::to_string(normal) + ".npz",
                    zipped({{"X.npy", array("<f4", "(" + n + ", 3)", raw(x))},
                            {"y.npy", array("<i8", "(" + n + ",)", raw(y))}},
                           ZIP_CM_STORE));
}

}  // namespace

TEST_CASE(
    "tool: where the window holds all normal rows, fit in pieces writes the model of fit in "
    "memory") {
  const TemporaryFolder folder;
  const std::string data = mixed_archive(folder);
  // 1,060 rows of 24 bytes, and a window of 104.
  const std::vector<std::string> pieces = {"--memory", "25000"};
  const std::vector<std::string> default_fit = {"fit", data,        "-o", folder / "a", "--epochs",
                                                "3",   "--members", "2",  "--threads",  "1"};
  for (std::vector<std::string> arguments : {fit_arguments(data, folder / "a"), default_fit}) {
    const Outcome in_memory = dasvdd_tool(arguments);
    REQUIRE(in_memory.status == 0);
    arguments[3] = folder / "b";
    arguments.insert(arguments.end(), pieces.begin(), pieces.end());
    const Outcome streamed = dasvdd_tool(arguments);
    CAPTURE(streamed.err);
    REQUIRE(streamed.status == 0);
    CHECK(contains(streamed.err, "more than --memory 25000: they are read in pieces"));
    CHECK(contains(streamed.out,
                   "trained on 60 rows of 3 features, 1000 labelled anomalies dropped"));
    CHECK(content(folder / "b") == content(folder / "a"));
  }
}

TEST_CASE("tool: fit in pieces beyond the window, with any threads; held out rows calibrate it") {
  const TemporaryFolder folder;
  const std::string data = mixed_archive(folder, 900);
  const auto fit = [&](const std::string& model, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = fit_arguments(data, folder / model, {"--memory", "25000"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = dasvdd_tool(arguments);
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    return outcome;
  };
  CHECK(contains(fit("one", {}).out, "trained on 900 rows"));
  CHECK(dasvdd::load<float>(folder / "one").facts().at("window") == "104");
  CHECK(
      contains(fit("held", {"--false-alarm-rate", "0.05"}).out,
               "trained on 810 rows of 3 features, 1000 labelled anomalies dropped, 90 held out"));
  CHECK(dasvdd::load<float>(folder / "held").calibration().scores().size() == 90);
  fit("last", {"--false-alarm-rate", "0.05", "--hold-out", "last"});
  CHECK(content(folder / "last") != content(folder / "held"));

  const Outcome sampled = dasvdd_tool({"fit", data, "-o", folder / "sample", "--epochs", "2",
                                       "--members", "1", "--memory", "24000"});
  REQUIRE(sampled.status == 0);
  CHECK(contains(sampled.out, "trained on 900 rows"));
}

TEST_CASE("tool: scores and measures of a file in pieces are those of it in memory") {
  const TemporaryFolder folder;
  const std::string data = mixed_archive(folder), model = folder / "m";
  REQUIRE(dasvdd_tool({"fit", data, "-o", model, "--epochs", "3", "--members", "1"}).status == 0);
  const std::string table = folder.put("t.csv", csv(300, 20));
  for (std::vector<std::string> arguments : {
           std::vector<std::string>{"score", model, data},
           {"score", model, data, "--explain", "2", "--fdr", "0.5"},
           {"score", model, table, "--label-column", "label"},
           {"eval", model, data, "--json"},
           {"eval", model, table, "--label-column", "label"},
       }) {
    const Outcome in_memory = dasvdd_tool(arguments);
    CAPTURE(in_memory.err);
    REQUIRE(in_memory.status == 0);
    arguments.insert(arguments.end(), {"--memory", "1K"});
    const Outcome streamed = dasvdd_tool(arguments);
    CHECK(streamed.status == 0);
    CHECK(contains(streamed.err, "read in pieces"));
    CHECK(streamed.out == in_memory.out);
    if (arguments[0] == "eval") continue;
    arguments.insert(arguments.end(), {"-o", folder / "scores.csv"});
    CHECK(dasvdd_tool(arguments).status == 0);
    CHECK(content(folder / "scores.csv") == in_memory.out);
  }
  // Pixels from 0 to 255 are divided here as there.
  const std::string images =
      folder.put("i.npy", array("|u1", "(70, 2, 3)", raw_as<std::uint8_t>(numbers(420))));
  for (const char* to : {"a", "b"}) {
    std::vector<std::string> arguments = fit_arguments(images, folder / to);
    if (*to == 'b') arguments.insert(arguments.end(), {"--memory", "3K"});
    const Outcome outcome = dasvdd_tool(arguments);
    REQUIRE(outcome.status == 0);
    CHECK(contains(outcome.err, "has pixels from 0 to 255: divided by 255"));
  }
  CHECK(dasvdd_tool({"score", folder / "a", images, "--memory", "1K"}).out ==
        dasvdd_tool({"score", folder / "a", images}).out);
}

TEST_CASE("tool: what a file in pieces can't do is refused in a sentence") {
  const TemporaryFolder folder;
  const std::string data = mixed_archive(folder), model = folder / "m";
  REQUIRE(dasvdd_tool({"fit", data, "-o", model, "--epochs", "3", "--members", "1"}).status == 0);
  const auto refused = [&](std::vector<std::string> arguments, const std::string& sentence) {
    arguments.insert(arguments.end(), {"--memory", "1K"});
    const Outcome outcome = dasvdd_tool(arguments);
    CHECK(outcome.status == 2);
    CAPTURE(outcome.err);
    CHECK(contains(outcome.err, sentence));
  };
  refused({"score", model, data, "--group", "2"}, "--group goes with rows that are in memory");
  refused({"eval", model, data, "--group", "2"}, "--group goes with rows that are in memory");
  refused(fit_arguments(data, folder / "n", {"--normal", "7"}),
          "has no row labelled '7' to train on; the labels are 0, 1");
  refused(fit_arguments(data, folder / "n", {"--validation", "0.1", "--normal", "1"}),
          "validation is 0.1, expected 0 for a row source of more rows");
  const std::string broken =
      folder.put("t.csv", csv(300, 0) + "1,nan,3,0\n" + csv(1, 0).substr(12));
  refused(fit_arguments(broken, folder / "n", by_label),
          "line 302, column 'b': NaN; every value must be finite");
  refused({"score", model, broken, "--label-column", "label"}, "line 302, column 'b': NaN");
  CHECK(contains(dasvdd_tool({"score", model, data, "--memory", "1X"}).err,
                 "--memory is '1X', expected a number of bytes, as in 300M or 2G"));
}

TEST_CASE("tool: labels that the archive doesn't hold are refused in pieces as they are whole") {
  const TemporaryFolder folder;
  const std::string model = folder / "m";
  const std::string labels = array("<f8", "(200,)", raw(std::vector<double>(200, 0)));
  const std::string data = folder.put(
      "a.npz", zipped({{"X.npy", array("<f8", "(200, 3)", raw(numbers(600)))}, {"y.npy", labels}},
                      ZIP_CM_STORE));
  const std::vector<std::string> fit = {"fit", data,       "-o", model,       "--members",
                                        "1",   "--epochs", "2",  "--threads", "1"};
  REQUIRE(dasvdd_tool(fit).status == 0);
  for (const char* memory : {"1G", "1K"}) {
    CAPTURE(memory);
    std::vector<std::string> arguments = fit;
    const std::vector<std::string> more = {"--label-key", "yy", "--memory", memory};
    arguments.insert(arguments.end(), more.begin(), more.end());
    check_failure(arguments, 2, "a.npz' has no array yy; it holds X.npy, y.npy");
    std::vector<std::string> named = fit;
    const std::vector<std::string> with_ends = {"--key",    "X.npy", "--label-key", "y.npy",
                                                "--normal", "0",     "--memory",    memory};
    named.insert(named.end(), with_ends.begin(), with_ends.end());
    CHECK(dasvdd_tool(named).status == 0);
    check_failure({"eval", model, data, "--label-key", "yy", "--memory", memory}, 2,
                  "a.npz' has no array yy; it holds X.npy, y.npy");
  }
}
