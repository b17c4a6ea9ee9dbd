#include "io/foreign_nets.hpp"
#include "tool/support.hpp"

#include <dasvdd/io/onnx.hpp>

#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace tool_tests;
using namespace foreign_nets;

namespace {

std::string csv_of(const dasvdd::RowMatrix<float>& X, const std::vector<std::string>& last = {}) {
  std::string text;
  for (dasvdd::Index i = 0; i < X.rows(); ++i) {
    for (dasvdd::Index j = 0; j < X.cols(); ++j)
      text += (j > 0 ? "," : "") + tool::number_text(X(i, j));
    if (!last.empty()) text += "," + last[static_cast<std::size_t>(i)];
    text += "\n";
  }
  return text;
}

std::vector<std::string> import_arguments(const std::string& net, const std::string& model,
                                          const std::string& data,
                                          const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = {
      "import",    net,  "-o",        model,  "--activation",       "relu",
      "--data",    data, "--epsilon", "1e-3", "--false-alarm-rate", "0.3",
      "--threads", "1"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// Field `column` of line `row` behind the header.
std::string field(const std::string& text, std::size_t row, int column) {
  std::string line = lines(text).at(row + 1);
  for (; column > 0; --column) line = line.substr(line.find(',') + 1);
  return line.substr(0, line.find(','));
}

/// As if it were trained.
template <class Scalar>
dasvdd::Detector<Scalar> detector_of(const char* activation = "leaky_relu") {
  using namespace dasvdd::detail;
  const auto net = dasvdd::dense_autoencoder<Scalar>(5, {3}, {}, dasvdd::Activation(activation),
                                                     dasvdd::Activation(activation));
  AlignedBuffer<Scalar> parameters(net.parameters());
  dasvdd::Random random(1);
  net.joined().initialize(random, parameters.data(), nullptr);
  auto model = std::make_shared<Model<Scalar>>();
  PackedNetwork<Scalar> packed(net, parameters.data(), nullptr);
  model->members.push_back(Member<Scalar>{std::move(packed),
                                          std::move(parameters),
                                          {},
                                          AlignedBuffer<Scalar>(3),
                                          1,
                                          ScoreTerm<Scalar>(5, 1, 5),
                                          ScoreTerm<Scalar>(3, 1, 1)});
  return {std::move(model), 0.5};
}

}  // namespace

TEST_CASE("tool: an imported net scores by its mean squared error, calibrated by all rows") {
  const TemporaryFolder folder;
  const std::string net = folder / "net", model = folder / "m",
                    data = folder.put("rows", csv_of(rows(6, 6)));
  table_net<float>().write(net);
  const Outcome made =
      dasvdd_tool(import_arguments(net, model, data, {"--score", "reconstruction"}));
  CHECK(made.status == 0);
  CHECK(contains(made.out, "features 6\ncode 2\ncalibrated by 6 rows of 6 rows\n"));
  const Outcome scores = dasvdd_tool({"score", model, data});
  const std::multiset<double> sorted(table_errors.begin(), table_errors.end());
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(std::stod(field(scores.out, i, 0)) == doctest::Approx(table_errors[i]).epsilon(2e-6));
    const auto above = std::distance(sorted.lower_bound(table_errors[i]), sorted.end());
    CHECK(std::stod(field(scores.out, i, 1)) ==
          doctest::Approx((1.0 + static_cast<double>(above)) / 7));
  }
  // At most floor(7 * 0.3) = 2 of the scores lie at the threshold or above.
  const auto detector = dasvdd::load<float>(model);
  CHECK(detector.threshold() == doctest::Approx(*std::next(sorted.begin(), 4)).epsilon(2e-6));
  const std::string info = dasvdd_tool({"info", model}).out;
  CHECK(contains(info, "\nscore reconstruction\n"));
  CHECK(contains(info, "\ntraining imported\n"));
}

TEST_CASE("tool: an imported net gets center and gamma from the rows that are not held out") {
  const TemporaryFolder folder;
  const std::string net = folder / "net", model = folder / "m";
  table_net<float>().write(net);
  // The rows twice: whichever half is held out, the others have these center and gamma or nearly.
  dasvdd::RowMatrix<float> X(1200, 6);
  for (dasvdd::Index i = 0; i < X.rows(); ++i) X.row(i) = rows(6, 6).row(i % 6);
  const std::string data = folder.put("rows", csv_of(X));
  const Outcome made = dasvdd_tool(import_arguments(net, model, data));
  CHECK(contains(made.out, "calibrated by 600 rows of 600 rows\n"));
  const auto detector = dasvdd::load<float>(model);
  const auto scores = detector.score(rows(6, 6));
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(static_cast<double>(scores[static_cast<dasvdd::Index>(i)]) ==
          doctest::Approx(table_scores[i]).epsilon(0.1));
  }
  const auto again = [&](const std::vector<std::string>& more) {
    REQUIRE(dasvdd_tool(import_arguments(net, folder / "other", data, more)).status == 0);
    return content(folder / "other");
  };
  CHECK(again({}) == content(model));
  CHECK(again({"--seed", "1"}) != content(model));
  again({"--gamma", "0.25"});
  const auto given = dasvdd::load<float>(folder / "other");
  CHECK(given.model().members.front().gamma == 0.25);
  CHECK(given.model().members.front().latent.weight() == 0.25);
  again({"--score", "whitened", "--standardize"});
  const auto whitened = dasvdd::load<float>(folder / "other");
  CHECK(whitened.model().members.front().reconstruction.whitened());
  CHECK(whitened.model().scaler.text() == "standardized");

