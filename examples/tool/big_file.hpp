#pragma once
/// \file
/// A data file that is read in pieces, because its numbers take more memory than they may: .npy, an array of an .npz,
/// IDX images, .csv.

#include <tool/csv_pieces.hpp>
#include <tool/read_table.hpp>

#include <dasvdd/core/function_ref.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace tool {

class BigFile {
 public:
  virtual ~BigFile() = default;

  /// What a table of the file has beside its rows.
  virtual const Table& frame() const = 0;
  /// What its numbers take in memory; of text and of what is compressed, about that.
  virtual double bytes() const = 0;
  /// Whether pieces may begin anywhere.
  virtual bool seeks() const = 0;
  /// \param first number of the row that the first piece begins with, where it seeks()
  /// \param piece_bytes about so much is in a piece
  virtual std::unique_ptr<Pieces> open(Index first, std::size_t piece_bytes) const = 0;
  virtual bool has_labels() const = 0;
  /// Hands over the label of each row.
  virtual void each_label(dasvdd::detail::FunctionRef<void(const std::string&)> use) const = 0;
};

namespace detail {

/// An array of numbers in a file, as its header describes it.
struct ArrayHeader {
  NpyHeader numbers;
  Index rows = 0, features = 0, height = 0, width = 0;
  double divisor = 1;       ///< 255 where bytes are pixels
  std::uint64_t begin = 0;  ///< bytes before the first number

  std::size_t row_bytes() const { return static_cast<std::size_t>(features) * numbers.bytes; }
};

inline ArrayHeader read_array_header(ByteStream& stream, bool idx) {
  ArrayHeader header;
  std::vector<Index> shape;
  if (idx) {
    shape = read_idx_header(stream, 3, "images");
    header.numbers.kind = 'u';
    header.numbers.bytes = 1;
    header.divisor = 255;
  } else {
    header.numbers = read_npy_header(stream);
    shape = header.numbers.shape;
    check(header.numbers.is_number() && (shape.size() == 2 || shape.size() == 3), stream.name(),
          " is no array of rows");
  }
  header.rows = shape[0];
  header.height = shape.size() == 3 ? shape[1] : 0;
  header.width = shape.size() == 3 ? shape[2] : 0;
  const Index width = shape.size() == 3 ? shape[2] : 1;
  check(shape[1] > 0 && width > 0 && double(shape[1]) * double(width) < 1e9, stream.name(),
        " has no columns, or more than are read in pieces");
  header.features = shape[1] * width;
  stream.expect(double(header.rows) * double(header.row_bytes()));
  header.begin = stream.taken();
  return header;
}

/// The rows of an array from a stream that stands before one of them.
class ArrayPieces : public Pieces {
 public:
  /// \param archive what the stream reads from, where that is something
  ArrayPieces(std::unique_ptr<ZipArchive> archive, std::unique_ptr<ByteStream> stream,
              const ArrayHeader& header, const Table& frame, const DataOptions& options,
              Index first, std::size_t piece_bytes)
      : archive_(std::move(archive)),
        stream_(std::move(stream)),
        header_(header),
        frame_(frame),
        options_(options),
        at_(first),
        most_(std::max<Index>(1, static_cast<Index>(piece_bytes / 8) / header.features)) {}

  bool next(Table& piece) override {
    const Index count = std::min(most_, header_.rows - at_);
    piece.X.resize(count, header_.features);
    if (count == 0) {
      if (!std::exchange(finished_, true)) stream_->finish();
      return false;
    }
    bytes_.resize(static_cast<std::size_t>(count) * header_.row_bytes());
    stream_->read(&bytes_[0], bytes_.size());
    const std::size_t numbers = static_cast<std::size_t>(piece.X.size());
    convert_numbers(header_.numbers, &bytes_[0], numbers, piece.X.data());
    if (header_.divisor != 1) piece.X /= header_.divisor;
    piece.columns.clear();
    choose_columns(piece, options_, stream_->name());
    piece.names = frame_.names;
    piece.images = frame_.images;
    piece.height = frame_.height;
    piece.width = frame_.width;
    piece.rows.resize(static_cast<std::size_t>(count));
    std::iota(piece.rows.begin(), piece.rows.end(), at_);
    at_ += count;
    return true;
  }

 private:
  std::unique_ptr<ZipArchive> archive_;
  std::unique_ptr<ByteStream> stream_;
  const ArrayHeader& header_;
  const Table& frame_;
  const DataOptions& options_;
  Index at_, most_;
  bool finished_ = false;
  std::string bytes_;
};

/// .npy, an array of an .npz, or IDX images.
class ArrayFile : public BigFile {
 public:
  ArrayFile(const std::string& path, const DataOptions& options, bool zip, bool idx)
      : path_(path), options_(options), zip_(zip), idx_(idx) {
#if defined(__unix__) || defined(__APPLE__)
    raw_ = RawFile(path_).peek(2) == FileStream(path_).peek(2);  // else it is gzipped
#endif
    Opened file = opened();
    header_ = read_array_header(*file.stream, idx_);
    const bool fortran = header_.numbers.fortran_order && header_.rows > 1 && header_.features > 1;
    check(!fortran, file.stream->name(), " is in Fortran order, column by column");
    seeks_ = file.seeks;
    frame_.images = header_.height > 0;
    frame_.height = header_.height;
    frame_.width = header_.width;
    if (header_.divisor != 1) {
      frame_.pixels = Pixels::divided;
    } else if (header_.numbers.bytes == 1) {
      frame_.pixels = Pixels::bytes;
    }
    frame_.X.resize(0, header_.features);
    choose_columns(frame_, options_, file.stream->name());
    if (zip_) labels_in_archive_ = tool::has_labels(*file.archive, options_);
  }

