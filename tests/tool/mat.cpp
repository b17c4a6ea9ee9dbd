// MATLAB's files, made up byte by byte: what isn't rows of numbers, and what is damaged.

#include <tool/read_table.hpp>

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include "arrays.hpp"
#include "file_error.hpp"

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

#if DASVDD_TOOL_MATIO

namespace {

using tool::DataOptions;
using tool::read_table;
using tool::Table;

using namespace test_files;

// Version 5: elements of a type, a number of bytes, and these, filled up to a multiple of eight.

constexpr std::uint32_t int8 = 1, uint8 = 2, uint16 = 4, int32 = 5, uint32 = 6, float64 = 9,
                        matrix_element = 14, compressed_element = 15;

std::string tag(std::uint32_t type, std::size_t bytes) {
  return raw<std::uint32_t>({type, static_cast<std::uint32_t>(bytes)});
}
std::string element(std::uint32_t type, const std::string& data) {
  return tag(type, data.size()) + data + std::string((8 - data.size() % 8) % 8, '\0');
}
std::string doubles(const std::vector<double>& numbers) { return element(float64, raw(numbers)); }

/// \param flags MATLAB's class, and from the ninth bit on what else it is: 0x800 complex, 0x200 logical
std::string matrix(std::uint32_t flags, const std::vector<std::int32_t>& shape,
                   const std::string& name, const std::string& content) {
  const std::string inside = element(uint32, raw<std::uint32_t>({flags, 0})) +
                             element(int32, raw(shape)) + element(int8, name) + content;
  return tag(matrix_element, inside.size()) + inside;
}

std::string header() {
  std::string text = "MATLAB 5.0 MAT-file, made up";
  text.resize(124, ' ');
  return text + std::string("\0\1IM", 4);
}

constexpr std::uint32_t of_double = 6;
const std::string rows = matrix(of_double, {2, 3}, "X", doubles({1, 4, 2, 5, 3, 6}));
const std::string labels = matrix(of_double, {2, 1}, "y", doubles({0, 7}));

/// The sentence about a file of these bytes, without the path before it.
std::string refusal(const std::string& bytes, const DataOptions& options = {}) {
  const TemporaryFolder folder;
  const std::string path = folder.put("a.mat", bytes);
  const std::string sentence = message([&] { read_table(path, options); });
  if (sentence.compare(0, path.size() + 2, "'" + path + "'") != 0)
    return "the file isn't named: " + sentence;
  return sentence.substr(path.size() + 2);
}

Table table_of(const std::string& bytes, const DataOptions& options = {}) {
  const TemporaryFolder folder;
  return read_table(folder.put("a.mat", bytes), options);
}

/// The same array packed by zlib.
std::string packed(const std::string& array) {
  uLongf size = compressBound(static_cast<uLong>(array.size()));
  std::string bytes(size, '\0');
  REQUIRE(compress(reinterpret_cast<Bytef*>(&bytes[0]), &size,
                   reinterpret_cast<const Bytef*>(array.data()),
                   static_cast<uLong>(array.size())) == Z_OK);
  bytes.resize(size);
  return tag(compressed_element, bytes.size()) + bytes;
}

/// An array of version 4.
std::string old_array(std::uint32_t type, std::uint32_t n, std::uint32_t d, const std::string& name,
                      const std::string& numbers) {
  const auto letters = static_cast<std::uint32_t>(name.size() + 1);
  return raw<std::uint32_t>({type, n, d, 0, letters}) + name + std::string(1, '\0') + numbers;
}

}  // namespace

TEST_CASE("mat: numbers of every class are read, logical ones too") {
  const Table table = table_of(header() + rows + labels);
  CHECK(table.X.row(1) == Eigen::RowVector3d(4, 5, 6));
  CHECK(table.labels == std::vector<std::string>{"0", "7"});
  // A class of numbers may be stored as a smaller type.
  const std::string bytes = element(uint8, "\1\2\3\4");
  for (std::uint32_t kind = of_double; kind <= 15; ++kind) {
    CAPTURE(kind);
    CHECK(table_of(header() + matrix(kind, {2, 2}, "X", bytes)).X.row(0) ==
          Eigen::RowVector2d(1, 3));
  }
  constexpr std::uint32_t logical = 0x200 + 9;
  CHECK(
      table_of(header() + matrix(logical, {2, 1}, "X", element(uint8, std::string("\1\0", 2)))).X ==
      Eigen::Vector2d(1, 0));
}