  // What a device writes when it has nothing to write has no part in the scale.
  for (const dasvdd::Index i : {20, 200, 220, 400, 420, 599}) X(i, 2) = -9999;
  const std::string lying = folder.put("lying", csv_of(X));
  const Outcome scaled =
      dasvdd_tool(import_arguments(net, folder / "other", lying, {"--standardize"}));
  CAPTURE(scaled.err);
  REQUIRE(scaled.status == 0);
  CHECK(contains(scaled.err,
                 "values of column 2 (from 0) lie far from all others: -9999 (first in line "));
  const auto cleaned = dasvdd::load<float>(folder / "other");
  REQUIRE(!cleaned.warnings().empty());
  CHECK(contains(cleaned.warnings()[0], "Their rows have no part in the fit"));
  CHECK(!contains(dasvdd_tool(import_arguments(net, folder / "other", lying)).err, "far from"));
}

TEST_CASE("tool: --group gives one score for the rows of a group") {
  const TemporaryFolder folder;
  const std::string net = folder / "net", model = folder / "m",
                    data = folder.put("rows", csv_of(rows(6, 6)));
  table_net<float>().write(net);
  REQUIRE(dasvdd_tool(import_arguments(net, model, data, {"--score", "reconstruction"})).status ==
          0);

  // A column, by index and by name, of groups that don't come in one piece; quotes where a name needs them.
  const std::vector<std::string> clips = {"\"b, 1\"", "a", "a", "\"b, 1\"", "a", "\"b, 1\""};
  const double b = (table_errors[0] + table_errors[3] + table_errors[5]) / 3;
  const double a = (table_errors[1] + table_errors[2] + table_errors[4]) / 3;
  const std::string by_index = folder.put("clips", csv_of(rows(6, 6), clips));
  const std::string by_name = folder.put("named", "p,q,r,s,t,u,clip\n" + csv_of(rows(6, 6), clips));
  for (const Outcome& scores : {dasvdd_tool({"score", model, by_index, "--group", "6"}),
                                dasvdd_tool({"score", model, by_name, "--group", "clip"}),
                                dasvdd_tool({"score", model, by_name, "--group", "6"})}) {
    CHECK(scores.status == 0);
    REQUIRE(lines(scores.out).size() == 3);
    CHECK(lines(scores.out)[0] == "group,score,p_value,anomaly");
    CHECK(lines(scores.out)[1].substr(0, 9) == "\"b, 1\",1.");
    CHECK(std::stod(lines(scores.out)[1].substr(7)) == doctest::Approx(b).epsilon(2e-6));
    CHECK(std::stod(field(scores.out, 1, 1)) == doctest::Approx(a).epsilon(2e-6));
    CHECK(field(scores.out, 1, 2).empty());  // calibrated by rows, so it says nothing of groups
  }
  const Outcome largest =
      dasvdd_tool({"score", model, by_name, "--group", "clip", "--group-by", "max"});
  CHECK(std::stod(field(largest.out, 1, 1)) == doctest::Approx(table_errors[1]).epsilon(2e-6));
  CHECK(field(largest.out, 1, 3) ==
        (table_errors[1] > dasvdd::load<float>(model).threshold() ? "1" : "0"));

  // Of a file that is no csv, so many rows each.
  const std::string binary = folder / "rows.npy";
  {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 6), }";
    header.resize(117, ' ');
    const dasvdd::RowMatrix<float> X = rows(6, 6);
    const std::string bytes(reinterpret_cast<const char*>(X.data()), 6 * 6 * sizeof(float));
    folder.put("rows.npy", std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n" + bytes);
  }
  const Outcome threes = dasvdd_tool({"score", model, binary, "--group", "3"});
  CHECK(threes.status == 0);
  REQUIRE(lines(threes.out).size() == 3);
  CHECK(std::stod(field(threes.out, 0, 1)) == doctest::Approx(1.6240404076154509).epsilon(2e-6));
  CHECK(std::stod(field(threes.out, 1, 1)) == doctest::Approx(1.6499202460255937).epsilon(2e-6));
  CHECK(field(threes.out, 1, 0) == "1");

  check_failure({"score", model, binary, "--group", "4"}, 2,
                "has 6 rows, which are no whole number of groups of 4");
  check_failure({"score", model, binary, "--group", "clip"}, 2,
                "no csv file, expected a whole number of rows from 1");
  check_failure({"score", model, by_name, "--group", "tape"}, 2, "has no column named 'tape'");
  check_failure({"score", model, by_name, "--group", "7"}, 2,
                "has 7 columns, so none of index 7 (from 0)");
  check_failure({"score", model, by_name, "--group", "clip", "--label-column", "clip"}, 2,
                "--group and --label-column name the same column");
  check_failure({"score", model, by_name, "--group", "clip", "--label-column", "6"}, 2,
                "--group and --label-column name the same column");
  check_failure(
      {"score", model, folder.put("gap", "1,2,3,4,5,6,a\n1,2,3,4,5,6,\n"), "--group", "6"}, 2,
      "line 2: the row's group is empty");
  check_failure({"score", model, by_name, "--group", "clip", "--explain", "2"}, 2,
                "--group doesn't go with --explain");
  check_failure({"score", model, "-", "--group", "clip"}, 2, "--group goes with a file");
  check_failure({"score", model, by_name, "--group-by", "max"}, 2, "--group-by requires --group");
}

