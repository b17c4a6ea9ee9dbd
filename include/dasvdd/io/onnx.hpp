#pragma once
/// \file
/// A detector as an ONNX file, for inference engines: `detail::to_onnx(detector)`. Needs protozero
/// (header-only; Debian: libprotozero-dev).
///
/// The whole detector is in the graph. Row by row:
///
/// | value | type, shape | meaning |
/// | --- | --- | --- |
/// | input `x` | S, n x d | the rows, as Detector::score takes them |
/// | input `threshold` | S, 1 | scores above it are anomalies; has the detector's as default |
/// | output `score` | S, n | Detector::score |
/// | output `is_anomaly` | bool, n | score > threshold |
/// | output `p_value` | S, n | Detector::p_value; only where the detector is calibrated |
///
/// S is float, or double for a detector in double. docs/onnx.md says what else holds, and what not.

#include <dasvdd/core/random.hpp>
#include <dasvdd/core/version.hpp>
#include <dasvdd/detect/score_term.hpp>
#include <dasvdd/detect/self_test.hpp>
#include <dasvdd/io/model_layout.hpp>
#include <dasvdd/io/onnx_graph.hpp>
#include <dasvdd/kernels/polynomials.hpp>
#include <dasvdd/nn/batch_norm.hpp>
#include <dasvdd/nn/conv2d.hpp>
#include <dasvdd/nn/conv_transpose2d.hpp>
#include <dasvdd/nn/max_pool2d.hpp>
#include <dasvdd/nn/upsample_nearest2d.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The version of what the graph's inputs, outputs and metadata mean.
inline constexpr int onnx_format_version = 1;

struct OnnxOptions {
  /// Dense layers as MatMul and Add in place of Gemm, which some importers refuse.
  bool matmul = false;
  /// A detector in double becomes a graph in float, which more engines run.
  bool as_float = false;
};

/// Writes one detector as a graph whose numbers are of type T.
template <class Scalar, class T>
class OnnxExport {
 public:
  OnnxExport(const Detector<Scalar>& detector, const OnnxOptions& options)
      : detector_(detector), model_(detector.model()), options_(options) {}

  std::string bytes() {
    const Index d = detector_.features();
    ensure(model_.scaler.missing() == MissingRule::refuse,
           "the detector takes rows with missing values, which an ONNX graph of it can't: fit one "
           "that refuses them");
    graph_.input("x", number_type, {0, d}, "rows, one a sample; finite numbers");
    graph_.input("threshold", number_type, {1}, "scores above it are anomalies");
    const T threshold = rounded_down<T>(detector_.threshold());
    graph_.constant("threshold", {1}, &threshold);

    const std::string row = scaled();
    std::vector<std::string> terms;
    for (std::size_t k = 0; k < model_.members.size(); ++k) add_member(k, row, terms);
    ensure(!terms.empty(),
           "the detector's score is zero whatever the row is, so there is nothing to export");
    add_score(terms);
    graph_.output("score", number_type, {0}, "larger is more anomalous");
    graph_.add("Greater", {"score", "threshold"}, "is_anomaly");
    graph_.output("is_anomaly", onnx::DataType::BOOL, {0}, "score > threshold");
    if (!detector_.calibration().empty()) {
      add_p_value();
      graph_.output("p_value", number_type, {0},
                    "the probability that a normal row scores at least as high");
    }
    return graph_.model(DASVDD_VERSION_STRING,
                        "An anomaly detector: a larger score is more anomalous.", words());
  }

 private:
  static constexpr onnx::DataType number_type = OnnxDataTypeOf<T>::value;
  static constexpr bool is_float = std::is_same_v<T, float>;

  /// A value of the graph and how its rows lie: flat, or as images.
  struct Value {
    std::string name;
    Index size;
    std::optional<Shape> image = {};
  };

  // ---- constants --------------------------------------------------------------------------------

