#include <dasvdd/io/tensor_file.hpp>

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include "file_error.hpp"

#include <string>

namespace {

using dasvdd::FileError;
using dasvdd::Index;
using dasvdd::InvalidArgument;
using dasvdd::detail::TensorFile;

/// A file with this header and so many bytes of data.
std::string file_with(const std::string& header, std::size_t data) {
  std::string file;
  for (int i = 0; i < 8; ++i) file += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return file + header + std::string(data, '\0');
}

std::string refusal(const std::string& header, std::size_t data) {
  return message([&] { TensorFile::parse(file_with(header, data), "a.st"); });
}

TensorFile sample() {
  TensorFile file;
  const float weight[] = {1, 2, 3, 4, 5, 6};
  const double gamma = 0.1;
  const std::int64_t widths[] = {784, -1};
  const std::uint8_t bytes[] = {0, 255, 7};
  const dasvdd::detail::Bfloat16 narrow[] = {{0x3f80}};
  file.add("encoder.0.weight", {2, 3}, weight);
  file.add("gamma", {}, &gamma);
  file.add("widths", {2}, widths);
  file.add("bytes", {3, 1}, bytes);
  file.add("narrow", {1}, narrow);
  file.add<float>("none", {0, 4}, nullptr);
  file.set_metadata("seed", "7");
  file.set_metadata("net", "784-1024 \xc3\xa9");
  return file;
}

const char* const one = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";

}  // namespace

