#pragma once
/// \file
/// `dasvdd score`: one line a row, its score, its p-value where the model is calibrated, and 1 for
/// an anomaly; of a file, or of standard input row by row.

#include <tool/bank.hpp>
#include <tool/command.hpp>
#include <tool/groups.hpp>
#include <tool/heatmap.hpp>
#include <tool/row_stream.hpp>
#include <tool/score_lines.hpp>
#include <tool/stream_watch.hpp>
#include <tool/streamed_rows.hpp>

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/detect/drift_watch.hpp>
#include <dasvdd/detect/false_discovery.hpp>
#include <dasvdd/io/model_file.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <istream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace tool {

/// Whether a place is the file that standard input comes from.
inline bool is_standard_input(const std::filesystem::path& place) {
#if defined(__unix__) || defined(__APPLE__)
  struct stat input, other;
  return ::fstat(STDIN_FILENO, &input) == 0 && S_ISREG(input.st_mode) &&
         ::stat(place.c_str(), &other) == 0 && input.st_dev == other.st_dev &&
         input.st_ino == other.st_ino;
#else
  static_cast<void>(place);
  return false;
#endif
}

class ScoreCommand {
 public:
  explicit ScoreCommand(CLI::App& app)
      : command_(*app.add_subcommand("score", "score every row of a file, or of a stream")) {
    model_.declare(command_);
    data_.declare(command_, "DATA", false);
    command_.get_option("DATA")->description(
        ".npy, .npz (array X), .csv or IDX images, gzipped or not; CIFAR-10's .bin; - for csv or "
        ".npy "
        "from standard input, each row answered at once");
    command_
        .add_option("-o", output_, "the csv file to write; without it scores go to standard output")
        ->type_name("FILE");
    command_
        .add_option(
            "--explain", explained_,
            "also the K features with the largest shares of the score, by name or by index from 0, "
            "with share, observed and expected value")
        ->type_name("K")
        ->transform(whole_number<Index>());
    command_
        .add_option(
            "--fdr", fdr_,
            "also which rows to call anomalies so that at most this share of them is normal; "
            "the model must be calibrated")
        ->type_name("Q");
    heatmap_option_ =
        command_
            .add_option(
                "--heatmap", heatmap_,
                "of images: also a picture of the first eight, of what was expected, and of "
                "each pixel's share of the score")
            ->type_name("FILE.png");
    CLI::Option* watch =
        command_
            .add_option(
                "--watch", watch_,
                "with -: says on standard error when the rows are no longer what the model was "
                "calibrated with; wrongly with this probability, however long it runs")
            ->type_name("RATE");
    command_
        .add_option("--watch-rows", watch_rows_,
                    "with --watch: normal rows, those of fit, say; also watches each feature, and "
                    "names those that have moved")
        ->type_name("FILE")
        ->needs(watch);
    command_
        .add_option("--image-shape", image_shape_text_,
                    "with --heatmap: the rows are images of that shape; most models of images know "
                    "theirs")
        ->type_name("CHANNELS,HEIGHT,WIDTH")
        ->needs(heatmap_option_);
    groups_.declare(command_, data_);
    by_.declare(command_, data_,
                "MODEL is a bank: each row is scored by the detector of its group, which this "
                "column names (of other files than csv so many rows are a group)");
  }

  bool chosen() const { return command_.parsed(); }

  void run(std::istream& in, std::ostream& out, std::ostream& err) const {
    const bool streams = data_.path == "-";
    const bool draws = heatmap_option_->count() > 0;
    std::vector<std::string> read = data_.files();
    read.push_back(model_.path());
    read.push_back(watch_rows_);
    if (!output_.empty()) check_output(output_, read);
    if (draws) {
      check_output(heatmap_, read, "--heatmap", {output_});
    }
    check_place(output_, streams);
    check(!groups_.given() || !streams, "--group goes with a file, not with standard input");
    check(!groups_.given() || !(draws || fdr_ || explained_),
          "--group doesn't go with --explain, --fdr and --heatmap, which are about rows");
    check(!draws || !streams, "--heatmap goes with a file, not with standard input");
    check(!streams || data_.options.labels_path.empty(),
          "--labels goes with a file, not with standard input");
    if (!image_shape_text_.empty()) image_shape(image_shape_text_);
    if (fdr_) dasvdd::detail::require_false_discovery_rate(*fdr_);
    check(!watch_ || streams, "--watch goes with standard input, not with a file");
    check(!watch_ || (*watch_ > 0 && *watch_ < 1), "--watch is ", watch_.value_or(0),
          ", expected a number between 0 and 1");
    if (streams) check_standard_input(in);
    if (by_.given()) {
      check(!streams, "--by goes with a file, not with standard input");
      check_options_by(command_, {"MODEL", "DATA", "-o", "--by", "--label-column", "--labels",
                                  "--columns", "--drop", "--header", "--key", "--label-key"});
      const BankScores scores(model_.path(), by_, data_.path);
      deliver(out, [&](std::ostream& to) { scores.write(to); });
      return;
    }
    std::visit([&](const auto& detector) { run(detector, in, out, err); }, model_.load());
  }

