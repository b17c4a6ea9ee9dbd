// dasvdd freeze: what the C compiler makes of the header gives the library's scores.

#include "tool/support.hpp"

#include <tool/freeze.hpp>

#include "detect/support.hpp"
#include "train/support.hpp"

#include <dasvdd/nn/conv_autoencoder.hpp>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

using namespace tool_tests;
using namespace dasvdd;
using dasvdd::detail::AlignedBuffer;
using dasvdd::detail::Member;
using dasvdd::detail::Scaler;
using dasvdd::detail::ScoreTerm;
using detect_tests::random_rows;

#if defined(DASVDD_TEST_CC)

namespace {

/// As detect_tests::make_member, with statistics and batch norms' parameters that change what goes through.
template <class Scalar>
Member<Scalar> member_of(const Autoencoder<Scalar>& net, std::uint64_t seed,
                         ScoreTerm<Scalar> reconstruction, ScoreTerm<Scalar> latent) {
  AlignedBuffer<Scalar> parameters(net.parameters()), statistics(net.statistics()),
      center(net.code());
  Random random(seed);
  net.joined().initialize(random, parameters.data(), statistics.data());
  for (const auto& place : detail::tensor_places(net)) {
    for (Index i = 0; place.statistics && i < place.size(); ++i) {
      statistics[place.at + i] =
          static_cast<Scalar>(place.is_variance() ? 0.5 + random.uniform() : 0.3 * random.normal());
    }
  }
  // Biases, factors and shifts: none is left at the 0 or 1 it starts with.
  for (const auto& place : detail::tensor_places(net)) {
    if (place.statistics || place.shape.size() != 1) continue;
    for (Index i = 0; i < place.size(); ++i)
      parameters[place.at + i] += static_cast<Scalar>(0.2 * random.normal());
  }
  for (Scalar& c : center) c = static_cast<Scalar>(random.normal());
  detail::PackedNetwork<Scalar> packed(net, parameters.data(), statistics.data());
  return {std::move(packed),         parameters,       statistics, center, latent.weight(),
          std::move(reconstruction), std::move(latent)};
}

/// A term with a whole matrix, no triangle.
template <class Scalar>
ScoreTerm<Scalar> whole(Index size, double weight, std::uint64_t seed) {
  AlignedBuffer<Scalar> a(size * size);
  Random random(seed);
  for (Scalar& x : a) x = static_cast<Scalar>(0.4 * random.normal());
  return {size, weight, static_cast<double>(size), std::move(a)};
}
template <class Scalar>
ScoreTerm<Scalar> plain(Index size, double weight) {
  return {size, weight, static_cast<double>(size)};
}

/// A detector under the name that its files and functions get, and rows for it.
struct Case {
  std::string name;
  Index features;
  bool doubles;
};

class Folder {
 public:
  template <class Scalar>
  void add(const std::string& name, std::vector<Member<Scalar>> members,
           Scaler<Scalar> scaler = {}) {
    auto detector = detect_tests::detector_of<Scalar>(std::move(members), std::move(scaler));
    const Index d = detector.features();
    const RowMatrix<float> X = rows(d);
    const auto scores = detector.score(RowMatrix<Scalar>(X.cast<Scalar>()));
    std::vector<Scalar> sorted(scores.data(), scores.data() + scores.size());
    std::sort(sorted.begin(), sorted.end());
    detector = detector.with_threshold(static_cast<double>(sorted[sorted.size() / 2]));
    save(detector, path(name + ".model"));
    cases.push_back({name, d, sizeof(Scalar) == 8});
  }
  std::string path(const std::string& name) const { return folder_ / name; }
  std::string put(const std::string& name, const std::string& text) {
    return folder_.put(name, text);
  }
  static RowMatrix<float> rows(Index d) { return random_rows<float>(40, d, 5, 0.7); }

  std::vector<Case> cases;

