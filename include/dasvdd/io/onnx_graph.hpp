#pragma once
/// \file
/// A graph of operators in the ONNX format, as it is put together and as a file's bytes.

#include <dasvdd/core/types.hpp>

#include <cstdint>
#include <map>
#include <protozero/pbf_builder.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The fields of ONNX's messages that are written, with their numbers in onnx.proto.
namespace onnx {

enum class Model : protozero::pbf_tag_type {
  ir_version = 1,
  producer_name = 2,
  producer_version = 3,
  doc_string = 6,
  graph = 7,
  opset_import = 8,
  metadata_props = 14,
};
enum class OperatorSetId : protozero::pbf_tag_type { domain = 1, version = 2 };
enum class StringStringEntry : protozero::pbf_tag_type { key = 1, value = 2 };
enum class Graph : protozero::pbf_tag_type {
  node = 1,
  name = 2,
  initializer = 5,
  input = 11,
  output = 12,
};
enum class Node : protozero::pbf_tag_type {
  input = 1,
  output = 2,
  name = 3,
  op_type = 4,
  attribute = 5,
};
enum class Attribute : protozero::pbf_tag_type {
  name = 1,
  f = 2,
  i = 3,
  s = 4,
  ints = 8,
  type = 20,
};
enum class Tensor : protozero::pbf_tag_type { dims = 1, data_type = 2, name = 8, raw_data = 9 };
enum class ValueInfo : protozero::pbf_tag_type { name = 1, type = 2, doc_string = 3 };
enum class Type : protozero::pbf_tag_type { tensor_type = 1 };
enum class TensorType : protozero::pbf_tag_type { elem_type = 1, shape = 2 };
enum class TensorShape : protozero::pbf_tag_type { dim = 1 };
enum class Dimension : protozero::pbf_tag_type { dim_value = 1, dim_param = 2 };

/// Attribute::type
enum class AttributeType : std::int32_t { FLOAT = 1, INT = 2, STRING = 3, INTS = 7 };
/// Tensor::data_type, TensorType::elem_type
enum class DataType : std::int32_t { FLOAT = 1, INT64 = 7, BOOL = 9, DOUBLE = 11 };

}  // namespace onnx

template <class T>
struct OnnxDataTypeOf;
template <>
struct OnnxDataTypeOf<float> {
  static constexpr onnx::DataType value = onnx::DataType::FLOAT;
};
template <>
struct OnnxDataTypeOf<double> {
  static constexpr onnx::DataType value = onnx::DataType::DOUBLE;
};
template <>
struct OnnxDataTypeOf<std::int64_t> {
  static constexpr onnx::DataType value = onnx::DataType::INT64;
};

/// A named attribute of a node: a whole number, a number, a word, or several whole numbers.
struct OnnxAttribute {
  std::string name;
  std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>> value;
};

/// Operators are added in the order in which they run; each takes and gives values by name. All
/// operators are of the default domain.
class OnnxGraph {
 public:
  /// The oldest operator set that has all operators used in the form used: Gemm without a bias came with it.
  static constexpr std::int64_t opset = 11;
  /// Of the file format, the version that came with that operator set.
  static constexpr std::int64_t ir_version = 6;
  /// What protobuf can hold in one message.
  static constexpr std::size_t most_bytes = (std::size_t(1) << 31) - 1;

  /// Adds an operator with one output.
  /// \param output the value's name
  /// \return it
  std::string add(const char* op, const std::vector<std::string>& inputs, const std::string& output,
                  const std::vector<OnnxAttribute>& attributes = {}) {
    std::string bytes;
    protozero::pbf_builder<onnx::Node> node(bytes);
    for (const std::string& input : inputs) node.add_string(onnx::Node::input, input);
    node.add_string(onnx::Node::output, output);
    node.add_string(onnx::Node::name, output);
    node.add_string(onnx::Node::op_type, op);
    for (const OnnxAttribute& attribute : attributes) write(node, attribute);
    nodes_.push_back(std::move(bytes));
    return output;
  }

  /// Adds a constant tensor.
  /// \param data its numbers, row by row, as many as the shape says
  /// \return its name
  template <class T>
  std::string constant(const std::string& name, const std::vector<Index>& shape, const T* data) {
    std::string bytes;
    protozero::pbf_builder<onnx::Tensor> tensor(bytes);
    std::size_t size = sizeof(T);
    for (const Index n : shape) {
      tensor.add_int64(onnx::Tensor::dims, n);
      size *= static_cast<std::size_t>(n);
    }
    tensor.add_int32(onnx::Tensor::data_type, static_cast<std::int32_t>(OnnxDataTypeOf<T>::value));
    tensor.add_string(onnx::Tensor::name, name);
    total_bytes_ += size;
    ensure(total_bytes_ < most_bytes, "the model has more than ", most_bytes,
           " bytes of numbers, which an ONNX file can't hold");
    tensor.add_bytes(onnx::Tensor::raw_data, reinterpret_cast<const char*>(data), size);
    constants_.push_back(std::move(bytes));
    return name;
  }

