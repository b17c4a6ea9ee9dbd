#pragma once
/// \file
/// A frozen model in weights of eight bits: how it is made from rows, and the scores it then gives.

#include <tool/frozen_model.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace tool {

/// Whole numbers q for real ones: scale * (q - zero), from -half to half - 1.
struct Grid {
  float scale = 1;
  int zero = 0;
  int half = 128;

  /// The grid of all numbers from low to high, 0 among them: what lies around an image must be exact.
  static Grid of(float low, float high, int half) {
    low = std::min(low, 0.0f);
    high = std::max(high, 0.0f);
    Grid grid;
    grid.half = half;
    if (high > low) grid.scale = (high - low) / static_cast<float>(2 * half - 1);
    grid.zero = static_cast<int>(std::lround(static_cast<float>(-half) - low / grid.scale));
    return grid;
  }
  /// The same arithmetic as the C source's.
  int of(float x) const {
    float r = x * inverse();
    r = r > -5000 ? r : -5000;
    r = r < 5000 ? r : 5000;
    const int q = static_cast<int>(r < 0 ? r - 0.5f : r + 0.5f) + zero;
    return std::clamp(q, -half, half - 1);
  }
  float inverse() const { return 1 / scale; }
  float real(int q) const { return scale * static_cast<float>(q - zero); }
};

/// Rows of weights of eight bits, each with a scale of its own.
struct ByteRows {
  std::vector<std::int8_t> numbers;
  std::vector<float> scale;
};

/// A stage whose input, and mostly its output, is on a grid:
/// out = f(scale[channel] * sum of weight * q + offset[channel]); for a dense layer the offset has the input's zero in it.
struct ByteStage {
  ByteRows rows;
  std::vector<float> scale, offset;  ///< a number a channel
  Grid in, out;
  bool to_float = false;  ///< the last of encoder and decoder: its numbers are read by the score
};

struct ByteMember {
  std::vector<ByteStage> encoder, decoder;
  Grid code;  ///< of the decoder's input
  ByteRows reconstruction_whitening, latent_whitening, centers;
};

namespace frozen {

/// Rounds each row by its largest number. \param ends where each row ends
inline ByteRows byte_rows(const std::vector<float>& numbers, const std::vector<std::size_t>& ends) {
  ByteRows result;
  std::size_t first = 0;
  for (const std::size_t end : ends) {
    float most = 0;
    for (std::size_t i = first; i < end; ++i) most = std::max(most, std::fabs(numbers[i]));
    const float scale = most > 0 ? most / 127 : 1;
    for (; first < end; ++first)
      result.numbers.push_back(static_cast<std::int8_t>(std::lround(numbers[first] / scale)));
    result.scale.push_back(scale);
  }
  return result;
}

/// Where the rows of a matrix end: all of one length, or of 1, 2, 3, ... in a lower triangle.
inline std::vector<std::size_t> row_ends(std::size_t rows, std::size_t length, bool lower) {
  std::vector<std::size_t> ends;
  std::size_t end = 0;
  for (std::size_t i = 0; i < rows; ++i) ends.push_back(end += lower ? i + 1 : length);
  return ends;
}

inline ByteRows byte_matrix(const std::vector<float>& numbers, Index length, bool lower) {
  if (numbers.empty()) return {};
  const std::size_t d = static_cast<std::size_t>(length);
  return byte_rows(numbers, row_ends(lower ? d : numbers.size() / d, d, lower));
}

inline float activated(const dasvdd::Activation& f, float x) {
  using Kind = dasvdd::detail::ActivationKind;
  const float a = static_cast<float>(f.parameter());
  switch (f.kind()) {
    case Kind::identity:
      return x;
    case Kind::relu:
      return x > 0 ? x : 0;
    case Kind::leaky_relu:
      return x > 0 ? x : a * x;
    case Kind::elu:
      return x > 0 ? x : a * std::expm1(x);
    case Kind::selu:
      return 1.0507010f * (x > 0 ? x : 1.6732632f * std::expm1(x));
    case Kind::gelu:
      return 0.5f * x * std::erfc(-0.70710678f * x);
    case Kind::silu:
      return x / (1 + std::exp(-x));
    case Kind::softplus:
      return (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x)));
    case Kind::tanh:
      return std::tanh(x);
    case Kind::sigmoid:
      return 1 / (1 + std::exp(-x));
  }
  return x;
}

