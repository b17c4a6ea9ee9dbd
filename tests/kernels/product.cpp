// The matrix products and the packing of their strips, against plain sums in double precision.

#include "support.hpp"

#include <cmath>
#include <string>

namespace {

using namespace kernel_tests;

const Index sizes[] = {1, 7, 15, 16, 17, 31, 33, 150};
const Index depths[] = {0, 1, 5, 16, 37, 700};  // the last one is more than one block of any set

/// One product: w is cols x depth in the layout that a packing routine reads, b is rows x depth.
template <class Scalar>
struct Case {
  Index rows, cols, depth;
  bool by_columns;  // packed from depth x cols (pack_columns), else from cols x depth (pack_rows)
  bool transposed;  // b lies depth x rows: b_row 1, as in a weight gradient
  Index w_stride, b_stride;
  std::vector<Scalar> w, b;

  Case(Index rows_, Index cols_, Index depth_, bool by_columns_, bool transposed_, Numbers numbers)
      : rows(rows_),
        cols(cols_),
        depth(depth_),
        by_columns(by_columns_),
        transposed(transposed_),
        w_stride((by_columns ? cols : depth) + 3),
        b_stride((transposed ? rows : depth) + 5),
        // What lies between the rows is NaN: a kernel that read it would show it. One more than there is,
        // so that a depth of 0 has an address too.
        w(static_cast<std::size_t>(w_stride * (by_columns ? depth : cols) + 1), nan<Scalar>()),
        b(static_cast<std::size_t>(b_stride * (transposed ? depth : rows) + 1), nan<Scalar>()) {
    for (Index k = 0; k < depth; ++k) {
      for (Index j = 0; j < cols; ++j) weight(k, j) = static_cast<Scalar>(numbers.next());
      for (Index r = 0; r < rows; ++r) row(r, k) = static_cast<Scalar>(numbers.next());
    }
  }
  Scalar& weight(Index k, Index j) {
    return w[static_cast<std::size_t>(by_columns ? k * w_stride + j : j * w_stride + k)];
  }
  Scalar& row(Index r, Index k) {
    return b[static_cast<std::size_t>(transposed ? k * b_stride + r : r * b_stride + k)];
  }
  std::vector<Scalar> packed(const kernels::Table<Scalar>& table) const {
    // One NaN beyond the end must survive.
    std::vector<Scalar> strips(static_cast<std::size_t>(round_up(cols, table.panel) * depth + 1),
                               nan<Scalar>());
    const auto pack = by_columns ? table.pack_columns : table.pack_rows;
    pack(w.data(), w_stride, cols, depth, strips.data());
    return strips;
  }
  kernels::Product<Scalar> product(const Scalar* strips, Scalar* out, Index out_stride) const {
    return {rows,
            cols,
            depth,
            strips,
            b.data(),
            transposed ? 1 : b_stride,
            transposed ? b_stride : 1,
            out,
            out_stride};
  }
  /// The exact sum and the sum of magnitudes, which bounds the rounding of any order of adding.
  double sum(Index r, Index j, double start, double* magnitude) {
    double total = start;
    *magnitude = std::fabs(start);
    for (Index k = 0; k < depth; ++k) {
      const double term = double(row(r, k)) * double(weight(k, j));
      total += term;
      *magnitude += std::fabs(term);
    }
    return total;
  }
};

template <class Scalar, class Test>
void for_all_cases(Test test) {
  for (const Index rows : sizes) {
    for (const Index cols : sizes) {
      for (const Index depth : depths) {
        for (int form = 0; form < 3; ++form) {  // forward, backward, weight gradient
          const Numbers numbers(static_cast<std::uint64_t>(rows * 1000 + cols * 10 + depth));
          Case<Scalar> c(rows, cols, depth, form > 0, form > 1, numbers);
          CAPTURE(rows);
          CAPTURE(cols);
          CAPTURE(depth);
          CAPTURE(form);
          test(c);
        }
      }
    }
  }
}

/// True if a rows x cols block equals the sums (from `start(r, j)`), and what lies beyond `written`
/// columns is NaN still.
template <class Scalar, class Start>
bool equals_sums(Case<Scalar>& c, const std::vector<Scalar>& out, Index stride, Index written,
                 Start start) {
  // depth + 1 roundings at most, each half a unit of a partial sum below the magnitude.
  const double unit = std::numeric_limits<Scalar>::epsilon() * double(c.depth + 1);
  for (Index r = 0; r < c.rows; ++r) {
    for (Index j = 0; j < stride; ++j) {
      const double got = double(out[static_cast<std::size_t>(r * stride + j)]);
      if (j < c.cols) {
        double magnitude;
        const double expected = c.sum(r, j, start(r, j), &magnitude);
        if (!(std::fabs(got - expected) <= unit * magnitude)) return false;
      } else if (j >= written && got == got) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

TEST_CASE_TEMPLATE("packing lays strips out as the table says, zeros beyond the columns", Scalar,
                   float, double) {
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for_all_cases<Scalar>([&](Case<Scalar>& c) {
      const auto strips = c.packed(*table);
      bool right = strips.back() != strips.back();
      const Index panel = table->panel, padded = round_up(c.cols, panel);
      for (Index j = 0; j < padded; ++j) {
        for (Index k = 0; k < c.depth; ++k) {
          const Scalar got =
              strips[static_cast<std::size_t>((j / panel * c.depth + k) * panel + j % panel)];
          right = right && same_bits(got, j < c.cols ? c.weight(k, j) : Scalar(0));
        }
      }
      CHECK(right);
    });
  }
}

TEST_CASE_TEMPLATE("products of every table equal plain sums", Scalar, float, double) {
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for_all_cases<Scalar>([&](Case<Scalar>& c) {
      const auto strips = c.packed(*table);
      const Index padded = round_up(c.cols, table->panel), stride = padded + 3;
      const auto size = static_cast<std::size_t>(stride * c.rows);
      const auto bias = Numbers(5).vector<Scalar>(padded);
      const auto at = [](const std::vector<Scalar>& v, Index i) {
        return double(v[static_cast<std::size_t>(i)]);
      };

      std::vector<Scalar> out(size, nan<Scalar>());
      table->product(c.product(strips.data(), out.data(), stride), bias.data(), {});
      CHECK(equals_sums(c, out, stride, padded, [&](Index, Index j) { return at(bias, j); }));

      out.assign(size, nan<Scalar>());
      table->product(c.product(strips.data(), out.data(), stride), nullptr, {});
      CHECK(equals_sums(c, out, stride, padded, [](Index, Index) { return 0.0; }));

      const auto before = Numbers(6).vector<Scalar>(static_cast<Index>(size));
      out = before;
      for (Index r = 0; r < c.rows; ++r) {
        for (Index j = padded; j < stride; ++j) {
          out[static_cast<std::size_t>(r * stride + j)] = nan<Scalar>();
        }
      }
      table->product_add(c.product(strips.data(), out.data(), stride));
      CHECK(equals_sums(c, out, stride, padded,
                        [&](Index r, Index j) { return at(before, r * stride + j); }));

      out.assign(size, nan<Scalar>());
      table->gradient(c.product(strips.data(), out.data(), stride));
      CHECK(equals_sums(c, out, stride, c.cols, [](Index, Index) { return 0.0; }));
    });
  }
}

TEST_CASE_TEMPLATE("a product's bits depend on nothing but its numbers", Scalar, float, double) {
  // One output alone, by fused multiply-adds in the order of k: what every tile of every set must
  // give.
  for (const auto* table : exact_tables<Scalar>()) {
    INFO(std::string(table->name));
    for_all_cases<Scalar>([&](Case<Scalar>& c) {
      const auto strips = c.packed(*table);
      const Index stride = round_up(c.cols, table->panel);
      const auto bias = Numbers(5).vector<Scalar>(stride);
      std::vector<Scalar> out(static_cast<std::size_t>(stride * c.rows), nan<Scalar>());
      std::vector<Scalar> gradient = out;
      table->product(c.product(strips.data(), out.data(), stride), bias.data(), {});
      table->gradient(c.product(strips.data(), gradient.data(), stride));
      bool same = true;
      for (Index r = 0; r < c.rows; ++r) {
        for (Index j = 0; j < c.cols; ++j) {
          Scalar from_bias = bias[static_cast<std::size_t>(j)], from_zero = 0;
          for (Index k = 0; k < c.depth; ++k) {
            from_bias = std::fma(c.row(r, k), c.weight(k, j), from_bias);
            from_zero = std::fma(c.row(r, k), c.weight(k, j), from_zero);
          }
          const auto i = static_cast<std::size_t>(r * stride + j);
          same = same && same_bits(out[i], from_bias) && same_bits(gradient[i], from_zero);
        }
      }
      CHECK(same);
    });
  }
}

TEST_CASE_TEMPLATE("a product with an activation is the product, then the activation", Scalar,
                   float, double) {
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (int kind = 0; kind <= int(ActivationKind::sigmoid); ++kind) {
      CAPTURE(kind);
      const Activation f{ActivationKind(kind), 0.1};
      for (const Index rows : {1, 13}) {
        for (const Index cols : {5, 33, 70}) {
          for (const Index depth : {0, 9, 700}) {
            Case<Scalar> c(rows, cols, depth, false, false, Numbers(7));
            const auto strips = c.packed(*table);
            const Index stride = round_up(cols, table->panel);
            const auto bias = Numbers(5).vector<Scalar>(stride);
            std::vector<Scalar> fused(static_cast<std::size_t>(stride * rows)), apart = fused;
            table->product(c.product(strips.data(), fused.data(), stride), bias.data(), f);
            table->product(c.product(strips.data(), apart.data(), stride), bias.data(), {});
            table->activate(f, apart.data(), stride, apart.data(), stride, rows, stride);
            bool same = true;
            for (Index r = 0; r < rows; ++r) {
              for (Index j = 0; j < cols; ++j) {
                const auto i = static_cast<std::size_t>(r * stride + j);
                same = same && same_bits(fused[i], apart[i]);
              }
            }
            CHECK(same);
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("a layer on strips of samples has the bits of the product", Scalar, float,
                   double) {
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    const Index panel = table->panel;
    for (const Index inputs : {1, 4, 7, 16, 31}) {
      for (const Index outputs : {1, 2, 5, 10, 13, 32}) {
        for (const Index strips : {1, 2, 3}) {
          CAPTURE(inputs);
          CAPTURE(outputs);
          CAPTURE(strips);
          const Index samples = strips * panel;
          const Case<Scalar> c(samples, outputs, inputs, false, false, Numbers(71));
          const auto packed = c.packed(*table);
          const auto bias = Numbers(72).vector<Scalar>(round_up(outputs, panel));
          // The layer's weights lie without gaps, as in a net's parameters.
          std::vector<Scalar> w;
          for (Index o = 0; o < outputs; ++o) {
            w.insert(w.end(), c.w.begin() + o * c.w_stride, c.w.begin() + o * c.w_stride + inputs);
          }
          std::vector<Scalar> in(static_cast<std::size_t>(inputs * samples));
          table->pack_rows(c.b.data(), c.b_stride, samples, inputs, in.data());
          for (const Scalar* start : {static_cast<const Scalar*>(nullptr), bias.data()}) {
            for (const Activation f : {Activation{}, Activation{ActivationKind::leaky_relu, 0.01},
                                       Activation{ActivationKind::tanh, 0}}) {
              const Index stride = round_up(outputs, panel);
              std::vector<Scalar> expected(static_cast<std::size_t>(samples * stride)),
                  out(static_cast<std::size_t>(outputs * samples + 1), Scalar(-7));
              table->product(c.product(packed.data(), expected.data(), stride), start, f);
              table->strip_layer(
                  {strips, inputs, outputs, w.data(), start, f, in.data(), out.data()});
              bool same = out.back() == Scalar(-7);
              for (Index s = 0; s < samples; ++s) {
                for (Index o = 0; o < outputs; ++o) {
                  const Index at = (s / panel * outputs + o) * panel + s % panel;
                  same = same && same_bits(out[static_cast<std::size_t>(at)],
                                           expected[static_cast<std::size_t>(s * stride + o)]);
                }
              }
              CHECK(same);
            }
          }
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("NaN goes through products", Scalar, float, double) {
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    Case<Scalar> c(3, 40, 20, false, false, Numbers(8));
    c.row(1, 19) = nan<Scalar>();
    const auto strips = c.packed(*table);
    const Index stride = round_up(c.cols, table->panel);
    for (int kind = 0; kind <= int(ActivationKind::sigmoid); ++kind) {
      CAPTURE(kind);
      std::vector<Scalar> out(static_cast<std::size_t>(stride * c.rows));
      table->product(c.product(strips.data(), out.data(), stride), nullptr,
                     {ActivationKind(kind), 0.1});
      for (Index j = 0; j < c.cols; ++j) {
        CHECK(!std::isnan(out[static_cast<std::size_t>(j)]));
        CHECK(std::isnan(out[static_cast<std::size_t>(stride + j)]));
        CHECK(!std::isnan(out[static_cast<std::size_t>(2 * stride + j)]));
      }
    }
  }
}
