#pragma once
// Bytes of the tool's data files, made up.

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <zip.h>
#include <zlib.h>

#include <string>
#include <utility>
#include <vector>

namespace test_files {

template <class T>
std::string raw(const std::vector<T>& numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

inline std::string npy(const std::string& dictionary, const std::string& data, int version = 1) {
  std::string file =
      "\x93NUMPY" + std::string(1, static_cast<char>(version)) + std::string(1, '\0');
  const int bytes = version == 1 ? 2 : 4;
  for (int i = 0; i < bytes; ++i) file += static_cast<char>(dictionary.size() >> (8 * i) & 0xff);
  return file + dictionary + data;
}

inline std::string array(const std::string& descr, const std::string& shape,
                         const std::string& data) {
  return npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }   \n",
             data);
}

inline std::string big_endian(const std::vector<unsigned>& numbers) {
  std::string bytes;
  for (const unsigned n : numbers) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(n >> shift & 0xff);
  }
  return bytes;
}

inline std::string gzipped(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder / "packed";
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) == int(bytes.size()));
  REQUIRE(gzclose(file) == Z_OK);
  return content(path);
}

inline std::string zipped(const std::vector<std::pair<std::string, std::string>>& members,
                          int method) {
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

}  // namespace test_files
