// `dasvdd fit --by`, `score --by` and `info`: a bank of one small detector a group.

#include "tool/support.hpp"

#include <dasvdd/io/bank_file.hpp>

using namespace tool_tests;

namespace {

/// Rows of the groups m0, m1, ... in turn, `n` of each; group `broken` has a NaN, and one row is of the group lone.
std::string metrics(int groups, int n, int broken = -1) {
  dasvdd::Random random(1);
  std::string text = "metric,a,b,c\n";
  for (int i = 0; i < groups * n; ++i) {
    const int g = i % groups;
    text += "m" + std::to_string(g);
    const double common = random.normal();
    for (int j = 0; j < 3; ++j)
      text += "," + tool::number_text(10 * g + j + common + 0.3 * random.normal());
    text += "\n";
    if (g == broken && i < groups) text += "m" + std::to_string(g) + ",nan,1,2\n";
  }
  return text;
}

}  // namespace

TEST_CASE(
    "tool: --by fits and scores one detector a group, and one broken group costs a sentence") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", metrics(4, 30, 2) + "lone,1,2,3\n");
  const std::string bank = folder / "bank";
  const Outcome fit = dasvdd_tool({"fit", train, "--by", "metric", "-o", bank, "--threads", "1"});
  CAPTURE(fit.err);
  REQUIRE(fit.status == 0);
  CHECK(fit.out ==
        "trained 3 detectors on 122 rows of 3 features, 2 groups refused\nbank " + bank + "\n");
  CHECK(contains(fit.err, "dasvdd: warning: group 'lone' has 1 row, expected at least 20\n"));
  CHECK(contains(fit.err,
                 "dasvdd: warning: group 'm2' has NaN in line 5, column 'a'; every value "
                 "must be finite\n"));

  const std::string data =
      folder.put("new.csv", "a,c,b,metric\n10,12,11,m1\n10,12,11,m0\n1,3,2,m2\n");
  const Outcome score = dasvdd_tool({"score", bank, data, "--by", "metric"});
  CAPTURE(score.err);
  REQUIRE(score.status == 0);
  const auto rows = lines(score.out);
  REQUIRE(rows.size() == 4);
  CHECK(rows[0] == "group,score,p_value,anomaly");
  CHECK(rows[1].substr(0, 3) == "m1,");
  CHECK(rows[1].back() == '0');
  CHECK(rows[2].substr(0, 3) == "m0,");
  CHECK(rows[2].back() == '1');
  CHECK(rows[3] == "m2,,,");
  dasvdd::Bank loaded;
  dasvdd::load(loaded, bank);
  const dasvdd::RowMatrix<double> row = (dasvdd::RowMatrix<double>(1, 3) << 10, 11, 12).finished();
  CHECK(contains(rows[1], "m1," + tool::number_text(loaded.score(row, "m1")[0]) + ","));
  CHECK(loaded.feature_names() == std::vector<std::string>{"a", "b", "c"});

  REQUIRE(dasvdd_tool({"score", bank, data, "--by", "metric", "-o", folder / "scores"}).status ==
          0);
  CHECK(content(folder / "scores") == score.out);

  const Outcome info = dasvdd_tool({"info", bank});
  REQUIRE(info.status == 0);
  CHECK(contains(info.out, "groups 3\nfeatures 3\nfeature a\n"));
  CHECK(contains(info.out, "refused 2\nrefused 'lone' has 1 row, expected at least 20\n"));

  const Outcome lacking = dasvdd_tool({"fit", folder.put("l.csv", "metric,a,b,c\nm7,1,,3\n"), "-o",
                                       folder / "l", "--by", "metric"});
  CHECK(contains(lacking.err,
                 "line 2, column 'b': the field is empty (--by takes no missing values"));
  check_failure({"score", bank, folder.put("x.csv", "metric,a,b,c\nm7,1,2,3\n"), "--by", "metric"},
                2, "line 2: the row is of the group 'm7', of which the bank has no detector");
  check_failure({"score", bank, data}, 2, "is a bank of detectors, one a group");
  check_failure({"eval", bank, train}, 2, "is a bank of detectors, one a group");
  check_failure({"score", bank, data, "--by", "metrics"}, 2, "has no column named 'metrics'");
  check_failure({"score", bank, "-", "--by", "metric"}, 2, "--by goes with a file");
  check_failure({"score", bank, data, "--by", "metric", "--fdr", "0.1"}, 2,
                "--fdr doesn't go with --by");
}

TEST_CASE("tool: what doesn't go with --by is refused before any work") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", metrics(2, 5)), bank = folder / "bank";
  check_failure({"fit", train, "--by", "metric", "-o", bank}, 2,
                "has no group that can be fitted: group 'm0' has 5 rows, expected at least 20");
  check_failure({"fit", train, "--by", "metric", "-o", bank, "--layers", "4,2"}, 2,
                "--layers doesn't go with --by");
  check_failure({"fit", train, "--by", "metric", "-o", bank, "--double"}, 2,
                "--double doesn't go with --by");
  check_failure({"fit", train, "--by", "", "-o", bank}, 2, "--by is empty");
  check_failure({"fit", train, "--by", "metric", "-o", folder / "no/bank"}, 2,
                "there is no folder");
  check_failure({"fit", train, "--by", "metric", "--label-column", "metric", "-o", bank}, 2,
                "--by and --label-column name the same column");
  CHECK(folder.files() == 1);
}