 private:
  template <class Scalar>
  void run(const dasvdd::Detector<Scalar>& detector, std::istream& in, std::ostream& out,
           std::ostream& err) const {
    check(!explained_ || (*explained_ >= 1 && *explained_ <= detector.features()), "--explain is ",
          explained_.value_or(0), ", expected a whole number from 1 to ", detector.features(),
          ", the model's features");
    check(!fdr_ || !detector.calibration().empty(), in_quotes(model_.path()),
          " isn't calibrated, so --fdr doesn't fit; fit --false-alarm-rate calibrates");
    check(!watch_ || !detector.calibration().empty(), in_quotes(model_.path()),
          " isn't calibrated, so --watch doesn't fit; fit --false-alarm-rate calibrates");
    const ScoreLines<Scalar> lines(detector, explained_.value_or(0), fdr_.has_value());
    if (data_.path == "-") {
      score_stream(in, out, err, detector, lines);
    } else {
      score_file(out, err, detector, lines);
    }
  }

  /// A place that refuses is known before the work. Of standard input the file must not be the same.
  void check_place(const std::string& output, bool streams) const {
    if (output.empty()) return;
    const std::filesystem::path place = output_place(output);
    if (streams) {
      check(!is_standard_input(place), "-o ", in_quotes(output),
            " would take the place of standard input, which is read");
    } else if (is_replaced(place)) {
      try_output(output);
    }
  }

  template <class Scalar>
  void score_file(std::ostream& out, std::ostream& err, const dasvdd::Detector<Scalar>& detector,
                  const ScoreLines<Scalar>& lines) const {
    if (const auto big = data_.open_big_for(detector, err)) {
      score_pieces(*big, out, err, detector, lines);
      return;
    }
    const Table table = data_.read_for(detector, err);
    std::optional<dasvdd::Shape> image;
    if (heatmap_option_->count() > 0) image = shape_of(table, detector);
    const dasvdd::detail::Vector<Scalar> scores =
        naming(data_.path, [&] { return detector.score(table.X); });
    std::vector<bool> selected(static_cast<std::size_t>(scores.size()));
    if (fdr_) {
      const Eigen::VectorXd p = detector.p_value(scores);
      selected = dasvdd::detail::benjamini_hochberg(p.data(), selected.size(), *fdr_);
    }
    const auto write = [&](std::ostream& to) {
      if (groups_.given()) {
        const Groups groups(table.groups);
        write_groups(to, detector, groups, groups_.scores(groups, scores));
        return;
      }
      to << lines.header();
      for (Index i = 0; to && i < scores.size(); ++i) {
        to << lines.line(table.X.data() + i * table.X.cols(), scores[i],
                         selected[static_cast<std::size_t>(i)]);
      }
    };
    if (image) writing([&] { write_heatmap(heatmap_, detector, table.X, *image); });
    deliver(out, write);
  }

  /// Writes to standard output, or whole to the file that -o names.
  template <class Write>
  void deliver(std::ostream& out, const Write& write) const {
    if (output_.empty()) {
      write(out);
      return;
    }
    std::ostringstream text;
    write(text);
    writing([&] { write_output(output_, text.str()); });
  }

  /// \param write called as write(std::ostream&)
  template <class Write>
  void write_in_place(const Write& write) const {
    // A device or a pipe, which nothing can take the place of.
    std::ofstream file(output_, std::ios::binary);
    if (file) write(file);
    file.close();
    if (!file) throw RunError(in_quotes(output_) + " can't be written");
  }