TEST_CASE("tool: eval compares groups, and an imported net may be calibrated by them") {
  const TemporaryFolder folder;
  const std::string net = folder / "net", model = folder / "m";
  table_net<float>().write(net);
  // Labels stand before the groups, and behind them.
  dasvdd::RowMatrix<float> X(12, 6);
  std::vector<std::string> both, label_last;
  for (int i = 0; i < 12; ++i) {
    X.row(i) = rows(6, 6).row(i % 6);
    if (i >= 8) X.row(i).array() += 9;
    const std::string label = i >= 8 ? "1" : "0", clip = "clip" + std::to_string(i / 2);
    both.push_back(label + "," + clip);
    label_last.push_back(clip + "," + label);
  }
  const std::string data = folder.put("rows", csv_of(X, both)),
                    other = folder.put("other", csv_of(X, label_last));
  const Outcome made = dasvdd_tool(import_arguments(
      net, model, data, {"--score", "reconstruction", "--group", "7", "--label-column", "6"}));
  CHECK(made.status == 0);
  CHECK(contains(made.out, "calibrated by 4 groups of 8 rows\n"));
  for (const Outcome& eval :
       {dasvdd_tool({"eval", model, data, "--group", "7", "--label-column", "6", "--json"}),
        dasvdd_tool({"eval", model, other, "--group", "6", "--label-column", "7", "--json"})}) {
    CHECK(eval.status == 0);
    const auto measures = nlohmann::json::parse(eval.out);
    CHECK(measures["n"] == 6);
    CHECK(measures["anomalies"] == 2);
    CHECK(measures["roc_auc"] == 1.0);
  }
  const std::vector<std::string> score = {"score",          model, data, "--group", "7",
                                          "--label-column", "6"};
  const Outcome scores = dasvdd_tool(score);
  CHECK(field(scores.out, 4, 2) == "0.2");
  CHECK(field(scores.out, 4, 3) == "1");
  std::vector<std::string> by_max = score;
  by_max.insert(by_max.end(), {"--group-by", "max"});
  CHECK(field(dasvdd_tool(by_max).out, 4, 2).empty());  // calibrated by means
  const std::string mixed = folder.put("mixed", csv_of(X.topRows(4), {"0,x", "1,x", "0,y", "1,y"}));
  check_failure({"eval", model, mixed, "--group", "7", "--label-column", "6"}, 2,
                "group 'x' has normal rows and anomalies, expected one kind in a group");
}