 private:
  TemporaryFolder folder_;
};

/// Every layer, activation, scaler and kind of score there is.
void add_all(Folder& folder) {
  using detect_tests::some_scaler;
  folder.add<float>("published",
                    {detect_tests::published_member(detect_tests::small_net<float>(), 1)},
                    some_scaler<float>(9));
  folder.add<double>("doubles",
                     {detect_tests::whitened_member(detect_tests::small_net<double>(), 2)},
                     some_scaler<double>(9));
  folder.add<float>("centers",
                    {detect_tests::centers_member(detect_tests::small_net<float>(), 3),
                     detect_tests::centers_member(detect_tests::small_net<float>(), 4),
                     detect_tests::published_member(detect_tests::small_net<float>(), 5)},
                    some_scaler<float>(9));
  const auto net = dense_autoencoder<float>(16, {9, 7}, sigmoid(), tanh());
  folder.add<float>("contrast",
                    {member_of(net, 6, whole<float>(16, 1, 1), whole<float>(7, 0.5, 2))},
                    {detail::ContrastNormalizer<float>(0.03)});
  folder.add<float>("softened", {member_of(net, 7, plain<float>(16, 1), whole<float>(7, 0.5, 3))},
                    {detail::Softener<float>({2, 2, 4})});
  // An encoder alone, of layers without a bias and with batch norm over features: Deep SVDD's.
  Network<float> encoder;
  encoder.add(dense<float>(9, 12, false)).add(batch_norm<float>(12)).add(relu());
  encoder.add(dense<float>(12, 3, false));
  folder.add<float>("encoder",
                    {member_of(autoencoder(encoder), 8, plain<float>(9, 0), plain<float>(3, 1))});
  Network<float> all, back;
  all.add(dense<float>(9, 9));
  for (const auto& row : detail::activation_table)
    all.add(Activation(row.name)).add(dense<float>(9, 9));
  all.add(Activation("elu", 0.5))
      .add(Activation("leaky_relu", 0.2))
      .add(batch_norm<float>(9))
      .add(tanh());
  back.add(dense<float>(9, 9)).add(sigmoid()).add(batch_norm<float>(9));
  folder.add<float>("activations", {member_of(Autoencoder<float>(all, back), 9, plain<float>(9, 1),
                                              plain<float>(9, 1))});
  folder.add<float>("lenet", {member_of(conv_autoencoder<float>({1, 8, 8}, {3, 2}, 5), 10,
                                        plain<float>(64, 1), plain<float>(5, 0.1))});
  // Strides, paddings, several channels, layers that meet without an activation, a pool of overlapping windows.
  Network<float> down, up;
  const auto c1 = conv2d<float>({2, 7, 6}, 3, 3, 2, 1);        // 3 x 4 x 3
  const auto p1 = max_pool2d<float>(c1.output_shape(), 2, 1);  // 3 x 3 x 2
  down.add(c1)
      .add(leaky_relu())
      .add(batch_norm<float>(c1.output_shape()))
      .add(p1)
      .add(Activation("gelu"));
  const auto t1 = conv_transpose2d<float>(p1.output_shape(), 2, 4, 2, 1, false);  // 2 x 6 x 4
  const auto u1 = upsample_nearest2d<float>(t1.output_shape(), 2);                // 2 x 12 x 8
  const auto c2 = conv2d<float>(u1.output_shape(), 2, 6, 1, 0);                   // 2 x 7 x 3
  const auto t2 = conv_transpose2d<float>(c2.output_shape(), 2, 3, 3, 2);         // 2 x 17 x 5
  up.add(t1).add(u1).add(c2).add(t2).add(Activation("silu")).add(dense<float>(2 * 17 * 5, 84));
  folder.add<float>("images", {member_of(Autoencoder<float>(down, up), 11, plain<float>(84, 1),
                                         plain<float>(18, 0.1))});
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// One program of all headers: reads each case's rows in turn and writes a line "score decision" for each, then the
/// outcome of the self-test.
std::string program(const std::vector<Case>& cases) {
  // The C library's headers first: they ask which CPU it is, too.
  std::string body,
      text =
          "#include <float.h>\n#include <math.h>\n#include <stdint.h>\n#include <stdio.h>\n"
          "#ifdef NO_FMA\n#undef __x86_64__\n#undef __i386__\n#undef __FMA__\n#undef "
          "__FP_FAST_FMAF\n"
          "#endif\n";
  for (const Case& c : cases) {
    text += "#include \"" + c.name + ".h\"\n";
    body += "  for (i = 0; i < 40; ++i) {\n    float row[" + std::to_string(c.features) +
            "];\n    if (fread(row, sizeof row, 1, stdin) != 1) return 1;\n    printf(\"%.9g "
            "%d\\n\", (double)" +
            c.name + "_score(row), " + c.name + "_is_anomaly(row));\n  }\n  printf(\"%d\\n\", " +
            c.name + "_self_test() && sizeof(" + c.name + "_memory) > 0 && " + upper(c.name) +
            "_FEATURES == " + std::to_string(c.features) + ");\n";
  }
  return text + "int main(void) {\n  int i;\n" + body + "  return 0;\n}\n";
}

struct Outcomes {
  std::vector<float> scores;
  std::vector<int> decisions;
  bool self_test = false;
};

/// Compiles the headers and scores every case's rows.
std::vector<Outcomes> compiled(Folder& folder, const std::string& flags) {
  const std::string source = folder.put("program.c", program(folder.cases)),
                    rows = folder.path("rows"), out = folder.path("out");
  std::ofstream file(rows, std::ios::binary);
  for (const Case& c : folder.cases) {
    const RowMatrix<float> X = Folder::rows(c.features);
    file.write(reinterpret_cast<const char*>(X.data()), static_cast<std::streamsize>(X.size() * 4));
  }
  file.close();
  const std::string binary = folder.path("program");
  const std::string command =
      std::string(DASVDD_TEST_CC) + " -std=c99 -Wall -Wextra -pedantic -Werror " + flags + " '" +
      source + "' -o '" + binary + "' -lm && '" + binary + "' < '" + rows + "' > '" + out + "'";
  REQUIRE(std::system(command.c_str()) == 0);
  std::ifstream in(out);
  std::vector<Outcomes> all;
  for (std::size_t k = 0; k < folder.cases.size(); ++k) {
    Outcomes one;
    for (int i = 0; i < 40; ++i) {
      std::string score;  // not as a number: infinity is "inf"
      int decision = -1;
      in >> score >> decision;
      one.scores.push_back(std::strtof(score.c_str(), nullptr));
      one.decisions.push_back(decision);
    }
    int good = 0;
    in >> good;
    one.self_test = good == 1;
    REQUIRE(in);
    all.push_back(one);
  }
  return all;
}

template <class Scalar>
void check_scores(const Folder& folder, const Case& c, const Outcomes& outcomes) {
  const auto detector = load<Scalar>(folder.path(c.name + ".model"));
  const RowMatrix<float> X = Folder::rows(c.features);
  const auto scores = detector.score(RowMatrix<Scalar>(X.cast<Scalar>()));
  double largest = 0;
  for (Index i = 0; i < 40; ++i) {
    const std::size_t at = static_cast<std::size_t>(i);
    const double expected = static_cast<double>(scores[i]);
    const double difference =
        std::fabs(static_cast<double>(outcomes.scores[at]) - expected) / expected;
    largest = std::max(largest, difference);
    if (std::fabs(expected / detector.threshold() - 1) > 1e-5)
      CHECK(outcomes.decisions[at] == detector.is_anomaly(scores[i]));
  }
  INFO(c.name, ": ", largest);
  CHECK(largest < 1e-5);
  CHECK(outcomes.self_test);
}

}  // namespace

TEST_CASE("tool: a frozen detector of any kind gives the library's scores, in one C99 program") {
  Folder folder;
  add_all(folder);
  for (const Case& c : folder.cases) {
    const Outcome outcome = dasvdd_tool({"freeze", folder.path(c.name + ".model"), "-o",
                                         folder.path(c.name + ".h"), "--name", c.name});
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(contains(outcome.out, "features " + std::to_string(c.features) + "\n"));
  }
  // Once with fused multiply-adds as the CPU has them, once as a device without them computes.
  for (const char* flags : {"-O1", "-O1 -DNO_FMA"}) {
    const std::vector<Outcomes> all = compiled(folder, flags);
    for (std::size_t k = 0; k < all.size(); ++k) {
      const Case& c = folder.cases[k];
      c.doubles ? check_scores<double>(folder, c, all[k]) : check_scores<float>(folder, c, all[k]);
    }
  }
}

TEST_CASE(
    "tool: a detector frozen in eight bits gives the scores that freeze measured its cost by") {
  Folder folder;
  add_all(folder);
  std::vector<std::vector<float>> expected;
  for (const Case& c : folder.cases) {
    const RowMatrix<float> X = Folder::rows(c.features);
    std::string table;
    for (Index i = 0; i < 40; ++i) {
      for (Index j = 0; j < c.features; ++j)
        table += (j > 0 ? "," : "") + tool::number_text(X(i, j));
      table += "\n";
    }
    const std::string rows = folder.put("rows.csv", table);
    const Outcome outcome =
        dasvdd_tool({"freeze", folder.path(c.name + ".model"), "-o", folder.path(c.name + ".h"),
                     "--name", c.name, "--int8", rows});
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(contains(outcome.out, "\nscore_error median "));
    const auto model = c.doubles
                           ? tool::FrozenModel::of(load<double>(folder.path(c.name + ".model")))
                           : tool::FrozenModel::of(load<float>(folder.path(c.name + ".model")));
    const tool::FrozenBytes bytes(model, X);
    expected.emplace_back();
    for (Index i = 0; i < 40; ++i) expected.back().push_back(bytes.score(X.row(i).data()));
  }
  const std::vector<Outcomes> all = compiled(folder, "-O1");
  for (std::size_t k = 0; k < all.size(); ++k) {
    INFO(folder.cases[k].name);
    CHECK(all[k].self_test);
    // A number halfway between two of eight bits may be rounded either way by other code: now and then a score
    // differs by what one step makes of it.
    int different = 0;
    for (std::size_t i = 0; i < 40; ++i) {
      const float difference = std::fabs(all[k].scores[i] - expected[k][i]) / expected[k][i];
      different += difference > 1e-4f;
      CHECK(difference < 0.05f);
    }
    CHECK(different <= 4);
    // Eight bits are not far from the detector itself.
    const Case& c = folder.cases[k];
    const RowMatrix<float> X = Folder::rows(c.features);
    const Eigen::VectorXd exact =
        c.doubles
            ? Eigen::VectorXd(load<double>(folder.path(c.name + ".model"))
                                  .score(RowMatrix<double>(X.cast<double>())))
            : Eigen::VectorXd(load<float>(folder.path(c.name + ".model")).score(X).cast<double>());
    double sum = 0;
    for (Index i = 0; i < 40; ++i)
      sum +=
          std::fabs(static_cast<double>(expected[k][static_cast<std::size_t>(i)]) / exact[i] - 1);
    CHECK(sum / 40 < 0.1);
  }
}

TEST_CASE("tool: rows too far out, or with NaN, get infinity from a frozen detector") {
  Folder folder;
  folder.add<float>("far", {detect_tests::published_member(detect_tests::small_net<float>(), 1)});
  REQUIRE(
      dasvdd_tool({"freeze", folder.path("far.model"), "-o", folder.path("far.h"), "--name", "far"})
          .status == 0);
  const std::string source = folder.put("far.c", R"(#include "far.h"
#include <stdio.h>
int main(void) {
  float row[9] = {1e38f, 0, 0, 0, 0, 0, 0, 0, 3e38f};
  far_memory mine;
  printf("%d %d ", far_score(row) > FLT_MAX, far_is_anomaly(row));
  row[8] = row[0] * 10.0f - row[0] * 10.0f;
  printf("%d ", far_score(row) > FLT_MAX);
  printf("%d\n", far_score_in(far_test_row, &mine) == far_score(far_test_row));
  return 0;
}
)");
  const std::string out = folder.path("out"), binary = folder.path("far");
  REQUIRE(std::system((std::string(DASVDD_TEST_CC) + " -std=c99 -Wall -Wextra -pedantic -Werror '" +
                       source + "' -o '" + binary + "' -lm && '" + binary + "' > '" + out + "'")
                          .c_str()) == 0);
  CHECK(content(out) == "1 1 1 1\n");
}

// What rounding makes of a residual is divided by the residual's deviations, which are small where the net reconstructs
// well: with activations of eight bits the median error here is 0.097, with twelve 0.044, which is the weights'.
TEST_CASE("tool: activations of a whitened score have twelve bits, which keeps its error small") {
  const RowMatrix<float> X = curve<float>(400, 8, 1), fresh = curve<float>(200, 8, 2);
  FitOptions options;
  options.ensemble_size = 3;
  options.steps = 600;
  options.threads = 1;
  const auto detector = fit(X, options);
  const auto model = tool::FrozenModel::of(detector);
  const tool::FrozenBytes bytes(model, X);
  const auto scores = detector.score(fresh);
  std::vector<double> errors;
  for (Index i = 0; i < fresh.rows(); ++i)
    errors.push_back(std::fabs(bytes.score(fresh.row(i).data()) / scores[i] - 1));
  MESSAGE("median error " << detail::quantile(errors, 0.5));
  CHECK(bytes.half() == 2048);
  CHECK(detail::quantile(errors, 0.5) < 0.06);
}

TEST_CASE(
    "tool: freeze says what eight bits cost, by labelled rows, and makes them by the normal ones") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(120, 0)), model = folder / "m";
  REQUIRE(dasvdd_tool(fit_arguments(train, model, by_label)).status == 0);
  const std::string test = folder.put("test.csv", csv(60, 20, "0", "1", 2));
  const std::string header = folder / "m.h";
  const Outcome plain_float = dasvdd_tool({"freeze", model, "-o", header});
  CHECK(plain_float.status == 0);
  CHECK(contains(content(header), "#define MODEL_FEATURES 3\n"));
  CHECK(!contains(content(header), "int8_t"));
  CHECK(!contains(content(header), "math.h"));  // leaky ReLU needs none of it
  const Outcome eight = dasvdd_tool(
      {"freeze", model, "-o", header, "--int8", test, "--label-column", "label", "--name", "pump"});
  CHECK(eight.status == 0);
  CHECK(contains(content(header), "#define PUMP_FEATURES 3\n"));
  const auto said = lines(eight.out);
  REQUIRE(said.size() == 9);
  CHECK(said[0] == "features 3");
  CHECK(said[1] == "nets 1");
  CHECK(contains(said[5], "score_error median 0.0"));
  CHECK(contains(said[6], "decisions_changed "));
  CHECK(contains(said[6], " of 80"));
  CHECK(contains(said[7], "roc_auc float 0.9"));
  CHECK(contains(said[7], ", int8 0.9"));
  // Only the normal rows decide: without the anomalies the header is the same.
  const std::string first = content(header);
  const std::string normal = folder.put("normal.csv", csv(60, 0, "0", "1", 2));
  const Outcome again = dasvdd_tool({"freeze", model, "-o", header, "--int8", normal,
                                     "--label-column", "label", "--name", "pump"});
  CHECK(again.status == 0);
  CHECK(content(header) == first);
  CHECK(!contains(again.out, "roc_auc"));
}

