// What `dasvdd score` says beside scores: explanations, heat maps, selected rows.

#include "tool/support.hpp"

#include <io/copied_file.hpp>

#include <algorithm>
#include <csignal>
#include <numeric>

#if defined(__linux__)
#include <sys/resource.h>
#endif

using namespace tool_tests;

namespace {

std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> result;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, ',');) result.push_back(field);
  return result;
}

/// 40 gray images of 2 x 3 as .csv, and a model of them.
struct Images {
  explicit Images(const TemporaryFolder& folder, const std::vector<std::string>& more = {})
      : data(folder / "images.csv"), model(folder / "images.m") {
    dasvdd::Random random(1);
    std::string text;
    for (int i = 0; i < 40; ++i) {
      for (int j = 0; j < 6; ++j) {
        text += (j > 0 ? "," : "") + tool::number_text(0.2 + 0.1 * random.uniform());
      }
      text += "\n";
    }
    folder.put("images.csv", text);
    std::vector<std::string> call = {"fit", data, "-o", model, "--epochs", "2", "--threads", "1"};
    call.insert(call.end(), more.begin(), more.end());
    REQUIRE(dasvdd_tool(call).status == 0);
  }
  std::string data, model;
};

}  // namespace

TEST_CASE("tool: --explain adds the features with the largest shares") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(100, 0)), model = folder / "m";
  REQUIRE(dasvdd_tool(fit_arguments(train, model, by_label)).status == 0);
  const Outcome outcome =
      dasvdd_tool({"score", model, train, "--label-column", "label", "--explain", "2"});
  REQUIRE(outcome.status == 0);
  const auto rows = lines(outcome.out);
  REQUIRE(rows.size() == 101);
  CHECK(
      rows[0] ==
      "score,p_value,anomaly,feature_1,share_1,observed_1,expected_1,feature_2,share_2,observed_2,"
      "expected_2");
  const auto detector = dasvdd::load<float>(model);
  const auto X = tool::read_table(train, {"label", "", false}).X;
  const auto plain = lines(dasvdd_tool({"score", model, train, "--label-column", "label"}).out);
  for (tool::Index i = 0; i < 100; ++i) {
    const dasvdd::Explanation why = detector.explain(X.row(i));
    std::vector<std::size_t> order = {0, 1, 2};
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return why.features[a] > why.features[b]; });
    const std::string& line = rows[static_cast<std::size_t>(i) + 1];
    const std::string& begin = plain[static_cast<std::size_t>(i) + 1];
    CHECK(line.compare(0, begin.size(), begin) == 0);
    const auto words = fields(line);
    REQUIRE(words.size() == 11);
    for (std::size_t r = 0; r < 2; ++r) {
      CHECK(words[3 + 4 * r] == detector.feature_names()[order[r]]);
      CHECK(std::stof(words[4 + 4 * r]) == static_cast<float>(why.features[order[r]]));
      CHECK(std::stod(words[5 + 4 * r]) == X(i, static_cast<tool::Index>(order[r])));
      CHECK(std::stod(words[6 + 4 * r]) == why.expected[order[r]]);
    }
  }

  // All of the features, and more than there are; before the data is looked at.
  CHECK(
      fields(lines(dasvdd_tool({"score", model, train, "--label-column", "label", "--explain", "3"})
                       .out)[1])
          .size() == 15);
  for (const char* number : {"0", "4", "-1"}) {
    check_failure({"score", model, folder / "nothing", "--explain", number}, 2,
                  "--explain is " + std::string(number) +
                      ", expected a whole number from 1 to 3, the model's features");
  }
  check_failure({"score", model, train, "--explain", "two"}, 2, "'two' is no whole number");
}

TEST_CASE("tool: --fdr says which rows are selected, of calibrated models alone") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(1200, 0)), model = folder / "m";
  const std::string test = folder.put("test.csv", csv(30, 10, "0", "1", 2));
  std::vector<std::string> more = by_label;
  REQUIRE(dasvdd_tool(fit_arguments(train, model, more)).status == 0);
  const std::vector<std::string> call = {"score", model,   test, "--label-column",
                                         "label", "--fdr", "0.2"};
  check_failure(call, 2, "isn't calibrated, so --fdr doesn't fit");
  more.insert(more.end(), {"--false-alarm-rate", "0.05"});
  REQUIRE(dasvdd_tool(fit_arguments(train, model, more)).status == 0);
  const Outcome outcome = dasvdd_tool(call);
  REQUIRE(outcome.status == 0);
  const auto rows = lines(outcome.out);
  CHECK(rows.at(0) == "score,p_value,anomaly,selected");
  const auto detector = dasvdd::load<float>(model);
  const Eigen::VectorXd p =
      detector.p_value(detector.score(tool::read_table(test, {"label", "", false}).X));
  const auto selected = dasvdd::detail::benjamini_hochberg(p.data(), 40, 0.2);
  CHECK(std::accumulate(selected.begin(), selected.end(), 0) >= 10);
  for (std::size_t i = 0; i < 40; ++i) {
    CHECK(fields(rows.at(i + 1)).at(3) == (selected[i] ? "1" : "0"));
  }
  for (const char* rate : {"0", "1", "-0.5"}) {
    check_failure({"score", model, test, "--fdr", rate}, 2, "the false discovery rate is ");
  }
}