  const Table& frame() const override { return frame_; }
  double bytes() const override { return 8.0 * double(header_.rows) * double(header_.features); }
  bool seeks() const override { return seeks_; }
  std::unique_ptr<Pieces> open(Index first, std::size_t piece_bytes) const override {
    const std::uint64_t begin =
        header_.begin + static_cast<std::uint64_t>(first) * header_.row_bytes();
    Opened file = opened(seeks_ ? begin : 0);
    if (!seeks_) read_array_header(*file.stream, idx_);
    return std::make_unique<ArrayPieces>(std::move(file.archive), std::move(file.stream), header_,
                                         frame_, options_, seeks_ ? first : 0, piece_bytes);
  }
  bool has_labels() const override { return labels_beside() || labels_in_archive_; }
  void each_label(dasvdd::detail::FunctionRef<void(const std::string&)> use) const override {
    Index count = 0;
    const auto counted = [&](const std::string& label) {
      ++count;
      use(label);
    };
    std::string name = in_quotes(path_) + " (" + options_.label_key + ")";
    if (labels_beside()) {
      name = in_quotes(options_.labels_path);
      each_label_beside(options_.labels_path, counted);
    } else {
      const ZipArchive archive(path_);
      ZipMember member(archive, npz_member(archive, options_.label_key));
      each_npy_label(member, counted);
    }
    check(count == header_.rows, name, " has ", count, " labels but ", in_quotes(path_), " has ",
          header_.rows, " rows");
  }

 private:
  /// The archive is what the stream reads from, and goes after it.
  struct Opened {
    std::unique_ptr<ZipArchive> archive;
    std::unique_ptr<ByteStream> stream;
    bool seeks = false;
  };

  bool labels_beside() const { return options_.with_labels && !options_.labels_path.empty(); }

  /// \param begin of what seeks: the byte to begin with
  Opened opened(std::uint64_t begin = 0) const {
    Opened file;
    if (zip_) {
      file.archive = std::make_unique<ZipArchive>(path_);
      auto member =
          std::make_unique<ZipMember>(*file.archive, npz_member(*file.archive, options_.key));
      file.seeks = member->stored();
      if (begin > 0) member->seek(begin);
      file.stream = std::move(member);
      return file;
    }
#if defined(__unix__) || defined(__APPLE__)
    file.seeks = raw_;
    if (raw_) file.stream = std::make_unique<RawFile>(path_, begin);
#endif
    if (!file.stream) file.stream = std::make_unique<FileStream>(path_);
    return file;
  }

  std::string path_;
  DataOptions options_;
  bool zip_, idx_, raw_ = false, seeks_ = false, labels_in_archive_ = false;
  ArrayHeader header_;
  Table frame_;
};

class CsvFile : public BigFile {
 public:
  CsvFile(const std::string& path, const DataOptions& options)
      : path_(path), options_(options), first_(path, options, 1 << 16) {}

  const Table& frame() const override { return first_.frame(); }
  double bytes() const override {
    std::error_code error;
    const auto size = std::filesystem::file_size(path_, error);
    // Text shrinks to a fifth or so.
    const bool packed = ends_with(path_, ".gz");
    return error ? 0 : double(size) * (packed ? 5 : 1);
  }
  bool seeks() const override { return false; }
  std::unique_ptr<Pieces> open(Index, std::size_t piece_bytes) const override {
    return std::make_unique<CsvPieces>(path_, options_, piece_bytes);
  }
  bool has_labels() const override { return options_.with_labels && first_.has_label(); }
  void each_label(dasvdd::detail::FunctionRef<void(const std::string&)> use) const override {
    const auto pieces = open(0, 1 << 20);
    for (Table piece; pieces->next(piece);) {
      for (const std::string& label : piece.labels) use(label);
    }
  }

 private:
  std::string path_;
  DataOptions options_;
  CsvPieces first_;
};

}  // namespace detail

/// The file, where its numbers take more than `limit` bytes and it is of a kind that can be read in pieces; else null:
/// read_table() then reads it, or says what is wrong with it.
inline std::unique_ptr<BigFile> open_big(const std::string& path, const DataOptions& options,
                                         double limit) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  // Numbers of one byte take eight times that; compressed ones much more.
  if (error || double(size) * 1032 * 8 <= limit) return nullptr;
  FileStream stream(path);
  const std::string start = stream.peek(1024), name = stream.name();
  const bool zip = detail::is_zip(start), idx = detail::is_idx(start);
  std::unique_ptr<BigFile> file;
  if (detail::is_npy(start) || zip || idx) {
    try {
      file = std::make_unique<detail::ArrayFile>(path, options, zip, idx);
    } catch (const FileError&) {
      return nullptr;
    }
    if (file->bytes() <= limit) return nullptr;
    detail::check_kind(name, options, false, zip);
    return file;
  }
  const bool text = start.find('\0') == std::string::npos && !detail::is_mat(start) &&
                    start.compare(0, 4, "PAR1") != 0 && start.compare(0, 4, "\x89HDF") != 0 &&
                    start.compare(0, 2, "\xff\xfe") != 0 && start.compare(0, 2, "\xfe\xff") != 0;
  if (!text || double(size) * 5 <= limit || detail::ends_with(path, ".bin")) return nullptr;
  file = std::make_unique<detail::CsvFile>(path, options);
  if (file->bytes() <= limit) return nullptr;
  detail::check_kind(name, options, true, false);
  check(options.labels_path.empty(), name,
        " is a csv file that is read in pieces (--memory says "
        "from which size on), so --labels doesn't fit; --label-column does");
  return file;
}

}  // namespace tool
