// The kernels at the shapes of two published nets, 784-1024-256-256-256-1024-784 (images) and
// 8-10-4-4-4-10-8 (a small table), by one thread: GFLOP/s, and their share of the FMA peak measured at the same
// time. Packing counts: a training step packs every weight twice.
//
// DASVDD_KERNELS=portable|avx2|avx512 chooses the kernels.

#include <dasvdd/core/floating_point.hpp>
#include <dasvdd/core/memory.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "peak.hpp"

namespace {

using dasvdd::Index;
using dasvdd::detail::AlignedBuffer;
using dasvdd::detail::padded_stride;
using dasvdd::detail::round_up;
namespace kernels = dasvdd::detail::kernels;

const std::vector<Index> image_net{784, 1024, 256, 256, 256, 1024, 784};
const std::vector<Index> table_net{8, 10, 4, 4, 4, 10, 8};

AlignedBuffer<float> numbers(Index n, float scale) {
  AlignedBuffer<float> v(n);
  std::uint32_t state = 1;
  for (float& x : v) {
    state = state * 1664525u + 1013904223u;
    x = scale * (static_cast<float>(state >> 8) * 0x1p-23f - 1);
  }
  return v;
}

/// One dense layer with everything a training step touches.
struct Layer {
  const kernels::Table<float>& k = kernels::best<float>();
  Index in, out, rows, x_stride, y_stride;
  AlignedBuffer<float> w, first, second, bias, x, y, g, dx, packed, strip;

  Layer(Index in_, Index out_, Index rows_)
      : in(in_),
        out(out_),
        rows(rows_),
        x_stride(padded_stride<float>(in)),
        y_stride(padded_stride<float>(out)),
        w(numbers(in * out, 0.05f)),
        first(in * out),
        second(in * out),
        bias(numbers(y_stride, 0.1f)),
        x(numbers(rows * x_stride, 1)),
        y(rows * y_stride),
        g(numbers(rows * y_stride, 0.01f)),
        dx(std::max<Index>(rows, 12) * x_stride),
        packed(in * round_up(out, k.panel)),
        strip(std::max({in * k.panel, out * k.panel, rows * round_up(in, k.panel)})) {
    k.pack_rows(w.data(), in, out, in, packed.data());
    k.pack_columns(x.data(), x_stride, in, rows, strip.data());
  }

  /// Scoring: the weights lie packed.
  void forward_packed() {
    k.product({rows, out, in, packed.data(), x.data(), x_stride, 1, y.data(), y_stride},
              bias.data(), {dasvdd::detail::ActivationKind::leaky_relu, 0.01});
  }
  /// One strip for all outputs: what the products come to when weights need not come from far.
  void forward_one_strip() {
    for (Index j = 0; j < out; j += k.panel) {
      k.product({rows, std::min(k.panel, out - j), in, packed.data(), x.data(), x_stride, 1,
                 y.data() + j, y_stride},
                bias.data() + j, {});
    }
  }
  void forward() {
    for (Index j = 0; j < out; j += k.panel) {
      const Index n = std::min(k.panel, out - j);
      k.pack_rows(w.data() + j * in, in, n, in, strip.data());
      k.product({rows, n, in, strip.data(), x.data(), x_stride, 1, y.data() + j, y_stride},
                bias.data() + j, {dasvdd::detail::ActivationKind::leaky_relu, 0.01});
    }
  }
  void backward() {
    for (Index j = 0; j < in; j += k.panel) {
      const Index n = std::min(k.panel, in - j);
      k.pack_columns(w.data() + j, in, n, out, strip.data());
      k.product({rows, n, out, strip.data(), g.data(), y_stride, 1, dx.data() + j, x_stride},
                nullptr, {});
    }
  }
  /// The weight gradient's products alone, its strips packed before, a few rows at a time to one place.
  void gradient_alone() {
    constexpr Index some = 12;
    for (Index o = 0; o < out; o += some) {
      k.gradient({std::min(some, out - o), in, rows, strip.data(), g.data() + o, 1, y_stride,
                  dx.data(), in});
    }
  }
  void gradient_adam() {
    // A rate of zero: the weights stay what they are however often this runs.
    const kernels::AdamStep<float> step{0.1f, 0.999f, 0.001f, 0.0f, 1.0f, 1e-8f, 1.0f};
    k.pack_columns(x.data(), x_stride, in, rows, strip.data());
    k.gradient_adam({out, in, rows, strip.data(), g.data(), 1, y_stride, nullptr, in},
                    {w.data(), first.data(), second.data()}, step);
  }
};

/// Time for the net's six layers; the peak is measured once.
void net(benchmark::State& state, const std::vector<Index>& widths, Index rows,
         void (Layer::*work)()) {
  const dasvdd::detail::FloatingPointMode mode;
  std::vector<Layer> layers;
  double flops = 0;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    layers.emplace_back(widths[l], widths[l + 1], rows);
    flops += 2.0 * static_cast<double>(rows * widths[l] * widths[l + 1]);
  }
  for (auto _ : state) {
    for (Layer& layer : layers) (layer.*work)();
    benchmark::ClobberMemory();
  }
  static const double peak = bench::fma_peak_gflops(1);
  state.counters["GFLOP"] =
      benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["of peak"] =
      benchmark::Counter(flops * 1e-9 / peak, benchmark::Counter::kIsIterationInvariantRate);
}

struct Work {
  const char* name;
  void (Layer::*function)();
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const Work works[] = {{"score", &Layer::forward_packed},
                        {"products of one strip", &Layer::forward_one_strip},
                        {"gradient's products", &Layer::gradient_alone},
                        {"forward", &Layer::forward},
                        {"backward", &Layer::backward},
                        {"gradient and Adam", &Layer::gradient_adam}};
  for (const Index rows : {1, 20, 90, 180}) {
    for (const Work& work : works) {
      const auto name = [&](const char* which) {
        return std::string(which) + " net, " + std::to_string(rows) + " rows, " + work.name;
      };
      benchmark::RegisterBenchmark(name("image").c_str(), net, image_net, rows, work.function)
          ->Unit(benchmark::kMicrosecond);
      benchmark::RegisterBenchmark(name("table").c_str(), net, table_net, rows, work.function)
          ->Unit(benchmark::kMicrosecond);
    }
  }
  std::printf(
      "kernels: %s; FMA peak %.0f GFLOP/s, bf16 dot products %.0f GFLOP/s; reading 9 MB %.0f GB/s, "
      "1 GB %.0f GB/s\n",
      kernels::best<float>().name, bench::fma_peak_gflops(1), bench::bf16_peak_gflops(1),
      bench::read_bandwidth_gbs(std::size_t{9} << 20, 1),
      bench::read_bandwidth_gbs(std::size_t{1} << 30, 1));
  benchmark::RunSpecifiedBenchmarks();
}
