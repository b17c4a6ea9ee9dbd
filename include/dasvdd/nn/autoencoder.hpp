#pragma once
/// \file
/// An encoder and a decoder, joined at the latent code.

#include <dasvdd/nn/chain.hpp>

DASVDD_NAMESPACE_BEGIN

/// z = h(x), xhat = g(z): encoder h from d features to a code of m numbers, decoder g back to d. A
/// shape without parameters, cheap to copy. The decoder may be missing where an objective has no
/// use for it (Deep SVDD).
template <class Scalar_>
class Autoencoder {
 public:
  using Scalar = Scalar_;

  /// Throws InvalidArgument where the sizes don't meet or the output isn't as wide as the input.
  Autoencoder(const Network<Scalar>& encoder, const Network<Scalar>& decoder)
      : encoder_(encoder), decoder_(decoder), joined_(encoder) {
    detail::ensure(!encoder.empty(), "the encoder has no layer");
    code_steps_ = static_cast<Index>(encoder.steps().size());
    if (decoder.empty()) return;
    detail::ensure(decoder.inputs() == encoder.outputs(), "the decoder takes a code of ",
                   decoder.inputs(), " numbers, the encoder gives ", encoder.outputs());
    detail::ensure(decoder.outputs() == encoder.inputs(), "the decoder gives ", decoder.outputs(),
                   " features, the encoder takes ", encoder.inputs());
    joined_.append(decoder);
  }

  const Network<Scalar>& encoder() const { return encoder_; }
  const Network<Scalar>& decoder() const { return decoder_; }
  bool has_decoder() const { return !decoder_.empty(); }
  /// Features d.
  Index inputs() const { return encoder_.inputs(); }
  /// Code units m.
  Index code() const { return encoder_.outputs(); }
  Index parameters() const { return joined_.parameters(); }
  Index statistics() const { return joined_.statistics(); }
  std::int64_t multiply_adds() const { return joined_.multiply_adds(); }

  /// Encoder and decoder as one list of steps over one flat parameter vector; the first
  /// code_steps() give the code.
  const Network<Scalar>& joined() const { return joined_; }
  Index code_steps() const { return code_steps_; }
  /// Parameters before this offset are the encoder's.
  Index encoder_parameters() const { return encoder_.parameters(); }

 private:
  Network<Scalar> encoder_, decoder_, joined_;
  Index code_steps_ = 0;
};

/// Joins encoder and decoder; without a decoder for objectives that have no use for one (DeepSvdd).
template <class Scalar>
Autoencoder<Scalar> autoencoder(const Network<Scalar>& encoder,
                                const Network<Scalar>& decoder = {}) {
  return Autoencoder<Scalar>(encoder, decoder);
}
template <class... Encoder>
auto autoencoder(const detail::Chain<Encoder...>& encoder) {
  return autoencoder(encoder.network());
}
/// Joins two static chains; a mismatch of fixed sizes or scalar types does not compile.
template <class... Encoder, class... Decoder>
auto autoencoder(const detail::Chain<Encoder...>& encoder,
                 const detail::Chain<Decoder...>& decoder) {
  using Scalar = typename detail::Chain<Encoder...>::Scalar;
  static_assert(std::is_same_v<Scalar, typename detail::Chain<Decoder...>::Scalar>,
                "dasvdd: encoder and decoder share one scalar type: both float or both double");
  // A chain whose own layers don't meet has said so.
  static_assert(!detail::fixed_sizes_meet<Encoder...>() ||
                    !detail::fixed_sizes_meet<Decoder...>() ||
                    detail::fixed_sizes_meet<Encoder..., Decoder...>(),
                "dasvdd: the decoder takes as many inputs as the encoder gives outputs");
  return Autoencoder<Scalar>(encoder.network(), decoder.network());
}

/// The fully connected nets of the paper: `widths` are the encoder's layer outputs, the decoder
/// mirrors them, LeakyReLU 0.01 follows every layer, the code layer included, and `output` the last
/// (nothing unless told).
/// \code
/// auto mnist = dasvdd::dense_autoencoder<float>(784, {1024, 256, 256}, dasvdd::sigmoid());
/// \endcode
/// \param code_activation what follows the code layer
template <class Scalar>
Autoencoder<Scalar> dense_autoencoder(Index features, const std::vector<Index>& widths,
                                      Activation output = {}, Activation hidden = leaky_relu(),
                                      Activation code_activation = leaky_relu()) {
  detail::ensure(!widths.empty(),
                 "the encoder's widths are empty, expected at least the code's size");
  Network<Scalar> encoder, decoder;
  Index size = features;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    encoder.add(dense<Scalar>(size, widths[i]))
        .add(i + 1 < widths.size() ? hidden : code_activation);
    size = widths[i];
  }
  for (std::size_t i = widths.size(); i-- > 0;) {
    const Index next = i > 0 ? widths[i - 1] : features;
    decoder.add(dense<Scalar>(size, next)).add(i > 0 ? hidden : output);
    size = next;
  }
  return Autoencoder<Scalar>(encoder, decoder);
}

DASVDD_NAMESPACE_END
