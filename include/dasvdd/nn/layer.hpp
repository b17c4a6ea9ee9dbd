#pragma once
/// \file
/// What a layer is: a small value that describes a shape and knows its forward and backward pass.
/// It holds no data.
///
/// Dense layers and activations are the library's own steps (see network.hpp). Any other type fits
/// into chains, static and run-time alike, when it has
/// \code
/// struct Shift {  // y = x + w
///   using Scalar = double;
///   dasvdd::Index size;
///   dasvdd::Index inputs() const { return size; }
///   dasvdd::Index outputs() const { return size; }
///   dasvdd::Index parameters() const { return size; }  // trained, in the net's flat vector
///   void forward(const double* w, dasvdd::Rows<const double> x, dasvdd::Rows<double> y) const;
///   // dx = dy * dy/dx, unless dx.data() is null (the net's first layer); adds dy * dy/dw to dw.
///   void backward(const double* w, dasvdd::Rows<const double> x, dasvdd::Rows<const double> y,
///                 dasvdd::Rows<const double> dy, dasvdd::Rows<double> dx, double* dw) const;
/// };
/// \endcode
/// and, where it needs them,
/// `void initialize(Random&, Scalar* w) const` (else the parameters start at zero),
/// `LayerSpec spec() const` (else a net with it can't be saved), and
/// `bool has_bias() const` (else a layer with parameters counts as having one, see DeepSvdd).
/// A layer whose rows depend on each other in training, or that keeps running statistics, derives
/// from Layer<Scalar>.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/core/random.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// A layer in words and numbers, as a model file names it: {"dense", {784, 1024, 1}}.
struct LayerSpec {
  std::string name;
  std::vector<double> numbers;
};

namespace detail {

/// One named tensor among a layer's parameters or statistics, in their order, for the model file.
struct TensorSpec {
  std::string name;
  std::vector<Index> shape;
};

}  // namespace detail

/// A layer at run time: what a step of a net calls when it is neither a dense layer nor an
/// activation. Derive from it only for what the plain contract above can't say: running statistics,
/// rows that depend on each other.
template <class Scalar_>
class Layer {
 public:
  using Scalar = Scalar_;
  virtual ~Layer() = default;

  virtual Index inputs() const = 0;
  virtual Index outputs() const = 0;
  /// Trained numbers, in the net's flat parameter vector.
  virtual Index parameters() const { return 0; }
  /// Whether a trained number is added to the result whatever the input is. Objectives without a
  /// decoder refuse such layers (DeepSvdd).
  virtual bool has_bias() const { return parameters() > 0; }
  /// Numbers that training keeps up to date without a gradient (running means, say): saved, not
  /// trained.
  virtual Index statistics() const { return 0; }
  /// Multiply-adds of one row's forward pass, roughly: how many threads a batch is worth.
  virtual std::int64_t multiply_adds() const { return parameters(); }
  /// What one row's forward pass takes, in multiply-adds at a dense layer's speed: what a model file may cost.
  virtual std::int64_t cost() const { return multiply_adds(); }
  /// Scratch numbers one call needs for `rows` rows; their content is lost between calls.
  virtual Index scratch(Index rows) const {
    (void)rows;
    return 0;
  }
  /// True where a row's training-mode result depends on the other rows: the whole batch then comes
  /// in one call.
  virtual bool whole_batch() const { return false; }

  virtual void initialize(Random& random, Scalar* w, Scalar* statistics) const {
    (void)random, (void)w, (void)statistics;
  }

  /// y = f(x) as a fitted detector computes it: a row's result depends on that row alone.
  virtual void forward(const Scalar* w, const Scalar* statistics, Rows<const Scalar> x,
                       Rows<Scalar> y, Scalar* scratch) const = 0;
  /// y = f(x) in the network step; `statistics` are brought up to date, or null where they must
  /// stay.
  virtual void forward_training(const Scalar* w, Scalar* statistics, Rows<const Scalar> x,
                                Rows<Scalar> y, Scalar* scratch) const {
    forward(w, statistics, x, y, scratch);
  }
  /// dx = gradient with respect to x, unless dx.data() is null; adds the gradient with respect to w
  /// to dw.
  virtual void backward(const Scalar* w, Rows<const Scalar> x, Rows<const Scalar> y,
                        Rows<const Scalar> dy, Rows<Scalar> dx, Scalar* dw,
                        Scalar* scratch) const = 0;

