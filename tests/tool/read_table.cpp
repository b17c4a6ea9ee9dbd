#include <tool/read_table.hpp>

#include <dasvdd/core/random.hpp>

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include "arrays.hpp"
#include "file_error.hpp"

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace {

using dasvdd::FileError;
using dasvdd::Random;
using tool::DataOptions;
using tool::Index;
using tool::read_table;
using tool::Table;

using namespace test_files;

using Words = std::vector<std::string>;

/// The sentence about a file of these bytes, without the path before it.
std::string refusal(const std::string& name, const std::string& bytes,
                    const DataOptions& options = {}) {
  const TemporaryFolder folder;
  const std::string path = folder.put(name, bytes);
  const std::string sentence = message([&] { read_table(path, options); });
  if (sentence.compare(0, path.size() + 2, "'" + path + "'") != 0)
    return "the file isn't named: " + sentence;
  return sentence.substr(path.size() + 2);
}

Table table_of(const std::string& name, const std::string& bytes, const DataOptions& options = {}) {
  const TemporaryFolder folder;
  return read_table(folder.put(name, bytes), options);
}

DataOptions label_column(const std::string& column) {
  DataOptions options;
  options.label_column = column;
  return options;
}

std::vector<float> values(const Table& table) {
  return std::vector<float>(table.X.data(), table.X.data() + table.X.size());
}

const std::string two_by_three = array("<f4", "(2, 3)", raw<float>({1, 2, 3, 4, 5, 6}));

/// Two images of 2 x 3 pixels.
const std::string images =
    big_endian({0x803, 2, 2, 3}) + std::string("\0\xff\x33\0\0\1\2\3\4\5\6\7", 12);

}  // namespace

// ---- .npy

TEST_CASE("npy: every type of number becomes the same rows") {
  const std::vector<float> expected = {1, 0, 1, 100, 5, 6};
  const auto read = [](const std::string& descr, const std::string& data) {
    const Table table = table_of("a.npy", array(descr, "(3, 2)", data));
    CHECK(table.X.rows() == 3);
    CHECK(table.labels.empty());
    CHECK_FALSE(table.images);
    return values(table);
  };
  CHECK(read("<f4", raw<float>({1, 0, 1, 100, 5, 6})) == expected);
  CHECK(read("<f8", raw<double>({1, 0, 1, 100, 5, 6})) == expected);
  CHECK(read("|i1", raw<std::int8_t>({1, 0, 1, 100, 5, 6})) == expected);
  CHECK(read("<i2", raw<std::int16_t>({1, 0, 1, 100, 5, 6})) == expected);
  CHECK(read("<i4", raw<std::int32_t>({1, 0, 1, 100, 5, 6})) == expected);
  CHECK(read("<i8", raw<std::int64_t>({1, 0, 1, 100, 5, 6})) == expected);
  CHECK(read("|u1", raw<std::uint8_t>({1, 0, 1, 100, 5, 6})) == expected);
  CHECK(read("<u2", raw<std::uint16_t>({1, 0, 1, 100, 5, 6})) == expected);
  CHECK(read("<u4", raw<std::uint32_t>({1, 0, 1, 100, 5, 6})) == expected);
  CHECK(read("=u8", raw<std::uint64_t>({1, 0, 1, 100, 5, 6})) == expected);
  CHECK(read("|b1", raw<std::uint8_t>({1, 0, 1, 1, 0, 0})) == std::vector<float>{1, 0, 1, 1, 0, 0});
  CHECK(read("<i2", raw<std::int16_t>({-1, 0, 0, 0, 0, 300})).front() == -1);
  CHECK(read("|u1", raw<std::uint8_t>({255, 0, 0, 0, 0, 0})).front() == 255);
}

