// The same bits on every machine: what each table but the portable one computes has one checksum, whatever the
// instruction set, the compiler and its flags.

#include "support.hpp"

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

/// Every function of the table once, at sizes that leave a rest everywhere.
template <class Scalar>
std::uint64_t checksum(const kernels::Table<Scalar>& table) {
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
    table.pack_rows(w.data(), depth, cols, depth, strips.data());
    const kernels::Product<Scalar> product{rows,  cols, depth,      strips.data(), x.data(),
                                           depth, 1,    out.data(), panels};
    table.product(product, bias.data(), f);
    add_columns(out);
    auto g = numbers.vector<Scalar>(rows * panels);
    table.derivative(f, out.data(), panels, g.data(), panels, rows, cols);
    add_columns(g);
    table.product_add(product);
    add_columns(out);
  }

  auto state = numbers.vector<Scalar>(3 * cols * rows);
  for (Scalar& v : state) v = v * v;
  const kernels::AdamStep<Scalar> step{Scalar(0.1),  Scalar(0.999), Scalar(0.001), Scalar(0.01),
                                       Scalar(1.25), Scalar(1e-8),  Scalar(0.9999)};
  const Index n = cols * rows;
  const auto g = numbers.vector<Scalar>(depth * rows);
  table.pack_columns(w.data(), cols, cols, depth, strips.data());
  const kernels::Product<Scalar> gradient{rows, cols, depth,      strips.data(), g.data(),
                                          1,    rows, out.data(), panels};
  table.gradient(gradient);
  add_columns(out);
  kernels::Product<Scalar> stepped = gradient;
  stepped.out_stride = cols;
  table.gradient_adam(stepped, {state.data(), state.data() + n, state.data() + 2 * n}, step);
  sum.add(state);

  std::vector<Scalar> line(static_cast<std::size_t>(cols));
  table.column_sums(w.data(), cols, 37, cols, line.data());
  sum.add(line);
  table.scaled_difference(w.data(), x.data(), Scalar(0.7), cols, line.data());
  sum.add(line);
  table.standardize(w.data(), x.data(), g.data(), cols, line.data());
  sum.add(line);
  sum.add(std::vector<Scalar>{table.squared_distance(w.data(), x.data(), depth)});
  return sum.value();
}

}  // namespace

TEST_CASE("results have one checksum, whatever the instruction set, the compiler and its flags") {
  // Recorded from the first release's kernels. They change only with the arithmetic, and then a saved
  // detector's scores do too: say so in the change log.
  for (const auto* table : exact_tables<float>()) {
    INFO(std::string(table->name));
    CHECK(checksum(*table) == 12036748044359443349u);
  }
  for (const auto* table : exact_tables<double>()) {
    INFO(std::string(table->name));
    CHECK(checksum(*table) == 7929653669421909196u);
  }
}
