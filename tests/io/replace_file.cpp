// Files are replaced whole or not at all. Compiled twice: for the POSIX half of replace_file.hpp and,
// with DASVDD_POSIX_FILES=0, for the one that other systems get.

#include <dasvdd/io/replace_file.hpp>

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include "file_error.hpp"

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <filesystem>
#include <fstream>
#include <string>

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#endif
#if defined(__linux__)
#include <sys/inotify.h>
#include <sys/syscall.h>
#endif

namespace fs = std::filesystem;
using dasvdd::FileError;
using dasvdd::detail::replace_file;

#if DASVDD_POSIX_FILES && defined(__linux__)
namespace {
std::atomic<int> syncs{0};  // calls of fsync, by threads of other tests too
bool sync_fails = false;    // whether they report a disk that can't be written
std::string somebodys;      // the file that somebody else makes just before the next one is made
bool somebody_is_first = false;
}  // namespace

// Found by the linker before the C library's, so that a test can make it fail.
int fsync(int descriptor) {
  ++syncs;
  if (!sync_fails) return static_cast<int>(::syscall(SYS_fsync, descriptor));
  errno = EIO;
  return -1;
}
int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    std::va_list more;
    va_start(more, flags);
    mode = static_cast<mode_t>(va_arg(more, unsigned));
    va_end(more);
    if (somebody_is_first) {
      somebody_is_first = false;
      somebodys = path;
      std::ofstream(somebodys) << "somebody else's";
    }
  }
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
#endif

TEST_CASE("writing replaces a file and leaves nothing beside it") {
  const TemporaryFolder folder;
  const std::string path = folder / "net.st";
  const std::string bytes("a\0b\n\xff", 5);
  replace_file(path, bytes);
  CHECK(content(path) == bytes);
  replace_file(path, "new");
  CHECK(content(path) == "new");
  replace_file(path, "");
  CHECK(content(path).empty());
  CHECK(folder.files() == 1);
}

TEST_CASE("a file's name may be as long as the system takes") {
  const TemporaryFolder folder;
  const std::string path = folder / std::string(255, 'n');
  replace_file(path, "whole");
  CHECK(content(path) == "whole");
  CHECK(folder.files() == 1);
}

TEST_CASE("a file whose writing was given up leaves the old one and nothing beside it") {
  const TemporaryFolder folder;
  const std::string path = folder / "net.st";
  replace_file(path, "old");
  {
    dasvdd::detail::ReplacementFile file(path);
    file.write("half of the n");
    CHECK(folder.files() == 2);
  }
  CHECK(content(path) == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("writing where no file can be leaves everything as it was") {
  const TemporaryFolder folder;
  const std::string missing = folder / "missing/net.st", taken = folder / "taken";
  fs::create_directory(taken);
  CHECK(message([&] { replace_file(missing, "x"); }) ==
        "'" + missing + "' can't be written: No such file or directory");
  CHECK(message([&] { replace_file(taken, "x"); }) ==
        "'" + taken + "' can't be written: it is a folder, not a file");
  CHECK(folder.files() == 1);
}

#if defined(__unix__) || defined(__APPLE__)
TEST_CASE("writing follows a symbolic link, and refuses one that leads nowhere") {
  const TemporaryFolder folder;
  const std::string path = folder / "net.st", link = folder / "link.st", lost = folder / "lost.st";
  replace_file(path, "old");
  fs::create_symlink("net.st", link);
  replace_file(link, "new");
  CHECK(fs::is_symlink(fs::symlink_status(link)));
  CHECK(content(path) == "new");
  fs::create_symlink("nowhere.st", lost);
  CHECK(message([&] { replace_file(lost, "x"); }) ==
        "'" + lost + "' can't be written: it is a symbolic link that leads nowhere");
}

TEST_CASE("writing never replaces a device or a pipe") {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(message([&] { replace_file(pipe, "x"); }) ==
        "'" + pipe + "' can't be written: it is no regular file");
  CHECK(fs::is_fifo(pipe));
}

TEST_CASE("a write that runs out of room throws and leaves the old file") {
  const TemporaryFolder folder;
  const std::string path = folder / "net.st";
  replace_file(path, "old");

  // A limit on the size of files stands for the full disk; it also sends a signal that would end the process. The large write fails half-way through, the
  // small one when its last bytes leave the stream's buffer.
  struct rlimit old;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  struct rlimit bound = old;
  bound.rlim_cur = 100;
#if !DASVDD_POSIX_FILES
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);  // the standard library doesn't hold it back
#endif
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &bound) == 0);
  const std::string large = message([&] { replace_file(path, std::string(50000, 'x')); });
  const std::string small = message([&] { replace_file(path, std::string(101, 'x')); });
  ::setrlimit(RLIMIT_FSIZE, &old);