/// Calls f(output, channel, sum) for each output of a layer: sums of weight * x, or the largest x of a window.
/// \param x of the type that is added up; 0 stands for what lies outside an image
template <class Sum, class Weight, class F>
void each_output(const FrozenStage& s, const Weight* weight, const std::vector<Sum>& x, F&& f) {
  using Kind = FrozenStage::Kind;
  const auto at = [&](Index c, Index a, Index b) {
    return x[static_cast<std::size_t>((c * s.in.height + a) * s.in.width + b)];
  };
  Index output = 0;
  for (Index o = 0; o < s.out.channels; ++o) {
    for (Index u = 0; u < s.out.height; ++u) {
      for (Index v = 0; v < s.out.width; ++v, ++output) {
        Sum sum = 0;
        if (s.kind == Kind::dense) {
          const Index n = static_cast<Index>(x.size());
          for (Index k = 0; k < n; ++k)
            sum += static_cast<Sum>(weight[o * n + k]) * x[static_cast<std::size_t>(k)];
        } else if (s.kind == Kind::nothing) {
          sum = x[static_cast<std::size_t>(output)];
        } else if (s.kind == Kind::upsample) {
          sum = at(o, u / s.stride, v / s.stride);
        } else if (s.kind == Kind::max_pool) {
          sum = at(o, u * s.stride, v * s.stride);
          for (Index i = 0; i < s.kernel; ++i) {
            for (Index j = 0; j < s.kernel; ++j)
              sum = std::max(sum, at(o, u * s.stride + i, v * s.stride + j));
          }
        } else {
          for (Index c = 0; c < s.in.channels; ++c) {
            for (Index i = 0; i < s.kernel; ++i) {
              for (Index j = 0; j < s.kernel; ++j) {
                Index a = u * s.stride + i - s.padding, b = v * s.stride + j - s.padding;
                if (s.kind == Kind::conv_transpose) {
                  a = u + s.padding - i;
                  b = v + s.padding - j;
                  if (a % s.stride != 0 || b % s.stride != 0) continue;
                  a /= s.stride;
                  b /= s.stride;
                }
                if (a < 0 || a >= s.in.height || b < 0 || b >= s.in.width) continue;
                sum += static_cast<Sum>(weight[s.weight_at(o, c, i, j)]) * at(c, a, b);
              }
            }
          }
        }
        f(output, static_cast<std::size_t>(o), sum);
      }
    }
  }
}

/// A stage in float.
inline std::vector<float> run(const FrozenStage& s, const std::vector<float>& x) {
  std::vector<float> y(static_cast<std::size_t>(s.out.size()));
  each_output(s, s.weight.data(), x, [&](Index i, std::size_t channel, float sum) {
    if (!s.bias.empty()) sum += s.bias[channel];
    if (!s.factor.empty()) sum = (sum - s.mean[channel]) * s.factor[channel] + s.shift[channel];
    y[static_cast<std::size_t>(i)] = activated(s.f, sum);
  });
  return y;
}

/// A stage in eight bits. \param x on the grid s.in \return real numbers, on the grid b.out unless b.to_float
inline std::vector<float> run(const FrozenStage& s, const ByteStage& b, const std::vector<int>& x) {
  std::vector<float> y(static_cast<std::size_t>(s.out.size()));
  std::vector<std::int32_t> from(x.begin(), x.end());
  // For a dense layer the zero is in the offset.
  if (s.kind != FrozenStage::Kind::dense) {
    for (std::int32_t& q : from) q -= b.in.zero;
  }
  each_output(s, b.rows.numbers.data(), from, [&](Index i, std::size_t channel, std::int32_t sum) {
    const float real = static_cast<float>(sum) * b.scale[channel] + b.offset[channel];
    y[static_cast<std::size_t>(i)] = activated(s.f, real);
  });
  return y;
}

inline std::vector<int> on_grid(const Grid& grid, const std::vector<float>& x) {
  std::vector<int> q(x.size());
  std::transform(x.begin(), x.end(), q.begin(), [&](float v) { return grid.of(v); });
  return q;
}

/// The row as the net takes it.
inline std::vector<float> scaled(const FrozenModel& model, const float* row) {
  using Scaling = FrozenModel::Scaling;
  const std::size_t d = static_cast<std::size_t>(model.features);
  std::vector<float> x(row, row + d);
  if (model.scaling == Scaling::standardized) {
    for (std::size_t j = 0; j < d; ++j) x[j] = (x[j] - model.shift[j]) * model.scale[j];
  } else if (model.scaling == Scaling::contrast) {
    dasvdd::detail::ContrastNormalizer<float>(static_cast<double>(model.contrast_floor))
        .apply(dasvdd::detail::kernels::best<float>(), row, model.features, x.data());
  } else if (model.scaling == Scaling::softened) {
    dasvdd::detail::Softener<float>(model.image)
        .apply(dasvdd::detail::kernels::best<float>(), row, model.features, x.data());
  }
  return x;
}

