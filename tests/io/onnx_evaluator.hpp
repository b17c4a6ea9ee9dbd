#pragma once
// A reader and a plain, slow evaluator of the ONNX files that the library writes, after the format's and the operators'
// published definitions, apart from the writer: field numbers stand here once more. All numbers are computed in double.

#include <dasvdd/core/types.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <vector>

namespace onnx_tests {

using dasvdd::Index;

struct Value {
  std::vector<Index> shape;
  std::vector<double> numbers;

  Index size() const { return static_cast<Index>(numbers.size()); }
};

struct Attribute {
  double number = 0;
  std::string word;
  std::vector<Index> sizes;
};

struct Node {
  std::string op, output;
  std::vector<std::string> inputs;
  std::map<std::string, Attribute> attributes;
};

struct Declared {
  int type = 0;
  std::vector<std::string> shape;  // sizes and names of sizes
};

class OnnxFile {
 public:
  explicit OnnxFile(const std::string& bytes) {
    protozero::pbf_reader model(bytes);
    while (model.next()) {
      switch (model.tag()) {
        case 1:
          ir_version = model.get_int64();
          break;
        case 2:
          producer = model.get_string();
          break;
        case 7:
          read_graph(model.get_message());
          break;
        case 8:
          read_opset(model.get_message());
          break;
        case 14:
          read_word(model.get_message());
          break;
        default:
          model.skip();
      }
    }
  }

  /// The outputs for given inputs. A value that is given already is not computed.
  std::map<std::string, Value> run(std::map<std::string, Value> values) const {
    for (const auto& [name, value] : constants) values.insert({name, value});
    for (const Node& node : nodes) {
      if (values.count(node.output)) continue;
      std::vector<Value> in;
      bool there = true;
      for (const std::string& name : node.inputs) {
        there = there && values.count(name) == 1;
        if (there) in.push_back(values.at(name));
      }
      // Without its inputs a value isn't computed: tests give values in the middle of the graph.
      if (there) values[node.output] = evaluate(node, in);
    }
    return values;
  }

  Index ir_version = 0, opset = 0;
  std::string producer;
  std::map<std::string, std::string> words;
  std::vector<Node> nodes;
  std::map<std::string, Value> constants;
  std::map<std::string, Declared> inputs, outputs;

 private:
  void read_opset(protozero::pbf_reader id) {
    while (id.next()) {
      if (id.tag() == 1) {
        CHECK(id.get_string().empty());
      } else if (id.tag() == 2) {
        opset = id.get_int64();
      } else {
        id.skip();
      }
    }
  }
  void read_word(protozero::pbf_reader entry) {
    std::string key;
    while (entry.next()) {
      if (entry.tag() == 1) {
        key = entry.get_string();
      } else {
        words[key] = entry.get_string();
      }
    }
  }
  void read_graph(protozero::pbf_reader graph) {
    while (graph.next()) {
      switch (graph.tag()) {
        case 1:
          read_node(graph.get_message());
          break;
        case 5:
          read_tensor(graph.get_message());
          break;
        case 11:
          read_value_info(graph.get_message(), inputs);
          break;
        case 12:
          read_value_info(graph.get_message(), outputs);
          break;
        default:
          graph.skip();
      }
    }
  }
  void read_node(protozero::pbf_reader message) {
    Node node;
    while (message.next()) {
      switch (message.tag()) {
        case 1:
          node.inputs.push_back(message.get_string());
          break;
        case 2:
          node.output = message.get_string();
          break;
        case 4:
          node.op = message.get_string();
          break;
        case 5: {
          std::string name;
          Attribute attribute;
          int type = 0;
          protozero::pbf_reader a = message.get_message();
          while (a.next()) {
            switch (a.tag()) {
              case 1:
                name = a.get_string();
                break;
              case 2:
                attribute.number = static_cast<double>(a.get_float());
                break;
              case 3:
                attribute.number = static_cast<double>(a.get_int64());
                break;
              case 4:
                attribute.word = a.get_string();
                break;
              case 8:
                attribute.sizes.push_back(a.get_int64());
                break;
              case 20:
                type = a.get_enum();
                break;
              default:
                FAIL("an attribute's field ", a.tag());
            }
          }
          const bool right = type == 1 || type == 2 || (type == 3 && !attribute.word.empty()) ||
                             (type == 7 && !attribute.sizes.empty());
          CHECK(right);
          node.attributes[name] = attribute;
          break;
        }
        default:
          message.skip();
      }
    }
    nodes.push_back(node);
  }
  void read_tensor(protozero::pbf_reader tensor) {
    std::string name, raw;
    Value value;
    int type = 0;
    while (tensor.next()) {
      switch (tensor.tag()) {
        case 1:
          value.shape.push_back(tensor.get_int64());
          break;
        case 2:
          type = tensor.get_int32();
          break;
        case 8:
          name = tensor.get_string();
          break;
        case 9:
          raw = tensor.get_bytes();
          break;
        default:
          FAIL("a tensor's field ", tensor.tag());
      }
    }
    const auto take = [&](auto number) {
      for (std::size_t at = 0; at + sizeof number <= raw.size(); at += sizeof number) {
        std::memcpy(&number, raw.data() + at, sizeof number);
        value.numbers.push_back(static_cast<double>(number));
      }
    };
    if (type == 1) {
      take(float());
    } else if (type == 7) {
      take(std::int64_t());
    } else {
      REQUIRE(type == 11);
      take(double());
    }
    Index size = 1;
    for (const Index n : value.shape) size *= n;
    CHECK(size == value.size());
    CHECK(constants.insert({name, value}).second);
  }
  static void read_value_info(protozero::pbf_reader message, std::map<std::string, Declared>& to) {
    std::string name;
    Declared declared;
    while (message.next()) {
      if (message.tag() == 1) {
        name = message.get_string();
      } else if (message.tag() == 2) {
        protozero::pbf_reader type = message.get_message();
        REQUIRE(type.next(1));
        protozero::pbf_reader tensor = type.get_message();
        while (tensor.next()) {
          if (tensor.tag() == 1) {
            declared.type = tensor.get_int32();
            continue;
          }
          protozero::pbf_reader shape = tensor.get_message();
          while (shape.next(1)) {
            protozero::pbf_reader size = shape.get_message();
            while (size.next()) {
              declared.shape.push_back(size.tag() == 1 ? std::to_string(size.get_int64())
                                                       : size.get_string());
            }
          }
        }
      } else {
        message.skip();
      }
    }
    to[name] = declared;
  }