  /// The rows of a file that memory can't hold, piece by piece. A regular file is there when all of them are written;
  /// standard output gets the lines before a row that is refused.
  template <class Scalar>
  void score_pieces(const BigFile& file, std::ostream& out, std::ostream& err,
                    const dasvdd::Detector<Scalar>& detector,
                    const ScoreLines<Scalar>& lines) const {
    const std::string name = in_quotes(data_.path);
    for (const auto& [given, option] : {std::pair(groups_.given(), "--group"),
                                        std::pair(heatmap_option_->count() > 0, "--heatmap")}) {
      check(!given, option, " goes with rows that are in memory, and ", name,
            " is read in pieces; --memory says from which size on");
    }
    StreamedRows rows(file, name, data_.memory_bytes());
    rows.set_largest(std::numeric_limits<double>::max());
    if (takes_pixels(detector)) rows.scale_pixels(err, pixels_of(detector)).warn(name, err);
    const auto each_score = [&](const auto& use) {
      StreamedRows::Pass pass = rows.scored();
      while (pass.next()) {
        use(pass.piece().X, naming(data_.path, [&] { return detector.score(pass.piece().X); }));
      }
    };
    // What is selected depends on all p-values; scores are then computed a second time.
    std::vector<bool> selected;
    if (fdr_) {
      std::vector<double> p;
      each_score([&](const auto&, const dasvdd::detail::Vector<Scalar>& scores) {
        const Eigen::VectorXd values = detector.p_value(scores);
        p.insert(p.end(), values.begin(), values.end());
      });
      selected = dasvdd::detail::benjamini_hochberg(p.data(), p.size(), *fdr_);
    }
    const auto write = [&](const auto& put) {
      put(lines.header());
      std::size_t at = 0;
      each_score([&](const auto& X, const dasvdd::detail::Vector<Scalar>& scores) {
        std::string text;
        for (Index i = 0; i < scores.size(); ++i, ++at) {
          text += lines.line(X.data() + i * X.cols(), scores[i], fdr_ && selected[at]);
        }
        put(text);
      });
    };
    const std::filesystem::path place = output_.empty() ? "" : output_place(output_);
    if (output_.empty()) {
      write([&](const std::string& text) { out << text; });
    } else if (is_replaced(place)) {
      std::optional<dasvdd::detail::ReplacementFile> target;
      writing([&] { target.emplace(place); });
      write([&](const std::string& text) { writing([&] { target->write(text); }); });
      writing([&] { target->commit(); });
    } else {
      write_in_place(
          [&](std::ostream& to) { write([&](const std::string& text) { to << text; }); });
    }
  }

  /// One line a group. There are p-values where the model is calibrated by groups.
  template <class Scalar>
  void write_groups(std::ostream& to, const dasvdd::Detector<Scalar>& detector,
                    const Groups& groups, const dasvdd::detail::Vector<Scalar>& scores) const {
    const bool calibrated = groups_.calibrates(detector.facts());
    to << "group,score,p_value,anomaly\n";
    for (std::size_t g = 0; to && g < groups.names.size(); ++g) {
      const Scalar score = scores[static_cast<Index>(g)];
      to << csv_field(groups.names[g]) << ',' << number_text(score) << ','
         << (calibrated ? number_text(detector.p_value(score)) : "")
         << (detector.is_anomaly(score) ? ",1\n" : ",0\n");
    }
  }