  template <class Number>
  std::string constant(const std::string& name, const std::vector<Index>& shape, const Number* data,
                       Index size) {
    std::vector<T> numbers(static_cast<std::size_t>(size));
    for (Index i = 0; i < size; ++i) {
      numbers[static_cast<std::size_t>(i)] = static_cast<T>(data[i]);
    }
    return graph_.constant(name, shape, numbers.data());
  }
  template <class Number>
  std::string constant(const std::string& name, const std::vector<Number>& numbers) {
    const Index size = static_cast<Index>(numbers.size());
    return constant(name, {size}, numbers.data(), size);
  }
  /// A single number, once however often it is used.
  std::string number(double value) {
    const std::string name = "number " + text(value);
    if (known_.insert(name).second) constant(name, {}, &value, 1);
    return name;
  }
  std::string integers(const std::string& name, const std::vector<Index>& numbers) {
    const std::vector<std::int64_t> wide(numbers.begin(), numbers.end());
    return graph_.constant(name, {static_cast<Index>(wide.size())}, wide.data());
  }
  std::string integer(const std::string& name, Index value) {
    const std::int64_t wide = value;
    return graph_.constant(name, {}, &wide);
  }
  /// As many digits as read back the same number.
  template <class Number>
  static std::string text(Number value) {
    char digits[64];
    return std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  // ---- shapes -----------------------------------------------------------------------------------

  /// The size 0 stands for the number of rows: no rows are rows too.
  std::string reshaped(const std::string& value, const std::vector<Index>& shape,
                       const std::string& output) {
    return graph_.add("Reshape", {value, integers(output + ".shape", shape)}, output);
  }
  Value as_image(const Value& value, const Shape& image, const std::string& name) {
    if (value.image == image) return value;
    return {reshaped(value.name, {0, image.channels, image.height, image.width}, name + ".image"),
            value.size, image};
  }
  Value flat(const Value& value, const std::string& name) {
    if (!value.image) return value;
    return {reshaped(value.name, {0, value.size}, name + ".flat"), value.size};
  }

  // ---- scalers ----------------------------------------------------------------------------------

  std::string scaled() {
    return std::visit([this](const auto& kind) { return this->scaled_by(kind); },
                      model_.scaler.kind());
  }
  std::string scaled_by(const Unscaled<Scalar>&) { return "x"; }
  /// Engines like to fold (x - mean) factor into x factor - mean factor, which loses the digits that the mean
  /// takes. The maximum with the lowest number changes nothing and stands between.
  std::string scaled_by(const Standardizer<Scalar>& scaler) {
    std::vector<double> factors;
    for (const double scale : scaler.scale()) factors.push_back(1 / scale);
    const auto difference =
        graph_.add("Sub", {"x", constant("scaler.mean", scaler.mean())}, "scaler.difference");
    const auto lowest = number(static_cast<double>(std::numeric_limits<T>::lowest()));
    const auto centered = graph_.add("Max", {difference, lowest}, "scaler.centered");
    return graph_.add("Mul", {centered, constant("scaler.factor", factors)}, "scaler.result");
  }
  /// The mean is taken twice, the second time of what the first one left: rows far from zero then lose
  /// no digits.
  std::string scaled_by(const ContrastNormalizer<Scalar>& scaler) {
    const std::vector<OnnxAttribute> over_row = {{"axes", std::vector<std::int64_t>{1}},
                                                 {"keepdims", std::int64_t(1)}};
    const auto mean = [&](const std::string& of, const std::string& name) {
      return graph_.add("ReduceMean", {of}, name, over_row);
    };
    const auto nearly =
        graph_.add("Sub", {"x", mean("x", "scaler.first_mean")}, "scaler.nearly_centered");
    const auto centered =
        graph_.add("Sub", {nearly, mean(nearly, "scaler.second_mean")}, "scaler.centered");
    const auto squares = graph_.add("Mul", {centered, centered}, "scaler.squares");
    const auto variance = graph_.add(
        "Add", {mean(squares, "scaler.variance"), number(scaler.floor())}, "scaler.floored");
    const auto deviation = graph_.add("Sqrt", {variance}, "scaler.deviation");
    return graph_.add("Div", {centered, deviation}, "scaler.result");
  }
  std::string scaled_by(const Softener<Scalar>& scaler) {
    require_float("softened images");
    const Shape& image = scaler.image();
    std::vector<double> kernel;
    for (Index c = 0; c < image.channels; ++c) {
      for (const double weight : {1, 2, 1, 2, 4, 2, 1, 2, 1}) kernel.push_back(weight / 16);
    }
    const Value x = as_image({"x", image.size()}, image, "scaler.row");
    const auto weights = constant("scaler.kernel", {image.channels, 1, 3, 3}, kernel.data(),
                                  static_cast<Index>(kernel.size()));
    std::vector<OnnxAttribute> window = window_of(3, 1, 1);
    window.push_back({"group", std::int64_t(image.channels)});
    const auto mean = graph_.add("Conv", {x.name, weights}, "scaler.mean", window);
    const auto root =
        graph_.add("Sqrt", {graph_.add("Abs", {mean}, "scaler.absolute")}, "scaler.root");
    const auto sign = graph_.add("Sign", {mean}, "scaler.sign");
    const auto result = graph_.add("Mul", {sign, root}, "scaler.softened");
    return flat({result, image.size(), image}, "scaler.result").name;
  }

  // ---- nets -------------------------------------------------------------------------------------

  void add_member(std::size_t k, const std::string& row, std::vector<std::string>& terms) {
    const Member<Scalar>& member = model_.members[k];
    const Autoencoder<Scalar>& net = member.network.net();
    const std::string prefix = member_prefix(k, model_.members.size());
    const auto& steps = net.joined().steps();
    const auto code_steps = static_cast<std::size_t>(net.code_steps());
    const std::size_t last = member.uses_decoder() ? steps.size() : code_steps;
    Value value{row, net.inputs()}, code;
    for (std::size_t l = 0; l < last; ++l) {
      const bool encodes = l < code_steps;
      // The joined net counts its layers through; in names each half counts its own.
      const auto& own = encodes ? net.encoder().steps()[l] : net.decoder().steps()[l - code_steps];
      value = add_step(member, steps[l], value,
                       sentence(prefix, encodes ? "encoder." : "decoder.", own.position));
      if (l + 1 == code_steps) code = value = flat(value, prefix + "code");
    }
    const Value output = flat(value, prefix + "output");
    if (member.reconstruction.weight() > 0) {
      const auto residual = graph_.add("Sub", {output.name, row}, prefix + "residual");
      terms.push_back(add_term(member.reconstruction, residual, prefix + "score.reconstruction"));
    }
    if (member.latent.weight() > 0) {
      const std::string name = prefix + "score.latent";
      const std::string offset =
          member.decodes_code()
              ? from_nearest(member.latent, output.name, name)
              : graph_.add("Sub",
                           {code.name, constant(prefix + "center", {net.code()},
                                                member.center.data(), net.code())},
                           prefix + "offset");
      terms.push_back(add_term(member.latent, offset, name));
    }
  }

  /// \param name "encoder.3": what the names of its values and constants begin with
  Value add_step(const Member<Scalar>& member, const Step<Scalar>& step, const Value& in,
                 const std::string& name) {
    const Scalar* w = member.parameters.data() + step.weight_at;
    if (step.kind == Step<Scalar>::Kind::activation) {
      return {activated(step.activation, in.name, name), in.size, in.image};
    }
    if (step.kind == Step<Scalar>::Kind::dense) {
      const std::string result = dense(
          flat(in, name).name, w, step.bias ? member.parameters.data() + step.bias_at : nullptr,
          step.outputs, step.inputs, name);
      return {activated(step.activation, result, name), step.outputs};
    }
    const Layer<Scalar>& layer = *step.layer;
    if (const auto* norm = dynamic_cast<const BatchNorm<Scalar>*>(&layer)) {
      return normalized(*norm, w, member.statistics.data() + step.statistics_at, in, name);
    }
    if (const auto* convolution = dynamic_cast<const Convolution<Scalar>*>(&layer)) {
      return convolved(*convolution, w, in, name);
    }
    if (const auto* pool = dynamic_cast<const MaxPool2d<Scalar>*>(&layer)) {
      require_float("maximum pooling");
      const Value x = as_image(in, pool->input_shape(), name);
      const std::vector<double> numbers = layer.spec().numbers;
      const auto result = graph_.add("MaxPool", {x.name}, name + ".result",
                                     window_of(whole(numbers[3]), whole(numbers[4]), 0));
      return {result, layer.outputs(), pool->output_shape()};
    }
    if (const auto* upsample = dynamic_cast<const UpsampleNearest2d<Scalar>*>(&layer)) {
      return upsampled(*upsample, in, name);
    }
    const std::string kind = layer.spec().name;
    ensure(false, "layer ", name, kind.empty() ? std::string() : " ('" + kind + "')",
           " is a layer of your own, for which ONNX has no operator");
    return in;
  }

  /// rows W^T + b.
  /// \param w outputs x inputs, row by row \param bias null where there is none
  template <class Number>
  std::string dense(const std::string& rows, const Number* w, const Number* bias, Index outputs,
                    Index inputs, const std::string& name) {
    std::vector<std::string> operands = {rows};
    if (options_.matmul) {
      const RowMatrix<Number> transposed =
          Eigen::Map<const RowMatrix<Number>>(w, outputs, inputs).transpose();
      operands.push_back(constant(name + ".weight_transposed", {inputs, outputs}, transposed.data(),
                                  transposed.size()));
    } else {
      operands.push_back(constant(name + ".weight", {outputs, inputs}, w, outputs * inputs));
    }
    const std::string added = bias ? constant(name + ".bias", {outputs}, bias, outputs) : "";
    if (options_.matmul) {
      const auto product = graph_.add("MatMul", operands, name + ".product");
      return bias ? graph_.add("Add", {product, added}, name + ".sum") : product;
    }
    if (bias) operands.push_back(added);
    return graph_.add("Gemm", operands, name + ".sum", {{"transB", std::int64_t(1)}});
  }

  /// The forms that need exp are written out: not every engine has the operators in double.
  std::string activated(const Activation& f, const std::string& x, const std::string& name) {
    const auto add = [&](const char* op, const std::vector<std::string>& inputs, const char* end) {
      return graph_.add(op, inputs, name + "." + end);
    };
    // scale (max(x, 0) + alpha (exp(min(x, 0)) - 1))
    const auto exponential = [&](double alpha) {
      const auto power = add("Exp", {add("Min", {x, number(0)}, "negative")}, "exp");
      const auto below =
          add("Mul", {add("Sub", {power, number(1)}, "expm1"), number(alpha)}, "below");
      return add("Add", {add("Relu", {x}, "positive"), below}, "activation");
    };
    switch (f.kind()) {
      case ActivationKind::identity:
        return x;
      case ActivationKind::relu:
        return add("Relu", {x}, "activation");
      case ActivationKind::leaky_relu:
        if (is_float) {
          return graph_.add("LeakyRelu", {x}, name + ".activation",
                            {{"alpha", static_cast<float>(f.parameter())}});
        }
        return add("Max", {x, add("Mul", {x, number(f.parameter())}, "sloped")}, "activation");
      case ActivationKind::elu:
        return exponential(f.parameter());
      case ActivationKind::selu:
        return add("Mul", {exponential(kernels::selu_alpha), number(kernels::selu_scale)},
                   "scaled");
      case ActivationKind::gelu: {
        require_float("gelu");
        const auto erf = add("Erf", {add("Mul", {x, number(std::sqrt(0.5))}, "argument")}, "erf");
        const auto share =
            add("Mul", {add("Add", {erf, number(1)}, "twice"), number(0.5)}, "share");
        return add("Mul", {x, share}, "activation");
      }
      case ActivationKind::silu:
        return add("Mul", {x, add("Sigmoid", {x}, "sigmoid")}, "activation");
      case ActivationKind::softplus: {
        const auto power =
            add("Exp", {add("Neg", {add("Abs", {x}, "absolute")}, "negative")}, "exp");
        const auto rest = add("Log", {add("Add", {power, number(1)}, "above_one")}, "log");
        return add("Add", {add("Relu", {x}, "positive"), rest}, "activation");
      }
      case ActivationKind::tanh:
        return add("Tanh", {x}, "activation");
      case ActivationKind::sigmoid:
        return add("Sigmoid", {x}, "activation");
    }
    throw InvalidArgument(sentence("the activation ", f.name(), " has no form in ONNX"));
  }

  /// (x - mean) factor + shift, in this order: with the mean folded into the shift digits would be lost.
  Value normalized(const BatchNorm<Scalar>& norm, const Scalar* w, const Scalar* statistics,
                   const Value& in, const std::string& name) {
    const Index channels = norm.shape().channels;
    const bool table = !in.image && norm.shape().plane() == 1;
    const Value x = table ? in : as_image(in, norm.shape(), name);
    const std::vector<Index> shape =
        table ? std::vector<Index>{channels} : std::vector<Index>{channels, 1, 1};
    std::vector<Scalar> factors;
    for (Index c = 0; c < channels; ++c) {
      const Scalar inverse = norm.inverse_deviation(statistics[channels + c]);
      factors.push_back(norm.affine() ? inverse * w[c] : inverse);
    }
    const auto mean = constant(name + ".running_mean", shape, statistics, channels);
    const auto factor = constant(name + ".factor", shape, factors.data(), channels);
    const auto centered = graph_.add("Sub", {x.name, mean}, name + ".centered");
    std::string result = graph_.add("Mul", {centered, factor}, name + ".normalized");
    if (norm.affine()) {
      const auto shift = constant(name + ".bias", shape, w + channels, channels);
      result = graph_.add("Add", {result, shift}, name + ".result");
    }
    return {result, in.size, x.image};
  }

  Value convolved(const Convolution<Scalar>& layer, const Scalar* w, const Value& in,
                  const std::string& name) {
    require_float("convolutions");
    const LayerSpec spec = layer.spec();
    const Value x = as_image(in, layer.input_shape(), name);
    std::vector<std::string> operands = {x.name};
    for (const TensorSpec& tensor : layer.parameter_tensors()) {
      Index size = 1;
      for (const Index n : tensor.shape) size *= n;
      operands.push_back(constant(name + "." + tensor.name, tensor.shape, w, size));
      w += size;
    }
    const char* op = spec.name == "conv2d" ? "Conv" : "ConvTranspose";
    const auto result = graph_.add(
        op, operands, name + ".result",
        window_of(whole(spec.numbers[4]), whole(spec.numbers[5]), whole(spec.numbers[6])));
    return {result, layer.outputs(), layer.output_shape()};
  }

  Value upsampled(const UpsampleNearest2d<Scalar>& layer, const Value& in,
                  const std::string& name) {
    require_float("upsampling");
    const Value x = as_image(in, layer.input_shape(), name);
    const float scale = static_cast<float>(layer.spec().numbers[3]);
    const float scales[] = {1, 1, scale, scale};
    // The operator wants a region too, though it looks at none; an empty one.
    if (known_.insert("no_region").second) graph_.constant("no_region", {0}, scales);
    const auto result =
        graph_.add("Resize", {x.name, "no_region", graph_.constant(name + ".scales", {4}, scales)},
                   name + ".result",
                   {{"mode", std::string("nearest")},
                    {"coordinate_transformation_mode", std::string("asymmetric")},
                    {"nearest_mode", std::string("floor")}});
    return {result, layer.outputs(), layer.output_shape()};
  }

  static std::vector<OnnxAttribute> window_of(std::int64_t kernel, std::int64_t stride,
                                              std::int64_t padding) {
    using Sizes = std::vector<std::int64_t>;
    return {{"kernel_shape", Sizes{kernel, kernel}},
            {"strides", Sizes{stride, stride}},
            {"pads", Sizes{padding, padding, padding, padding}}};
  }
  static std::int64_t whole(double size) { return static_cast<std::int64_t>(size); }

  // ---- the score --------------------------------------------------------------------------------

  /// weight ||A e||^2 / divisor, one number a row.
  std::string add_term(const ScoreTerm<Scalar>& term, std::string e, const std::string& name) {
    if (term.whitened()) {
      e = dense<Scalar>(e, term.whitening().data(), nullptr, term.size(), term.size(),
                        name + ".whitening");
    }
    const auto squares =
        graph_.add("ReduceSumSquare", {e}, name + ".squares",
                   {{"axes", std::vector<std::int64_t>{1}}, {"keepdims", std::int64_t(0)}});
    return graph_.add("Mul", {squares, number(term.weight() / term.divisor())}, name);
  }

  /// a - c of the center c nearest to a, as NearestForm tells it; the distance is then taken of the center itself.
  std::string from_nearest(const ScoreTerm<Scalar>& term, const std::string& a,
                           const std::string& name) {
    const Index count = term.centers(), d = term.size();
    // In the graph's own numbers, so that offsets and bias are of the centers that it has.
    std::vector<T> centers;
    for (const Scalar entry : term.center_rows()) centers.push_back(static_cast<T>(entry));
    const NearestForm<T> form(centers.data(), count, d);
    const auto closeness =
        dense(a, form.offsets.data(), form.bias.data(), count, d, name + ".closeness");
    const auto nearest = graph_.add("ArgMax", {closeness}, name + ".nearest",
                                    {{"axis", std::int64_t(1)}, {"keepdims", std::int64_t(0)}});
    const auto rows = constant(name + ".centers", {count, d}, centers.data(), count * d);
    const auto center = graph_.add("Gather", {rows, nearest}, name + ".center");
    return graph_.add("Sub", {a, center}, name + ".offset");
  }

  /// The mean over members, and infinity for a row so far out that the net overflows: then the sum is
  /// infinite or NaN, and not below infinity.
  void add_score(const std::vector<std::string>& terms) {
    std::string sum = terms.size() > 1 ? graph_.add("Sum", terms, "sum") : terms.front();
    if (model_.members.size() > 1) {
      sum = graph_.add("Div", {sum, number(static_cast<double>(model_.members.size()))}, "mean");
    }
    const auto infinity = number(std::numeric_limits<double>::infinity());
    const auto finite = graph_.add("Less", {sum, infinity}, "is_finite");
    graph_.add("Where", {finite, sum, infinity}, "score");
  }

  /// (1 + number of calibration scores >= score) / (n + 1), by comparisons. The n ascending scores are
  /// cut into about sqrt(n) blocks of as many: first the block is found in which a row's score has its
  /// place, then the place. A row so needs memory for 2 sqrt(n) numbers and not for n.
  void add_p_value() {
    const std::vector<double>& scores = detector_.calibration().scores();
    const Index n = static_cast<Index>(scores.size());
    const Index width = static_cast<Index>(std::ceil(std::sqrt(static_cast<double>(n + 1))));
    const Index count = ceil_div(n + 1, width);
    // Infinity behind the last score: every score has a block.
    std::vector<T> blocks(static_cast<std::size_t>(count * width),
                          std::numeric_limits<T>::infinity());
    std::vector<T> ends;
    for (std::size_t i = 0; i < scores.size(); ++i) blocks[i] = rounded_down<T>(scores[i]);
    for (Index b = 1; b <= count; ++b) {
      ends.push_back(blocks[static_cast<std::size_t>(b * width - 1)]);
    }
    const auto column = reshaped("score", {0, 1}, "score.column");
    const auto counted = [&](const std::string& numbers, const std::string& name) {
      const auto below = graph_.add("Less", {numbers, column}, name + ".are_below");
      const auto ones = graph_.add("Cast", {below}, name + ".ones",
                                   {{"to", static_cast<std::int64_t>(onnx::DataType::INT64)}});
      return graph_.add("ReduceSum", {ones}, name,
                        {{"axes", std::vector<std::int64_t>{1}}, {"keepdims", std::int64_t(0)}});
    };
    const auto block =
        counted(constant("calibration.ends", {1, count}, ends.data(), count), "calibration.block");
    const auto table = constant("calibration.blocks", {count, width}, blocks.data(), count * width);
    const auto within =
        counted(graph_.add("Gather", {table, block}, "calibration.row"), "calibration.within");
    const auto before =
        graph_.add("Mul", {block, integer("calibration.width", width)}, "calibration.before");
    const auto below = graph_.add("Add", {before, within}, "calibration.below");
    const auto above =
        graph_.add("Sub", {integer("calibration.count", n + 1), below}, "calibration.above");
    const auto real = graph_.add("Cast", {above}, "calibration.share",
                                 {{"to", static_cast<std::int64_t>(number_type)}});
    graph_.add("Div", {real, number(static_cast<double>(n + 1))}, "p_value");
  }

  // ---- words ------------------------------------------------------------------------------------

  std::map<std::string, std::string> words() const {
    std::map<std::string, std::string> words;
    for (const auto& [key, word] : model_.facts) words["fact." + key] = word;
    words["format"] = "dasvdd";
    words["format_version"] = std::to_string(onnx_format_version);
    words["library_version"] = DASVDD_VERSION_STRING;
    words["members"] = std::to_string(model_.members.size());
    words["threshold"] = text(detector_.threshold());
    words["calibration_scores"] = std::to_string(detector_.calibration().scores().size());
    if (!model_.warnings.empty()) words["warnings"] = nlohmann::json(model_.warnings).dump();
    add_self_test(words);
    return words;
  }

  /// A row, and what it must get.
  void add_self_test(std::map<std::string, std::string>& words) const {
    const std::vector<Scalar> row = row_for_self_test<T>(model_);
    std::string list = "[";
    for (std::size_t j = 0; j < row.size(); ++j) list += (j > 0 ? "," : "") + text(row[j]);
    if (!all_finite(row.data(), static_cast<std::ptrdiff_t>(row.size()))) return;
    auto workspace = detector_.make_workspace(1);
    const Scalar score = detector_.score_one(row.data(), workspace);
    if (!is_finite(score)) return;  // no number that JSON knows
    words["self_test_row"] = list + "]";
    words["self_test_score"] = text(score);
    words["self_test_is_anomaly"] = detector_.is_anomaly(score) ? "1" : "0";
    if (!detector_.calibration().empty()) {
      words["self_test_p_value"] = text(detector_.p_value(score));
    }
  }

  static void require_float(const char* what) {
    ensure(
        is_float, what,
        " in double are run by no engine that we know; a graph in float (--float32) can have them");
  }

  const Detector<Scalar>& detector_;
  const Model<Scalar>& model_;
  const OnnxOptions options_;
  OnnxGraph graph_;
  std::set<std::string> known_;
};

/// The bytes of an ONNX file that scores as the detector does, within rounding; see the top of this
/// file.
/// \throws InvalidArgument for a layer that ONNX has no operator for, or where engines run it in float
///   only and the detector is in double
template <class Scalar>
std::string to_onnx(const Detector<Scalar>& detector, const OnnxOptions& options = {}) {
  if (options.as_float) return OnnxExport<Scalar, float>(detector, options).bytes();
  return OnnxExport<Scalar, Scalar>(detector, options).bytes();
}

}  // namespace detail
DASVDD_NAMESPACE_END