#if !DASVDD_POSIX_FILES
  std::signal(SIGXFSZ, handler);
#endif

  CHECK(large == "'" + path + "' can't be written: File too large");
  CHECK(small == large);
  CHECK(content(path) == "old");
  CHECK(folder.files() == 1);
}
#endif

#if DASVDD_POSIX_FILES
TEST_CASE("writing keeps a file's permissions") {
  const TemporaryFolder folder;
  const std::string path = folder / "net.st";
  replace_file(path, "old");
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  replace_file(path, "new");
  CHECK((fs::status(path).permissions() & fs::perms::all) == fs::perms(0640));
}

TEST_CASE("what a killed writer left is removed, what a live one has is not") {
  const TemporaryFolder folder;
  const std::string path = folder / "net.st", other = folder / "other.st";
  const std::string left = folder.put(".net.st.0123456789abcdef.tmp", "half");
  const std::string others = folder.put(".other.st.0123456789abcdef.tmp", "half");
  const std::string users = folder.put(".net.st.my-own-notes1234.tmp", "kept");
  replace_file(path, "old");
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(others));
  CHECK(fs::exists(users));
  {
    dasvdd::detail::ReplacementFile live(path);
    live.write("whole");
    replace_file(path, "new");
    CHECK(content(path) == "new");
    live.commit();
  }
  CHECK(content(path) == "whole");
  CHECK(folder.files() == 3);
}

TEST_CASE("a writer that is killed leaves the old file, and nothing after the next writer") {
  const TemporaryFolder folder;
  const std::string path = folder / "net.st";
  replace_file(path, "old");
  for (int i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      dasvdd::detail::ReplacementFile file(path);
      file.write("half");
      ::raise(SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(content(path) == "old");
    CHECK(folder.files() == 2);  // the killed writer's, but not the one before its
  }
  replace_file(path, "new");
  CHECK(content(path) == "new");
  CHECK(folder.files() == 1);
}
#endif

#if DASVDD_POSIX_FILES && defined(__linux__)
TEST_CASE("a temporary file that somebody else has made is not written into") {
  const TemporaryFolder folder;
  const std::string path = folder / "net.st";
  somebodys.clear();
  somebody_is_first = true;
  replace_file(path, "new");
  CHECK_FALSE(somebody_is_first);
  CHECK(content(somebodys) == "somebody else's");
  CHECK(content(path) == "new");
}

TEST_CASE("the file is on the disk before it replaces the old one, and the folder after that") {
  const TemporaryFolder folder;
  const std::string path = folder / "net.st";
  syncs = 0;
  replace_file(path, "old");
  CHECK(syncs == 2);
  sync_fails = true;
  const std::string sentence = message([&] { replace_file(path, "new"); });
  sync_fails = false;
  CHECK(sentence == "'" + path + "' can't be written: Input/output error");
  CHECK(content(path) == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE(
    "a writer holds its lock until the file has its name, so that no other takes it for a "
    "left-over") {
  const TemporaryFolder folder;
  const std::string path = folder / "net.st";
  const int events = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  REQUIRE(events >= 0);
  REQUIRE(::inotify_add_watch(events, (folder / "").c_str(), IN_MOVED_TO | IN_CLOSE_WRITE) >= 0);
  replace_file(path, "new");
  // Closing gives the lock up. The kernel tells of both in their order.
  std::string order;
  alignas(struct inotify_event) char buffer[4096];
  for (ssize_t size; (size = ::read(events, buffer, sizeof buffer)) > 0;) {
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const struct inotify_event*>(buffer + at);
      order += (event->mask & IN_MOVED_TO) != 0 ? "named " : "closed ";
      at += static_cast<ssize_t>(sizeof *event + event->len);
    }
  }
  ::close(events);
  CHECK(order == "named closed ");
}
#endif