  /// Declares an input; with a constant of the same name as its default it may be left out.
  /// \param shape sizes, 0 for the number of rows
  void input(const std::string& name, onnx::DataType type, const std::vector<Index>& shape,
             const std::string& doc) {
    inputs_.push_back(value_info(name, type, shape, doc));
  }
  void output(const std::string& name, onnx::DataType type, const std::vector<Index>& shape,
              const std::string& doc) {
    outputs_.push_back(value_info(name, type, shape, doc));
  }

  /// The model file.
  /// \param words its metadata
  std::string model(const std::string& producer_version, const std::string& doc,
                    const std::map<std::string, std::string>& words) const {
    std::string bytes;
    protozero::pbf_builder<onnx::Model> model(bytes);
    model.add_int64(onnx::Model::ir_version, ir_version);
    model.add_string(onnx::Model::producer_name, "dasvdd");
    model.add_string(onnx::Model::producer_version, producer_version);
    model.add_string(onnx::Model::doc_string, doc);
    {
      protozero::pbf_builder<onnx::Graph> graph(model, onnx::Model::graph);
      for (const std::string& node : nodes_) graph.add_message(onnx::Graph::node, node);
      graph.add_string(onnx::Graph::name, "detector");
      for (const std::string& tensor : constants_) {
        graph.add_message(onnx::Graph::initializer, tensor);
      }
      for (const std::string& value : inputs_) graph.add_message(onnx::Graph::input, value);
      for (const std::string& value : outputs_) graph.add_message(onnx::Graph::output, value);
    }
    {
      protozero::pbf_builder<onnx::OperatorSetId> id(model, onnx::Model::opset_import);
      id.add_string(onnx::OperatorSetId::domain, "");
      id.add_int64(onnx::OperatorSetId::version, opset);
    }
    for (const auto& [key, word] : words) {
      protozero::pbf_builder<onnx::StringStringEntry> entry(model, onnx::Model::metadata_props);
      entry.add_string(onnx::StringStringEntry::key, key);
      entry.add_string(onnx::StringStringEntry::value, word);
    }
    return bytes;
  }

 private:
  static void write(protozero::pbf_builder<onnx::Node>& node, const OnnxAttribute& attribute) {
    using onnx::Attribute;
    using onnx::AttributeType;
    protozero::pbf_builder<Attribute> to(node, onnx::Node::attribute);
    to.add_string(Attribute::name, attribute.name);
    AttributeType type = AttributeType::INTS;
    if (const auto* i = std::get_if<std::int64_t>(&attribute.value)) {
      to.add_int64(Attribute::i, *i);
      type = AttributeType::INT;
    } else if (const auto* f = std::get_if<float>(&attribute.value)) {
      to.add_float(Attribute::f, *f);
      type = AttributeType::FLOAT;
    } else if (const auto* s = std::get_if<std::string>(&attribute.value)) {
      to.add_string(Attribute::s, *s);
      type = AttributeType::STRING;
    } else {
      for (const std::int64_t n : std::get<std::vector<std::int64_t>>(attribute.value)) {
        to.add_int64(Attribute::ints, n);
      }
    }
    to.add_enum(Attribute::type, static_cast<std::int32_t>(type));
  }

  static std::string value_info(const std::string& name, onnx::DataType type,
                                const std::vector<Index>& shape, const std::string& doc) {
    std::string bytes;
    protozero::pbf_builder<onnx::ValueInfo> value(bytes);
    value.add_string(onnx::ValueInfo::name, name);
    {
      protozero::pbf_builder<onnx::Type> any(value, onnx::ValueInfo::type);
      protozero::pbf_builder<onnx::TensorType> tensor(any, onnx::Type::tensor_type);
      tensor.add_int32(onnx::TensorType::elem_type, static_cast<std::int32_t>(type));
      protozero::pbf_builder<onnx::TensorShape> sizes(tensor, onnx::TensorType::shape);
      for (const Index n : shape) {
        protozero::pbf_builder<onnx::Dimension> size(sizes, onnx::TensorShape::dim);
        if (n == 0) {
          size.add_string(onnx::Dimension::dim_param, "n");
        } else {
          size.add_int64(onnx::Dimension::dim_value, n);
        }
      }
    }
    value.add_string(onnx::ValueInfo::doc_string, doc);
    return bytes;
  }

  std::vector<std::string> nodes_, constants_, inputs_, outputs_;
  std::size_t total_bytes_ = 0;
};

}  // namespace detail
DASVDD_NAMESPACE_END
