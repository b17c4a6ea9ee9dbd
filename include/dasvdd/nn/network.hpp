#pragma once
/// \file
/// The run-time chain: a sequence of layers as the list of steps that the executors carry out.

#include <dasvdd/nn/activations.hpp>
#include <dasvdd/nn/dense.hpp>
#include <dasvdd/nn/layer.hpp>

#include <cmath>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// One step of a net: a dense layer with the activation behind it, an activation alone, or another
/// layer.
template <class Scalar>
struct Step {
  enum class Kind { dense, activation, layer };
  Kind kind;
  Index inputs, outputs;
  Activation activation = {};  ///< of a dense or activation step; identity where none follows
  bool bias = false;           ///< dense only
  std::shared_ptr<const Layer<Scalar>> layer{};  ///< Kind::layer only
  Index weight_at = 0;      ///< first parameter in the flat vector (dense: the weight, out x in)
  Index bias_at = 0;        ///< dense only: the bias, out
  Index statistics_at = 0;  ///< Kind::layer only
  Index position = 0;  ///< the layer's number in torch.nn.Sequential's count (activations counted)

  bool has_activation() const { return !activation.is_identity(); }
  /// Whether backward needs the activation's argument, so that it must be kept beside the result.
  bool keeps_argument() const { return activation.keeps_argument(); }
  Index weights() const { return inputs * outputs; }
};

}  // namespace detail

/// A chain of layers put together at run time; what loading a file gives, and what every static
/// Chain becomes. It describes shapes and holds no parameters: those lie in one flat vector whose
/// layout it defines.
///
/// \code
/// dasvdd::Network<float> encoder;
/// encoder.add(dasvdd::dense<float>(784, 256)).add(dasvdd::leaky_relu());
/// \endcode
template <class Scalar_>
class Network {
 public:
  using Scalar = Scalar_;

  Network() = default;

  /// Appends a layer: dense, an activation, or a type of the contract in layer.hpp.
  /// Throws InvalidArgument where its inputs are not the previous layer's outputs.
  template <class L>
  Network& add(const L& layer) {
    if constexpr (detail::IsDense<L>::value) {
      static_assert(std::is_same_v<typename L::Scalar, Scalar>,
                    "dasvdd: the layers of a net share one scalar type: all float or all double");
      return add_dense(layer.inputs(), layer.outputs(), layer.has_bias());
    } else if constexpr (std::is_base_of_v<Layer<Scalar>, L>) {
      return add(std::shared_ptr<const Layer<Scalar>>(std::make_shared<L>(layer)));
    } else {
      constexpr bool is_layer = detail::IsLayer<L>::value;
      static_assert(
          is_layer || detail::IsRunTimeLayer<L>::value,
          "dasvdd: a layer needs Scalar, inputs(), outputs(), parameters(), forward(w, x, y) and "
          "backward(w, x, y, dy, dx, dw), all const; see dasvdd/nn/layer.hpp");
      if constexpr (is_layer || detail::IsRunTimeLayer<L>::value) {
        constexpr bool same = std::is_same_v<typename L::Scalar, Scalar>;
        static_assert(same,
                      "dasvdd: the layers of a net share one scalar type: all float or all double");
        if constexpr (same) {
          return add(
              std::shared_ptr<const Layer<Scalar>>(std::make_shared<detail::LayerModel<L>>(layer)));
        }
      }
    }
    return *this;
  }

  /// Appends an activation; directly behind a dense layer it becomes part of that layer's step.
  Network& add(Activation f) {
    f.validate();
    detail::ensure(!steps_.empty(),
                   "an activation can't be the first layer of a net: nothing says its size");
    auto& last = steps_.back();
    if (last.kind == detail::Step<Scalar>::Kind::dense && layers_ == last.position + 1) {
      last.activation = f;
    } else {
      push({detail::Step<Scalar>::Kind::activation, outputs(), outputs(), f});
    }
    ++layers_;
    return *this;
  }

  /// Appends a layer of the run-time interface.
  Network& add(std::shared_ptr<const Layer<Scalar>> layer) {
    detail::ensure(layer != nullptr, "a layer of a net is null");
    detail::Step<Scalar> step{detail::Step<Scalar>::Kind::layer, layer->inputs(), layer->outputs()};
    step.weight_at = parameters_;
    step.statistics_at = statistics_;
    check_inputs(step.inputs);
    check_parameters(layer->parameters());
    parameters_ += detail::round_up(layer->parameters(), detail::tensor_alignment);
    statistics_ += detail::round_up(layer->statistics(), detail::tensor_alignment);
    step.layer = std::move(layer);
    push(std::move(step));
    ++layers_;
    return *this;
  }