TEST_CASE("a tensor file reads back as it was written") {
  const TemporaryFolder folder;
  const std::string path = folder / "sample.safetensors";
  sample().write(path);
  const TensorFile file = TensorFile::read(path);
  CHECK(file.source() == path);
  CHECK(file.tensors().size() == 6);
  CHECK(file["encoder.0.weight"].as<float>({2, 3}) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(file["encoder.0.weight"].matrix<float>()(1, 0) == 4);
  CHECK(file["gamma"].as<double>({}) == std::vector<double>{0.1});
  CHECK(file["widths"].as<std::int64_t>() == std::vector<std::int64_t>{784, -1});
  CHECK(file["bytes"].as<std::uint8_t>({3, 1}) == std::vector<std::uint8_t>{0, 255, 7});
  CHECK(file["narrow"].as<dasvdd::detail::Bfloat16>().at(0).bits == 0x3f80);
  CHECK(file["none"].as<float>({0, 4}).empty());
  CHECK(file["none"].matrix<float>().cols() == 4);
  CHECK(file.metadata("seed") == "7");
  CHECK(file.metadata("net") == "784-1024 \xc3\xa9");
  CHECK(file.metadata().size() == 2);
}

TEST_CASE("a file read and written again has the same bytes") {
  const std::string bytes = sample().serialize();
  CHECK(TensorFile::parse(bytes).serialize() == bytes);
}

TEST_CASE("the bytes depend on the content, not on the order in which it was added") {
  const float a = 1, c = 3;
  const double b = 2;
  TensorFile first, second;
  first.add("a", {}, &a);
  first.add("c", {}, &c);
  first.add("b", {}, &b);
  first.set_metadata("x", "1");
  first.set_metadata("y", "2");
  second.set_metadata("y", "2");
  second.set_metadata("x", "1");
  second.add("b", {}, &b);
  second.add("c", {}, &c);
  second.add("a", {}, &a);
  CHECK(first.serialize() == second.serialize());
}

TEST_CASE("every tensor in a written file begins aligned to its type") {
  const std::string bytes = sample().serialize();
  CHECK(static_cast<unsigned char>(bytes[0]) % 8 == 0);
  const TensorFile file = TensorFile::parse(bytes);
  std::size_t begin = 0;
  for (const auto& tensor : file.tensors()) {
    CAPTURE(tensor.name);
    CHECK(begin % dasvdd::detail::size_of(tensor.dtype) == 0);
    begin += tensor.bytes.size();
  }
  CHECK(begin == 24 + 24 + 2 + 3);
}

TEST_CASE("the bytes are laid out as the format says") {
  const float a[] = {1, -2};
  TensorFile file;
  file.add("a", {2}, a);
  // The checksum is that of Python: zlib.crc32(struct.pack("<2f", 1, -2)).
  const std::string header = R"({"__metadata__":{"checksum":"crc32:c3872656"},)"
                             R"("a":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}})";
  REQUIRE(header.size() == 99);
  const std::string expected = std::string("\x68\0\0\0\0\0\0\0", 8) + header + "     " +
                               std::string("\0\0\x80\x3f\0\0\0\xc0", 8);
  CHECK(file.serialize() == expected);
}

TEST_CASE("the checksum is zlib's, whatever the parts") {
  const auto* bytes = reinterpret_cast<const unsigned char*>("123456789");
  for (std::size_t first = 0; first <= 9; ++first) {
    const std::uint32_t part = dasvdd::detail::crc32(bytes, first);
    CHECK(dasvdd::detail::crc32(bytes + first, 9 - first, part) == 0xcbf43926u);
  }
  CHECK(dasvdd::detail::checksum_word(0xcbf43926u) == "crc32:cbf43926");
  CHECK(dasvdd::detail::checksum_word(1) == "crc32:00000001");
}

TEST_CASE("one wrong bit among the numbers is noticed") {
  const std::string good = sample().serialize();
  CHECK(TensorFile::parse(good).verified());
  const std::size_t data = good.size() - 53;
  for (std::size_t i = data; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    CHECK(message([&] {
            TensorFile::parse(bad, "a.st");
          }).find("'a.st': the file is damaged: its tensors have the checksum crc32:") == 0);
  }
  // Other programs' files have none, or mean something else by the word.
  const char* const other =
      R"({"__metadata__":{"checksum":"md5:1"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  CHECK(TensorFile::parse(file_with(other, 8)).metadata("checksum") == "md5:1");
  CHECK_FALSE(TensorFile::parse(file_with(other, 8)).verified());
  CHECK_FALSE(TensorFile::parse(file_with(one, 8)).verified());
}

#ifdef DASVDD_TEST_DATA
TEST_CASE("the reference vectors can be read") {
  const std::string folder = DASVDD_TEST_DATA;
  for (const char* name : {"activations", "conv", "digits_run", "gamma", "ranking", "step_identity",
                           "step_leaky_relu", "step_sigmoid"}) {
    CAPTURE(name);
    const TensorFile file = TensorFile::read(folder + "/" + name + ".safetensors");
    CHECK(file.tensors().size() > 1);
    const TensorFile again = TensorFile::parse(file.serialize());
    CHECK(again.metadata() == file.metadata());
    for (const auto& tensor : file.tensors()) {
      CHECK(again[tensor.name].bytes == tensor.bytes);
      CHECK(again[tensor.name].shape == tensor.shape);
    }
  }
  CHECK(TensorFile::read(folder + "/step_sigmoid.safetensors").metadata("gamma") == "0.37");
}
#endif

TEST_CASE("typed access names the tensor, what it is and what was expected") {
  const TensorFile file = TensorFile::parse(sample().serialize(), "net.st");
  CHECK(message([&] { file["gamma"].as<float>(); }) ==
        "'net.st': tensor 'gamma' is F64, expected F32");
  CHECK(message([&] {
          file["encoder.0.weight"].as<float>({3, 2});
        }) == "'net.st': tensor 'encoder.0.weight' is 2 x 3, expected 3 x 2");
  CHECK(message([&] { file["gamma"].matrix<double>(); }) ==
        "'net.st': tensor 'gamma' is a single number, expected two dimensions");
  CHECK(message([&] { file["center"]; }) == "'net.st': there is no tensor 'center'");
  CHECK(message([&] { file.metadata("mood"); }) == "'net.st': the metadata have no 'mood'");
}

TEST_CASE("adding refuses a name that is taken, a reserved name and an impossible shape") {
  TensorFile file = sample();
  const float x = 0;
  CHECK_THROWS_AS(file.add("gamma", {}, &x), InvalidArgument);
  CHECK_THROWS_AS(file.add("__metadata__", {}, &x), InvalidArgument);
  CHECK_THROWS_AS(file.add("negative", {2, -1}, &x), InvalidArgument);
  CHECK_THROWS_AS(file.add("vast", {Index(1) << 40, Index(1) << 40}, &x), InvalidArgument);
  CHECK(file.tensors().size() == 6);
  file.add("\xff", {}, &x);
  CHECK_THROWS_AS(file.serialize(), InvalidArgument);
}

TEST_CASE("a file that is too short for a header's length is refused") {
  CHECK(message([] { TensorFile::parse("1234567", "a.st"); }) ==
        "'a.st': the file has 7 bytes, too few for a safetensors file");
}

TEST_CASE("a header longer than the file is refused before memory is taken for it") {
  CHECK(message([] { TensorFile::parse(std::string(8, '\xff') + "{}", "a.st"); }) ==
        "'a.st': the header's length is 18446744073709551615 bytes but only 2 follow; the file is "
        "cut short or no safetensors file");
}

TEST_CASE("a header above the bound is refused") {
  const std::string header(TensorFile::max_header_bytes + 1, ' ');
  CHECK(refusal(header, 0) ==
        "'a.st': the header's length is 16777217 bytes, at most 16777216 are read");
}

TEST_CASE("a header that is no object is refused") {
  const char* sentence = "'a.st': the header is no JSON object; this is no safetensors file";
  CHECK(refusal("[1]", 0) == sentence);
  CHECK(refusal("", 0) == sentence);
}

TEST_CASE("a header that is no valid JSON is refused") {
  CHECK(refusal("{\"a\":}", 0) == "'a.st': the header is no valid JSON (at its byte 6)");
  CHECK(refusal("{\"a\xff\":1}", 0) == "'a.st': the header is no valid JSON (at its byte 4)");
  CHECK(refusal(one + std::string("{}"), 8).find("no valid JSON") != std::string::npos);
}

TEST_CASE("a header nested deeper than the format is refused") {
  CHECK(refusal("{\"a\":{\"shape\":[[1]]}}", 0) ==
        "'a.st': the header is nested deeper than a safetensors header is");
  CHECK(refusal("{\"a\":" + std::string(1000000, '['), 0) ==
        "'a.st': the header is nested deeper than a safetensors header is");
}

TEST_CASE("a header with a longer list than the format has is refused") {
  const auto with = [](const std::string& entry, int count) {
    std::string list = entry;
    for (int i = 1; i < count; ++i) list += "," + entry;
    return refusal(R"({"a":[)" + list + "]}", 0);
  };
  for (const char* entry : {"0", "-1", "0.5", "\"\"", "null", "true", "[]", "{}"}) {
    CHECK(with(entry, 64) == "'a.st': tensor 'a' is described by array, expected an object");
    CHECK(with(entry, 65) == "'a.st': the header has a list of more than 64 entries");
  }
}

TEST_CASE("a name that stands twice is refused") {
  CHECK(refusal(R"({"a":1,"a":2})", 0) == "'a.st': the header names 'a' twice");
  CHECK(refusal(R"({"a":{"dtype":"F32","dtype":"F64"}})", 0) ==
        "'a.st': the header names 'dtype' twice");
  // The same field in two tensors is no repetition.
  CHECK_NOTHROW(TensorFile::parse(file_with(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
      2)));
}

TEST_CASE("metadata that are no strings are refused") {
  CHECK(refusal(R"({"__metadata__":[]})", 0) ==
        "'a.st': '__metadata__' is array, expected an object");
  CHECK(refusal(R"({"__metadata__":{"seed":7}})", 0) ==
        "'a.st': the metadata's 'seed' is number, expected a string");
}

TEST_CASE("a tensor whose description is not what it should be is refused") {
  CHECK(refusal(R"({"a":3})", 0) ==
        "'a.st': tensor 'a' is described by number, expected an object");
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[2]}})", 8) ==
        "'a.st': tensor 'a' has no 'data_offsets'");
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", 8) ==
        "'a.st': tensor 'a' has other fields than dtype, shape and data_offsets");
}

