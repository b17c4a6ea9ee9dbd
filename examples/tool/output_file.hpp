#pragma once
/// \file
/// Where results go: a file that is there whole or not at all, or a device.

#include <tool/table.hpp>

#include <dasvdd/io/replace_file.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace tool {

/// Where a result goes: through links that lead to no file yet, as a shell would make one.
inline std::filesystem::path output_place(const std::string& path) {
  namespace fs = std::filesystem;
  fs::path place(path);
  std::error_code error;
  for (int links = 0; links < 40 && fs::is_symlink(fs::symlink_status(place, error)); ++links) {
    if (fs::exists(place, error)) break;
    const fs::path target = fs::read_symlink(place, error);
    if (error) break;
    place = target.is_absolute() ? target : place.parent_path() / target;
  }
  return place;
}

/// Whether two names are one file's, by any spelling, through links of both kinds, also where there is none yet.
inline bool same_place(const std::string& a, const std::string& b) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  const fs::path first = fs::weakly_canonical(output_place(a), error);
  return !error && first == fs::weakly_canonical(output_place(b), error) && !error;
}

/// Whether a result takes the place of a file, or makes one; a device or a pipe is written to.
inline bool is_replaced(const std::filesystem::path& place) {
  std::error_code error;
  const std::filesystem::file_status there = std::filesystem::status(place, error);
  return !std::filesystem::exists(there) || std::filesystem::is_regular_file(there);
}

/// Writes a result whole. \throws FileError
inline void write_output(const std::string& path, const std::string& bytes) {
  const std::filesystem::path place = output_place(path);
  if (is_replaced(place)) {
    dasvdd::detail::replace_file(place, bytes);
    return;
  }
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  check(!file.fail(), in_quotes(path), " can't be written");
}

}  // namespace tool
