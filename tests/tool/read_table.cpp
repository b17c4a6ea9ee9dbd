#include <tool/read_table.hpp>

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include "file_error.hpp"

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace {

using dasvdd::FileError;
using tool::DataOptions;
using tool::Index;
using tool::read_table;
using tool::Table;

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

template <class T>
std::string raw(const std::vector<T>& numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

std::string npy(const std::string& dictionary, const std::string& data, int version = 1) {
  std::string file =
      "\x93NUMPY" + std::string(1, static_cast<char>(version)) + std::string(1, '\0');
  const int bytes = version == 1 ? 2 : 4;
  for (int i = 0; i < bytes; ++i) file += static_cast<char>(dictionary.size() >> (8 * i) & 0xff);
  return file + dictionary + data;
}

std::string array(const std::string& descr, const std::string& shape, const std::string& data) {
  return npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }   \n",
             data);
}

std::string big_endian(const std::vector<unsigned>& numbers) {
  std::string bytes;
  for (const unsigned n : numbers) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(n >> shift & 0xff);
  }
  return bytes;
}

std::string gzipped(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder / "packed";
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) == int(bytes.size()));
  REQUIRE(gzclose(file) == Z_OK);
  return content(path);
}

std::string zipped(const std::vector<std::pair<std::string, std::string>>& members, int method) {
  const TemporaryFolder folder;
  const std::string path = folder / "packed";
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE, nullptr);
  REQUIRE(archive != nullptr);
  for (const auto& [name, bytes] : members) {
    zip_source_t* source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    const zip_int64_t index = zip_file_add(archive, name.c_str(), source, 0);
    REQUIRE(index >= 0);
    REQUIRE(zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), method, 0) == 0);
  }
  REQUIRE(zip_close(archive) == 0);
  return content(path);
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
  CHECK(refusal("a.npy", array(">f8", "(1, 1)", std::string(8, '\0'))) ==
        " is big-endian (dtype '>f8'), expected little-endian");
  CHECK(refusal("a.npy", array("<f2", "(1, 1)", "..")) ==
        " has the dtype '<f2', expected float32, float64, bool or integers");
  CHECK(refusal("a.npy", array("<c8", "(1, 1)", "........")) ==
        " has the dtype '<c8', expected numbers");
  CHECK(refusal("a.npy", array("<U2", "(1, 1)", "........")) ==
        " has the dtype '<U2', expected numbers");
  CHECK(refusal("a.npy", array("<f4", "(2,)", "........")) ==
        " has 1 dimension(s), expected 2: one sample a row");
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
        " has no array X; it holds arr_0.npy");
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

TEST_CASE("npz: a damaged archive is refused") {
  const std::string good = zipped({{"X.npy", two_by_three}}, ZIP_CM_STORE);
  CHECK(refusal("a.npz", good.substr(0, good.size() - 30))
            .find(" is no zip archive that can be read: ") == 0);
  std::string changed = good;
  const std::size_t data = good.find("\x93NUMPY");
  changed[data + two_by_three.size() - 1] ^= 1;  // the archive's checksum tells
  CHECK(refusal("a.npz", changed).find(" (X.npy) can't be unpacked: ") == 0);
}

// ---- .csv

TEST_CASE("csv: rows of numbers without a header") {
  const Table table = table_of("a.csv", "1,2\n-3.5, 4e2 \n+5,.5\n");
  CHECK(values(table) == std::vector<float>{1, 2, -3.5f, 400, 5, 0.5f});
  CHECK(table.X.cols() == 2);
  CHECK(table.names.empty());
  CHECK(table.labels.empty());
}

TEST_CASE("csv: the first row is a header when a field of it is no number") {
  const Table table = table_of("a.csv", "age,2\n3,4\n");
  CHECK(table.names == Words{"age", "2"});
  CHECK(values(table) == std::vector<float>{3, 4});
  CHECK(table_of("a.csv", "age,height\n").X.cols() == 2);
  CHECK(table_of("a.csv", "age,height\n").X.rows() == 0);
}