  // ---- operators --------------------------------------------------------------------------------

  static Index product(const std::vector<Index>& sizes) {
    Index n = 1;
    for (const Index size : sizes) n *= size;
    return n;
  }

  template <class F>
  static Value map(const Value& x, F&& f) {
    Value y = x;
    for (double& number : y.numbers) number = f(number);
    return y;
  }

  /// Elementwise with NumPy's rule for shapes that differ.
  template <class F>
  static Value binary(const Value& a, const Value& b, F&& f) {
    const std::size_t dims = std::max(a.shape.size(), b.shape.size());
    const auto size = [&](const Value& v, std::size_t i) {
      const std::size_t missing = dims - v.shape.size();
      return i < missing ? Index(1) : v.shape[i - missing];
    };
    Value y;
    for (std::size_t i = 0; i < dims; ++i) {
      const Index m = size(a, i), n = size(b, i);
      const bool fit = m == n || m == 1 || n == 1;
      REQUIRE(fit);
      y.shape.push_back(m == 1 ? n : m);
    }
    const auto at = [&](const Value& v, Index flat) {
      Index place = 0, step = 1;
      for (std::size_t i = dims; i-- > 0; flat /= y.shape[i]) {
        const Index n = size(v, i);
        if (n > 1) place += flat % y.shape[i] * step;
        step *= n;
      }
      return v.numbers[static_cast<std::size_t>(place)];
    };
    for (Index i = 0; i < product(y.shape); ++i) y.numbers.push_back(f(at(a, i), at(b, i)));
    return y;
  }

  /// rows x columns of each row's F over its numbers; the axis 1 of two.
  template <class F>
  static Value reduce(const Node& node, const Value& x, F&& f) {
    REQUIRE(x.shape.size() == 2);
    REQUIRE(node.attributes.at("axes").sizes == std::vector<Index>{1});
    Value y{{x.shape[0]}, {}};
    if (node.attributes.at("keepdims").number != 0) y.shape.push_back(1);
    for (Index i = 0; i < x.shape[0]; ++i) {
      const auto row = x.numbers.begin() + i * x.shape[1];
      y.numbers.push_back(f(std::vector<double>(row, row + x.shape[1])));
    }
    return y;
  }

  static Value matrix_product(const Value& a, const Value& b, bool transposed) {
    const Index n = a.shape.at(0), inner = a.shape.at(1),
                columns = transposed ? b.shape.at(0) : b.shape.at(1);
    REQUIRE(inner == (transposed ? b.shape[1] : b.shape[0]));
    Value y{{n, columns}, {}};
    for (Index i = 0; i < n; ++i) {
      for (Index j = 0; j < columns; ++j) {
        double sum = 0;
        for (Index k = 0; k < inner; ++k) {
          const Index place = transposed ? j * inner + k : k * columns + j;
          sum += a.numbers[static_cast<std::size_t>(i * inner + k)] *
                 b.numbers[static_cast<std::size_t>(place)];
        }
        y.numbers.push_back(sum);
      }
    }
    return y;
  }

