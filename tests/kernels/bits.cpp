// The same bits on every machine: what each table but the portable one computes has one checksum, whatever the
// instruction set, the compiler and its flags.

#include "support.hpp"

#include <algorithm>
#include <string>

namespace {

using namespace kernel_tests;

/// FNV-1a over the bytes of numbers.
class Checksum {
 public:
  template <class Scalar>
  void add(const std::vector<Scalar>& v) {
    for (const Scalar x : v) {
      unsigned char bytes[sizeof x];
      std::memcpy(bytes, &x, sizeof x);
      for (const unsigned char byte : bytes) value_ = (value_ ^ byte) * 0x100000001b3u;
    }
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

/// Numbers of n features a sample, as strips of `panel` samples each; from strips where `back`.
template <class Scalar>
std::vector<Scalar> in_strips(const std::vector<Scalar>& x, Index n, Index panel, bool back) {
  std::vector<Scalar> y(x.size());
  for (Index i = 0; i < static_cast<Index>(x.size()); ++i) {
    const Index sample = i / n, feature = i % n;
    const Index at = (sample / panel * n + feature) * panel + sample % panel;
    (back ? y[static_cast<std::size_t>(i)] : y[static_cast<std::size_t>(at)]) =
        back ? x[static_cast<std::size_t>(at)] : x[static_cast<std::size_t>(i)];
  }
  return y;
}

/// Every function of the table once, at sizes that leave a rest everywhere. The names are bound so that
/// a new member of the table does not compile until it stands here, to be called below.
template <class Scalar>
std::uint64_t checksum(const kernels::Table<Scalar>& table) {
  const auto& [name, panel, pack_rows, pack_columns, product, product_add, gradient, gradient_adam,
               column_sums, adam, activate, derivative, squared_distance, scaled_difference,
               strip_layer, strip_terms, scores, all_finite, place_of_largest, standardize] = table;
  const Index rows = 29, cols = 71, depth = 301;
  const Index panels = 96;  // whole panels of every table
  Checksum sum;
  Numbers numbers(2024);
  const auto w = numbers.vector<Scalar>(cols * depth), x = numbers.vector<Scalar>(rows * depth);
  const auto bias = numbers.vector<Scalar>(128);
  std::vector<Scalar> strips(static_cast<std::size_t>(panels * depth));
  // Only the columns count: panels end elsewhere in every table.
  const auto add_columns = [&](const std::vector<Scalar>& out) {
    for (Index r = 0; r < rows; ++r) {
      const auto first = out.begin() + r * panels;
      sum.add(std::vector<Scalar>(first, first + cols));
    }
  };

  std::vector<Scalar> out(static_cast<std::size_t>(rows * panels));
  for (int kind = 0; kind <= int(ActivationKind::sigmoid); ++kind) {
    const Activation f{ActivationKind(kind), 0.1};
    pack_rows(w.data(), depth, cols, depth, strips.data());
    const kernels::Product<Scalar> of_rows{rows,  cols, depth,      strips.data(), x.data(),
                                           depth, 1,    out.data(), panels};
    product(of_rows, bias.data(), f);
    add_columns(out);
    auto g = numbers.vector<Scalar>(rows * panels);
    derivative(f, out.data(), panels, g.data(), panels, rows, cols);
    add_columns(g);
    product_add(of_rows);
    add_columns(out);
  }

  auto state = numbers.vector<Scalar>(3 * cols * rows);
  for (Scalar& v : state) v = v * v;
  const kernels::AdamStep<Scalar> step{Scalar(0.1),  Scalar(0.999), Scalar(0.001), Scalar(0.01),
                                       Scalar(1.25), Scalar(1e-8),  Scalar(0.9999)};
  const Index n = cols * rows;
  const auto g = numbers.vector<Scalar>(depth * rows);
  pack_columns(w.data(), cols, cols, depth, strips.data());
  kernels::Product<Scalar> of_columns{rows, cols, depth,      strips.data(), g.data(),
                                      1,    rows, out.data(), panels};
  gradient(of_columns);
  add_columns(out);
  of_columns.out_stride = cols;
  gradient_adam(of_columns, {state.data(), state.data() + n, state.data() + 2 * n}, step);
  sum.add(state);

  std::vector<Scalar> line(static_cast<std::size_t>(cols));
  column_sums(w.data(), cols, 37, cols, line.data());
  sum.add(line);
  scaled_difference(w.data(), x.data(), Scalar(0.7), cols, line.data());
  sum.add(line);
  standardize(w.data(), x.data(), g.data(), cols, line.data());
  sum.add(line);
  sum.add(std::vector<Scalar>{squared_distance(w.data(), x.data(), depth)});

  adam(g.data(), n, {state.data(), state.data() + n, state.data() + 2 * n}, step);
  sum.add(state);
  activate(Activation("gelu"), w.data(), cols, line.data(), cols, 1, cols);
  sum.add(line);

  // Whole strips of every table; as many outputs as a strip layer has at most.
  const Index samples = 96, inputs = 37, outputs = kernels::widest_strip_layer;
  const auto samples_in = [&, width = panel](Index features) {
    return in_strips(numbers.vector<Scalar>(samples * features), features, width, false);
  };
  const auto in = samples_in(inputs), other = samples_in(outputs);
  std::vector<Scalar> layer_out(static_cast<std::size_t>(samples * outputs));
  const Index strip_count = samples / panel;
  strip_layer({strip_count, inputs, outputs, w.data(), bias.data(), Activation("silu"), in.data(),
               layer_out.data()});
  sum.add(in_strips(layer_out, outputs, panel, true));
  std::vector<double> terms(static_cast<std::size_t>(samples)), one = terms;
  strip_terms(layer_out.data(), other.data(), false, outputs, strip_count, 0.3, terms.data());
  strip_terms(layer_out.data(), bias.data(), true, outputs, strip_count, 0.7, one.data());
  sum.add(terms);
  std::vector<Scalar> score(terms.size());
  scores(terms.data(), one.data(), samples, score.data());
  sum.add(score);
  sum.add(std::vector<Scalar>{all_finite(score.data(), samples) ? Scalar(1) : Scalar(0)});
  CHECK(place_of_largest(score.data(), samples) ==  // later than the recorded sums
        std::max_element(score.begin(), score.end()) - score.begin());
  return sum.value();
}

}  // namespace

TEST_CASE("results have one checksum, whatever the instruction set, the compiler and its flags") {
  // Recorded from the first release's kernels. They change only with the arithmetic, and then a saved
  // detector's scores do too: say so in the change log.
  for (const auto* table : exact_tables<float>()) {
    INFO(std::string(table->name));
    CHECK(checksum(*table) == 16449036599360504410u);
  }
  for (const auto* table : exact_tables<double>()) {
    INFO(std::string(table->name));
    CHECK(checksum(*table) == 10535210523468230u);
  }
}
