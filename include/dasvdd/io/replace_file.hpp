#pragma once
/// \file
/// Replaces a file so that its readers see the whole old file or the whole new one.

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dasvdd/core/error.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

/// 1: files are written by POSIX calls; 0: by the C++ standard library alone. A program may set it.
#if !defined(DASVDD_POSIX_FILES)
#if defined(__unix__) || defined(__APPLE__)
#define DASVDD_POSIX_FILES 1
#else
#define DASVDD_POSIX_FILES 0
#endif
#endif

#if DASVDD_POSIX_FILES
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#include <fstream>
#endif

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A temporary file in the target's folder. It is written, flushed to the disk and renamed over the
/// target. Without that last step the destructor removes it, and the target is as it was.
///
/// Without POSIX files the standard library writes it: nothing is flushed to the disk, permissions are
/// those of a new file, and a file that has the temporary name already is overwritten.
class ReplacementFile {
 public:
  /// \throws FileError when `target` is a folder, a device or a pipe, or its folder takes no new file
  explicit ReplacementFile(const std::filesystem::path& target)
      : name_(target.string()), target_(target) {
    namespace fs = std::filesystem;
    std::error_code error;
    // Through a symbolic link the file that it points to is replaced, not the link.
    if (fs::is_symlink(fs::symlink_status(target_, error))) {
      const fs::path real = fs::canonical(target_, error);
      if (error) fail("is a symbolic link that leads nowhere");
      target_ = real;
    }
    const fs::file_status status = fs::status(target_, error);
    if (fs::is_directory(status)) fail("is a folder, not a file");
    // Renaming over /dev/null would destroy the device.
    if (fs::exists(status) && !fs::is_regular_file(status)) fail("is no regular file");
    open();
  }
  ReplacementFile(const ReplacementFile&) = delete;
  ReplacementFile& operator=(const ReplacementFile&) = delete;
  ~ReplacementFile() {
    close();
    std::error_code ignored;
    if (!temporary_.empty()) std::filesystem::remove(temporary_, ignored);
  }

#if DASVDD_POSIX_FILES
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_because(errno);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  /// Flushes to the disk and puts the new file in the target's place.
  void commit() {
    if (::fsync(descriptor_) != 0) fail_because(errno);
    const int descriptor = descriptor_;
    descriptor_ = -1;
    if (::close(descriptor) != 0) fail_because(errno);
    rename();
    // The rename itself lasts only once the folder is on the disk; a file system that can't do that
    // is no error.
    const std::filesystem::path folder = folder_of(target_);
    const int folder_descriptor = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (folder_descriptor >= 0) {
      ::fsync(folder_descriptor);
      ::close(folder_descriptor);
    }
  }

 private:
  void open() {
    for (int attempt = 0; attempt < 100; ++attempt) {
      const std::filesystem::path candidate =
          temporary_name(attempt, static_cast<long>(::getpid()));
      descriptor_ = ::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor_ < 0 && errno == EEXIST) continue;
      if (descriptor_ < 0) fail_because(errno);
      temporary_ = candidate;
      // A replaced file keeps its permissions; where that is refused it gets those of a new one.
      struct stat old;
      if (::stat(target_.c_str(), &old) == 0) {
        static_cast<void>(::fchmod(descriptor_, old.st_mode & 07777));
      }
      return;
    }
    fail_because(EEXIST);
  }
  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }
  int descriptor_ = -1;
#else
  void write(std::string_view bytes) {
    stream_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!stream_) fail_because(errno);
  }

  void commit() {
    stream_.close();
    if (!stream_) fail_because(errno);
    rename();
  }

 private:
  void open() {
    const std::filesystem::path candidate = temporary_name(0, 0);
    stream_.open(candidate, std::ios::binary);
    if (!stream_) fail_because(errno);
    temporary_ = candidate;
  }
  void close() { stream_.close(); }
  std::ofstream stream_;
#endif

  static std::filesystem::path folder_of(const std::filesystem::path& file) {
    return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  }
  std::filesystem::path temporary_name(int attempt, long process) const {
    // The target's name may be as long as the system allows; the temporary one adds to its beginning.
    const std::string start = target_.filename().string().substr(0, 200);
    return folder_of(target_) / sentence(".", start, ".", process, "-", attempt, ".tmp");
  }
  void rename() {
    std::error_code error;
    std::filesystem::rename(temporary_, target_, error);
    if (error) fail_because(error.value());
    temporary_.clear();
  }
  [[noreturn]] void fail(const char* what) const {
    throw FileError(sentence("'", name_, "' can't be written: it ", what));
  }
  [[noreturn]] void fail_because(int number) const {
    throw FileError(
        sentence("'", name_, "' can't be written: ", std::generic_category().message(number)));
  }

  std::string name_;
  std::filesystem::path target_, temporary_;
};

/// Writes `contents` as the whole of the file `path`. Whatever fails, an old file stays as it was.
/// \throws FileError
inline void replace_file(const std::filesystem::path& path, std::string_view contents) {
  ReplacementFile file(path);
  file.write(contents);
  file.commit();
}

}  // namespace detail
DASVDD_NAMESPACE_END
