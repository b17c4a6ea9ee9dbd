#pragma once
/// \file
/// Replaces a file so that its readers see the whole old file or the whole new one.

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <dasvdd/core/random.hpp>
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
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#include <fstream>
#endif

DASVDD_NAMESPACE_BEGIN
namespace detail {

#if DASVDD_POSIX_FILES
/// While it lives, a write beyond the process's limit on the size of files fails with EFBIG; without it the
/// signal SIGXFSZ would end the process. For the calling thread alone.
class FileSizeSignalHeld {
 public:
  FileSizeSignalHeld() : was_pending_(pending()) {
    const sigset_t set = signals();
    ::pthread_sigmask(SIG_BLOCK, &set, &old_);
  }
  ~FileSizeSignalHeld() {
    const sigset_t set = signals();
    int number;
    if (!was_pending_ && pending()) ::sigwait(&set, &number);
    ::pthread_sigmask(SIG_SETMASK, &old_, nullptr);
  }
  FileSizeSignalHeld(const FileSizeSignalHeld&) = delete;
  FileSizeSignalHeld& operator=(const FileSizeSignalHeld&) = delete;

 private:
  static sigset_t signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGXFSZ);
    return set;
  }
  static bool pending() {
    sigset_t set;
    return ::sigpending(&set) == 0 && sigismember(&set, SIGXFSZ) == 1;
  }
  bool was_pending_;
  sigset_t old_;
};
#endif

/// A temporary file in the target's folder. It is written, flushed to the disk and renamed over the
/// target. Without that last step the destructor removes it, and the target is as it was. A process that
/// is killed leaves its temporary file behind; the next one that writes the same target removes it: a
/// live writer holds a lock on its file, a dead one does not.
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
    const FileSizeSignalHeld held;
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
    // Closing gives up the lock, by which other writers see that the temporary file is no left-over. What close()
    // could tell, fsync() has told.
    rename();
    close();
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
    remove_left_overs();
    // In a container every process may have the same number: names are random.
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    Random random(static_cast<std::uint64_t>(::getpid()), static_cast<std::uint64_t>(now));
    for (int attempt = 0; attempt < 100; ++attempt) {
      const std::filesystem::path candidate = temporary_name(random.bits());
      descriptor_ = ::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor_ < 0 && errno == EEXIST) continue;
      if (descriptor_ < 0) fail_because(errno);
      // Another writer may have taken the file for a left-over before it was locked.
      struct stat mine;
      if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        mine.st_nlink = 0;
      else if (::fstat(descriptor_, &mine) != 0)
        fail_because(errno);
      if (mine.st_nlink == 0) {
        close();
        continue;
      }
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

  /// Removes the temporary files of this target whose writers are dead.
  void remove_left_overs() const {
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder_of(target_), error), end;
         !error && at != end; at.increment(error)) {
      if (!is_temporary_name(at->path().filename().string())) continue;
      const int file = ::open(at->path().c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
      if (file < 0) continue;
      if (::flock(file, LOCK_EX | LOCK_NB) == 0) ::unlink(at->path().c_str());
      ::close(file);
    }
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
    const std::filesystem::path candidate = temporary_name(0);
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
  /// How temporary names of this target begin. Its own name may be as long as the system allows.
  std::string temporary_start() const {
    return "." + target_.filename().string().substr(0, 200) + ".";
  }
  static constexpr std::string_view temporary_end = ".tmp";
  static constexpr std::string_view hexadecimal = "0123456789abcdef";
  static constexpr std::size_t digits = 16;

  std::filesystem::path temporary_name(std::uint64_t number) const {
    std::string name = temporary_start();
    for (std::size_t i = 0; i < digits; ++i) name += hexadecimal[number >> (4 * i) & 0xf];
    return folder_of(target_) / name.append(temporary_end);
  }
  bool is_temporary_name(std::string_view name) const {
    const std::string start = temporary_start();
    return name.size() == start.size() + digits + temporary_end.size() &&
           name.substr(0, start.size()) == start &&
           name.substr(start.size(), digits).find_first_not_of(hexadecimal) == name.npos &&
           name.substr(start.size() + digits) == temporary_end;
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