  /// Conv, ConvTranspose and MaxPool visit the same places; visit(image, group's first channel in, channel out,
  /// from, to, kernel place).
  static Value convolution(const Node& node, const std::vector<Value>& in) {
    const bool transposed = node.op == "ConvTranspose";
    const Value &x = in[0], &w = in[1];
    const Index stride = node.attributes.at("strides").sizes.at(0),
                padding = node.attributes.at("pads").sizes.at(0),
                kernel = node.attributes.at("kernel_shape").sizes.at(0);
    const auto group = node.attributes.find("group");
    const Index groups =
        group == node.attributes.end() ? 1 : static_cast<Index>(group->second.number);
    const Index n = x.shape.at(0), c = x.shape.at(1), h = x.shape.at(2), wide = x.shape.at(3);
    const Index channels = transposed ? w.shape.at(1) : w.shape.at(0);
    const auto length = [&](Index size) {
      return transposed ? (size - 1) * stride - 2 * padding + kernel
                        : (size + 2 * padding - kernel) / stride + 1;
    };
    Value y{{n, channels, length(h), length(wide)}, {}};
    y.numbers.assign(static_cast<std::size_t>(product(y.shape)), 0);
    const Index oh = y.shape[2], ow = y.shape[3], in_group = c / groups,
                out_group = channels / groups;
    for (Index b = 0; b < n; ++b) {
      for (Index o = 0; o < channels; ++o) {
        for (Index k = 0; k < in_group; ++k) {
          const Index from = o / out_group * in_group + k;
          // The map is the smaller side: of Conv the output, of ConvTranspose the input.
          const Index mh = transposed ? h : oh, mw = transposed ? wide : ow;
          const Index ih = transposed ? oh : h, iw = transposed ? ow : wide;
          for (Index u = 0; u < mh; ++u) {
            for (Index v = 0; v < mw; ++v) {
              for (Index i = 0; i < kernel; ++i) {
                for (Index j = 0; j < kernel; ++j) {
                  const Index a = u * stride + i - padding, e = v * stride + j - padding;
                  if (a < 0 || a >= ih || e < 0 || e >= iw) continue;
                  const Index tap = (((transposed ? k : o) * (transposed ? channels : in_group) +
                                      (transposed ? o : k)) *
                                         kernel +
                                     i) *
                                        kernel +
                                    j;
                  const Index map_at =
                      ((b * (transposed ? c : channels) + (transposed ? from : o)) * mh + u) * mw +
                      v;
                  const Index image_at =
                      ((b * (transposed ? channels : c) + (transposed ? o : from)) * ih + a) * iw +
                      e;
                  const Index to = transposed ? image_at : map_at,
                              source = transposed ? map_at : image_at;
                  y.numbers[static_cast<std::size_t>(to)] +=
                      w.numbers[static_cast<std::size_t>(tap)] *
                      x.numbers[static_cast<std::size_t>(source)];
                }
              }
            }
          }
        }
      }
    }
    if (in.size() < 3) return y;
    Value bias = in[2];
    bias.shape = {channels, 1, 1};
    return binary(y, bias, std::plus<double>());
  }

  /// y[c, u, v] from the pixels (u s + i, v s + j) of a map of h x w; s may be one over a whole number.
  template <class Pixel>
  static Value resampled(const Value& x, Index h, Index w, Pixel&& pixel) {
    Value y{{x.shape[0], x.shape[1], h, w}, {}};
    for (Index plane = 0; plane < x.shape[0] * x.shape[1]; ++plane) {
      const double* image = x.numbers.data() + plane * x.shape[2] * x.shape[3];
      for (Index u = 0; u < h; ++u) {
        for (Index v = 0; v < w; ++v) y.numbers.push_back(pixel(image, u, v));
      }
    }
    return y;
  }