  /// The layer in words; an empty name where a model file can't name it.
  virtual LayerSpec spec() const { return {}; }
  /// The parameters as named tensors, for the model file: parameters() numbers together. Empty: one tensor "weight".
  virtual std::vector<detail::TensorSpec> parameter_tensors() const { return {}; }
  virtual std::vector<detail::TensorSpec> statistics_tensors() const { return {}; }
};

namespace detail {

template <class L, class = void>
struct IsLayer : std::false_type {};
template <class L>
struct IsLayer<
    L, std::void_t<
           typename L::Scalar, decltype(Index(std::declval<const L&>().inputs())),
           decltype(Index(std::declval<const L&>().outputs())),
           decltype(Index(std::declval<const L&>().parameters())),
           decltype(std::declval<const L&>().forward(std::declval<const typename L::Scalar*>(),
                                                     std::declval<Rows<const typename L::Scalar>>(),
                                                     std::declval<Rows<typename L::Scalar>>())),
           decltype(std::declval<const L&>().backward(
               std::declval<const typename L::Scalar*>(),
               std::declval<Rows<const typename L::Scalar>>(),
               std::declval<Rows<const typename L::Scalar>>(),
               std::declval<Rows<const typename L::Scalar>>(),
               std::declval<Rows<typename L::Scalar>>(), std::declval<typename L::Scalar*>()))>>
    : std::true_type {};

template <class L, class = void>
struct HasSpec : std::false_type {};
template <class L>
struct HasSpec<L, std::void_t<decltype(LayerSpec(std::declval<const L&>().spec()))>>
    : std::true_type {};

template <class L, class = void>
struct HasBias : std::false_type {};
template <class L>
struct HasBias<L, std::void_t<decltype(bool(std::declval<const L&>().has_bias()))>>
    : std::true_type {};

template <class L, class = void>
struct HasInitialize : std::false_type {};
template <class L>
struct HasInitialize<L, std::void_t<decltype(std::declval<const L&>().initialize(
                            std::declval<Random&>(), std::declval<typename L::Scalar*>()))>>
    : std::true_type {};

template <class L, class = void>
struct IsRunTimeLayer : std::false_type {};
template <class L>
struct IsRunTimeLayer<L, std::void_t<typename L::Scalar>>
    : std::is_base_of<Layer<typename L::Scalar>, L> {};

/// A layer of the plain contract behind the run-time interface.
template <class L>
class LayerModel final : public Layer<typename L::Scalar> {
 public:
  using Scalar = typename L::Scalar;
  explicit LayerModel(L layer) : layer_(std::move(layer)) {}

  Index inputs() const override { return layer_.inputs(); }
  Index outputs() const override { return layer_.outputs(); }
  Index parameters() const override { return layer_.parameters(); }
  bool has_bias() const override {
    if constexpr (HasBias<L>::value) return layer_.has_bias();
    return layer_.parameters() > 0;
  }
  void initialize(Random& random, Scalar* w, Scalar*) const override {
    if constexpr (HasInitialize<L>::value) layer_.initialize(random, w);
    (void)random, (void)w;
  }
  void forward(const Scalar* w, const Scalar*, Rows<const Scalar> x, Rows<Scalar> y,
               Scalar*) const override {
    layer_.forward(w, x, y);
  }
  void backward(const Scalar* w, Rows<const Scalar> x, Rows<const Scalar> y, Rows<const Scalar> dy,
                Rows<Scalar> dx, Scalar* dw, Scalar*) const override {
    layer_.backward(w, x, y, dy, dx, dw);
  }
  LayerSpec spec() const override {
    if constexpr (HasSpec<L>::value) return layer_.spec();
    return {};
  }

 private:
  L layer_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
