#include "io/onnx_evaluator.hpp"

#include <dasvdd/detect/ensemble.hpp>
#include <dasvdd/io/onnx.hpp>
#include <dasvdd/nn/conv_autoencoder.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace dasvdd;
using namespace dasvdd::detail;
using onnx_tests::OnnxFile;

namespace {

template <class Scalar>
RowMatrix<Scalar> normal_rows(Index n, Index d, unsigned seed = 1) {
  Random random(seed);
  RowMatrix<Scalar> X(n, d);
  for (Index i = 0; i < X.size(); ++i) X.data()[i] = static_cast<Scalar>(3 + 2 * random.normal());
  return X;
}

enum class Form { plain, latent_whitened, whitened, several_centers, latent_alone };

template <class Scalar>
AlignedBuffer<Scalar> drawn(Index size, double middle, double spread, std::uint64_t seed) {
  Random random(seed);
  AlignedBuffer<Scalar> numbers(size);
  for (Scalar& number : numbers)
    number = static_cast<Scalar>(random.uniform(middle - spread, middle + spread));
  return numbers;
}

/// A detector as if it were trained: any numbers will do.
template <class Scalar>
Detector<Scalar> made(const Autoencoder<Scalar>& net, Form form = Form::plain,
                      bool standardized = true, std::uint64_t seed = 1) {
  const Index d = net.inputs(), m = net.code();
  const double width = static_cast<double>(d);
  Random random(seed);
  AlignedBuffer<Scalar> parameters(net.parameters()), statistics(net.statistics());
  net.joined().initialize(random, parameters.data(), statistics.data());
  for (Scalar& number : statistics) number += static_cast<Scalar>(random.uniform(0.2, 0.5));
  ScoreTerm<Scalar> reconstruction(d, form == Form::latent_alone ? 0 : 1, width), latent(m, 0.1, 1);
  if (form == Form::latent_whitened)
    latent = ScoreTerm<Scalar>(m, 0.1, 1, drawn<Scalar>(m * m, 0, 2, 2));
  if (form == Form::whitened || form == Form::several_centers) {
    reconstruction = ScoreTerm<Scalar>(d, 1, width, drawn<Scalar>(d * d, 0, 2, 3));
    latent = ScoreTerm<Scalar>(m, 0, 1);
  }
  if (form == Form::several_centers) {
    latent = ScoreTerm<Scalar>::nearest_of(d, 0.3, width, drawn<Scalar>(7 * d, 0, 1, 4));
  }
  PackedNetwork<Scalar> packed(net, parameters.data(), statistics.data());
  auto model = std::make_shared<Model<Scalar>>();
  model->members.push_back(Member<Scalar>{std::move(packed), std::move(parameters),
                                          std::move(statistics), drawn<Scalar>(m, 0, 0.5, 5), 0.1,
                                          std::move(reconstruction), std::move(latent)});
  if (standardized) {
    std::vector<double> mean, scale;
    for (Index j = 0; j < d; ++j)
      mean.push_back(3 + 0.1 * static_cast<double>(j)), scale.push_back(2.1);
    model->scaler = Scaler<Scalar>(Standardizer<Scalar>(mean, scale));
  }
  return Detector<Scalar>(std::move(model), 0.9);
}
template <class Scalar>
Detector<Scalar> dense_detector(Form form = Form::plain, std::uint64_t seed = 1) {
  return made(dense_autoencoder<Scalar>(5, {7, 3}), form, true, seed);
}

template <class Scalar>
std::map<std::string, onnx_tests::Value> results(const OnnxFile& file, const RowMatrix<Scalar>& X) {
  onnx_tests::Value x{{X.rows(), X.cols()}, {}};
  for (Index i = 0; i < X.size(); ++i) x.numbers.push_back(static_cast<double>(X.data()[i]));
  return file.run({{"x", x}});
}

/// Scores within 1e-5 of the library's, and decisions and p-values that follow from them.
template <class Scalar>
void check_same(const Detector<Scalar>& detector, const OnnxOptions& options = {}) {
  const OnnxFile file(to_onnx(detector, options));
  const RowMatrix<Scalar> X = normal_rows<Scalar>(9, detector.features(), 2);
  const auto expected = detector.score(X);
  const auto got = results(file, X);
  REQUIRE(got.at("score").shape == std::vector<Index>{9});
  for (Index i = 0; i < 9; ++i) {
    const std::size_t at = static_cast<std::size_t>(i);
    CHECK(got.at("score").numbers[at] ==
          doctest::Approx(static_cast<double>(expected[i])).epsilon(1e-5));
    CHECK((got.at("is_anomaly").numbers[at] != 0) == detector.is_anomaly(expected[i]));
    if (!detector.calibration().empty()) {
      CHECK(got.at("p_value").numbers[at] ==
            doctest::Approx(detector.p_value(expected[i])).epsilon(1e-6));
    }
  }
  CHECK(file.outputs.count("p_value") == (detector.calibration().empty() ? 0 : 1));
  // What every engine that we know has.
  const std::set<std::string> operators = {
      "Abs",  "Add",       "ArgMax",  "Cast",       "Conv",      "ConvTranspose",
      "Div",  "Erf",       "Exp",     "Gemm",       "Gather",    "Greater",
      "Less", "LeakyRelu", "Log",     "MatMul",     "Max",       "Min",
      "Mul",  "MaxPool",   "Neg",     "ReduceMean", "ReduceSum", "ReduceSumSquare",
      "Relu", "Sign",      "Reshape", "Resize",     "Sigmoid",   "Sqrt",
      "Sub",  "Sum",       "Tanh",    "Where"};
  for (const auto& node : file.nodes) {
    CAPTURE(node.op);
    CHECK(operators.count(node.op) == 1);
    if (options.matmul) CHECK(node.op != "Gemm");
  }
}

/// y = x + w, as a user may write it.
struct Shift {
  using Scalar = float;
  Index size;
  Index inputs() const { return size; }
  Index outputs() const { return size; }
  Index parameters() const { return size; }
  void forward(const float* w, Rows<const float> x, Rows<float> y) const {
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index j = 0; j < size; ++j) y(i, j) = x(i, j) + w[j];
    }
  }
  void backward(const float*, Rows<const float>, Rows<const float>, Rows<const float>, Rows<float>,
                float*) const {}
  LayerSpec spec() const { return {"shift", {static_cast<double>(size)}}; }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