TEST_CASE("csv: a first row with a missing value is data, not a header") {
  CHECK(refusal("a.csv", "1,,3\n4,5,6\n") == ", line 1, column 1 (from 0): the field is empty");
  CHECK(refusal("a.csv", "1,2,\n4,5,\n") == ", line 1, column 2 (from 0): the field is empty");
  CHECK(refusal("a.csv", "1,,bad\n4,5,good\n4,5,bad\n", label_column("2")) ==
        ", line 1, column 1 (from 0): the field is empty");
  // The name of a column of row numbers, say, is often left out.
  CHECK(table_of("a.csv", ",a,b\n4,5,6\n").names == Words{"", "a", "b"});
}

TEST_CASE("csv: line ends of every system, a byte order mark, and empty lines at the end") {
  for (const char* text :
       {"a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r", "a,b\n1,2\n3,4\n\n\n",
        "\xef\xbb\xbf"
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
  CHECK(table_of("a.csv", "1,0,x\n7,8,9\n", label_column("0")).labels == Words{"7"});
  CHECK(table_of("a.csv", "2020,2021,x\n7,8,9\n", label_column("2021")).labels == Words{"8"});
}

TEST_CASE(
    "csv: a word in the label column is a label where it comes again, a header where it doesn't") {
  const Table data = table_of("a.csv", "1,2,ok\n3,4,bad\n5,6,ok\n", label_column("2"));
  CHECK(data.labels == Words{"ok", "bad", "ok"});
  CHECK(values(data) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(data.names.empty());
  const Table header = table_of("a.csv", "0,1,class\n3,4,bad\n5,6,ok\n", label_column("2"));
  CHECK(header.labels == Words{"bad", "ok"});
  CHECK(header.names == Words{"0", "1"});
}

TEST_CASE("csv: nan and inf are numbers, whatever their size") {
  const std::vector<float> read = values(table_of("a.csv", "1,2,3\nnan,-inf,1e999\n"));
  CHECK(std::isnan(read[3]));
  CHECK(read[4] == -INFINITY);
  CHECK(read[5] == INFINITY);
}

TEST_CASE("csv: what is wrong is named by line and column") {
  CHECK(refusal("a.csv", "1,2\n3,x\n") ==
        ", line 2, column 1 (from 0): 'x' is no number (--label-column names a column of labels)");
  CHECK(refusal("a.csv", "a,b,c\n\"1\",\"2\n\",0\n1,x,1\n", label_column("c")) ==
        ", line 4, column 'b': 'x' is no number");
  CHECK(refusal("a.csv", "a,b\n1,\n") == ", line 2, column 'b': the field is empty");
  CHECK(refusal("a.csv", "a,b\n1,2\n3,") == ", line 3, column 'b': the field is empty");
  CHECK(refusal("a.csv", "a,b\n1,2\n1,2,3\n") == ", line 3 has 3 fields, expected 2 as in line 1");
  CHECK(refusal("a.csv", "a,b\n1,2\n1\n") == ", line 3 has 1 fields, expected 2 as in line 1");
  CHECK(refusal("a.csv", "a,b\n\n1,2\n") == ", line 2 is empty");
  CHECK(refusal("a.csv", "1,2\n\"3,4\n5,6\n") == ", line 2: a quote is never closed");
  CHECK(refusal("a.csv", "1,2\n\"3\"4,5\n") == ", line 2: text follows a closing quote");
  CHECK(refusal("a.csv", "1,0x10\n1,2\n1,0x10\n")
            .find(", line 3, column '0x10': '0x10' is no number") == 0);
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
  CHECK(table.X(0, 1024 + 33) == 0.2f);
  CHECK(table.X(1, 3071) == 0.4f);
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
    CHECK(table.X(0, 2) == 51.0f / 255.0f);
    CHECK(table.X(1, 5) == 7.0f / 255.0f);
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
        "'" + options.labels_path + "' is no IDX file: it doesn't begin with two zero bytes");
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
        " is of no known kind; known are .npy, .npz, .csv and IDX images");
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