TEST_CASE("an unknown dtype is refused") {
  CHECK(refusal(R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})", 8) ==
        "'a.st': tensor 'a' is of the dtype 'F31'; known are F64, I64, F32, BF16 and U8");
  CHECK(refusal(R"({"a":{"dtype":32,"shape":[2],"data_offsets":[0,8]}})", 8) ==
        "'a.st': tensor 'a' has as dtype number, expected a string");
}

TEST_CASE("a shape that is no list of sizes is refused") {
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", 8) ==
        "'a.st': tensor 'a' has as shape number, expected an array");
  const char* sentence =
      "'a.st': tensor 'a' has in its shape something else than whole numbers from 0";
  for (const char* size : {"-2", "2.0", "\"2\"", "null", "9223372036854775808", "1e400"}) {
    CAPTURE(size);
    const std::string header =
        R"({"a":{"dtype":"F32","shape":[)" + std::string(size) + R"(],"data_offsets":[0,8]}})";
    if (std::string(size) != "1e400") {
      CHECK(refusal(header, 8) == sentence);
    } else {
      CHECK(refusal(header, 8).find("no valid JSON") != std::string::npos);
    }
  }
}

TEST_CASE("a shape whose product overflows is refused") {
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})",
                0) == "'a.st': tensor 'a' has a shape whose numbers overflow when multiplied");
  // With a size of zero there is nothing to overflow, whatever stands beside it.
  CHECK_NOTHROW(TensorFile::parse(file_with(
      R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}})", 0)));
}