/// ||A (a - b)||^2, A of bytes where there is one.
inline float squared_length(const ByteRows& A, bool lower, const std::vector<float>& a,
                            const float* b) {
  float sum = 0;
  const std::size_t d = a.size();
  if (A.numbers.empty()) {
    for (std::size_t j = 0; j < d; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < d; ++i) {
    float entry = 0;
    for (std::size_t j = 0; j < (lower ? i + 1 : d); ++j)
      entry += static_cast<float>(A.numbers[at++]) * (a[j] - b[j]);
    entry *= A.scale[i];
    sum += entry * entry;
  }
  return sum;
}

}  // namespace frozen

/// A model with weights of eight bits. Activations have eight bits, too; those of detectors whose score is whitened, or has
/// several centers, have twelve, in two bytes: there what the activations' rounding makes of a reconstruction is divided by
/// deviations as small as itself, and scores would come out a seventh too high.
class FrozenBytes {
 public:
  /// \param X rows that the activations' grids are made for: n x d, normal ones
  FrozenBytes(const FrozenModel& model, dasvdd::Rows<const float> X)
      : model_(model), half_(needs_more(model) ? 2048 : 128) {
    for (const FrozenMember& member : model.members) members_.push_back(made(member, X));
  }

  const std::vector<ByteMember>& members() const { return members_; }
  /// Activations are whole numbers from -half to half - 1.
  int half() const { return half_; }

  float score(const float* row) const {
    const std::vector<float> x = frozen::scaled(model_, row);
    float score = 0;
    for (std::size_t k = 0; k < members_.size(); ++k)
      score += score_by(model_.members[k], members_[k], x);
    score /= static_cast<float>(members_.size());
    return score == score ? score : std::numeric_limits<float>::infinity();
  }

 private:
  /// Whether eight bits are too few for activations, and sums of twelve times eight bits fit into 32.
  static bool needs_more(const FrozenModel& model) {
    bool whitened = false, fits = true;
    for (const FrozenMember& member : model.members) {
      whitened = whitened || !member.reconstruction.whitening.empty() ||
                 !member.latent.whitening.empty() || !member.latent.centers.empty();
      for (const auto* stages : {&member.encoder, &member.decoder}) {
        for (const FrozenStage& stage : *stages)
          fits = fits && (!stage.multiplies() || stage.row() * 127 * 4095 < (Index(1) << 31));
      }
    }
    return whitened && fits;
  }

  /// Smallest and largest number of each tensor of a member.
  struct Ranges {
    std::vector<float> low, high;
    void add(std::size_t tensor, const std::vector<float>& x) {
      if (low.size() <= tensor) low.resize(tensor + 1), high.resize(tensor + 1);
      low[tensor] = std::min(low[tensor], *std::min_element(x.begin(), x.end()));
      high[tensor] = std::max(high[tensor], *std::max_element(x.begin(), x.end()));
    }
    Grid grid(std::size_t tensor, int half) const {
      return Grid::of(low[tensor], high[tensor], half);
    }
  };

  ByteMember made(const FrozenMember& member, dasvdd::Rows<const float> X) const {
    // Tensor 0 is the row; one more a stage.
    Ranges ranges;
    for (Index i = 0; i < X.rows(); ++i) {
      std::vector<float> x = frozen::scaled(model_, X.row(i));
      std::size_t tensor = 0;
      ranges.add(tensor, x);
      for (const auto* stages : {&member.encoder, &member.decoder}) {
        for (const FrozenStage& stage : *stages) ranges.add(++tensor, x = frozen::run(stage, x));
      }
    }
    ByteMember result;
    std::size_t tensor = 0;
    for (const auto& [stages, made] : {std::pair(&member.encoder, &result.encoder),
                                       std::pair(&member.decoder, &result.decoder)}) {
      for (const FrozenStage& stage : *stages) {
        made->push_back(
            byte_stage(stage, ranges.grid(tensor, half_), ranges.grid(tensor + 1, half_)));
        ++tensor;
      }
      if (!made->empty()) made->back().to_float = true;
    }
    result.code = ranges.grid(member.encoder.size(), half_);
    const auto whitening = [](const FrozenTerm& term) {
      return frozen::byte_matrix(term.whitening, term.size, term.lower);
    };
    result.reconstruction_whitening = whitening(member.reconstruction);
    result.latent_whitening = whitening(member.latent);
    result.centers = frozen::byte_matrix(member.latent.centers, member.latent.size, false);
    return result;
  }