TEST_CASE("tool: what can't be imported is refused before anything is written") {
  const TemporaryFolder folder;
  const std::string net = folder / "net", model = folder / "m",
                    data = folder.put("rows", csv_of(rows(6, 6)));
  table_net<float>().write(net);
  check_failure({"import", net, "-o", model}, 2, "--data is required");
  check_failure({"import", net, "-o", model, "--data", data}, 2,
                "'" + net + "': module 2 has no tensors");
  check_failure(import_arguments(net, model, data, {"--layers", "linear|linear"}), 2, "excludes");
  check_failure(import_arguments(data, model, data), 2, "no safetensors file");
  check_failure(import_arguments(net, model, folder.put("narrow", csv_of(rows(6, 5)))), 2,
                "/narrow': the batch is 6 x 5, expected 6 columns");
  check_failure(import_arguments(net, model, folder.put("nan", "1,2,3,4,5,nan\n1,2,3,4,5,6\n")), 2,
                "line 1, column 5 (from 0): NaN; every value must be finite");
  check_failure(import_arguments(net, model, data, {"--normal", "0"}), 2,
                "has no labels, so --normal doesn't fit");
  check_failure(import_arguments(net, model, data, {"--gamma", "-1"}), 2, "--gamma is -1");
  check_failure(import_arguments(net, model, data, {"--gamma", "1", "--score", "whitened"}), 2,
                "--gamma goes with --score published");
  std::vector<std::string> rare = import_arguments(net, model, data);
  rare[11] = "0.01";
  check_failure(rare, 2, "needs at least 99 held-out normal rows, got 3");
  CHECK(folder.files() == 4);
}

TEST_CASE("tool: a graph and a header of floats say which feature they can't tell") {
  const TemporaryFolder folder;
  std::string rows = "time,level\n", plain = "time,level\n";
  for (int i = 0; i < 40; ++i) {
    const std::string level = "," + std::to_string(i * 7 % 11) + "\n";
    rows += std::to_string(1700000000 + i % 6) + level;
    plain += std::to_string(i % 6) + level;
  }
  const std::string far = folder / "far", near = folder / "near", wide = folder / "wide";
  for (const auto& [text, model, more] :
       {std::tuple(rows, far, ""), {plain, near, ""}, {rows, wide, "--double"}}) {
    std::vector<std::string> arguments = fit_arguments(folder.put("t.csv", text), model);
    if (*more != '\0') arguments.push_back(more);
    REQUIRE(dasvdd_tool(arguments).status == 0);
  }
  const std::string words = " takes rows of 32 bits, and there the values of feature 'time'";
  const auto err = [&](const char* command, const std::string& model) {
    const Outcome outcome = dasvdd_tool({command, model, "-o", folder / "out"});
    CHECK(outcome.status == 0);
    return outcome.err;
  };
  CHECK(contains(err("export", far), "the graph" + words));
  CHECK(contains(err("freeze", far), "the header" + words));
  CHECK(contains(err("freeze", wide), "the header" + words));
  CHECK(err("export", wide).empty());
  CHECK(err("export", near).empty());
  CHECK(err("freeze", near).empty());
}

TEST_CASE("tool: export writes the model's graph") {
  const TemporaryFolder folder;
  const std::string model = folder / "m", onnx = folder / "m.onnx";
  const dasvdd::Detector<float> detector = detector_of<float>();
  save(detector, model);
  const Outcome plain = dasvdd_tool({"export", model, "-o", onnx});
  CHECK(plain.status == 0);
  CHECK(plain.err.empty());
  CHECK(content(onnx) == dasvdd::detail::to_onnx(detector));
  CHECK(plain.out ==
        "opset 11\nbytes " + std::to_string(content(onnx).size()) + "\nmodel " + onnx + "\n");
  CHECK(dasvdd_tool({"export", model, "-o", onnx, "--matmul"}).status == 0);
  CHECK(content(onnx) == dasvdd::detail::to_onnx(detector, {true, false}));

  const dasvdd::Detector<double> in_double = detector_of<double>();
  save(in_double, model);
  CHECK(dasvdd_tool({"export", model, "-o", onnx}).status == 0);
  CHECK(content(onnx) == dasvdd::detail::to_onnx(in_double));
  CHECK(dasvdd_tool({"export", model, "-o", onnx, "--float32"}).status == 0);
  CHECK(content(onnx) == dasvdd::detail::to_onnx(in_double, {false, true}));

  save(detector_of<double>("gelu"), model);
  check_failure({"export", model, "-o", onnx}, 2, "'" + model + "': gelu in double");
  check_failure({"export", model}, 2, "-o is required");
  check_failure({"export", folder / "none", "-o", onnx}, 2, "there is no such file");
  check_failure({"export", model, "-o", folder / "no/m.onnx"}, 2, "there is no folder");
  check_failure({"export", folder.put("text", "no model at all"), "-o", onnx}, 2, "safetensors");
}