#if defined(__linux__)
TEST_CASE(
    "tool: a heat map that can't be written is exit status 1, and leaves the file that was there") {
  const TemporaryFolder folder;
  const Images images(folder, {"--image-shape", "1,2,3"});
  check_failure({"score", images.model, images.data, "--heatmap", "/dev/full"}, 1,
                "'/dev/full' can't be written");
  const std::string picture = folder.put("heat.png", "the old one");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{100, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const Outcome outcome = dasvdd_tool({"score", images.model, images.data, "--heatmap", picture});
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "'" + picture + "' can't be written"));
  CHECK(content(picture) == "the old one");
}
#endif

TEST_CASE("tool: a model that costs too much is refused unless it is one's own") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(60, 0)), model = folder / "m",
                    costly = folder / "costly";
  REQUIRE(dasvdd_tool(fit_arguments(train, model, by_label)).status == 0);
  // Images that are made large and small again: the same scores from a gigabyte of workspace.
  const auto file = dasvdd::detail::TensorFile::read(model);
  auto bomb = copied_file(file, [](std::string name) {
    if (name.compare(0, 8, "encoder.") == 0) name[8] = static_cast<char>(name[8] + 3);
    return name;
  });
  std::string net = file.metadata("net");
  net.insert(net.find(R"(["dense",3,8,1])"),
             R"(["upsample_nearest2d",1,1,3,256],["upsample_nearest2d",1,256,768,4],)"
             R"(["max_pool2d",1,1024,3072,1024,1024],)");
  bomb.set_metadata("net", net);
  bomb.write(costly);
  const std::string labels = "--label-column";
  for (const std::vector<std::string>& call :
       {std::vector<std::string>{"score", costly, train, labels, "label"},
        {"info", costly},
        {"export", costly, "-o", folder / "o"},
        {"freeze", costly, "-o", folder / "o"}}) {
    check_failure(call, 2, "are allowed; LoadLimits, --trust-model or trusted=True allow more");
  }
  CHECK(dasvdd_tool({"info", costly, "--trust-model"}).status == 0);
}

TEST_CASE("tool: --explain says nothing of what was expected where the net overflows") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(60, 0)), model = folder / "m",
                    far = folder.put("far.csv", "1e300,0,0\n");
  REQUIRE(dasvdd_tool(fit_arguments(train, model, by_label)).status == 0);
  const Outcome outcome = dasvdd_tool({"score", model, far, "--explain", "3"});
  CAPTURE(outcome.out);
  CHECK(outcome.status == 0);
  CHECK(!contains(outcome.out, "nan"));
  CHECK(!contains(outcome.out, "-inf"));
  CHECK(fields(lines(outcome.out).at(1)).front() == "inf");
}

TEST_CASE("tool: --heatmap draws images whose shape somebody knows") {
  const TemporaryFolder folder;
  const std::string picture = folder / "heat.png";
  const auto heatmap = [&](const Images& images, const std::vector<std::string>& more = {}) {
    std::filesystem::remove(picture);
    std::vector<std::string> call = {"score", images.model, images.data, "--heatmap", picture};
    call.insert(call.end(), more.begin(), more.end());
    return call;
  };
  const auto draws = [&](const Images& images, const std::vector<std::string>& more = {}) {
    const Outcome outcome = dasvdd_tool(heatmap(images, more));
    CHECK(outcome.err.empty());
    CHECK(lines(outcome.out).size() == 41);  // scores as ever
    return outcome.status == 0 && content(picture).compare(0, 4, "\x89PNG") == 0;
  };
  // The softening knows the shape, else the tool's fit noted it, else the command says it.
  CHECK(draws(Images(folder, {"--image-shape", "1,2,3"})));
  CHECK(draws(Images(folder, {"--image-shape", "1,2,3", "--image-kind", "photographs"})));
  CHECK(draws(Images(folder, {"--image-shape", "1,2,3", "--layers", "4,2"})));
  // A model that the library made, without the tool's note.
  Images own(folder, {"--layers", "4,2"});
  dasvdd::ImageOptions options;
  options.shape = {1, 2, 3};
  options.epochs = 1;
  dasvdd::save(dasvdd::fit_images(tool::read_table(own.data, {}).X, options), own.model);
  CHECK(draws(own));
  const Images table(folder, {"--layers", "4,2"});
  CHECK(draws(table, {"--image-shape", "1,3,2"}));
  CHECK(draws(table, {"--image-shape", "3,1,2"}));
  check_failure(heatmap(table), 2, "doesn't say of which shape its images are; --image-shape does");
  check_failure(heatmap(table, {"--image-shape", "1,3,3"}), 2,
                "takes rows of 6 numbers, which images of 1 x 3 x 3 don't have");
  check_failure(heatmap(table, {"--image-shape", "6"}), 2, "expected three numbers");
  check_failure({"score", table.model, table.data, "--heatmap", folder / "missing/heat.png"}, 2,
                "there is no folder");
  check_failure({"score", table.model, "-", "--heatmap", picture}, 2,
                "--heatmap goes with a file, not with standard input");
  CHECK_FALSE(std::filesystem::exists(picture));
}
