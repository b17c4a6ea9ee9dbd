#pragma once
/// \file
/// Convolutional autoencoders, ready made.

#include <dasvdd/nn/autoencoder.hpp>
#include <dasvdd/nn/batch_norm.hpp>
#include <dasvdd/nn/conv2d.hpp>
#include <dasvdd/nn/conv_transpose2d.hpp>
#include <dasvdd/nn/max_pool2d.hpp>
#include <dasvdd/nn/upsample_nearest2d.hpp>

#include <vector>

DASVDD_NAMESPACE_BEGIN

/// A convolutional autoencoder in the manner of LeNet. Encoder: a block a number in `channels`
/// (5 x 5 convolution to that many channels, batch norm, LeakyReLU, 2 x 2 maximum pooling), then a
/// dense layer to the code. Decoder: a dense layer to the last block's image, LeakyReLU, then the
/// blocks backwards (upsampling, 5 x 5 transposed convolution, batch norm, LeakyReLU), `output` in
/// place of the last two.
///
/// \param image its height and width are divisible by 2 once a block
/// \param code_activation what follows the code layer
template <class Scalar>
Autoencoder<Scalar> conv_autoencoder(const Shape& image, const std::vector<Index>& channels,
                                     Index code, Activation output = sigmoid(),
                                     Activation code_activation = {}) {
  constexpr Index kernel = 5, padding = 2;
  detail::check_shape("conv_autoencoder", "image", image);
  detail::ensure(!channels.empty() && channels.size() <= 24,
                 "conv_autoencoder: the blocks' channels are ", channels.size(),
                 " numbers, expected 1 to 24");
  const Index part = Index(1) << channels.size();
  detail::ensure(image.height % part == 0 && image.width % part == 0,
                 "conv_autoencoder: ", channels.size(),
                 " blocks halve the image as many times, but ", image.height, " x ", image.width,
                 " can't be divided by ", part);
  Network<Scalar> encoder, decoder;
  std::vector<Shape> shapes = {image};  // what goes into each block, and what leaves the last
  for (const Index wide : channels) {
    const auto conv = conv2d<Scalar>(shapes.back(), wide, kernel, 1, padding, false);
    const auto pool = max_pool2d<Scalar>(conv.output_shape());
    encoder.add(conv).add(batch_norm<Scalar>(conv.output_shape())).add(leaky_relu()).add(pool);
    shapes.push_back(pool.output_shape());
  }
  encoder.add(dense<Scalar>(shapes.back().size(), code)).add(code_activation);
  decoder.add(dense<Scalar>(code, shapes.back().size())).add(leaky_relu());
  for (std::size_t i = channels.size(); i-- > 0;) {
    const auto upsample = upsample_nearest2d<Scalar>(shapes[i + 1]);
    const auto conv = conv_transpose2d<Scalar>(upsample.output_shape(), shapes[i].channels, kernel,
                                               1, padding, i == 0);
    decoder.add(upsample).add(conv);
    if (i > 0) decoder.add(batch_norm<Scalar>(conv.output_shape())).add(leaky_relu());
  }
  decoder.add(output);
  return Autoencoder<Scalar>(encoder, decoder);
}

/// The LeNet-type autoencoders that Deep SVDD is compared with (Ruff et al. 2018): gray images get
/// blocks of 8 and 4 channels and a latent code of 32 (MNIST: 1 x 28 x 28), colored ones of 32, 64
/// and 128 channels and a latent code of 128 (CIFAR-10: 3 x 32 x 32). Here batch norm has factor and
/// shift, and dense layers have biases, which Deep SVDD does not allow.
/// \code
/// dasvdd::Trainer trainer(dasvdd::conv_autoencoder<float>({1, 28, 28}), options);
/// \endcode
template <class Scalar>
Autoencoder<Scalar> conv_autoencoder(const Shape& image, Activation output = sigmoid()) {
  return image.channels == 1 ? conv_autoencoder<Scalar>(image, {8, 4}, 32, output)
                             : conv_autoencoder<Scalar>(image, {32, 64, 128}, 128, output);
}

DASVDD_NAMESPACE_END