  static Value evaluate(const Node& node, const std::vector<Value>& in) {
    const std::string& op = node.op;
    const Value& x = in.at(0);
    const auto attribute = [&](const char* name) { return node.attributes.at(name); };
    if (op == "Sub") return binary(x, in.at(1), std::minus<double>());
    if (op == "Add") return binary(x, in.at(1), std::plus<double>());
    if (op == "Mul") return binary(x, in.at(1), std::multiplies<double>());
    if (op == "Div") return binary(x, in.at(1), std::divides<double>());
    if (op == "Less") return binary(x, in.at(1), std::less<double>());
    if (op == "Greater") return binary(x, in.at(1), std::greater<double>());
    if (op == "Max") return binary(x, in.at(1), [](double a, double b) { return std::max(a, b); });
    if (op == "Min") return binary(x, in.at(1), [](double a, double b) { return std::min(a, b); });
    if (op == "Relu") return map(x, [](double a) { return std::max(a, 0.0); });
    if (op == "Exp") return map(x, [](double a) { return std::exp(a); });
    if (op == "Log") return map(x, [](double a) { return std::log(a); });
    if (op == "Neg") return map(x, [](double a) { return -a; });
    if (op == "Abs") return map(x, [](double a) { return std::fabs(a); });
    if (op == "Sqrt") return map(x, [](double a) { return std::sqrt(a); });
    if (op == "Erf") return map(x, [](double a) { return std::erf(a); });
    if (op == "Tanh") return map(x, [](double a) { return std::tanh(a); });
    if (op == "Sign") return map(x, [](double a) { return a > 0 ? 1.0 : a < 0 ? -1.0 : 0.0; });
    if (op == "Sigmoid") return map(x, [](double a) { return 1 / (1 + std::exp(-a)); });
    if (op == "LeakyRelu") {
      const double slope = attribute("alpha").number;
      return map(x, [&](double a) { return a > 0 ? a : slope * a; });
    }
    if (op == "Cast") return x;
    if (op == "Where") {
      // Either the condition or the last has all the shape; tests have no other.
      const Value chosen =
          binary(x, in.at(1), [](double c, double a) { return c != 0 ? a : std::nan(""); });
      Value y = binary(chosen, in.at(2), [](double a, double b) { return std::isnan(a) ? b : a; });
      return y;
    }
    if (op == "Sum") {
      Value sum = x;
      for (std::size_t i = 1; i < in.size(); ++i) sum = binary(sum, in[i], std::plus<double>());
      return sum;
    }
    if (op == "Gemm") {
      REQUIRE(attribute("transB").number == 1);
      const Value product = matrix_product(x, in.at(1), true);
      return in.size() > 2 ? binary(product, in[2], std::plus<double>()) : product;
    }
    if (op == "MatMul") return matrix_product(x, in.at(1), false);
    if (op == "ReduceSum" || op == "ReduceMean" || op == "ReduceSumSquare") {
      return reduce(node, x, [&](const std::vector<double>& row) {
        double sum = 0;
        for (const double a : row) sum += op == "ReduceSumSquare" ? a * a : a;
        return op == "ReduceMean" ? sum / static_cast<double>(row.size()) : sum;
      });
    }
    if (op == "ArgMax") {
      REQUIRE(attribute("axis").number == 1);
      Node axes = node;
      axes.attributes["axes"].sizes = {1};
      return reduce(axes, x, [](const std::vector<double>& row) {
        return static_cast<double>(std::max_element(row.begin(), row.end()) - row.begin());
      });
    }
    if (op == "Gather") {
      Value y{{in.at(1).size(), x.shape.at(1)}, {}};
      for (const double i : in[1].numbers) {
        const auto row = x.numbers.begin() + static_cast<Index>(i) * x.shape[1];
        y.numbers.insert(y.numbers.end(), row, row + x.shape[1]);
      }
      return y;
    }
    if (op == "Reshape") {
      Value y = x;
      y.shape.clear();
      for (std::size_t i = 0; i < in.at(1).numbers.size(); ++i) {
        const Index n = static_cast<Index>(in[1].numbers[i]);
        y.shape.push_back(n == 0 ? x.shape.at(i) : n);
      }
      REQUIRE(product(y.shape) == x.size());
      return y;
    }
    if (op == "Conv" || op == "ConvTranspose") return convolution(node, in);
    if (op == "MaxPool") {
      const Index kernel = attribute("kernel_shape").sizes.at(0),
                  stride = attribute("strides").sizes.at(0);
      REQUIRE(attribute("pads").sizes == std::vector<Index>(4, 0));
      const auto length = [&](Index size) { return (size - kernel) / stride + 1; };
      return resampled(
          x, length(x.shape[2]), length(x.shape[3]), [&](const double* image, Index u, Index v) {
            double largest = -std::numeric_limits<double>::infinity();
            for (Index i = 0; i < kernel; ++i) {
              for (Index j = 0; j < kernel; ++j) {
                largest = std::max(largest, image[(u * stride + i) * x.shape[3] + v * stride + j]);
              }
            }
            return largest;
          });
    }
    if (op == "Resize") {
      REQUIRE(attribute("mode").word == "nearest");
      REQUIRE(attribute("coordinate_transformation_mode").word == "asymmetric");
      REQUIRE(attribute("nearest_mode").word == "floor");
      const Index scale = static_cast<Index>(in.at(2).numbers.at(3));
      return resampled(x, x.shape[2] * scale, x.shape[3] * scale,
                       [&](const double* image, Index u, Index v) {
                         return image[u / scale * x.shape[3] + v / scale];
                       });
    }
    FAIL("the evaluator has no operator ", op);
    return x;
  }
};

}  // namespace onnx_tests
