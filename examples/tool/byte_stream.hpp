#pragma once
/// \file
/// Where the readers' bytes come from: a file, gzipped or not (zlib), or a member of a zip archive
/// (libzip).

#include <tool/table.hpp>

#include <zip.h>
#include <zlib.h>

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

namespace tool {

/// Bytes one after the other, with a look at the first few, and a name for the sentences.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  /// The file's name in quotes, as it stands in a sentence.
  const std::string& name() const { return name_; }

  /// Up to `count` bytes; fewer only at the end.
  std::size_t read_some(void* to, std::size_t count) {
    const std::size_t kept = std::min(count, peeked_.size());
    if (kept != 0) std::memcpy(to, peeked_.data(), kept);
    peeked_.erase(0, kept);
    const std::size_t got =
        kept + (kept < count ? fetch(static_cast<char*>(to) + kept, count - kept) : 0);
    taken_ += got;
    return got;
  }
  /// How many bytes have been taken.
  std::uint64_t taken() const { return taken_; }
  /// Exactly `count` bytes. \throws FileError when the file ends before
  void read(void* to, std::size_t count) {
    check(read_some(to, count) == count, name_, " is cut short");
  }
  /// The next `count` bytes without taking them; fewer only at the end.
  std::string peek(std::size_t count) {
    if (peeked_.size() < count) {
      std::string more(count - peeked_.size(), '\0');
      more.resize(fetch(&more[0], more.size()));
      peeked_ += more;
    }
    return peeked_.substr(0, count);
  }
  /// Refuses to go on when a header promises more than the file can hold: before memory is taken
  /// for it.
  void expect(double bytes) const {
    check(bytes <= most_, name_, " is cut short: by its header it holds ", bytes, " bytes");
  }
  /// Refuses bytes after the last that the header spoke of.
  void finish() {
    char one;
    check(read_some(&one, 1) == 0, name_, " has more bytes than its header says");
  }

 protected:
  ByteStream(std::string name, double most) : name_(std::move(name)), most_(most) {}
  virtual std::size_t fetch(char* to, std::size_t count) = 0;

  /// Deflate makes a byte of at most so many.
  static constexpr double largest_ratio = 1032;

 private:
  std::string name_, peeked_;
  std::uint64_t taken_ = 0;
  double most_;  // the most bytes there can be
};

/// A file, unpacked on the way when it is gzipped.
class FileStream : public ByteStream {
 public:
  /// \throws FileError when it can't be opened
  explicit FileStream(const std::string& path) : ByteStream(in_quotes(path), bound(path)) {
    std::error_code error;
    check(!std::filesystem::is_directory(path, error), name(), " is a folder, not a file");
    file_.reset(gzopen(path.c_str(), "rb"));
    check(file_ != nullptr, name(), " can't be opened: ", std::strerror(errno));
    gzbuffer(file_.get(), 1 << 18);
  }

 private:
  static double bound(const std::string& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    return error ? 1e15 : largest_ratio * double(size);  // of a pipe nothing is known
  }
  std::size_t fetch(char* to, std::size_t count) override {
    std::size_t done = 0;
    while (done < count) {
      const auto part = static_cast<unsigned>(std::min<std::size_t>(count - done, 1 << 24));
      const int got = gzread(file_.get(), to + done, part);
      int code = Z_OK;
      const char* reason = gzerror(file_.get(), &code);
      check(code != Z_BUF_ERROR, name(), " is cut short");
      check(code != Z_ERRNO, name(), " can't be read: ", std::strerror(errno));
      check(got >= 0 && code >= Z_OK, name(), " can't be unpacked: ", reason);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }
  struct Close {
    void operator()(gzFile file) const { gzclose_r(file); }
  };
  std::unique_ptr<gzFile_s, Close> file_;
};

#if defined(__unix__) || defined(__APPLE__)
/// A file's bytes as they are, from any place on. It reads instead of mapping: pages of a mapped file count as the
/// process's memory.
class RawFile : public ByteStream {
 public:
  /// \throws FileError when it can't be opened
  explicit RawFile(const std::string& path, std::uint64_t first = 0)
      : ByteStream(in_quotes(path), size_of(path)), at_(static_cast<off_t>(first)) {
    file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    check(file_ >= 0, name(), " can't be opened: ", std::strerror(errno));
    ahead();
  }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;
  ~RawFile() override { ::close(file_); }