  static ByteStage byte_stage(const FrozenStage& s, const Grid& in, const Grid& out) {
    ByteStage b;
    b.in = in;
    b.out = out;
    const std::size_t channels = static_cast<std::size_t>(s.out.channels);
    b.scale.assign(channels, in.scale);
    b.offset.assign(channels, 0);
    if (s.multiplies()) set_weights(s, b);
    for (std::size_t c = 0; c < channels; ++c) {
      if (!s.bias.empty()) b.offset[c] += s.bias[c];
      if (s.factor.empty()) continue;
      b.scale[c] *= s.factor[c];
      b.offset[c] = (b.offset[c] - s.mean[c]) * s.factor[c] + s.shift[c];
    }
    return b;
  }

  /// Each output channel's weights by the largest of them.
  static void set_weights(const FrozenStage& s, ByteStage& b) {
    b.rows.numbers.resize(s.weight.size());
    const bool dense = s.kind == FrozenStage::Kind::dense;
    for (Index o = 0; o < s.out.channels; ++o) {
      std::vector<std::size_t> places;
      for (Index c = 0; c < s.in.channels; ++c) {
        for (Index i = 0; i < s.kernel; ++i) {
          for (Index j = 0; j < s.kernel; ++j)
            places.push_back(static_cast<std::size_t>(s.weight_at(o, c, i, j)));
        }
      }
      // A dense layer behind an image has a weight for each number of it.
      if (dense) {
        places.clear();
        for (Index k = 0; k < s.row(); ++k)
          places.push_back(static_cast<std::size_t>(o * s.row() + k));
      }
      std::vector<float> weights;
      for (const std::size_t at : places) weights.push_back(s.weight[at]);
      const ByteRows row = frozen::byte_rows(weights, {weights.size()});
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < places.size(); ++i) {
        b.rows.numbers[places[i]] = row.numbers[i];
        sum += row.numbers[i];
      }
      const std::size_t channel = static_cast<std::size_t>(o);
      b.scale[channel] *= row.scale.front();
      if (dense) b.offset[channel] = -b.scale[channel] * static_cast<float>(sum * b.in.zero);
    }
  }

  /// Stages one behind the other. \return the last one's numbers
  static std::vector<float> run(const std::vector<FrozenStage>& stages,
                                const std::vector<ByteStage>& bytes, const std::vector<float>& x) {
    std::vector<float> y = x;
    for (std::size_t l = 0; l < stages.size(); ++l)
      y = frozen::run(stages[l], bytes[l], frozen::on_grid(bytes[l].in, y));
    return y;
  }

  static float score_by(const FrozenMember& member, const ByteMember& bytes,
                        const std::vector<float>& x) {
    float score = 0;
    const std::vector<float> code = run(member.encoder, bytes.encoder, x);
    if (member.latent_of_code()) {
      score +=
          member.latent.factor * frozen::squared_length(bytes.latent_whitening, member.latent.lower,
                                                        code, member.center.data());
    }
    if (member.decoder.empty()) return score;
    const std::vector<float> output = run(member.decoder, bytes.decoder, code);
    if (!member.latent.centers.empty() && member.latent.factor > 0) {
      const std::size_t d = output.size();
      float nearest = std::numeric_limits<float>::max();
      for (std::size_t k = 0; k < bytes.centers.scale.size(); ++k) {
        float distance = 0;
        for (std::size_t j = 0; j < d; ++j) {
          const float c =
              bytes.centers.scale[k] * static_cast<float>(bytes.centers.numbers[k * d + j]);
          distance += (output[j] - c) * (output[j] - c);
        }
        nearest = std::min(nearest, distance);
      }
      score += member.latent.factor * nearest;
    }
    if (member.reconstruction.factor > 0) {
      score += member.reconstruction.factor * frozen::squared_length(bytes.reconstruction_whitening,
                                                                     member.reconstruction.lower,
                                                                     output, x.data());
    }
    return score;
  }

  const FrozenModel& model_;
  int half_;
  std::vector<ByteMember> members_;
};

}  // namespace tool