TEST_CASE("mat: what holds no plain numbers is refused by what it is, as rows and as labels") {
  const std::string ir = element(int32, raw<std::int32_t>({0, 1})),
                    jc = element(int32, raw<std::int32_t>({0, 1, 2, 2}));
  const std::string number = matrix(of_double, {1, 1}, "", doubles({1}));
  const std::string field = element(int32, raw<std::int32_t>({8})) +
                            element(int8, std::string("f\0\0\0\0\0\0\0", 8)) + number;
  const struct {
    std::uint32_t flags;
    std::vector<std::int32_t> shape;
    std::string content;
    const char* sentence;
  } kinds[] = {
      {5,
       {2, 3},
       ir + jc + doubles({1, 2}),
       " is a sparse matrix, expected a full one; full(X) in"},
      {5 + 0x200, {2, 3}, ir + jc + element(uint8, "\1\1"), " is a sparse matrix"},
      {1, {2, 1}, number + number, " is a cell array, expected a matrix of numbers"},
      {2, {1, 1}, field, " is a struct, expected a matrix of numbers"},
      {3, {1, 1}, element(int8, "inline") + field, " is an object, expected a matrix of numbers"},
      {4, {1, 2}, element(uint16, raw<std::uint16_t>({'a', 'b'})), " is text, expected a matrix"},
      {6 + 0x800, {2, 1}, doubles({1, 2}) + doubles({0, 0}), " is a matrix of complex numbers"},
      {6, {2, 3, 2}, doubles(std::vector<double>(12)), " has 3 dimensions, expected 2"},
  };
  for (const auto& kind : kinds) {
    CAPTURE(kind.sentence);
    const std::string x = matrix(kind.flags, kind.shape, "X", kind.content),
                      y = matrix(kind.flags, kind.shape, "y", kind.content);
    CHECK(refusal(header() + x).find(std::string(": X") + kind.sentence) == 0);
    CHECK(refusal(header() + rows + y).find(std::string(": y") + kind.sentence) == 0);
    // What isn't asked for is in nobody's way.
    CHECK(table_of(header() + matrix(kind.flags, kind.shape, "other", kind.content) + rows)
              .X.rows() == 2);
  }
  // A table has a type and a class in place of dimensions.
  const std::string inside = element(uint32, raw<std::uint32_t>({17, 0})) + element(int8, "X") +
                             element(int8, "MCOS") + element(int8, "table") + number;
  const std::string object = header() + tag(matrix_element, inside.size()) + inside;
  CHECK(refusal(object).find(": X is an object, expected a matrix of numbers; table2array") == 0);
  CHECK(refusal(header() + matrix(16, {1, 1}, "X", number)).find(": X is a function handle") == 0);
  CHECK(refusal(header() + matrix(of_double, {0, 0}, "X", doubles({}))) == ": X has no columns");
  CHECK(refusal(header() + rows + matrix(of_double, {2, 2}, "y", doubles({0, 1, 0, 1}))) ==
        ": y has 2 rows and 2 columns, expected one label a row in a single column");
}

TEST_CASE("mat: cut short or damaged is refused, packed or not, of version 5 and of version 4") {
  const std::string old = old_array(0, 2, 3, "X", raw<double>({1, 4, 2, 5, 3, 6})),
                    old_labels = old_array(0, 2, 1, "y", raw<double>({0, 7}));
  const struct {
    std::size_t begin;
    std::string rows, labels;
  } files[] = {{128, header() + rows, labels},
               {128, header() + packed(rows), packed(labels)},
               {0, old, old_labels}};
  for (const auto& file : files) {
    const std::string all = file.rows + file.labels;
    const Table table = table_of(all);
    CHECK(table.X.row(0) == Eigen::RowVector3d(1, 2, 3));
    CHECK(table.labels == std::vector<std::string>{"0", "7"});
    for (std::size_t cut = file.begin + 1; cut < all.size(); ++cut) {
      if (cut == file.rows.size()) continue;  // where a file of X alone ends
      CAPTURE(cut);
      CHECK(refusal(all.substr(0, cut)).find(" is cut short") == 0);
    }
    CHECK(refusal(all + "more").find(" is") == 0);
  }
  // Each bit of what says how large things are, and of what is packed. Numbers and names may be others.
  const std::string plain = files[0].rows + files[0].labels,
                    deflated = files[1].rows + files[1].labels;
  const auto flipped = [](std::string bytes, std::size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    return bytes;
  };
  const auto is_refused = [](const std::string& bytes) {
    const std::string sentence = refusal(bytes);
    return sentence.find(" is cut short") == 0 || sentence.find(" is damaged") == 0;
  };
  const std::size_t sizes[] = {132, 140, 156, 160, 164, 188};
  for (const std::size_t at : sizes) {
    for (std::size_t bit = 8 * at; bit < 8 * at + 32; ++bit) {
      CAPTURE(bit);
      CHECK(is_refused(flipped(plain, bit)));
    }
  }
  const Table whole = table_of(deflated);
  int same = 0;
  for (std::size_t bit = 8 * 128; bit < 8 * deflated.size(); ++bit) {
    CAPTURE(bit);
    const std::string bytes = flipped(deflated, bit);
    if (is_refused(bytes)) continue;
    // Zeros that are copied from other zeros, and bits that fill a byte up.
    const Table table = table_of(bytes);
    CHECK(table.X == whole.X);
    CHECK(table.labels == whole.labels);
    ++same;
  }
  CHECK(same < 30);
  CHECK(refusal(old_array(0, 1000000, 1000000, "X", raw<double>({1, 4}))) ==
        " is cut short: by its header it holds 8e+12 bytes");
}

TEST_CASE("mat: version 7.3 is read whole, and refused where it is cut short") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.mat";
  mat_t* file = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT73);
  if (file == nullptr) {
    MESSAGE("not run: this matio is built without HDF5");
    return;
  }
  double numbers[] = {1, 4, 2, 5, 3, 6};
  std::size_t shape[] = {2, 3};
  matvar_t* X = Mat_VarCreate("X", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, shape, numbers, 0);
  REQUIRE(Mat_VarWrite(file, X, MAT_COMPRESSION_NONE) == 0);
  Mat_VarFree(X);
  Mat_Close(file);
  const std::string bytes = content(path);
  CHECK(read_table(path, {}).X.row(1) == Eigen::RowVector3d(4, 5, 6));
  for (const std::size_t size : {bytes.size() - 1, bytes.size() / 2, std::size_t(700)}) {
    CAPTURE(size);
    CHECK(refusal(bytes.substr(0, size)) ==
          " holds no array that can be read: it is empty, cut short or damaged");
  }
}

#endif