TEST_CASE("offsets that are no pair of numbers are refused") {
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}})", 8) ==
        "'a.st': tensor 'a' has data_offsets that are no pair");
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", 8) ==
        "'a.st': tensor 'a' has in its data_offsets something else than whole numbers from 0");
}

TEST_CASE("offsets that run backwards or past the data are refused") {
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8) ==
        "'a.st': tensor 'a' ends at byte 0, before it begins at 8");
  CHECK(refusal(one, 7) == "'a.st': tensor 'a' ends at byte 8 but the file has 7 bytes of data");
}

TEST_CASE("a shape that needs other bytes than there are is refused") {
  CHECK(refusal(R"({"a":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}})", 8) ==
        "'a.st': tensor 'a' has 8 bytes but its shape and dtype (2, F64) take 16");
}

TEST_CASE("tensors that overlap, leave a gap or don't reach the file's end are refused") {
  const auto two = [](const char* second) {
    return R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":)" +
           std::string(second) + "}}";
  };
  CHECK_NOTHROW(TensorFile::parse(file_with(two("[8,12]"), 12)));
  CHECK(refusal(two("[4,8]"), 8) ==
        "'a.st': tensor 'b' begins at byte 4, inside the one before it, which ends at 8");
  CHECK(refusal(two("[9,13]"), 13) ==
        "'a.st': tensor 'b' begins at byte 9 and leaves a gap after 8");
  CHECK(refusal(two("[8,12]"), 15) == "'a.st': 3 bytes follow the last tensor");
}

TEST_CASE("a name from the file can't break the sentence") {
  const std::string name(200, 'x');
  CHECK(refusal("{\"" + name + "\":3}", 0).size() < 160);
  CHECK(refusal(R"({"a\n\u001b[31m":3})", 0) ==
        "'a.st': tensor 'a??[31m' is described by number, expected an object");
}

TEST_CASE("a file that is cut anywhere, or changed in any byte of its header, never reads badly") {
  const std::string bytes = sample().serialize();
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    CAPTURE(cut);
    CHECK_THROWS_AS(TensorFile::parse(bytes.substr(0, cut)), FileError);
  }
  // Any other exception, or a crash, fails; a changed name or word is still a file.
  for (std::size_t i = 0; i < 8u + static_cast<unsigned char>(bytes[0]); ++i) {
    for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      try {
        const TensorFile file = TensorFile::parse(changed);
        CHECK(file.tensors().size() <= 6);
      } catch (const FileError&) {
      }
    }
  }
}

TEST_CASE("a file that isn't there, or is no file, is refused by name") {
  const TemporaryFolder folder;
  const std::string nowhere = folder / "nowhere.st", itself = folder / ".";
  CHECK(message([&] { TensorFile::read(nowhere); }) == "'" + nowhere + "': there is no such file");
  CHECK(message([&] { TensorFile::read(itself); }) == "'" + itself + "': this is no regular file");
}

TEST_CASE("a file that can't be looked at is not said to be missing") {
  const std::string path(5000, 'a');  // longer than any name
  CHECK(message([&] {
          TensorFile::read(path);
        }).find(": the file can't be opened: File name too long") != std::string::npos);
}

TEST_CASE("a file of very many tensors is read in a time that grows with their number") {
  // With time that grows with the square of the number, as nlohmann's parser with a callback and a search from the
  // first tensor take it, this takes minutes: the limit of a test's time is the check.
  constexpr int tensors = 60000;
  TensorFile file;
  for (int i = 0; i < tensors; ++i) {
    const float number = static_cast<float>(i);
    file.add("tensor." + std::to_string(i), {1}, &number);
  }
  const TensorFile back = TensorFile::parse(file.serialize());
  double sum = 0;
  for (int i = 0; i < tensors; ++i) sum += back["tensor." + std::to_string(i)].as<float>()[0];
  CHECK(sum == 0.5 * tensors * (tensors - 1));
}