 private:
  static double size_of(const std::string& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    return error ? 1e15 : double(size);
  }
  /// Asks the system to fetch what will be read next, while the rows before are used.
  void ahead() {
#if defined(POSIX_FADV_WILLNEED)
    constexpr off_t window = off_t(1) << 22;
    if (at_ + window / 2 < asked_) return;
    static_cast<void>(::posix_fadvise(file_, at_, window, POSIX_FADV_WILLNEED));
    asked_ = at_ + window;
#endif
  }
  std::size_t fetch(char* to, std::size_t count) override {
    std::size_t done = 0;
    while (done < count) {
      const ssize_t got = ::pread(file_, to + done, count - done, at_);
      if (got < 0 && errno == EINTR) continue;
      check(got >= 0, name(), " can't be read: ", std::strerror(errno));
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
      at_ += got;
    }
    ahead();
    return done;
  }

  int file_ = -1;
  off_t at_ = 0, asked_ = -1;
};
#endif

/// A zip archive opened for reading.
class ZipArchive {
 public:
  /// \throws FileError when it is no zip archive
  explicit ZipArchive(const std::string& path) : name_(in_quotes(path)) {
    int code = 0;
    archive_.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
    if (archive_ != nullptr) return;
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    check(false, name_, " is no zip archive that can be read: ", reason);
  }

  const std::string& name() const { return name_; }
  zip_t* get() const { return archive_.get(); }
  bool contains(const std::string& member) const {
    return zip_name_locate(archive_.get(), member.c_str(), 0) >= 0;
  }
  bool any_ends_with(const std::string& end) const {
    const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
    for (zip_int64_t i = 0; i < count; ++i) {
      const char* member = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
      const std::string name = member == nullptr ? "" : member;
      if (name.size() >= end.size() &&
          name.compare(name.size() - end.size(), end.size(), end) == 0) {
        return true;
      }
    }
    return false;
  }
  /// The members' names, separated by commas.
  std::string listing() const {
    std::string text;
    const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
    for (zip_int64_t i = 0; i < count && text.size() < 200; ++i) {
      const char* member = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
      text += (text.empty() ? "" : ", ") + std::string(member ? member : "?");
    }
    return text.empty() ? "nothing" : text;
  }

 private:
  struct Close {
    void operator()(zip_t* archive) const { zip_discard(archive); }
  };
  std::string name_;
  std::unique_ptr<zip_t, Close> archive_;
};

/// One member of an archive, stored or deflated. The archive must outlive it.
class ZipMember : public ByteStream {
 public:
  /// \throws FileError when it isn't there or can't be unpacked
  ZipMember(const ZipArchive& archive, const std::string& member)
      : ByteStream(archive.name() + " (" + member + ")", bound(archive, member)) {
    file_.reset(zip_fopen(archive.get(), member.c_str(), 0));
    check(file_ != nullptr, name(), " can't be unpacked: ", zip_strerror(archive.get()));
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat(archive.get(), member.c_str(), 0, &stat) != 0) return;
    stored_ = (stat.valid & ZIP_STAT_COMP_METHOD) != 0 && stat.comp_method == ZIP_CM_STORE;
    size_ = stat.size;
  }

  /// Whether its bytes lie in the archive as they are, so that seek() goes.
  bool stored() const { return stored_; }
  std::uint64_t size() const { return size_; }
  /// Goes to a byte of a stored member, before anything was looked at.
  void seek(std::uint64_t to) {
    check(zip_fseek(file_.get(), static_cast<zip_int64_t>(to), SEEK_SET) == 0, name(),
          " can't be read: ", zip_file_strerror(file_.get()));
  }

 private:
  static double bound(const ZipArchive& archive, const std::string& member) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    check(zip_stat(archive.get(), member.c_str(), 0, &stat) == 0, archive.name(), " has no member ",
          member);
    const bool known = (stat.valid & ZIP_STAT_COMP_SIZE) != 0;
    const bool method = (stat.valid & ZIP_STAT_COMP_METHOD) != 0 &&
                        stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE;
    check(!method, archive.name(), " (", member, ") is packed by zip's method ",
          method ? int(stat.comp_method) : 0,
          method && stat.comp_method == ZIP_CM_BZIP2 ? ", bzip2" : "",
          "; stored and deflated arrays are read, as numpy.savez and numpy.savez_compressed write "
          "them");
    return known ? largest_ratio * double(stat.comp_size) : 0;
  }
  std::size_t fetch(char* to, std::size_t count) override {
    std::size_t done = 0;
    while (done < count) {
      const zip_int64_t got = zip_fread(file_.get(), to + done, count - done);
      check(got >= 0, name(), " can't be unpacked: ", zip_file_strerror(file_.get()));
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }
  struct Close {
    void operator()(zip_file_t* file) const { zip_fclose(file); }
  };
  std::unique_ptr<zip_file_t, Close> file_;
  bool stored_ = false;
  std::uint64_t size_ = 0;
};

}  // namespace tool