template <class Scalar>
std::string refusal(const Detector<Scalar>& detector) {
  try {
    to_onnx(detector);
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE_TEMPLATE("onnx: every form of the score", Scalar, float, double) {
  for (const Form form : {Form::plain, Form::latent_whitened, Form::whitened, Form::several_centers,
                          Form::latent_alone}) {
    CAPTURE(static_cast<int>(form));
    const Detector<Scalar> detector = dense_detector<Scalar>(form);
    check_same(detector);
    check_same(detector, {true, false});
    check_same(detector.calibrated(normal_rows<Scalar>(50, 5, 3), false_alarm_rate(0.1)));
  }
  check_same(made(dense_autoencoder<Scalar>(5, {7, 3}), Form::plain, false));
}

TEST_CASE_TEMPLATE("onnx: every activation", Scalar, float, double) {
  for (const auto& row : activation_table) {
    if (std::is_same_v<Scalar, double> && row.name == std::string("gelu")) continue;
    CAPTURE(row.name);
    const Activation f(row.name);
    check_same(made(dense_autoencoder<Scalar>(5, {7, 3}, f, f, f), Form::plain));
  }
}

TEST_CASE("onnx: a detector in double becomes a graph in float where that is asked for") {
  const Detector<double> detector = dense_detector<double>();
  CHECK(OnnxFile(to_onnx(detector)).inputs.at("x").type == 11);
  CHECK(OnnxFile(to_onnx(detector, {false, true})).inputs.at("x").type == 1);
  check_same(detector, {false, true});
}

TEST_CASE("onnx: ensembles, nets without a decoder or biases, and one row of many layers") {
  const Detector<float> a = dense_detector<float>(Form::several_centers);
  check_same(ensemble<float>({a, dense_detector<float>(Form::whitened), a}, 2.5));
  const auto one_class =
      autoencoder(chain(dense<float>(5, 4, false), leaky_relu(), dense<float>(4, 3, false)));
  const Detector<float> without_decoder = made(one_class, Form::latent_alone);
  check_same(without_decoder);
  check_same(without_decoder, {true, false});
}

TEST_CASE("onnx: layers of images, batch norm of images and of tables") {
  check_same(made(conv_autoencoder<float>({1, 8, 8}, {2, 3}, 4), Form::latent_whitened, false));
  check_same(made(conv_autoencoder<float>({3, 4, 4}, {2}, 4), Form::plain, false));
  Network<float> encoder, decoder;
  encoder.add(conv2d<float>({2, 5, 6}, 3, 3, 2, 1)).add(relu());
  decoder.add(conv_transpose2d<float>({3, 3, 3}, 2, 3, 2, 1)).add(leaky_relu());
  decoder.add(dense<float>(50, 60));
  check_same(made(autoencoder(encoder, decoder), Form::plain));
  Network<float> to_code, from_code;
  to_code.add(dense<float>(5, 6)).add(batch_norm<float>(6)).add(relu()).add(dense<float>(6, 2));
  from_code.add(dense<float>(2, 5))
      .add(BatchNorm<float>({5, 1, 1}, 1e-3, 0.1, false))
      .add(leaky_relu(0.2));
  check_same(made(autoencoder(to_code, from_code), Form::plain));
}

TEST_CASE("onnx: scalers of images") {
  const auto with = [](Scaler<float> scaler, const Detector<float>& detector) {
    auto model = std::make_shared<Model<float>>(detector.model());
    model->scaler = std::move(scaler);
    return Detector<float>(std::move(model), detector.threshold());
  };
  const Detector<float> detector = made(dense_autoencoder<float>(24, {8, 3}), Form::plain, false);
  check_same(with(Scaler<float>(Softener<float>({2, 3, 4})), detector));
  check_same(with(Scaler<float>(ContrastNormalizer<float>(0.01)), detector));
}

// ||c||^2 / 2 is some millions, where float has steps of a quarter: far more than one center is nearer than another.
TEST_CASE("onnx: the nearest of centers that lie close together, far from the origin") {
  const Index d = 5, count = 40, n = 200;
  const AlignedBuffer<float> centers = drawn<float>(count * d, 1000, 0.1, 8);
  const AlignedBuffer<float> drawn_rows = drawn<float>(n * d, 1000, 0.1, 9);
  const auto with_centers = [&](auto scalar) {
    using Scalar = decltype(scalar);
    auto model = std::make_shared<Model<Scalar>>(dense_detector<Scalar>().model());
    AlignedBuffer<Scalar> same(count * d);
    std::copy(centers.begin(), centers.end(), same.begin());
    model->members.front().latent =
        ScoreTerm<Scalar>::nearest_of(d, 1, static_cast<double>(d), std::move(same));
    return Detector<Scalar>(model, 1);
  };

  // Rows in place of the decoder's output; without those whose choice rounding may decide.
  std::vector<float> rows;
  std::vector<Index> nearest;
  std::vector<double> distances;
  for (Index i = 0; i < n; ++i) {
    std::vector<std::pair<double, Index>> order;
    for (Index c = 0; c < count; ++c) {
      double sum = 0;
      for (Index j = 0; j < d; ++j) {
        const double e =
            static_cast<double>(drawn_rows[i * d + j]) - static_cast<double>(centers[c * d + j]);
        sum += e * e;
      }
      order.push_back({sum, c});
    }
    std::sort(order.begin(), order.end());
    if (order[1].first - order[0].first < 2e-3) continue;
    rows.insert(rows.end(), &drawn_rows[i * d], &drawn_rows[i * d] + d);
    nearest.push_back(order[0].second);
    distances.push_back(order[0].first / static_cast<double>(d));
  }
  const Index kept = static_cast<Index>(nearest.size());
  REQUIRE(kept > 100);
  REQUIRE(std::set<Index>(nearest.begin(), nearest.end()).size() > 20);

  const Detector<float> detector = with_centers(0.0f);
  const auto& term = detector.model().members.front().latent;
  AlignedBuffer<float> scratch(term.scratch(kept));
  std::vector<Index> of_library;
  term.for_nearest(kernels::best<float>(), {rows.data(), kept, d}, scratch.data(),
                   [&](Index, const float* center) {
                     of_library.push_back((center - term.center_rows().data()) / d);
                   });
  CHECK(of_library == nearest);

  for (const bool matmul : {false, true}) {
    CAPTURE(matmul);
    const OnnxFile file(to_onnx(detector, {matmul, false}));
    const std::string bias_name = "score.latent.closeness.bias";
    const std::string weight_name =
        std::string("score.latent.closeness.weight") + (matmul ? "_transposed" : "");
    const auto& bias = file.constants.at(bias_name).numbers;
    const auto& weight = file.constants.at(weight_name).numbers;
    REQUIRE(bias.size() == static_cast<std::size_t>(count));
    REQUIRE(weight.size() == static_cast<std::size_t>(count * d));
    std::vector<Index> of_graph;
    for (Index i = 0; i < kept; ++i) {
      // In float, as an engine does.
      std::vector<float> closeness;
      for (Index c = 0; c < count; ++c) {
        float sum = 0;
        for (Index j = 0; j < d; ++j) {
          const auto at = static_cast<std::size_t>(matmul ? j * count + c : c * d + j);
          sum += rows[static_cast<std::size_t>(i * d + j)] * static_cast<float>(weight[at]);
        }
        closeness.push_back(sum + static_cast<float>(bias[static_cast<std::size_t>(c)]));
      }
      of_graph.push_back(std::max_element(closeness.begin(), closeness.end()) - closeness.begin());
    }
    CHECK(of_graph == nearest);

    // The distance is that of the center itself.
    std::string decoded;
    for (const auto& node : file.nodes) {
      if (node.output == "score.latent.offset") decoded = node.inputs.front();
    }
    const onnx_tests::Value output{{kept, d}, {rows.begin(), rows.end()}};
    const auto got = file.run({{decoded, output}}).at("score.latent").numbers;
    REQUIRE(got.size() == distances.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      CHECK(got[i] == doctest::Approx(distances[i]).epsilon(1e-6));

    // A graph in float of a detector in double is of the centers in float.
    const OnnxFile narrowed(to_onnx(with_centers(0.0), {matmul, true}));
    CHECK(narrowed.constants.at(bias_name).numbers == bias);
    CHECK(narrowed.constants.at(weight_name).numbers == weight);
  }
}

TEST_CASE("onnx: the file says what it is, what it takes and what it gives") {
  auto model = std::make_shared<Model<float>>(dense_detector<float>().model());
  model->facts["line"] = "four";
  model->warnings = {"net 1: \"odd\""};
  const Detector<float> detector =
      Detector<float>(model, 0.7)
          .calibrated(normal_rows<float>(50, 5, 3), false_alarm_rate(0.1))
          .with_threshold(0.7);
  const std::string bytes = to_onnx(detector);
  CHECK(bytes == to_onnx(detector));
  const OnnxFile file(bytes);
  CHECK(file.opset == 11);
  CHECK(file.ir_version == 6);
  CHECK(file.producer == "dasvdd");
  using Shape = std::vector<std::string>;
  CHECK(file.inputs.size() == 2);
  CHECK(file.inputs.at("x").type == 1);
  CHECK(file.inputs.at("x").shape == Shape{"n", "5"});
  CHECK(file.inputs.at("threshold").type == 1);
  CHECK(file.inputs.at("threshold").shape == Shape{"1"});
  CHECK(file.outputs.size() == 3);
  CHECK(file.outputs.at("score").type == 1);
  CHECK(file.outputs.at("is_anomaly").type == 9);
  CHECK(file.outputs.at("p_value").type == 1);
  for (const auto& [name, output] : file.outputs) CHECK(output.shape == Shape{"n"});

  CHECK(file.words.at("format") == "dasvdd");
  CHECK(file.words.at("format_version") == "1");
  CHECK(file.words.at("library_version") == DASVDD_VERSION_STRING);
  CHECK(file.words.at("threshold") == "0.7");
  CHECK(file.words.at("members") == "1");
  CHECK(file.words.at("calibration_scores") == "50");
  CHECK(file.words.at("fact.line") == "four");
  CHECK(nlohmann::json::parse(file.words.at("warnings")) == nlohmann::json({"net 1: \"odd\""}));
  const auto row = nlohmann::json::parse(file.words.at("self_test_row")).get<std::vector<float>>();
  REQUIRE(row.size() == 5);
  auto workspace = detector.make_workspace(1);
  const float score = detector.score_one(row.data(), workspace);
  CHECK(std::stof(file.words.at("self_test_score")) == score);
  CHECK(file.words.at("self_test_is_anomaly") == (detector.is_anomaly(score) ? "1" : "0"));
  CHECK(std::stod(file.words.at("self_test_p_value")) == detector.p_value(score));
}

TEST_CASE("onnx: the threshold has a default, and decides in float as in double") {
  // Between two floats: the score just above it is an anomaly, the one just below is none.
  const double threshold = 0.7;
  const Detector<float> detector = dense_detector<float>().with_threshold(threshold);
  const OnnxFile file(to_onnx(detector));
  const float near = static_cast<float>(threshold);
  onnx_tests::Value scores{{3}, {}};
  for (const float s : {std::nextafter(near, 0.0f), near, std::nextafter(near, 1.0f)}) {
    scores.numbers.push_back(static_cast<double>(s));
  }
  const auto decided = file.run({{"score", scores}}).at("is_anomaly").numbers;
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK((decided[i] != 0) == detector.is_anomaly(static_cast<float>(scores.numbers[i])));
  }
  const auto other = file.run({{"score", scores}, {"threshold", {{1}, {0}}}});
  CHECK(other.at("is_anomaly").numbers == std::vector<double>{1, 1, 1});
}

TEST_CASE("onnx: p-values are those of the calibration, at and between its scores") {
  const auto model = std::make_shared<Model<float>>(dense_detector<float>().model());
  for (const int n : {1, 2, 3, 4, 15, 16, 17, 100}) {
    std::vector<double> calibration;
    for (int i = 0; i < n; ++i) calibration.push_back(0.1 * (i / 3 * 3));  // with ties, no floats
    const Detector<float> detector(model, 1, Calibration(calibration));
    onnx_tests::Value scores{{0}, {}};
    std::vector<double> expected;
    const auto ask = [&](float score) {
      scores.numbers.push_back(static_cast<double>(score));
      expected.push_back(detector.p_value(score));
    };
    ask(std::numeric_limits<float>::infinity());
    for (const double c : calibration) {
      const float near = static_cast<float>(c);
      for (const float s : {near, std::nextafter(near, -1.0f), std::nextafter(near, 1e9f)}) ask(s);
    }
    scores.shape[0] = scores.size();
    const auto got = OnnxFile(to_onnx(detector)).run({{"score", scores}}).at("p_value").numbers;
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      CHECK(got[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  }
}

TEST_CASE("onnx: a row that overflows the net has the score infinity") {
  const OnnxFile file(to_onnx(
      ensemble<float>({dense_detector<float>(), dense_detector<float>(Form::plain, 2)}, 1)));
  const double infinity = std::numeric_limits<double>::infinity();
  const auto got = file.run({{"sum", {{3}, {std::nan(""), infinity, 3}}}});
  CHECK(got.at("score").numbers == std::vector<double>{infinity, infinity, 1.5});
  CHECK(got.at("is_anomaly").numbers == std::vector<double>{1, 1, 1});
}

TEST_CASE("onnx: what no engine runs is refused in a sentence") {
  Network<float> encoder, decoder;
  encoder.add(dense<float>(5, 3)).add(Shift{3});
  decoder.add(dense<float>(3, 5));
  CHECK(refusal(made(autoencoder(encoder, decoder), Form::plain)) ==
        "layer encoder.1 ('shift') is a layer of your own, for which ONNX has no operator");
  CHECK(contains(
      refusal(made(dense_autoencoder<double>(5, {7, 3}, {}, Activation("gelu")), Form::plain)),
      "gelu in double are run by no engine that we know"));
  CHECK(contains(
      refusal(made(conv_autoencoder<double>({1, 4, 4}, {2}, 2), Form::plain, false)),
      "convolutions in double are run by no engine that we know; a graph in float (--float32)"));
  auto model = std::make_shared<Model<float>>(dense_detector<float>().model());
  model->members.front().reconstruction = ScoreTerm<float>(5, 0, 5);
  model->members.front().latent = ScoreTerm<float>(3, 0, 1);
  CHECK(contains(refusal(Detector<float>(model, 1)),
                 "the detector's score is zero whatever the row is"));
}