  /// Appends all layers of another net.
  Network& append(const Network& other) {
    for (const auto& step : other.steps_) {
      if (step.kind == detail::Step<Scalar>::Kind::dense) {
        add_dense(step.inputs, step.outputs, step.bias);
        if (step.has_activation()) add(step.activation);
      } else if (step.kind == detail::Step<Scalar>::Kind::activation) {
        push({detail::Step<Scalar>::Kind::activation, outputs(), outputs(), step.activation});
        ++layers_;
      } else {
        add(step.layer);
      }
    }
    return *this;
  }

  bool empty() const { return steps_.empty(); }
  Index inputs() const { return steps_.empty() ? 0 : steps_.front().inputs; }
  Index outputs() const { return steps_.empty() ? 0 : steps_.back().outputs; }
  /// Length of the flat parameter vector; each tensor starts on a border of tensor_alignment, the
  /// gaps stay zero.
  Index parameters() const { return parameters_; }
  /// Length of the flat vector of running statistics.
  Index statistics() const { return statistics_; }
  /// Whether a layer adds a trained number whatever its input is.
  bool has_bias() const {
    for (const auto& step : steps_) {
      if (step.bias || (step.layer && step.layer->has_bias())) return true;
    }
    return false;
  }
  /// Multiply-adds of one row's forward pass, roughly.
  std::int64_t multiply_adds() const {
    std::int64_t sum = 0;
    for (const auto& step : steps_) {
      if (step.kind == detail::Step<Scalar>::Kind::dense)
        sum = detail::saturating_sum(sum, step.weights());
      if (step.kind == detail::Step<Scalar>::Kind::layer)
        sum = detail::saturating_sum(sum, step.layer->multiply_adds());
    }
    return sum;
  }
  const std::vector<detail::Step<Scalar>>& steps() const { return steps_; }

  /// Fills the parameters, in the order of the layers (weight before bias), and the statistics'
  /// start values.
  void initialize(Random& random, Scalar* parameters, Scalar* statistics) const {
    for (const auto& step : steps_) {
      if (step.kind == detail::Step<Scalar>::Kind::layer) {
        step.layer->initialize(random, parameters + step.weight_at,
                               statistics + step.statistics_at);
      }
      if (step.kind != detail::Step<Scalar>::Kind::dense) continue;
      const double bound = 1 / std::sqrt(static_cast<double>(step.inputs));
      const auto draw = [&](Index at, Index count) {
        for (Index i = 0; i < count; ++i) {
          parameters[at + i] = static_cast<Scalar>(random.symmetric(bound));
        }
      };
      draw(step.weight_at, step.weights());
      if (step.bias) draw(step.bias_at, step.outputs);
    }
  }

 private:
  Network& add_dense(Index inputs, Index outputs, bool bias) {
    check_inputs(inputs);
    detail::Step<Scalar> step{detail::Step<Scalar>::Kind::dense, inputs, outputs};
    step.bias = bias;
    check_parameters(step.weights());
    step.weight_at = parameters_;
    parameters_ += detail::round_up(step.weights(), detail::tensor_alignment);
    step.bias_at = parameters_;
    if (bias) parameters_ += detail::round_up(outputs, detail::tensor_alignment);
    push(std::move(step));
    ++layers_;
    return *this;
  }
  void check_inputs(Index inputs) const {
    detail::ensure(steps_.empty() || inputs == outputs(), "layer ", layers_, " of the net takes ",
                   inputs, " inputs, the layer before it gives ", outputs());
  }
  void check_parameters(Index more) const {
    detail::ensure(more <= detail::most_parameters - parameters_, "layer ", layers_,
                   " of the net has ", more, " parameters after ", parameters_,
                   " of the layers before it, expected at most ", detail::most_parameters,
                   " in all");
  }
  void push(detail::Step<Scalar> step) {
    step.position = layers_;
    steps_.push_back(std::move(step));
  }

  std::vector<detail::Step<Scalar>> steps_;
  Index layers_ = 0;
  Index parameters_ = 0;
  Index statistics_ = 0;
};

DASVDD_NAMESPACE_END
