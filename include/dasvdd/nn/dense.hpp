#pragma once
/// \file
/// The fully connected layer.

#include <dasvdd/core/memory.hpp>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// Fully connected: y = x W^T + b, with x: rows x in, W: out x in (row-major, PyTorch's bytes), b:
/// out, y: rows x out.
///
/// Sizes are run-time numbers, or template arguments for a net that can't be put together wrongly.
/// Parameters start as U(-1/sqrt(in), 1/sqrt(in)), weights and biases alike (PyTorch's Linear).
template <class Scalar_, int In = Eigen::Dynamic, int Out = Eigen::Dynamic>
class Dense {
 public:
  using Scalar = Scalar_;
  static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>,
                "dasvdd: a net computes in float or double");
  static_assert((In > 0 && Out > 0) || (In == Eigen::Dynamic && Out == Eigen::Dynamic),
                "dasvdd: the sizes of a dense layer are positive, or both left out");
  static constexpr int fixed_inputs = In;
  static constexpr int fixed_outputs = Out;

  /// \param bias false only for nets that must not have one (Deep SVDD)
  explicit Dense(Index inputs = In, Index outputs = Out, bool bias = true)
      : inputs_(inputs), outputs_(outputs), bias_(bias) {
    detail::ensure(inputs >= 1 && outputs >= 1, "dense layer: sizes are ", inputs, " and ", outputs,
                   ", expected at least 1");
    detail::ensure(inputs <= detail::most_features && outputs <= detail::most_features,
                   "dense layer: sizes are ", inputs, " and ", outputs, ", expected at most ",
                   detail::most_features);
    detail::ensure(inputs <= detail::most_parameters / outputs, "dense layer: sizes are ", inputs,
                   " and ", outputs, ", expected at most ", detail::most_parameters, " weights");
    detail::ensure(In == Eigen::Dynamic || (inputs == In && outputs == Out),
                   "dense layer: sizes are ", inputs, " and ", outputs, ", its type says ", In,
                   " and ", Out);
  }

  Index inputs() const { return inputs_; }
  Index outputs() const { return outputs_; }
  bool has_bias() const { return bias_; }
  Index parameters() const { return inputs_ * outputs_ + (bias_ ? outputs_ : 0); }

 private:
  Index inputs_, outputs_;
  bool bias_;
};

}  // namespace detail

/// A fully connected layer, y = x W^T + b.
/// \param bias false for nets that must not have one (DeepSvdd)
template <class Scalar>
detail::Dense<Scalar> dense(Index inputs, Index outputs, bool bias = true) {
  return detail::Dense<Scalar>(inputs, outputs, bias);
}
/// The same with sizes that the compiler checks.
template <class Scalar, int In, int Out>
detail::Dense<Scalar, In, Out> dense() {
  return detail::Dense<Scalar, In, Out>();
}

namespace detail {

template <class L>
struct IsDense : std::false_type {};
template <class Scalar, int In, int Out>
struct IsDense<Dense<Scalar, In, Out>> : std::true_type {};

}  // namespace detail
DASVDD_NAMESPACE_END