TEST_CASE("npy: Fortran order is turned") {
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }\n";
  CHECK(values(table_of("a.npy", npy(dictionary, raw<float>({1, 4, 2, 5, 3, 6})))) ==
        std::vector<float>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("npy: all header versions, any order of the fields, and more rows than one chunk") {
  const std::string dictionary = "{\"shape\": (2, 3,), 'descr': '<f4','fortran_order':False}";
  for (const int version : {1, 2, 3}) {
    CHECK(values(table_of("a.npy", npy(dictionary, raw<float>({1, 2, 3, 4, 5, 6}), version)))
              .back() == 6);
  }
  std::vector<float> many(30000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<float>(i);
  const Table table = table_of("a.npy", array("<f4", "(10000, 3)", raw(many)));
  CHECK(values(table) == many);
}

TEST_CASE("npy: no rows are rows too, and NaN is left to the detector") {
  CHECK(table_of("a.npy", array("<f4", "(0, 3)", "")).X.cols() == 3);
  CHECK(std::isnan(values(table_of("a.npy", array("<f4", "(1, 1)", raw<float>({NAN}))))[0]));
}

TEST_CASE("npy: packed with gzip it reads the same") {
  CHECK(values(table_of("a.npy.gz", gzipped(two_by_three))) ==
        std::vector<float>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("npy: what can't be rows of numbers is refused with a sentence") {
  CHECK(refusal("a.npy", "1,2\n") == " is no .npy file: it doesn't begin with NumPy's signature");
  CHECK(refusal("a.npy", npy("{}", "", 4)) ==
        " is of version 4 of the .npy format, known are 1 to 3");
  CHECK(refusal("a.npy", array("|O", "(2, 3)", "...")) ==
        " holds Python objects (dtype=object), expected plain numbers");
  CHECK(refusal("a.npy", array("<f16", "(1, 1)", "................")) ==
        " has the dtype '<f16', expected float16, float32, float64, bool or integers");
  CHECK(refusal("a.npy", array("<c8", "(1, 1)", "........")) ==
        " has the dtype '<c8', expected numbers");
  CHECK(refusal("a.npy", array("<U2", "(1, 1)", "........")) ==
        " has the dtype '<U2', expected numbers");
  CHECK(refusal("a.npy", array("<f4", "(2,)", "........")) ==
        " has 1 dimension(s), expected 2: one sample a row, or 3: images of height and width");
  CHECK(refusal("a.npy", array("<f4", "(2, 0)", "")) == " has no columns");
  CHECK(refusal("a.npy", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
                             "")) == " holds records of several fields, expected plain numbers");
}

TEST_CASE("npy: a damaged header is refused") {
  for (const char* dictionary :
       {"", "{", "{}", "[]", "{'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': 1}",
        "{'descr': 'f', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '<f4x', 'fortran_order': False, 'shape': (2, 3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 99999999999999999999)}"}) {
    CAPTURE(dictionary);
    CHECK(refusal("a.npy", npy(dictionary, std::string(24, '\0'))) ==
          " is no valid .npy file: its header is malformed");
  }
  CHECK(refusal("a.npy", std::string("\x93NUMPY\2\0\xff\xff\xff\xff", 12)) ==
        " is no valid .npy file: its header takes 4294967295 bytes");
}

TEST_CASE("npy: cut short or too long is refused, and a vast shape before memory is taken for it") {
  for (std::size_t cut = 1; cut < two_by_three.size(); ++cut) {
    CAPTURE(cut);
    CHECK(refusal("a.npy", two_by_three.substr(0, cut)).substr(0, 3) == " is");
  }
  CHECK(refusal("a.npy", two_by_three.substr(0, two_by_three.size() - 1)) == " is cut short");
  CHECK(refusal("a.npy", two_by_three + "x") == " has more bytes than its header says");
  CHECK(refusal("a.npy", array("<f8", "(1000000000, 1000000000)", "")) ==
        " is cut short: by its header it holds 8e+18 bytes");
}

TEST_CASE("npy: halves, and big-endian numbers of every type, are read without loss") {
  // 1, -2.5, the largest half, the smallest, infinity.
  const Table halves = table_of(
      "a.npy",
      array("<f2", "(1, 6)", raw<std::uint16_t>({0x3c00, 0xc100, 0x7bff, 1, 0x7c00, 0x8000})));
  CHECK(values(halves) ==
        std::vector<float>{1, -2.5, 65504, std::ldexp(1.0f, -24), INFINITY, -0.0f});
  CHECK(
      std::isnan(table_of("a.npy", array("<f2", "(1, 1)", raw<std::uint16_t>({0x7e00}))).X(0, 0)));
  CHECK(values(table_of("a.npy", array(">f2", "(1, 1)", std::string("\x3c\0", 2)))) ==
        std::vector<float>{1});
  CHECK(values(table_of("a.npy", array(">f8", "(1, 1)", std::string("\x3f\xf8\0\0\0\0\0\0", 8)))) ==
        std::vector<float>{1.5});
  CHECK(values(table_of("a.npy", array(">f4", "(1, 1)", std::string("\xc0\x20\0\0", 4)))) ==
        std::vector<float>{-2.5});
  CHECK(values(table_of("a.npy", array(">i2", "(1, 2)", std::string("\xff\xfe\1\0", 4)))) ==
        std::vector<float>{-2, 256});
  CHECK(values(table_of("a.npy", array(">u1", "(1, 2)", "\3\4"))) == std::vector<float>{3, 4});
  // A double that no float is stays what it is.
  CHECK(table_of("a.npy", array("<f8", "(1, 1)", raw<double>({1.7e9 + 0.25}))).X(0, 0) ==
        1.7e9 + 0.25);
}

TEST_CASE("npy: three dimensions are images") {
  const Table table =
      table_of("a.npy", array("|u1", "(2, 2, 3)", std::string("\0\1\2\3\4\5\6\7\10\11\12\13", 12)));
  CHECK(table.images);
  CHECK(table.height == 2);
  CHECK(table.width == 3);
  CHECK(values(table) == std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const std::string turned = npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2, 3)}",
                                 std::string("\0\6\3\11\1\7\4\12\2\10\5\13", 12));
  CHECK(values(table_of("a.npy", turned)) == values(table));
  CHECK(refusal("a.npy", array("|u1", "(1, 1, 1, 2)", "ab"))
            .find(" has 4 dimension(s), expected 2") == 0);
}

// ---- .npz

TEST_CASE("npz: X and y, stored and deflated") {
  const auto members = [](const std::string& y) {
    return std::vector<std::pair<std::string, std::string>>{{"y.npy", y}, {"X.npy", two_by_three}};
  };
  for (const int method : {ZIP_CM_STORE, ZIP_CM_DEFLATE}) {
    const Table table =
        table_of("a.npz", zipped(members(array("<i8", "(2,)", raw<std::int64_t>({0, 7}))), method));
    CHECK(values(table) == std::vector<float>{1, 2, 3, 4, 5, 6});
    CHECK(table.labels == Words{"0", "7"});
  }
  const auto labels = [&](const std::string& y) {
    return table_of("a.npz", zipped(members(y), ZIP_CM_DEFLATE)).labels;
  };
  CHECK(labels(array("<f8", "(2, 1)", raw<double>({-0.0, 1.5}))) == Words{"0", "1.5"});
  CHECK(labels(array("|b1", "(2,)", raw<std::uint8_t>({0, 1}))) == Words{"0", "1"});
  CHECK(labels(array("|S3", "(2,)", std::string("ok\0bad", 6))) == Words{"ok", "bad"});
  const std::vector<std::uint32_t> letters = {'o', 'k', 0, 0xe9, 0x20ac, 0x1f600};
  CHECK(labels(array("<U3", "(2,)", raw(letters))) ==
        Words{"ok", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"});
}

TEST_CASE("npz: labels are optional, and not even looked at when they aren't wanted") {
  CHECK(table_of("a.npz", zipped({{"X.npy", two_by_three}}, ZIP_CM_STORE)).labels.empty());
  const std::string bad_labels = zipped({{"X.npy", two_by_three}, {"y.npy", "junk"}}, ZIP_CM_STORE);
  DataOptions without;
  without.with_labels = false;
  CHECK(table_of("a.npz", bad_labels, without).X.rows() == 2);
  CHECK(refusal("a.npz", bad_labels) ==
        " (y.npy) is no .npy file: it doesn't begin with NumPy's signature");
}

TEST_CASE("npz: what doesn't hold X and fitting labels is refused") {
  CHECK(refusal("a.npz", "no archive") == " is no .npz file: it is no zip archive");
  CHECK(refusal("a.npz", zipped({{"arr_0.npy", two_by_three}}, ZIP_CM_STORE)) ==
        " has no array X; it holds arr_0.npy; --key names the array to take");
  CHECK(refusal("a.npz", zipped({{"X.npy", array("|O", "(2, 3)", "x")}}, ZIP_CM_STORE)) ==
        " (X.npy) holds Python objects (dtype=object), expected plain numbers");
  const auto with_labels = [](const std::string& y) {
    return zipped({{"X.npy", two_by_three}, {"y.npy", y}}, ZIP_CM_STORE);
  };
  CHECK(refusal("a.npz", with_labels(array("|u1", "(3,)", "abc"))) ==
        " has 2 rows in X but 3 labels in y");
  CHECK(refusal("a.npz", with_labels(array("|u1", "(1, 3)", "abc"))) ==
        " (y.npy) has 2 dimension(s), expected 1: one label a row");
  CHECK(refusal("a.npz", with_labels(array("<U0", "(2,)", ""))) == " (y.npy) holds empty labels");
}

TEST_CASE("npz: an archive of other things is refused by what it is") {
  const auto archive = [](const std::string& member) {
    return zipped({{"[Content_Types].xml", "<x/>"}, {member, "1,2\n"}}, ZIP_CM_DEFLATE);
  };
  CHECK(refusal("a.xlsx", archive("xl/workbook.xml"))
            .find(" is an Excel workbook, which isn't read; python3 -c ") == 0);
  CHECK(refusal("a.zip", zipped({{"a.csv", "1,2\n"}}, ZIP_CM_STORE)) ==
        " is a zip archive without an array, expected an .npz as numpy.savez writes it; it holds "
        "a.csv; unpack it and give the csv");
  CHECK(refusal("a.npz", archive("data.pkl")) ==
        " is a zip archive without an array, expected an .npz as numpy.savez writes it; it holds "
        "[Content_Types].xml, data.pkl");
}

TEST_CASE("npz: a damaged archive is refused") {
  const std::string good = zipped({{"X.npy", two_by_three}}, ZIP_CM_STORE);
  CHECK(refusal("a.npz", good.substr(0, good.size() - 30))
            .find(" is no zip archive that can be read: ") == 0);
  std::string changed = good;
  const std::size_t data = good.find("\x93NUMPY");
  changed[data + two_by_three.size() - 1] ^= 1;  // the archive's checksum tells
  CHECK(refusal("a.npz", changed).find(" (X.npy) can't be unpacked: ") == 0);
}

TEST_CASE("npz: arrays of any name, and a packing that isn't read is named") {
  const std::string labels = array("<i8", "(2,)", raw<std::int64_t>({0, 7}));
  const std::string archive =
      zipped({{"x_train.npy", two_by_three}, {"y_train.npy", labels}}, ZIP_CM_STORE);
  DataOptions options;
  CHECK(refusal("a.npz", archive) ==
        " has no array X; it holds x_train.npy, y_train.npy; --key names the array to take");
  options.key = "x_train";
  CHECK(table_of("a.npz", archive, options).X.rows() == 2);
  CHECK(table_of("a.npz", archive, options).labels.empty());
  options.label_key = "y_train";
  options.label_key_given = true;
  CHECK(table_of("a.npz", archive, options).labels == Words{"0", "7"});
  // As the sentence lists them.
  options.key = "x_train.npy";
  options.label_key = "y_train.npy";
  CHECK(values(table_of("a.npz", archive, options)) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(table_of("a.npz", archive, options).labels == Words{"0", "7"});
  options.label_key = "z";
  CHECK(refusal("a.npz", archive, options) == " has no array z; it holds x_train.npy, y_train.npy");
  CHECK(refusal("a.npy", two_by_three, options) ==
        " holds no named arrays, so --key and --label-key don't fit");
  if (zip_compression_method_supported(ZIP_CM_BZIP2, 1) != 0) {
    CHECK(refusal("a.npz", zipped({{"X.npy", two_by_three}}, ZIP_CM_BZIP2))
              .find(" (X.npy) is packed by zip's method 12, bzip2") == 0);
  }
}

// ---- .mat

#if DASVDD_TOOL_MATIO
TEST_CASE("mat: X and y of every number type, and what doesn't hold them is refused") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.mat";
  const auto write = [&](matio_types type, matio_classes kind, void* x,
                         std::vector<std::size_t> shape, const char* name) {
    mat_t* file = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
    REQUIRE(file != nullptr);
    matvar_t* rows = Mat_VarCreate(name, kind, type, 2, shape.data(), x, 0);
    double y[] = {0, 1};
    std::size_t two[] = {2, 1};
    matvar_t* labels = Mat_VarCreate("y", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, two, y, 0);
    REQUIRE(Mat_VarWrite(file, rows, MAT_COMPRESSION_ZLIB) == 0);
    REQUIRE(Mat_VarWrite(file, labels, MAT_COMPRESSION_NONE) == 0);
    Mat_VarFree(rows);
    Mat_VarFree(labels);
    Mat_Close(file);
  };
  // MATLAB's order is column by column.
  double wide[] = {1, 4, 2, 5, 3, 1.7e9 + 0.25};
  write(MAT_T_DOUBLE, MAT_C_DOUBLE, wide, {2, 3}, "X");
  const Table table = read_table(path, {});
  CHECK(table.X.row(0) == Eigen::RowVector3d(1, 2, 3));
  CHECK(table.X(1, 2) == 1.7e9 + 0.25);
  CHECK(table.labels == Words{"0", "1"});
  DataOptions without;
  without.with_labels = false;
  CHECK(read_table(path, without).labels.empty());
  DataOptions options;
  options.key = "Z";
  CHECK(message([&] { read_table(path, options); }) ==
        "'" + path + "' has no array Z; it holds X, y");
  float narrow[] = {1, 4, 2, 5};
  write(MAT_T_SINGLE, MAT_C_SINGLE, narrow, {2, 2}, "Z");
  CHECK(values(read_table(path, options)) == std::vector<float>{1, 2, 4, 5});
  std::uint8_t bytes[] = {1, 4};
  write(MAT_T_UINT8, MAT_C_UINT8, bytes, {2, 1}, "Z");
  CHECK(values(read_table(path, options)) == std::vector<float>{1, 4});
  std::int16_t three[] = {1, 4, 5};
  write(MAT_T_INT16, MAT_C_INT16, three, {3, 1}, "Z");
  CHECK(message([&] { read_table(path, options); }) ==
        "'" + path + "' has 3 rows in Z but 2 labels in y");
  char words[] = "ab";
  write(MAT_T_UINT8, MAT_C_CHAR, words, {1, 2}, "Z");
  CHECK(message([&] { read_table(path, options); }) ==
        "'" + path + "': Z is text, expected a matrix of numbers");
  CHECK(refusal("b.mat", "MATLAB 5.0 MAT-file, damaged") == " is no .mat file that can be read");
}
#endif

TEST_CASE("formats that aren't read are refused with a way to convert them") {
  CHECK(refusal("a.parquet", std::string("PAR1\x15\0", 6))
            .find(" is a Parquet file, which isn't read; python3 -c ") == 0);
  CHECK(refusal("a.h5", std::string("\x89HDF\r\n\x1a\n\0", 9))
            .find(" is an HDF5 file, which isn't read; ") == 0);
}

// ---- .csv

TEST_CASE("csv: rows of numbers without a header") {
  const Table table = table_of("a.csv", "2,1\n-3.5, 4e2 \n+5,.5\n");
  CHECK(values(table) == std::vector<float>{2, 1, -3.5f, 400, 5, 0.5f});
  CHECK(table.X.cols() == 2);
  CHECK(table.names.empty());
  CHECK(table.labels.empty());
}

TEST_CASE("csv: the first row is a header when no field of it is a number") {
  const Table table = table_of("a.csv", "age,height 2\n3,4\n");
  CHECK(table.names == Words{"age", "height 2"});
  CHECK(values(table) == std::vector<float>{3, 4});
  CHECK(table.lines == std::vector<Index>{2});
  CHECK(table_of("a.csv", "age,height\n").X.cols() == 2);
  CHECK(table_of("a.csv", "age,height\n").X.rows() == 0);
}

TEST_CASE("csv: a first row with a missing value is data, not a header") {
  CHECK(refusal("a.csv", "1,,3\n4,5,6\n") ==
        ", line 1, column 1 (from 0): the field is empty (fit --missing mask or impute takes "
        "missing values)");
  CHECK(refusal("a.csv", "1,,bad\n4,5,good\n4,5,bad\n", label_column("2")) ==
        ", line 1, column 1 (from 0): the field is empty (fit --missing mask or impute takes "
        "missing values)");
}

TEST_CASE("csv: a first row of numbers and words is asked about, whatever the word") {
  const char* asks = "--header yes takes the line for names, --header no for a row";
  for (const char* text :
       {"1,NA,3\n4,5,6\n", "1,?,3\n4,5,6\n", "1,abc,3\n4,5,6\n", "2020,x,y\n1,2,3\n"}) {
    CAPTURE(text);
    const std::string sentence = refusal("a.csv", text);
    CHECK(sentence.find(", line 1, column 1 (from 0): '") == 0);
    CHECK(sentence.find("' is no number, other fields are; ") != std::string::npos);
    CHECK(sentence.find(asks) != std::string::npos);
  }
  // The labels' field belongs to the row.
  CHECK(refusal("a.csv", "a,b,0\n1,2,0\n", label_column("2")) ==
        ", line 1, column 2 (from 0): 0 is a number, other fields are words; " + std::string(asks));
  DataOptions options;
  options.header = DataOptions::Header::yes;
  CHECK(table_of("a.csv", "1,NA,3\n4,5,6\n", options).names == Words{"1", "NA", "3"});
  options.header = DataOptions::Header::no;
  CHECK(refusal("a.csv", "1,NA,3\n4,5,6\n", options)
            .find(", line 1, column 1 (from 0): 'NA' is no number") == 0);
  CHECK(refusal("a.csv", "a,b\n4,5\n", options)
            .find(", line 1, column 0 (from 0): 'a' is no number") == 0);
  // A column that is left out says nothing about the first row.
  options = {};
  options.drop = {"0"};
  CHECK(table_of("a.csv", "2024-03-09,1,2\n2024-03-10,3,4\n", options).X.rows() == 2);
}

TEST_CASE("csv: a first row that counts is asked about") {
  const std::string sentence = refusal("a.csv", "0,1,2,3\n4,5,6,7\n");
  CHECK(sentence.find(", line 1: 0, 1, 2, ... may be names of columns or a row; --header yes") ==
        0);
  CHECK(refusal("a.csv", "0,1,2,y\n4,5,6,7\n", label_column("3")) == sentence);
  DataOptions options;
  options.header = DataOptions::Header::yes;
  CHECK(table_of("a.csv", "0,1,2,3\n4,5,6,7\n", options).names == Words{"0", "1", "2", "3"});
  options.header = DataOptions::Header::no;
  CHECK(table_of("a.csv", "0,1,2,3\n4,5,6,7\n", options).X.rows() == 2);
  // Numbers that count from elsewhere, or two of them, are a row where other rows count as well.
  CHECK(table_of("a.csv", "1,2,3\n4,5,6\n").X.rows() == 2);
  CHECK(table_of("a.csv", "0,1\n4,5\n").X.rows() == 2);
  CHECK(table_of("a.csv", "1,2,3\n").X.rows() == 1);
}

TEST_CASE(
    "csv: a first row that counts from anywhere is asked about where other rows don't count") {
  const auto asked = [](const std::string& first, const std::string& rest,
                        const DataOptions& options, const std::string& listing) {
    CAPTURE(first);
    const std::string text = first + "\n" + rest;
    CHECK(refusal("a.csv", text, options) ==
          ", line 1: " + listing +
              " may be names of columns or a row, since other lines don't count like that; "
              "--header yes takes the line for names, --header no for a row");
    DataOptions told = options;
    told.header = DataOptions::Header::yes;
    const Index rows = table_of("a.csv", text, told).X.rows();
    told.header = DataOptions::Header::no;
    CHECK(table_of("a.csv", text, told).X.rows() == rows + 1);
  };
  const std::string three = "0.1,0.7,0\n0.3,0.2,1\n5,5,0\n";
  for (const char* first : {"1,2,3", "2019,2020,2021", "-1,0,1", "7,8,9"}) {
    std::string listing;
    for (const char* c = first; *c != 0; ++c) listing += *c == ',' ? ", " : std::string(1, *c);
    asked(first, three, {}, listing);
    asked(first, "5,3,4\n9,1,1\n0,0,7\n", {}, listing);  // whole numbers too
  }
  asked("0,2,3", three, {}, "0, 2, 3");
  asked("0.0,1.0,2.0", three, {}, "0.0, 1.0, 2.0");
  asked("0,1", "0.1,0.7\n3,2\n", {}, "0, 1");
  asked("0,1,2", three, label_column("2"), "0, 1");
  asked("0,1,2", three, label_column("1"), "0, 1, 2");
  DataOptions dropped;
  dropped.drop = {"0"};
  asked("1,2,3,4,5", "1,2,3,0.5,1\n1,2,3,9,1\n", dropped, "2, 3, 4, 5");
  const std::string dates = "2024-01-01,0.1,0.7,0\n2024-01-02,0.3,0.2,1\n";
  CHECK(refusal("a.csv", "date,1,2,3\n" + dates, dropped).find(", line 1: 1, 2, 3 may be") == 0);
  dropped.header = DataOptions::Header::yes;
  CHECK(table_of("a.csv", "date,1,2,3\n" + dates, dropped).names == Words{"1", "2", "3"});
  // Numbers as they come.
  for (const char* text : {"1,2,4\n0.5,0.5,0.5\n1,3,4\n", "3,2,1\n0.5,0.5,0.5\n",
                           "0,5,900\n0.5,1,1\n0.1,3,2\n", "0,2,3\n1,3,4\n0.5,1,1\n"}) {
    CAPTURE(text);
    CHECK(table_of("a.csv", text).X.row(0).sum() > 5.9 - (text[0] == '0' ? 1 : 0));
  }
  CHECK(refusal("a.csv", "2020,2021\n1,2\n", label_column("2021")) ==
        " has no header, so no column '2021'; --header yes takes line 1 for names");
}

TEST_CASE("csv: pandas' index before numbered columns is named, however values may lack") {
  for (const bool missing : {false, true}) {
    DataOptions options;
    options.missing = missing;
    CHECK(
        refusal("a.csv", ",1,2,3\n0,0.5,6,7\n1,5,6,7\n", options) ==
        ", line 1: an empty field and 1, 2, 3 may be pandas' index and its numbered columns, or a "
        "row; --header yes with --drop 0 takes the line for names and leaves the index out, "
        "--header no for a row");
    CHECK(refusal("a.csv", ",0\n0,0.5\n1,5\n", options)
              .find(", line 1: an empty field and 0 may be pandas' index") == 0);
    options.header = DataOptions::Header::yes;
    options.drop = {"0"};
    CHECK(table_of("a.csv", ",1,2,3\n0,0.5,6,7\n1,5,6,7\n", options).X.rows() == 2);
    options.header = DataOptions::Header::automatic;
    CHECK(refusal("a.csv", ",0\n0,0.5\n1,5\n", options) ==
          ", line 1: an empty field and 0 may be pandas' index and its numbered columns, or a row; "
          "--header yes takes the line for names, --header no for a row");
    options.drop = {};
    options.label_column = "3";
    CHECK(refusal("a.csv", ",0,1,2\n0,0.5,6,7\n1,5,6,7\n", options)
              .find(", line 1: an empty field and 0, 1 may be") == 0);
  }
  DataOptions options;
  options.missing = true;
  options.header = DataOptions::Header::no;
  CHECK(table_of("a.csv", ",1,2\n3,4,5\n", options).X.rows() == 2);
  options.header = DataOptions::Header::automatic;
  CHECK(table_of("a.csv", ",1.5,2\n3,4,5\n", options).X.rows() == 2);
}

TEST_CASE("csv: a first row that lacks all values is asked about") {
  for (const char* text : {"NA\n0.3\n0.4\n", "?\n0.3\n0.4\n", "null,NA,?\n1,2,3\n5,2,4\n"}) {
    CAPTURE(text);
    const std::string word(text, std::strcspn(text, ",\n"));
    CHECK(refusal("a.csv", text) ==
          ", line 1: " + word +
              " may be a column's name or stand for a missing value; --header yes takes the line "
              "for names, --header no for a row");
    DataOptions told;
    told.header = DataOptions::Header::yes;
    CHECK(table_of("a.csv", text, told).X.rows() == 2);
    told.header = DataOptions::Header::no;
    told.missing = true;
    CHECK(table_of("a.csv", text, told).X.rows() == 3);
    told.header = DataOptions::Header::automatic;
    CHECK(table_of("a.csv", text, told).X.rows() == 3);
  }
  DataOptions one;
  one.columns = {"1"};
  CHECK(refusal("a.csv", "2024-01-01,?,?,?\n2024-01-02,1,2,3\n", one).find(", line 1: ? may be") ==
        0);
}

TEST_CASE("csv: a first row of numbers that is like no other line is asked about") {
  Random random(1);
  // Rows with decimals, whose lines the first one may head.
  const auto rows = [&](int columns, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      for (int j = 0; j < columns; ++j) {
        text += (j == 0 ? "" : ",") +
                tool::number_text(0.001 * std::floor(1000 * random.normal()) + 0.0005);
      }
      text += "\n";
    }
    return text;
  };
  const char* sentence = " may be names of columns or a row, since other lines";
  for (const char* first : {"400,402,404,406", "0.25,0.5,0.75,1.0", "1990,2000,2010,2020",
                            "5,7,9,1", "2,1,0,-1", "0.4,0.3,0.2,0.1", "100,200,300,7"}) {
    CAPTURE(first);
    const std::string body = rows(4, 30), text = std::string(first) + "\n" + body;
    CHECK(refusal("a.csv", text).find(sentence) != std::string::npos);
    DataOptions told;
    told.header = DataOptions::Header::yes;
    CHECK(table_of("a.csv", text, told).X.rows() == 30);
    told.header = DataOptions::Header::no;
    CHECK(table_of("a.csv", text, told).X.rows() == 31);
    // Elsewhere it is a row.
    CHECK(table_of("a.csv", body + first + "\n").X.rows() == 31);
  }
  // A series, and two lines of a MultiIndex.
  CHECK(refusal("a.csv", "0\n" + rows(1, 30)).find(sentence) != std::string::npos);
  CHECK(refusal("a.csv", "0,0,1,1\n0,1,0,1\n" + rows(4, 30)).find(sentence) != std::string::npos);
  // Wavelengths over whole numbers.
  std::string counts = "400,402,404,406,408,410\n";
  for (int i = 0; i < 30; ++i) {
    for (int j = 0; j < 6; ++j) counts += (j == 0 ? "" : ",") + std::to_string(random.below(1000));
    counts += "\n";
  }
  CHECK(refusal("a.csv", counts).find(", line 1: 400, 402, 404, 406, ... may be names") == 0);

  // Rows as they come: whole ones among others, steps as others have, few rows.
  for (const std::string& text :
       {"1,7\n" + rows(2, 3), "0\n" + rows(1, 5),
        std::string("2,4,6\n3,1,2\n5,5,1\n9,2,2\n0,0,1\n"), "3,7\n" + rows(2, 30) + "2,2\n",
        "0,0,0\n" + rows(3, 30), "1,0,0,1\n" + rows(4, 30),
        std::string("0.5,1.0,1.5\n1.0,1.5,2.0\n0.1,0.2,0.3\n")}) {
    CAPTURE(text);
    CHECK(table_of("a.csv", text).X.rows() > 3 - (text[2] == '5'));
  }
}

TEST_CASE("csv: pandas' index before columns whose names rise is asked about") {
  for (const char* first : {",5,7,9", ",2000,2010", ",3,4"}) {
    CAPTURE(first);
    const std::string text = std::string(first) + "\n0,1.5,2.5,3.5\n1,2.5,3.5,4.5\n";
    CHECK(refusal("a.csv", text).find("may be pandas' index and its numbered columns, or a row") !=
          std::string::npos);
  }
}

TEST_CASE("csv: no row vanishes because it begins with #") {
  const std::string rows = "g,a,b\n1,2,3\n";
  for (const char* row : {"#12,1,2", "#7,NA,2", "#,5,6.5"}) {
    CAPTURE(row);
    CHECK(refusal("a.csv", rows + row + "\n4,5,6\n") ==
          ", line 3: '" + std::string(row) +
              "' may be a comment or a row; write a blank behind the # of a comment, and a field "
              "that begins with # in quotes");
  }
  for (const char* comment : {"# 12,1,2", "#12,1", "#12,a,2", "#,,", "#", "#12,\"1,2"}) {
    CAPTURE(comment);
    CHECK(table_of("a.csv", rows + comment + "\n4,5,6\n").X.rows() == 2);
  }
  // What a spreadsheet writes where it can't compute is a missing value, in a first field, too.
  for (const char* word : {"#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!"}) {
    CAPTURE(word);
    const std::string text = rows + word + ",5,6\n";
    CHECK(refusal("a.csv", text).find(", line 3, column 'g': ") == 0);
    DataOptions missing;
    missing.missing = true;
    CHECK(std::isnan(table_of("a.csv", text, missing).X(1, 0)));
  }
  // Nor because all of its fields are empty.
  CHECK(refusal("a.csv", "a\tb\n1\t2\n\t\n").find(", line 3, column 'a': the field is empty") == 0);
  CHECK(table_of("a.csv", "a,b\n1,2\n \t \n\n").X.rows() == 1);
}

TEST_CASE("csv: a # alone names a column of row numbers") {
  std::string text;
  for (int i = 1; i < 30; ++i) text += std::to_string(i) + ",5.5,2.5\n";
  for (const char* header : {"#,a,b\n", "\"#\",a,b\n"}) {
    CAPTURE(header);
    CHECK(refusal("a.csv", header + text).find(", line 1: column '#' seems to number the rows") ==
          0);
    DataOptions options;
    options.drop = {"0"};
    CHECK(table_of("a.csv", header + text, options).names == Words{"a", "b"});
  }
}

TEST_CASE("csv: names of row numbers are known however they are spelled") {
  std::string steps, shuffled, again;
  for (int i = 0; i < 30; ++i) {
    steps += std::to_string(1000 + 2 * i) + ",5.5\n";
    shuffled += std::to_string(i * 7 % 30) + ",5.5\n";
    again += std::to_string(i * 7 % 13) + ",5.5\n";
  }
  for (const char* name : {"id", "Index", "idx", "Row ID", "RecordID", "sample_id", "row number"}) {
    CAPTURE(name);
    const std::string header = std::string(name) + ",a\n";
    CHECK(refusal("a.csv", header + steps).find("seems to number the rows") != std::string::npos);
    CHECK(refusal("a.csv", header + shuffled).find("seems to number the rows") !=
          std::string::npos);
    CHECK(table_of("a.csv", header + again).X.cols() == 2);
  }
  for (const char* name : {"No.", "nr", "obs", "sample", "n"}) {
    CAPTURE(name);
    const std::string header = std::string(name) + ",a\n";
    CHECK(refusal("a.csv", header + steps).find("seems to number the rows") != std::string::npos);
    CHECK(table_of("a.csv", header + shuffled).X.cols() == 2);  // a count may be of anything
  }
  CHECK(table_of("a.csv", "rpm,a\n" + steps).X.cols() == 2);
}

TEST_CASE("csv: a column without a name that numbers the rows is refused, or left out") {
  const char* sentence =
      ", line 1: the first column has no name and seems to number the rows, as pandas' index does; "
      "--drop 0 leaves "
      "it out, --columns names those to take";
  const std::string index = ",a,b\n0,5,6\n1,7,8\n2,7,9\n";
  CHECK(refusal("a.csv", index) == sentence);
  CHECK(refusal("a.csv", ",a,b\n17,5,6\n3,7,8\n44,7,9\n") ==
        sentence);  // of a part of a shuffled table
  CHECK(refusal("a.csv", "Unnamed: 0,a,b\n0,5,6\n1,7,8\n")
            .find(", line 1: column 'Unnamed: 0' seems to number the rows") == 0);
  DataOptions options;
  options.drop = {"0"};
  CHECK(table_of("a.csv", index, options).names == Words{"a", "b"});
  CHECK(values(table_of("a.csv", index, options)) == std::vector<float>{5, 6, 7, 8, 7, 9});
  options = {};
  options.columns = {"b", "a"};
  CHECK(values(table_of("a.csv", index, options)) == std::vector<float>{6, 5, 8, 7, 9, 7});
  options.columns = {"0", "a"};  // wanted after all
  CHECK(table_of("a.csv", index, options).names == Words{"column 0", "a"});
  // Measurements number no rows.
  CHECK(table_of("a.csv", ",a,b\n0.5,5,6\n1,7,8\n").names == Words{"column 0", "a", "b"});
  CHECK(table_of("a.csv", ",a,b\n1,5,6\n1,7,8\n").X.cols() == 3);
}

TEST_CASE(
    "csv: a column that numbers the rows is refused whatever its name, and --drop leaves all out") {
  const auto sentence = [](const std::string& which, const std::string& drop,
                           bool several = false) {
    return ", line 1: " + which + " seems to number the rows, as pandas' index does; --drop " +
           drop + " leaves " + (several ? "such columns" : "it") +
           " out, --columns names those to take";
  };
  const auto rows = [](const std::string& header, const std::vector<double>& first,
                       bool twice = false) {
    std::string text = header + "\n";
    for (const double x : first) {
      const std::string number = tool::number_text(x);
      text += number + "," + (twice ? number + "," : "") + "5.5\n";
    }
    return text;
  };
  std::vector<double> joined, counts, from_one, times;
  for (int i = 0; i < 60; ++i) {
    joined.push_back(i % 30);
    counts.push_back(i);
    from_one.push_back(i + 1);
    times.push_back(0.1 * i);
  }
  const std::string nameless = "the first column has no name and";
  CHECK(refusal("a.csv", rows(",a", joined)) == sentence(nameless, "0"));
  CHECK(refusal("a.csv", rows(",a", times)) == sentence(nameless, "0"));
  CHECK(refusal("a.csv", ",a\n0.0,5\n1.0,6\n2.0,5\n") == sentence(nameless, "0"));
  CHECK(refusal("a.csv", rows("Unnamed: 0.1,a", counts)) == sentence("column 'Unnamed: 0.1'", "0"));
  // The sentence's --drop is enough, and what is given stays in it.
  const std::string both = rows(",Unnamed: 0,a", counts, true);
  CHECK(refusal("a.csv", both) == sentence(nameless, "0,1", true));
  DataOptions options;
  options.drop = {"0"};
  CHECK(refusal("a.csv", both, options) == sentence("column 'Unnamed: 0'", "0,1"));
  options.drop = {"0", "1"};
  CHECK(table_of("a.csv", both, options).names == Words{"a"});
  options = {};
  options.columns = {"0", "a"};
  CHECK(table_of("a.csv", both, options).X.cols() == 2);
  for (const char* name : {"index", "id", "ID", "level_0", "row"}) {
    const std::string column = "column '" + std::string(name) + "'";
    CHECK(refusal("a.csv", rows(std::string(name) + ",a", counts)) == sentence(column, "0"));
    CHECK(refusal("a.csv", rows(std::string(name) + ",a", from_one)) == sentence(column, "0"));
    options.columns = {name, "a"};
    CHECK(table_of("a.csv", rows(std::string(name) + ",a", counts), options).X.cols() == 2);
    CHECK(table_of("a.csv", rows(std::string(name) + ",a", joined)).X.cols() == 2);
  }
  CHECK(refusal("a.csv", "a,id\n5.5,1\n5.7,2\n") == sentence("column 'id'", "1"));
  // A model that takes the column is given it.
  options = {};
  options.expected = {"id", "a"};
  CHECK(table_of("a.csv", rows("id,a", counts), options).X.cols() == 2);
  CHECK(table_of("a.csv", rows("a,count", counts)).X.cols() == 2);
  CHECK(table_of("a.csv", rows(",a", {3, 1, 1, 2, 3, 3, 1})).X.cols() == 2);
}

TEST_CASE("csv: commas, semicolons, tabs and | separate, and numbers may have decimal commas") {
  for (const char* text :
       {"a,b\n1.5,-2\n3,4e2\n", "a;b\n1.5;-2\n3;4e2\n", "a\tb\n1.5\t-2\n3\t4e2\n",
        "a;b\n1,5;-2\n3;4e2\n", "a\tb\n1,5\t-2\n3\t4e2\n",
        "\"a\",\"b\"\n\"1,5\",\"-2\"\n\"3\",\"4e2\"\n", "1,5;-2\n3;4e2\n", "a|b\n1.5|-2\n3|4e2\n",
        "1.5|-2\n3|4e2\n", "1,5 | -2\n3 | 4e2\n", "a|b\n1,5|-2\n3|4e2\n"}) {
    CAPTURE(text);
    CHECK(values(table_of("a.csv", text)) == std::vector<float>{1.5, -2, 3, 400});
  }
  // A semicolon inside of quotes separates nothing.
  CHECK(table_of("a.csv", "\"a;x\",b\n1,2\n").names == Words{"a;x", "b"});
  // 1.234 and 1,5 in one file are not both numbers with a decimal mark.
  CHECK(refusal("a.csv", "a;b\n1,5;2\n1;1.234\n") ==
        ", line 3, column 'b': '1.234' has a decimal point, numbers before it, from line 2 on, a "
        "comma");
  CHECK(refusal("a.csv", "a;b\n1,234,567;2\n").find("'1,234,567' is no number") !=
        std::string::npos);
  CHECK(table_of("a.csv", "P(a|b),c\n1,2\n").names == Words{"P(a|b)", "c"});
  CHECK(table_of("a.csv", "a|\"b|c\"\n1|2\n").names == Words{"a", "b|c"});
  const std::string advice =
      "commas, semicolons, tabs and | are read; sed 's/^ *//; s/ *$//; s/  */,/g' IN > OUT makes "
      "commas of them";
  CHECK(refusal("a.csv", "a b\n1 2\n") == ", line 2, column 'a b': '1 2' is no number; " + advice);
  CHECK(refusal("a.csv", "a b\n 1.5   x\n").find(advice) != std::string::npos);
  CHECK(refusal("a.csv", "a b label\n1 2 0\n", label_column("label")) ==
        " has no column named 'label'; in its first line are blanks alone, and " + advice);
  for (const char* text : {"1 2\n3 4\n", "1 2 ok\n3 4 bad\n", "1 NA\n1 2\n"}) {
    CHECK(refusal("a.csv", text) == ": blanks separate the numbers of its first line; " + advice);
  }
}

TEST_CASE("csv: separators of thousands are no decimal marks, and asked about where they may be") {
  CHECK(refusal("a.csv", "a,b,c\n\"999\",\"999\",900\n\"1,001\",\"1,001\",900\n") ==
        ", line 3, column 'a': '1,001' may be 1001 or 1.001, since other numbers of the column are "
        "whole; write 1001 and all like it so, or 1,0010 if the comma is a decimal one");
  CHECK(refusal("a.csv", "1,008;1,028\n915;1,001\n") ==
        ", line 1, column 0 (from 0): '1,008' may be 1008 or 1.008, since other numbers of the "
        "column are whole; write 1008 and all like it so, or 1,0080 if the comma is a decimal one");
  CHECK(refusal("a.csv", "a;b;c\n5;6;7\n-1.008;1.028;915\n").find("'-1.008' may be -1008") !=
        std::string::npos);
  CHECK(refusal("a.csv", "a;b\n999;1\n1,001,000;1\n") ==
        ", line 3, column 'a': '1,001,000' is no number; write it without separators of thousands");
  CHECK(refusal("a.csv", "a;b\n999;1\n1,001.5;1\n")
            .find("; write it without separators of thousands") != std::string::npos);
  // In quotes, since commas separate the fields: those of thousands are written so.
  CHECK(refusal("a.csv", "rpm,load\n\"1,234\",41\n\"1,345\",42\n") ==
        ", line 2, column 'rpm': '1,234' may be 1234 or 1.234, since commas separate the fields; "
        "write 1234 and all like it so, or 1,2340 if the comma is a decimal one");
  CHECK(table_of("a.csv", "rpm,load\n\"1,234\",41\n\"0,5\",42\n").X(0, 0) == 1.234);
  CHECK(table_of("a.csv", "rpm;load\n1,234;41\n1,345;42\n").X(0, 0) == 1.234);
  // What the sentence says goes, and so do numbers that are decimal by another one of the file.
  CHECK(values(table_of("a.csv", "a;b\n999;5\n1001;6\n")) == std::vector<float>{999, 5, 1001, 6});
  CHECK(values(table_of("a.csv", "a;b\n999;5\n1,0010;6\n")) ==
        std::vector<float>{999, 5, 1.001f, 6});
  for (const char* more : {"0.125", "1.25", "1.5e3", ".5", "1234.125"}) {
    CAPTURE(more);
    CHECK(table_of("a.csv", "a,b\n1.125,5\n2,6\n3," + std::string(more) + "\n").X(0, 0) == 1.125);
  }
  CHECK(values(table_of("a.csv", "1.125,2\n2.250,3\n")) == std::vector<float>{1.125f, 2, 2.25f, 3});
}

TEST_CASE("csv: comments, separators at line ends and blank last lines are no fields and no rows") {
  for (const char* text :
       {"# made by a logger\na,b\n1,2\n3,4\n", "a,b\n1,2\n# paused, \"for a day\n3,4\n",
        "a,b,\n1,2,\n3,4,\n", "a,b\n1,2,\n3,4,\n", "a,b\n1,2\n3,4\n \t\n\n",
        "#\n\n# x\na,b\n1,2\n3,4\n# end"}) {
    CAPTURE(text);
    const Table table = table_of("a.csv", text);
    CHECK(table.names == Words{"a", "b"});
    CHECK(values(table) == std::vector<float>{1, 2, 3, 4});
  }
  CHECK(values(table_of("a.csv", "1,2,\n4,5,\n")) == std::vector<float>{1, 2, 4, 5});
  // Lines are those of the file.
  CHECK(table_of("a.csv", "# x\n1,2\n# y\r\n\"3\",4\n").lines == std::vector<Index>{2, 4});
  CHECK(refusal("a.csv", "a,b,\n1,2,3\n") ==
        ", line 2 has 3 fields, expected 2 as in line 1, which ends with a separator");
  CHECK(refusal("a.csv", "a,b\n1,2,\n3,4\n") ==
        ", line 3 has no separator at its end, as the lines before it have");
}

TEST_CASE("csv: a line of names behind a # is the header of rows of numbers") {
  for (const char* text : {"#a,b,c\n1,2,4\n5,6,8\n", "# made by a logger\n# a,b,c\n1,2,4\n5,6,8\n",
                           "## a, b, c\r\n1,2,4\r\n5,6,8\r\n", "#a;\"b\";c\n1;2;4\n5;6;8\n",
                           "\xef\xbb\xbf#a,b,c\n1,2,4\n5,6,8\n"}) {
    CAPTURE(text);
    const Table table = table_of("a.csv", text);
    CHECK(table.names == Words{"a", "b", "c"});
    CHECK(values(table) == std::vector<float>{1, 2, 4, 5, 6, 8});
  }
  const Table table = table_of("a.csv", "#a,b,c\n1,2,ok\n5,6,bad\n", label_column("c"));
  CHECK(table.names == Words{"a", "b"});
  CHECK(table.labels == Words{"ok", "bad"});
  DataOptions told;
  told.header = DataOptions::Header::yes;
  CHECK(table_of("a.csv", "#a,b,c\n1,2,4\n5,6,8\n", told).X.rows() == 2);
  told.header = DataOptions::Header::no;
  CHECK(table_of("a.csv", "#a,b,c\n1,2,4\n5,6,8\n", told).names.empty());
  // Other comments.
  for (const char* text : {"#a,b\n1,2,4\n", "#a,2,c\n1,2,4\n", "#a,\"b, c\n1,2,4\n",
                           "#a,b,c\n\n1,2,4\n", "#a,b,c\n# x\n1,2,4\n", "1,2,4\n#a,b,c\n"}) {
    CAPTURE(text);
    CHECK(table_of("a.csv", text).names.empty());
    CHECK(table_of("a.csv", text).X.rows() == 1);
  }
  CHECK(table_of("a.csv", "#u,v,w\na,b,c\n1,2,4\n").names == Words{"a", "b", "c"});
}

TEST_CASE("csv: a first line sep=; says what separates, as spreadsheets write it") {
  for (const char* text : {"sep=;\na;b\n1,5;2\n", "SEP=|\r\na|b\r\n1.5|2\r\n",
                           "\"sep=,\"\na,b\n1.5,2\n", "\xef\xbb\xbfsep=\t\na\tb\n1.5\t2\n"}) {
    CAPTURE(text);
    const Table table = table_of("a.csv", text);
    CHECK(table.names == Words{"a", "b"});
    CHECK(values(table) == std::vector<float>{1.5, 2});
    CHECK(table.lines == std::vector<Index>{3});
  }
  CHECK(refusal("a.csv", "sep=^\na^b\n1^2\n") ==
        ", line 1 says that fields are separated by '^'; commas, semicolons, tabs and | are read");
  CHECK(refusal("a.csv", "sep=;\n") == " is empty");
}

TEST_CASE(
    "csv: columns are picked and left out by name or index, and a name that stands twice is "
    "refused") {
  const std::string text = "t,label,a,b,label\n9,0,1,2,x\n9,0,3,4,y\n";
  DataOptions options = label_column("label");
  CHECK(refusal("a.csv", text, options) ==
        " has 2 columns named 'label' (1 and 4, from 0); give the index");
  options.label_column = "1";
  options.drop = {"t", "4"};
  const Table table = table_of("a.csv", text, options);
  CHECK(table.names == Words{"a", "b"});
  CHECK(table.columns == std::vector<Index>{2, 3});
  CHECK(values(table) == std::vector<float>{1, 2, 3, 4});
  CHECK(table.labels == Words{"0", "0"});
  options.drop = {"t", "label"};
  CHECK(refusal("a.csv", text, options) ==
        " has 2 columns named 'label' (1 and 4, from 0); give the index");
  CHECK(refusal("a.csv", "a,b,a\n1,2,3\n") ==
        " has two columns named 'a', 0 and 2 (from 0); --drop leaves one out by its index");
  options = {};
  options.columns = {"b", "c"};
  CHECK(refusal("a.csv", "a,b\n1,2\n", options) == " has no column named 'c'");
  options.columns = {"b", "1"};
  CHECK(refusal("a.csv", "a,b\n1,2\n", options) == ": --columns names column 1 twice");
  options.columns = {};
  options.drop = {"a", "b"};
  CHECK(refusal("a.csv", "a,b\n1,2\n", options) ==
        " has no column beside the labels and those that --drop leaves out");
  // By index in files of other kinds.
  options.drop = {"1"};
  CHECK(values(table_of("a.npy", two_by_three, options)) == std::vector<float>{1, 3, 4, 6});
  CHECK(table_of("a.npy", two_by_three, options).columns == std::vector<Index>{0, 2});
  options.columns = {"2", "0", "2"};
  CHECK(refusal("a.npy", two_by_three, options) == ": --columns names column 2 twice");
  CHECK(refusal("a.npz", zipped({{"X.npy", two_by_three}}, ZIP_CM_STORE), options) ==
        ": --columns names column 2 twice");
  options.columns = {"2", "0"};
  options.drop = {};
  CHECK(values(table_of("a.npy", two_by_three, options)) == std::vector<float>{3, 1, 6, 4});
  options.columns = {};
  options.drop = {"a"};
  CHECK(refusal("a.npy", two_by_three, options) == " has no names, so no column 'a'");
  options.drop = {"3"};
  CHECK(refusal("a.npy", two_by_three, options) == " has 3 columns, so none of index 3 (from 0)");
}

TEST_CASE("csv: columns are matched with a model's names, in any order") {
  DataOptions options;
  options.expected = {"a", "b", "c"};
  const Table table = table_of("a.csv", "c,a,b\n3,1,2\n6,4,5\n", options);
  CHECK(table.names == options.expected);
  CHECK(values(table) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(refusal("a.csv", "a,b\n1,2\n", options) == " has no column 'c', which the model takes");
  for (const char* text : {"a,b,c\n1,2,3\n", "b,c,a\n1,2,3\n"}) {
    DataOptions without = options;
    without.drop = {"a"};
    CHECK(refusal("a.csv", text, without) ==
          ": the model takes the column 'a', which --drop leaves out");
    without = options;
    without.columns = {"b", "c"};
    CHECK(refusal("a.csv", text, without) ==
          ": the model takes the column 'a', which --columns leaves out");
    without = options;
    without.label_column = "a";
    CHECK(refusal("a.csv", text, without) ==
          ": the model takes the column 'a', which --label-column takes for labels");
  }
  CHECK(refusal("a.csv", "a,x,y\n1,2,3\n", options) ==
        " has no column 'b' and 'c', which the model takes, but has 'x' and 'y'");
  CHECK(refusal("a.csv", "a,b,c,x\n1,2,3,4\n", options) ==
        " has the column 'x', which the model doesn't know; --drop leaves a column out");
  CHECK(refusal("a.csv", "a,b,c,c\n1,2,3,4\n", options) ==
        " has two columns named 'c', 2 and 3 (from 0); --drop leaves one out by its index");
  CHECK(refusal("a.csv", ",a,b,c\n0,1,2,3\n", options) ==
        " has a column without a name, number 0 (from 0), which the model doesn't know; --drop "
        "leaves it out");
  options.drop = {"x"};
  CHECK(values(table_of("a.csv", "a,b,x,c\n1,2,9,3\n", options)) == std::vector<float>{1, 2, 3});
  options.drop = {};
  // A file without names goes by position.
  CHECK(values(table_of("a.csv", "1,2,4\n", options)) == std::vector<float>{1, 2, 4});
}

TEST_CASE("csv: text in another encoding than UTF-8 is named") {
  CHECK(refusal("a.csv", std::string("\xff\xfe"
                                     "a\0,\0b\0",
                                     8)) ==
        " is text in UTF-16, expected UTF-8; iconv -f utf-16 -t utf-8 converts it");
  CHECK(refusal("a.csv", std::string("\xff\xfe\0\0a\0\0\0", 8)) ==
        " is text in UTF-32, expected UTF-8; iconv -f utf-32 -t utf-8 converts it");
  CHECK(refusal("a.csv", std::string("\0\0\xfe\xff\0\0\0a", 8)) ==
        " is text in UTF-32, expected UTF-8; iconv -f utf-32 -t utf-8 converts it");
  CHECK(refusal("a.csv.zst", std::string("\x28\xb5\x2f\xfd\0", 5)) ==
        " is packed with Zstandard; zstd -dc unpacks it");
  CHECK(refusal("a.csv",
                "a,Gr\xf6\xdf"
                "e\n1,2\n") ==
        ", line 1: the name of column 1 (from 0) isn't in UTF-8; iconv -f latin1 -t utf8 converts "
        "a file");
  CHECK(table_of("a.csv",
                 "a,Gr\xc3\xb6\xc3\x9f"
                 "e\n1,2\n")
            .names[1] ==
        "Gr\xc3\xb6\xc3\x9f"
        "e");
}

TEST_CASE("a missing label is refused where it is") {
  for (const char* label : {"nan", "NaN", "NA", "?", "", "None", "<NA>", "#N/A", "Null", "NULL",
                            "NaT", "N/A", "-", ".", "--"}) {
    const std::string text = "x,y\n1,0\n2," + std::string(label) + "\n";
    const std::string sentence = refusal("a.csv", text, label_column("y"));
    CHECK(sentence.find(", line 3, column 'y': the label is missing") == 0);
    DataOptions scoring = label_column("y");
    scoring.with_labels = false;
    CHECK(table_of("a.csv", text, scoring).X.rows() == 2);
  }
  CHECK(table_of("a.csv", "x,y\n1,0\n2,none\n", label_column("y")).labels == Words{"0", "none"});
  CHECK(refusal("a.npz", zipped({{"X.npy", two_by_three},
                                 {"y.npy", array("<f8", "(2,)", raw<double>({0, NAN}))}},
                                ZIP_CM_STORE)) ==
        " (y.npy), row 1 (from 0): the label is missing (nan)");
  // Words that Python makes of no value, as of an array of objects.
  for (const char* word : {"None", "NaT", "<NA>", "nan", "NA"}) {
    CAPTURE(word);
    std::string words("ok\0\0", 4);
    words += word + std::string(4 - std::string(word).size(), '\0');
    CHECK(refusal("a.npz", zipped({{"X.npy", two_by_three}, {"y.npy", array("|S4", "(2,)", words)}},
                                  ZIP_CM_STORE)) ==
          " (y.npy), row 1 (from 0): the label is missing (" + std::string(word) + ")");
  }
}

TEST_CASE("csv: the words of pandas, R and spreadsheets for a missing value are known as such") {
  DataOptions options;
  options.missing = true;
  for (const char* word : {"", "None", "<NA>", "#N/A", "NULL", "Null", "null", "NaT", "N/A", "n/a",
                           "NAN", "nAn", "-nan", "#NA", "?", "1.#QNAN"}) {
    CAPTURE(word);
    const std::string text = "a,b\n1," + std::string(word) + "\n" + word + ",4\n5,6\n";
    const Table table = table_of("a.csv", text, options);
    REQUIRE(table.X.rows() == 3);
    CHECK(std::isnan(table.X(0, 1)));
    CHECK(std::isnan(table.X(1, 0)));
    CHECK(table.X(1, 1) == 4);
    if (std::strchr(word, 'n') == nullptr && std::strchr(word, 'N') == nullptr) continue;
    if (tool::parse_number(word)) continue;
    CHECK(refusal("a.csv", text).find("' is no number (fit --missing mask or impute takes") !=
          std::string::npos);
  }
  for (const char* mark : {"-", ".", "--"}) {
    const std::string text = "a,b\n1," + std::string(mark) + "\n2,3\n";
    CHECK(refusal("a.csv", text, options) ==
          ", line 2, column 'b': '" + std::string(mark) +
              "' is no number; where a value is missing the field may be empty, or NA (fit "
              "--missing mask or impute takes missing values)");
    CHECK(refusal("a.csv", std::string(mark) + "\n0.5\n").find(" may be a column's name or") !=
          std::string::npos);
  }
  // Other lines with # are comments.
  CHECK(table_of("a.csv", "a,b\n1,2\n#N/A is used here\n5,6\n").X.rows() == 2);
}

TEST_CASE("csv: line ends of every system, a byte order mark, and empty lines at the end") {
  for (const char* text :
       {"a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r", "a,b\n1,2\n3,4\n\n\n",
        "\xef\xbb\xbf"
        "a,b\n1,2\n3,4\n",
        "\xef\xbb\xbf\xef\xbb\xbf"
        "a,b\n1,2\n3,4\n"}) {
    CAPTURE(text);
    const Table table = table_of("a.csv", text);
    CHECK(table.names == Words{"a", "b"});
    CHECK(values(table) == std::vector<float>{1, 2, 3, 4});
  }
}

TEST_CASE("csv: quotes hold commas, quotes and line breaks") {
  const Table table = table_of("a.csv", "\"a,1\",\"say \"\"b\"\"\",\"c\nd\"\n\"1\",2,\"3\"\n");
  CHECK(table.names == Words{"a,1", "say \"b\"", "c\nd"});
  CHECK(values(table) == std::vector<float>{1, 2, 3});
}

TEST_CASE("csv: a column of labels, by name or by index from 0") {
  const Words expected = {"ok", "8"};
  for (const char* column : {"class", "1"}) {
    const Table table = table_of("a.csv", "a,class,b\n1,ok,2\n3,8.0,4\n", label_column(column));
    CHECK(table.labels == expected);
    CHECK(table.names == Words{"a", "b"});
    CHECK(values(table) == std::vector<float>{1, 2, 3, 4});
  }
  CHECK(table_of("a.csv", "1,0\n2,1\n", label_column("1")).labels == Words{"0", "1"});
  DataOptions without = label_column("class");
  without.with_labels = false;  // scoring: the column is no feature all the same
  CHECK(table_of("a.csv", "a,class\n1,ok\n", without).labels.empty());
  CHECK(table_of("a.csv", "a,class\n1,ok\n", without).X.cols() == 1);
}

TEST_CASE("csv: a whole number is an index where there is such a column, a name where not") {
  CHECK(table_of("a.csv", "z,y,x\n7,8,9\n", label_column("0")).names == Words{"y", "x"});
  CHECK(table_of("a.csv", "2020,2021,x\n7,8,9\n", label_column("2021")).labels == Words{"8"});
}

TEST_CASE(
    "csv: a word in the label column is a label where it comes again, and asked about where it "
    "doesn't") {
  const Table data = table_of("a.csv", "1,2,ok\n3,4,bad\n5,6,ok\n", label_column("2"));
  CHECK(data.labels == Words{"ok", "bad", "ok"});
  CHECK(values(data) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(data.names.empty());
  CHECK(refusal("a.csv", "0,1,class\n3,4,bad\n5,6,ok\n", label_column("2")) ==
        ", line 1: 'class' may be the name of the labels' column or a label; --header yes takes "
        "the line for names, "
        "--header no for a row");
  const Table header = table_of("a.csv", "0,1,class\n3,4,bad\n5,6,ok\n", label_column("class"));
  CHECK(header.labels == Words{"bad", "ok"});
  CHECK(header.names == Words{"0", "1"});
}

TEST_CASE("csv: nan and inf are numbers, which the table's check refuses by their place") {
  const Table table = table_of("a.csv", "a,b\n\"1\",2\n3,nan\n-inf,4\n");
  const auto refused = [](Table some, double most) {
    return message([&] { tool::check_numbers(some, "'f'", most); });
  };
  CHECK(refused(table, 1e300) == "'f', line 3, column 'b': NaN; every value must be finite");
  CHECK(refused(table.chosen({0, 2}), 1e300) ==
        "'f', line 4, column 'a': -infinity; every value must be finite");
  CHECK(refused(table.chosen({0}), 1e300) == "nothing thrown");
  const Table array_of =
      table_of("a.npy", array("<f8", "(2, 2)", raw<double>({1, 2, 3, 1.797e308})));
  CHECK(refused(array_of, 1.7e308) ==
        "'f', row 1 (from 0), column 1 (from 0): 1.797e+308 is too large for a detector "
        "in float, which takes numbers up to 1.7e+308");
  CHECK(refusal("a.csv", "1,2\n1,1e999\n") ==
        ", line 2, column 1 (from 0): 1e999 is too large for a number of 64 bits");
}

TEST_CASE("csv: what is wrong is named by line and column") {
  CHECK(refusal("a.csv", "1,2\n3,x\n") ==
        ", line 2, column 1 (from 0): 'x' is no number (--label-column names a column of labels, "
        "--drop one to "
        "leave out)");
  CHECK(refusal("a.csv", "a,b,c\n\"1\",\"2\n\",0\n1,x,1\n", label_column("c")) ==
        ", line 4, column 'b': 'x' is no number (--drop leaves a column out)");
  CHECK(refusal("a.csv", "a,b\n1,\n") ==
        ", line 2, column 'b': the field is empty (fit --missing mask or impute takes missing "
        "values)");
  // Every kind of line break inside of quotes is one.
  CHECK(refusal("a.csv", "\"a\rb\",c\r1,2\r3,x\r").find(", line 4, column 'c'") == 0);
  CHECK(refusal("a.csv", "\"a\r\nb\",c\r\n1,2\r\n3,x\r\n").find(", line 4, column 'c'") == 0);
  CHECK(refusal("a.csv", "a,b\n1,2\n3,") ==
        ", line 3, column 'b': the field is empty (fit --missing mask or impute takes missing "
        "values)");
  CHECK(refusal("a.csv", "a,b\n1,2,\n3,4\n") ==
        ", line 3 has no separator at its end, as the lines before it have");
  CHECK(refusal("a.csv", "a,b\n1,2\n1,2,3\n") == ", line 3 has 3 fields, expected 2 as in line 1");
  CHECK(refusal("a.csv", "a,b\n1,2\n1\n") == ", line 3 has 1 fields, expected 2 as in line 1");
  CHECK(refusal("a.csv", "a,b\n\n1,2\n") == ", line 2 is empty");
  CHECK(refusal("a.csv", "1,2\n\"3,4\n5,6\n") == ", line 2: a quote is never closed");
  CHECK(refusal("a.csv", "1,2\n\"3\"4,5\n") == ", line 2: text follows a closing quote");
  CHECK(refusal("a.csv", "1,2\n1,2\n1,0x10\n")
            .find(", line 3, column 1 (from 0): '0x10' is no number") == 0);
}

TEST_CASE("csv: a label column that isn't there is refused") {
  CHECK(refusal("a.csv", "a,b\n1,2\n", label_column("c")) == " has no column named 'c'");
  CHECK(refusal("a.csv", "a,b\n1,2\n", label_column("-1")) == " has no column named '-1'");
  CHECK(refusal("a.csv", "1,2\n", label_column("c")) == " has no header, so no column 'c'");
  CHECK(refusal("a.csv", "1,2\n", label_column("2")) ==
        " has 2 columns, so none of index 2 (from 0)");
  CHECK(refusal("a.csv", "a\n1\n", label_column("a")) == " has no column beside the labels");
}

TEST_CASE("csv: nothing in it is refused") {
  CHECK(refusal("a.csv", "") == " is empty");
  CHECK(refusal("a.csv", "\n\n") == " is empty");
}

// ---- CIFAR-10

TEST_CASE("cifar: a label and three planes an image") {
  std::string bytes(2 * 3073, '\0');
  bytes[0] = 7;
  bytes[1] = char(255);       // the first red pixel
  bytes[1 + 1024 + 33] = 51;  // green, second row, second column
  bytes[3073] = 0;
  bytes[2 * 3073 - 1] = 102;  // the last blue one
  const Table table = table_of("data_batch_1.bin", bytes);
  CHECK(table.images);
  CHECK(table.channels == 3);
  CHECK(table.height == 32);
  CHECK(table.width == 32);
  REQUIRE(table.X.rows() == 2);
  REQUIRE(table.X.cols() == 3072);
  CHECK(table.labels == Words{"7", "0"});
  CHECK(table.X(0, 0) == 1);
  CHECK(table.X(0, 1024 + 33) == 0.2);
  CHECK(table.X(1, 3071) == 0.4);
  CHECK(table.X.sum() == doctest::Approx(1.6));
}

TEST_CASE("cifar: another length, or a label there can't be, is refused") {
  CHECK(refusal("x.bin", std::string(3072, '\0')) ==
        " has 3072 bytes, expected a multiple of 3073, CIFAR-10's bytes an image");
  std::string bytes(2 * 3073, '\0');
  bytes[3073] = 10;
  CHECK(refusal("x.bin", bytes) == " has the label 10 at image 1, expected 0 to 9");
  CHECK(refusal("x.bin", std::string(3073, '\0'), label_column("0")) ==
        " is no csv file, so --label-column doesn't fit");
}

// ---- IDX

TEST_CASE("idx: images become rows of pixels / 255, gzipped or not") {
  for (const std::string& bytes : {images, gzipped(images)}) {
    const Table table = table_of("images-idx3-ubyte", bytes);
    CHECK(table.images);
    CHECK(table.height == 2);
    CHECK(table.width == 3);
    CHECK(table.X.rows() == 2);
    CHECK(table.X(0, 1) == 1.0f);
    CHECK(table.X(0, 2) == 51.0 / 255.0);
    CHECK(table.X(1, 5) == 7.0 / 255.0);
  }
}

TEST_CASE("idx: labels come from a file beside the images, IDX or .npy") {
  const TemporaryFolder folder;
  const std::string data = folder.put("images", images);
  DataOptions options;
  options.labels_path = folder.put("labels", gzipped(big_endian({0x801, 2}) + "\x03\x09"));
  CHECK(read_table(data, options).labels == Words{"3", "9"});
  options.labels_path = folder.put("labels.npy", array("<i4", "(2,)", raw<std::int32_t>({4, -1})));
  CHECK(read_table(data, options).labels == Words{"4", "-1"});
  options.with_labels = false;
  CHECK(read_table(data, options).labels.empty());
}

TEST_CASE("idx: labels that don't fit are refused") {
  const TemporaryFolder folder;
  const std::string data = folder.put("images", images);
  DataOptions options;
  const std::string labels = options.labels_path =
      folder.put("labels", big_endian({0x801, 3}) + "\x03\x09\x01");
  CHECK(message([&] { read_table(data, options); }) ==
        "'" + labels + "' has 3 labels but '" + data + "' has 2 rows");
  options.labels_path = data;
  CHECK(message([&] { read_table(data, options); }) ==
        "'" + data + "' has 3 dimension(s), expected 1 for labels");
  options.labels_path = folder.put("text", "no labels");
  CHECK(message([&] { read_table(data, options); }) ==
        "'" + options.labels_path +
            "' is no IDX file and no .npy file; --labels takes labels in an IDX file or in an .npy "
            "of one dimension, as numpy.save writes it (--label-column names a csv's own column)");
  options.labels_path = folder.put("y.npz", zipped({{"y.npy", two_by_three}}, ZIP_CM_STORE));
  CHECK(message([&] { read_table(data, options); }) ==
        "'" + options.labels_path +
            "' is a zip archive, as an .npz is; --labels takes labels in an IDX file or in an .npy "
            "of one dimension, as numpy.save writes it");
  options.labels_path = folder.put("y.mat", "MATLAB 5.0 MAT-file");
  CHECK(message([&] { read_table(data, options); }).find("' is a .mat file; --labels takes") !=
        std::string::npos);
  options.labels_path = folder.put("none", "");
  CHECK(message([&] { read_table(data, options); }) == "'" + options.labels_path + "' is empty");
  options.label_column = "x";
  CHECK(message([&] { read_table(data, options); }) ==
        "--labels and --label-column are both given; one file holds the labels");
}

TEST_CASE("idx: a wrong magic number, no pixels, too few or too many bytes are refused") {
  CHECK(refusal("images", big_endian({0x801, 2}) + "ab") ==
        " has 1 dimension(s), expected 3 for images");
  CHECK(refusal("images", big_endian({0xd03, 1, 1, 1}) + "abcd") ==
        " has the IDX type 13, expected 8, unsigned bytes");
  CHECK(refusal("images", big_endian({0x803, 2, 0, 3})) == " has images without pixels");
  CHECK(refusal("images", images.substr(0, images.size() - 1)) == " is cut short");
  CHECK(refusal("images", images + "x") == " has more bytes than its header says");
  CHECK(refusal("images", big_endian({0x803, 4000000000u, 4000000000u, 4000000000u})) ==
        " is cut short: by its header it holds 6.4e+28 bytes");
  CHECK(refusal("images", big_endian({0x803, 0, 4000000000u, 4000000000u})) ==
        " has images of 4000000000 x 4000000000 pixels, more than this reader takes");
  const std::string packed = gzipped(images);
  CHECK(refusal("images.gz", packed.substr(0, packed.size() - 9)) == " is cut short");
  std::string damaged = packed;
  damaged[packed.size() - 5] ^= 1;  // in the checksum
  CHECK(refusal("images.gz", damaged).find(" can't be unpacked: ") == 0);
}

// ---- which kind of file

TEST_CASE("the kind of a file is told by its bytes, whatever its name") {
  CHECK(values(table_of("data", two_by_three)).size() == 6);
  CHECK(values(table_of("data.txt", "1,2\n")).size() == 2);
  CHECK(table_of("data", zipped({{"X.npy", two_by_three}}, ZIP_CM_STORE)).X.rows() == 2);
}

TEST_CASE("a file of no known kind, a folder and no file at all are refused") {
  CHECK(refusal("a.elf", std::string("\x7f"
                                     "ELF\0\0",
                                     6)) ==
        " is of no known kind; known are .npy, .npz, .mat, .csv and IDX images");
  CHECK(refusal("a.npy", two_by_three, label_column("x")) ==
        " is no csv file, so --label-column doesn't fit");
  const TemporaryFolder folder;
  const std::string nowhere = folder / "nowhere.csv", itself = folder / ".";
  CHECK(message([&] { read_table(nowhere, {}); }) ==
        "'" + nowhere + "' can't be opened: No such file or directory");
  CHECK(message([&] { read_table(itself, {}); }) == "'" + itself + "' is a folder, not a file");
}

TEST_CASE("labels are equal when their values are") {
  CHECK(tool::canonical_label("8") == tool::canonical_label(8.0));
  CHECK(tool::canonical_label(" 8.00 ") == "8");
  CHECK(tool::canonical_label("-0") == "0");
  CHECK(tool::canonical_label("0.10") == "0.1");
  CHECK(tool::canonical_label(" attack ") == "attack");
  CHECK(tool::canonical_label("1e300") == "1e+300");
}

TEST_CASE("csv: a line of very many fields is read in good time, one of too many is refused") {
  const TemporaryFolder folder;
  // Names that are compared each with each take a minute.
  std::string names, numbers;
  for (int j = 0; j < 100000; ++j) {
    names += (j > 0 ? ",f" : "f") + std::to_string(j);
    numbers += j > 0 ? ",1" : "1";
  }
  CHECK(tool::read_table(folder.put("wide.csv", names + "\n" + numbers + "\n"), {}).X.cols() ==
        100000);
  const std::string commas = folder.put("commas.csv", std::string(2000000, ','));
  CHECK(message([&] { tool::read_table(commas, {}); }) ==
        "'" + commas + "', line 1 has more than 1000000 fields, which are no features of one row");
}