TEST_CASE("tool: freeze refuses what it can't use, each in one sentence") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(60, 0)), model = folder / "m";
  REQUIRE(dasvdd_tool(fit_arguments(train, model, by_label)).status == 0);
  const std::string header = folder / "m.h";
  check_failure({"freeze", model, "-o", header, "--name", "8bit"}, 2,
                "--name is '8bit', expected a name in C");
  check_failure({"freeze", model, "-o", header, "--name", "a-b"}, 2, "--name is 'a-b'");
  check_failure({"freeze", model, "-o", header, "--name", ""}, 2, "--name");
  check_failure({"freeze", folder / "none", "-o", header}, 2, "there is no such file");
  check_failure({"freeze", model, "-o", folder / "none/m.h"}, 2, "there is no folder");
  check_failure({"freeze", model}, 2, "-o is required");
  check_failure({"freeze", model, "-o", header, "--normal", "0"}, 2, "--int8");
  check_failure({"freeze", model, "-o", header, "--int8", train}, 2, "train.csv");
  const std::string infinite = folder.put("inf.csv", "a,b,c,label\n1,2,3,0\n1e300,1e300,1e300,0\n");
  check_failure({"freeze", model, "-o", header, "--int8", infinite, "--label-column", "label"}, 2,
                "line 3: the row is so far out that its score is infinity");
  // A few values far from all others would decide the bits of all.
  const std::string far = folder.put("far.csv", csv(60, 0) + "1e30,0,0,0\n"),
                    bits = folder / "far.h";
  const Outcome frozen =
      dasvdd_tool({"freeze", model, "-o", bits, "--int8", far, "--label-column", "label"});
  CAPTURE(frozen.err);
  CHECK(contains(frozen.err,
                 "eight bits are chosen without 1 of the 61 normal rows of '" + far + "'"));
  dasvdd_tool(
      {"freeze", model, "-o", folder / "near.h", "--int8", train, "--label-column", "label"});
  CHECK(content(bits) == content(folder / "near.h"));
  const std::string only_anomalies = folder.put("bad.csv", csv(0, 5));
  check_failure(
      {"freeze", model, "-o", header, "--int8", only_anomalies, "--label-column", "label"}, 2,
      "has no normal row");
  CHECK(!std::filesystem::exists(header));
}

#endif