  /// Each row's line is written as soon as the row is read. A file is therefore written in its place, not
  /// whole at the end.
  template <class Scalar>
  void score_stream(std::istream& in, std::ostream& out, std::ostream& err,
                    const dasvdd::Detector<Scalar>& detector,
                    const ScoreLines<Scalar>& lines) const {
    std::ofstream file;
    if (!output_.empty()) file.open(output_, std::ios::binary);
    std::ostream& to = output_.empty() ? out : file;
    std::optional<dasvdd::OnlineSelect> select;
    if (fdr_) {
      // So short a memory that a row above all of the calibration's is always selected: a stream has no end.
      const std::size_t n = detector.calibration().scores().size();
      select.emplace(*fdr_, n, std::max(1.0, *fdr_ * (static_cast<double>(n) + 1) / 2));
    }
    const dasvdd::Detector<Scalar> watched = watch_ ? detector.watched() : detector;
    std::optional<StreamWatch> watch;
    if (watch_) watch.emplace(drift_watch(watched, err), detector.feature_names());
    auto workspace = detector.make_workspace(1), watched_workspace = watched.make_workspace(1);
    // A line that can't be written ends the work: of an endless input nobody would see it.
    if (to << lines.header() << std::flush) {
      const auto rows = open_rows(in, detector.features(), data_.options_for(detector));
      const bool pixels = takes_pixels(detector);
      PixelRange range;
      const auto& scaler = detector.model().scaler;
      const bool missing = scaler.missing() != dasvdd::detail::MissingRule::refuse;
      const MayLack may_lack = watch && !watch_rows_.empty() ? MayLack::nothing(detector.features())
                                                             : MayLack(scaler, detector.features());
      for (std::vector<double> row; to && rows->next(row);) {
        if (pixels && range.rows() < 10) {
          range.add(Eigen::Map<const Eigen::RowVectorXd>(row.data(), detector.features()));
          if (range.rows() == 10) range.warn("standard input", err);
        }
        check(
            !pixels || !are_bytes(row),
            "standard input has pixels from 0 to 255, the model takes 0 to 1; divide them by 255");
        if (missing) {
          may_lack.check_row(row.data(), detector.features(), RowStream::name, rows->row_text(),
                             [&](Index j) { return rows->column_text(j); });
        }
        const Scalar score =
            naming_row(*rows, [&] { return detector.score_one(row.data(), workspace); });
        const bool selected = select && select->add(detector.p_value(score));
        to << lines.line(row.data(), score, selected) << std::flush;
        if (watch && !watch->done())
          watch->add(watched.score_one(row.data(), watched_workspace), row.data(), err);
      }
    }
    if (output_.empty()) return;
    file.close();
    if (!file) throw RunError(in_quotes(output_) + " can't be written");
  }

  /// Says where the row is that a detector refuses.
  template <class Action>
  static auto naming_row(const RowStream& rows, const Action& action) {
    try {
      return action();
    } catch (const dasvdd::InvalidArgument& error) {
      throw FileError(rows.where() + ": " + error.what());
    }
  }

  /// The watch of --watch, on the features too where --watch-rows says what they were like.
  template <class Scalar>
  dasvdd::DriftWatch drift_watch(const dasvdd::Detector<Scalar>& watched, std::ostream& err) const {
    const std::vector<double>& scores = watched.calibration().scores();
    if (watch_rows_.empty()) return dasvdd::DriftWatch(scores, *watch_);
    DataArguments rows = data_;
    rows.path = watch_rows_;
    const Table table = rows.read_for(watched, err);
    check_numbers(table, in_quotes(watch_rows_), std::numeric_limits<double>::max());
    return naming(watch_rows_, [&] { return dasvdd::DriftWatch(scores, table.X, *watch_); });
  }

  static bool are_bytes(const std::vector<double>& row) {
    const bool whole = std::all_of(
        row.begin(), row.end(), [](double x) { return x >= 0 && x <= 255 && x == std::floor(x); });
    return whole && *std::max_element(row.begin(), row.end()) > 1;
  }

  /// The shape of a heat map's images: as the command says, or the file, or the model.
  template <class Scalar>
  dasvdd::Shape shape_of(const Table& table, const dasvdd::Detector<Scalar>& detector) const {
    const Index features = detector.features();
    const auto& facts = detector.facts();
    const auto fact = facts.find("image_shape");
    const auto& scaler = detector.model().scaler.kind();
    const auto* softener = std::get_if<dasvdd::detail::Softener<Scalar>>(&scaler);
    dasvdd::Shape image{0, 0, 0};
    if (!image_shape_text_.empty()) {
      image = image_shape(image_shape_text_);
    } else if (table.images) {
      image = {table.channels, table.height, table.width};
    } else if (softener) {
      image = softener->image();
    } else if (fact != facts.end()) {
      image = image_shape(fact->second);
    } else {
      check(false, in_quotes(model_.path()),
            " doesn't say of which shape its images are; --image-shape does");
    }
    check(fits(image, features), in_quotes(model_.path()), " takes rows of ", features,
          " numbers, which images of ", image.channels, " x ", image.height, " x ", image.width,
          " don't have");
    return image;
  }

  CLI::App& command_;
  DataArguments data_;
  ModelArgument model_;
  std::string output_, heatmap_, image_shape_text_, watch_rows_;
  std::optional<Index> explained_;
  std::optional<double> fdr_, watch_;
  GroupArguments groups_;
  ByArgument by_;
  CLI::Option* heatmap_option_ = nullptr;
};

}  // namespace tool
