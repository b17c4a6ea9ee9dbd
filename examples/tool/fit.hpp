#pragma once
/// \file
/// `dasvdd fit`: trains on a file's normal rows and writes a model.

#include <tool/bank.hpp>
#include <tool/command.hpp>
#include <tool/far_rows.hpp>
#include <tool/index_columns.hpp>
#include <tool/progress.hpp>
#include <tool/saved_fit.hpp>
#include <tool/sharded_fit.hpp>
#include <tool/streamed_rows.hpp>

#include <dasvdd/train/mixed_precision.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tool {

class FitCommand {
 public:
  /// \param ranks the processes that fit together
  FitCommand(CLI::App& app, dasvdd::detail::Ranks& ranks)
      : ranks_(ranks), command_(*app.add_subcommand("fit", "train a detector on normal rows")) {
    data_.declare(command_, "TRAIN", true);
    command_.add_option("-o", model_path_, "the model file to write")
        ->required()
        ->type_name("MODEL");
    command_
        .add_option(
            "--layers", layers_text_,
            "widths of the encoder's layers, which the decoder mirrors; without it an ensemble "
            "that suits a table, or images, is trained")
        ->type_name("N,N,...");
    command_
        .add_option("--net", net_,
                    "a net ready made in place of --layers: lenet, a convolutional autoencoder for "
                    "images")
        ->check(CLI::IsMember({"lenet"}))
        ->excludes("--layers");
    command_
        .add_option("--image-shape", image_shape_text_,
                    "the rows are images of that shape, channel after channel, whatever the file's "
                    "kind; IDX files know theirs")
        ->type_name("CHANNELS,HEIGHT,WIDTH");
    kind_option_ =
        command_
            .add_option("--image-kind", image_kind_,
                        "without --layers or --net, what the images show: objects on a dark "
                        "ground, or photographs")
            ->capture_default_str()
            ->check(CLI::IsMember({"objects", "photographs"}));
    output_option_ = command_.add_option("--output", output_,
                                         "with --layers or --net, what follows the last layer: "
                                         "sigmoid, identity or leaky_relu (sigmoid for images, "
                                         "else identity)");
    mixed_option_ =
        command_.add_flag("--mixed-precision",
                          "for images, or with --layers or --net, train on numbers rounded to "
                          "bfloat16 where the CPU is faster at them: big nets in a third of the "
                          "time, not to the same bits");
    output_option_->check(CLI::IsMember({"sigmoid", "identity", "leaky_relu"}));
    command_.add_option("--epochs", epochs_, "passes over the rows")
        ->transform(whole_number<Index>());
    command_
        .add_option("--batch-size", batch_size_,
                    "rows a step (200 with --layers or --net, else 32)")
        ->transform(whole_number<Index>());
    learning_rate_option_ =
        command_.add_option("--lr", options_.adam.learning_rate,
                            "Adam's learning rate (0.001 with --layers or --net, else 0.0015)");
    command_.add_option("--center-lr", options_.center.learning_rate, "the center's learning rate")
        ->capture_default_str();
    command_
        .add_option("--kappa", options_.kappa,
                    "share of a batch for the net, the rest moves the center")
        ->capture_default_str();
    command_.add_option("--gamma", gamma_, "weight of the latent term, a number or auto")
        ->type_name("auto|X");
    CLI::Option* yes = command_.add_flag("--standardize", standardize_,
                                         "scale every feature: the default for tables");
    command_
        .add_flag("--no-standardize", raw_,
                  "leave the features as they are: the default for images")
        ->excludes(yes);
    command_.add_option(
        "--false-alarm-rate", false_alarm_rate_,
        "share of normal rows that may be called anomalies; holds a tenth of the rows out");
    hold_out_option_ = command_
                           .add_option("--hold-out", hold_out_,
                                       "which rows are held out: drawn by the seed, or the last "
                                       "ones, for rows in the order of time")
                           ->capture_default_str()
                           ->check(CLI::IsMember({"drawn", "last"}));
    command_
        .add_option(
            "--missing", missing_,
            "what becomes of missing values (NaN; in a csv also empty fields and the words "
            "of pandas, R and spreadsheets): refuse, mask them, or impute the mean beside a "
            "feature that says so")
        ->capture_default_str()
        ->check(CLI::IsMember({"refuse", "mask", "impute"}));
    command_.add_flag("--double", double_, "train and score in double, at half the speed");
    members_option_ =
        command_
            .add_option("--members", members_, "without --layers or --net: nets in the ensemble")
            ->transform(whole_number<Index>());
    command_
        .add_option("--score", score_form_,
                    "without --layers or --net: what rows of a table are scored by")
        ->check(CLI::IsMember({"several_centers", "whitened", "balanced"}));
    command_
        .add_option("--contamination", contamination_,
                    "without --layers or --net: the share of the rows that may be anomalies")
        ->capture_default_str();
    validation_option_ =
        command_
            .add_option("--validation", options_.validation,
                        "with --layers or --net: the share of the rows that doesn't train but says "
                        "which epoch's net is best")
            ->capture_default_str();
    command_
        .add_option("--patience", options_.patience,
                    "with --validation: end when so many epochs in turn were no better (0: never)")
        ->capture_default_str()
        ->transform(whole_number<Index>());
    command_.add_option("--seed", options_.seed, "seed of everything drawn")
        ->capture_default_str()
        ->transform(whole_number<std::uint64_t>());
    command_.add_option("--threads", options_.threads, "0 for all; never changes the result")
        ->capture_default_str()
        ->transform(whole_number<int>());
    shards_.declare(command_);
    checkpoint_.declare(command_);
    by_.declare(command_, data_,
                "one small detector for each group of rows, in one bank: of a csv the column, by "
                "name or by index from 0, that names a row's group; of other files so many rows "
                "that follow each other");
  }

  bool chosen() const { return command_.parsed(); }

  /// \param out results, \param err warnings
  void run(std::ostream& out, std::ostream& err) {
    if (by_.given()) {
      check(ranks_.alone(), "there are ", ranks_.size(), " processes; --by is what one does");
      run_by(out, err);
    } else if (double_) {
      run_in<double>(out, err);
    } else {
      run_in<float>(out, err);
    }
  }

 private:
  template <class Scalar>
  void run_in(std::ostream& out, std::ostream& err) {
    check_options();
    const std::unique_ptr<BigFile> big = data_.open_big(err);
    check(!big || missing_ == "refuse", "--missing ", missing_, ": the rows of ",
          in_quotes(data_.path),
          " are read in pieces, which must lack no value; a larger --memory reads them at once");
    std::optional<StreamedRows> streamed;
    if (big) streamed.emplace(*big, in_quotes(data_.path), data_.memory_bytes());
    Table table = big ? big->frame() : data_.read(missing_ != "refuse");
    std::vector<std::string> row_numbers;
    if (data_.all_options().columns.empty())
      row_numbers = row_number_warnings(table, in_quotes(data_.path));
    if (!image_shape_text_.empty()) set_image_shape(table);
    if (table.images && !standardize_) prepare_pixels(table, streamed, err);
    check_options_of(table);
    if (table.images) {
      facts_["image_shape"] = std::to_string(table.channels) + "," + std::to_string(table.height) +
                              "," + std::to_string(table.width);
      if (table.pixels == Pixels::divided) facts_["pixels"] = "divided by 255";
    }
    const double largest = static_cast<double>(std::numeric_limits<Scalar>::max());
    std::size_t dropped;
    if (streamed) {
      streamed->set_largest(largest);
      dropped = keep_normal_rows(*streamed);
      suit_wide_rows(table, err);
      if (!published()) draw_sample<Scalar>(*streamed, table);
    } else {
      dropped = keep_normal_rows(table);
      // All of them, also those that are held out: no long training before the first sentence.
      check_numbers(table, in_quotes(data_.path), largest, missing_ != "refuse");
      if (missing_ != "refuse") MayLack().check_rows(table, in_quotes(data_.path));
      suit_wide_rows(table, err);
    }
    Table held_out;
    if (false_alarm_rate_) {
      held_out = streamed && published() ? hold_out(*streamed) : split(table);
    }
    if (missing_ != "refuse") {
      check_columns(table, in_quotes(data_.path));
      if (missing_ == "impute") MayLack(table.X).check_rows(held_out, in_quotes(data_.path));
    }
    if (false_alarm_rate_) {
      // The calibration's own check, before the training and not after it.
      const std::vector<double> scores(static_cast<std::size_t>(held_out.X.rows()));
      naming(data_.path, [&] {
        return dasvdd::Calibration(scores).threshold(dasvdd::false_alarm_rate(*false_alarm_rate_));
      });
    }

    warn(row_numbers, err);
    if (published() && scales(table) && streamed) {
      naming(data_.path,
             [&] { leave_far_rows(*streamed, table, !double_, options_.seed, far_values_); });
    } else if (published() && scales(table)) {
      leave_far_rows(table, far_values_);
    }
    SavedFit<Scalar> saved(checkpoint_, ranks_);
    dasvdd::Detector<Scalar> detector = naming(data_.path, [&] {
      return published()              ? fit_published(table, streamed, saved, out)
             : by_image_preset(table) ? fit_images(table, saved)
                                      : fit_default(table, saved);
    });
    warn(detector.warnings(), err);
    if (false_alarm_rate_) {
      detector = naming(data_.path, [&] {
        return detector.calibrated(held_out.X, dasvdd::false_alarm_rate(*false_alarm_rate_),
                                   options_.threads);
      });
    }
    if (ranks_.rank() == 0) {
      writing([&] { dasvdd::save(detector, output_place(model_path_), facts_); });
    }

    out << "trained on " << (trained_rows_ > 0 ? trained_rows_ : table.X.rows()) << " rows of "
        << table.X.cols() << " features";
    if (drawn_from_ > 0) out << ", drawn from " << drawn_from_;
    if (dropped != 0) out << ", " << dropped << " labelled anomalies dropped";
    if (false_alarm_rate_) out << ", " << held_out.X.rows() << " held out for calibration";
    out << "\nthreshold " << number_text(detector.threshold()) << "\nmodel " << model_path_ << '\n';
    saved.finish(model_path_);
  }

  /// With --by: a group that can't be fitted, one with NaN too, costs its own sentence.
  void run_by(std::ostream& out, std::ostream& err) {
    check_options_by(command_,
                     {"TRAIN", "-o", "--by", "--seed", "--threads", "--label-column", "--labels",
                      "--columns", "--drop", "--header", "--key", "--label-key", "--normal"});
    options_.validate();
    check_output(model_path_, data_.files());
    try_output(model_path_);
    Table table = by_.read();
    const std::size_t dropped = keep_normal_rows(table);
    dasvdd::BankOptions options;
    options.seed = options_.seed;
    options.threads = options_.threads;
    fit_bank(table, options, data_.path, dropped, model_path_, out, err);
  }

  void check_options() {
    layers_ = sizes("--layers", layers_text_);
    check(command_.get_option("--layers")->count() == 0 || !layers_.empty(),
          "--layers is empty, expected whole numbers from 1 with commas between them");
    check(published() || output_option_->count() == 0,
          "--output goes with --layers or --net, which aren't given");
    check(published() || validation_option_->count() == 0,
          "--validation goes with --layers or --net, which aren't given");
    check(!published() || contamination_ == 0,
          "--contamination goes without --layers and --net, which train on every row");
    check(!published() || (members_option_->count() == 0 && score_form_.empty()),
          "--members and --score go without --layers and --net, which train one net with the "
          "published score");
    check(hold_out_option_->count() == 0 || false_alarm_rate_.has_value(),
          "--hold-out goes with --false-alarm-rate, which holds rows out");
    check(missing_ == "refuse" || !raw_, "--missing ", missing_,
          " puts the mean in place of missing values, so it doesn't go with --no-standardize");
    check(missing_ != "impute" || !published(),
          "--missing impute goes without --layers and --net, which take --missing mask");
    check(!double_ || mixed_option_->count() == 0,
          "--mixed-precision trains in float; --double doesn't");
    check(contamination_ >= 0 && contamination_ < 0.5, "--contamination is ",
          number_text(contamination_), ", expected a share from 0 to below 0.5");
    if (!image_shape_text_.empty()) image_shape(image_shape_text_);
    if (gamma_ != "auto") {
      const auto number = parse_number(gamma_);
      check(number.has_value(), "--gamma is ", in_quotes(gamma_), ", expected a number or auto");
      options_.gamma = dasvdd::GammaRule::value(*number);
    }
    if (epochs_) options_.epochs = *epochs_;
    if (batch_size_) options_.batch_size = *batch_size_;
    options_.validate();
    if (false_alarm_rate_) dasvdd::false_alarm_rate(*false_alarm_rate_);
    check_output(model_path_, data_.files());
    shards_.check_options(published());
    if (ranks_.rank() == 0) try_output(model_path_);
    checkpoint_.check_options(command_, data_.files(), model_path_, ranks_.rank() == 0);
    check(
        !checkpoint_.given() || options_.validation == 0,
        "--checkpoint and --resume don't go with --validation, which looks back at earlier epochs");
  }

  /// What goes with some kinds of rows alone.
  void check_options_of(const Table& table) const {
    const bool preset = by_image_preset(table);
    check(missing_ == "refuse" || !table.images || standardize_, "--missing ", missing_,
          " goes with tables; images have no missing pixels, unless --standardize is given");
    check(published() || preset || mixed_option_->count() == 0,
          "--mixed-precision goes with images, --layers or --net");
    check(preset || kind_option_->count() == 0,
          "--image-kind goes with images, without --layers, --net and --standardize");
    for (const char* option :
         {"--batch-size", "--lr", "--center-lr", "--kappa", "--gamma", "--contamination"}) {
      check(!preset || command_.get_option(option)->count() == 0, option,
            " doesn't go with images, for which all is chosen, unless --layers or --net is given");
    }
  }

  /// Whether one net is trained in the published form.
  bool published() const { return !layers_.empty() || !net_.empty(); }
  /// Whether the library's one-line fit for images is.
  bool by_image_preset(const Table& table) const {
    return table.images && !published() && !standardize_;
  }

  void set_image_shape(Table& table) const {
    const dasvdd::Shape image = image_shape(image_shape_text_);
    check(fits(image, table.X.cols()), in_quotes(data_.path), " has rows of ", table.X.cols(),
          " numbers, which --image-shape ", image_shape_text_, " doesn't fit");
    table.images = true;
    table.channels = image.channels;
    table.height = image.height;
    table.width = image.width;
  }

  /// Leaves the normal rows and says how many it took away.
  std::size_t keep_normal_rows(Table& table) {
    const bool given = !data_.normal.empty();
    check(!given || !table.labels.empty() || table.X.rows() == 0, in_quotes(data_.path),
          " has no labels, so --normal doesn't fit");
    if (given) facts_["normal"] = canonical_label(data_.normal);
    if (table.labels.empty()) return 0;
    const std::vector<int> anomaly = anomalies(table.labels, given ? data_.normal : "0");
    std::vector<Index> normal;
    for (Index i = 0; i < table.X.rows(); ++i) {
      if (anomaly[static_cast<std::size_t>(i)] == 0) normal.push_back(i);
    }
    check(!normal.empty(), in_quotes(data_.path), " has no row labelled ",
          in_quotes(given ? data_.normal : "0"), " to train on; the labels are ",
          label_listing(table.labels), given ? "" : ", and --normal says which is normal");
    const std::size_t dropped = anomaly.size() - normal.size();
    if (dropped != 0) table.keep(normal);
    return dropped;
  }

  std::size_t keep_normal_rows(StreamedRows& rows) {
    const bool given = !data_.normal.empty(), labels = rows.file().has_labels();
    check(!given || labels, in_quotes(data_.path), " has no labels, so --normal doesn't fit");
    if (given) facts_["normal"] = canonical_label(data_.normal);
    if (!labels) return 0;
    const std::string normal = canonical_label(given ? data_.normal : "0");
    std::set<std::string> seen;
    rows.file().each_label([&](const std::string& label) {
      if (seen.size() < 100) seen.insert(label);
      rows.chosen().add(label == normal);
    });
    check(rows.chosen().count() > 0, in_quotes(data_.path), " has no row labelled ",
          in_quotes(given ? data_.normal : "0"), " to train on; the labels are ",
          label_listing({seen.begin(), seen.end()}),
          given ? "" : ", and --normal says which is normal");
    return static_cast<std::size_t>(rows.chosen().rows() - rows.chosen().count());
  }

  /// What the default fits train on in place of all rows: as dasvdd::fit() takes it of a source.
  template <class Scalar>
  void draw_sample(const StreamedRows& rows, Table& table) {
    namespace detail = dasvdd::detail;
    const dasvdd::FitOptions settings = table_settings(table);
    const dasvdd::RowSource source = rows.source();
    detail::RowReader reader(source.open());
    const auto scan = naming(data_.path, [&] {
      return detail::SourceScan::of(reader, {detail::sample_rows(settings, rows.sample(settings)),
                                             options_.seed, std::is_same_v<Scalar, float>});
    });
    table.X = StreamedRows::matrix(scan.held);
    for (const Index i : scan.numbers) {
      table.rows.push_back(rows.chosen().row_of(i));
      if (rows.has_lines()) table.lines.push_back(rows.place_of(table.rows.back()));
    }
    if (!scan.holds_all()) {
      drawn_from_ = scan.rows;
      facts_["drawn_from"] = std::to_string(scan.rows);
    }
    nets_at_a_time_ = rows.nets_at_a_time(settings, table.X.rows());
  }

  /// Chooses a tenth of the rows, no more than a window, and reads them; they have no part in the training.
  Table hold_out(StreamedRows& rows) {
    namespace detail = dasvdd::detail;
    if (rows.chosen().empty()) {
      const auto pieces = rows.file().open(0, 1 << 20);
      for (Table piece; pieces->next(piece);) {
        for (Index i = 0; i < piece.X.rows(); ++i) rows.chosen().add(true);
      }
    }
    const Index n = rows.chosen().count(), count = std::min(n / 10, rows.window());
    dasvdd::Random random = detail::random_stream(options_.seed, detail::Stream::held_out);
    ChosenBits held, others;
    for (Index row = 0, at = 0, left = count; row < rows.chosen().rows(); ++row) {
      const bool mine = rows.chosen().has(row);
      // Of n - at rows that are still to come, `left` are taken.
      const bool taken =
          mine && (hold_out_ == "drawn" ? random.below(static_cast<std::uint64_t>(n - at)) <
                                              static_cast<std::uint64_t>(left)
                                        : n - at <= count);
      held.add(taken);
      others.add(mine && !taken);
      at += mine;
      left -= taken;
    }
    Table table = rows.file().frame();
    detail::RowStore store;
    const dasvdd::RowSource source = rows.source(held);
    detail::RowReader(source.open()).read(count, store);
    if (count > 0) table.X = StreamedRows::matrix(store);
    rows.chosen() = std::move(others);
    return table;
  }

  /// Takes a tenth of the rows out: drawn, because rows that are counted off may be of one device of ten.
  Table split(Table& table) const {
    namespace detail = dasvdd::detail;
    const Index n = table.X.rows();
    std::vector<Index> order = detail::all_rows(n);
    if (hold_out_ == "drawn") {
      detail::random_stream(options_.seed, detail::Stream::held_out)
          .shuffle(order.data(), order.size());
    }
    std::vector<Index> held(order.end() - static_cast<std::ptrdiff_t>(n / 10), order.end());
    std::sort(held.begin(), held.end());
    Table held_out = table.chosen(held);
    table.keep(detail::all_rows_but(held, n));
    return held_out;
  }

  /// Pixels from 0 to 255 become pixels from 0 to 1. Others would train a net that sees black and white alone.
  void prepare_pixels(Table& table, std::optional<StreamedRows>& streamed,
                      std::ostream& err) const {
    PixelRange range;
    if (streamed) {
      range = streamed->scale_pixels(err);
      if (streamed->divides_pixels()) table.pixels = Pixels::divided;
    } else {
      scale_pixels(table, in_quotes(data_.path), err);
      range.add(table.X);
    }
    check(range.least() >= -0.5 && range.most() <= 2, in_quotes(data_.path), " has pixels from ",
          range.least(), " to ", range.most(),
          ", expected 0 to 1 or whole numbers from 0 to 255 (--standardize scales others)");
  }

  /// The whitening of a member takes d x d numbers, several times over: above so many features a table is scored
  /// without it, and by fewer nets, unless the command says otherwise.
  void suit_wide_rows(const Table& table, std::ostream& err) {
    constexpr Index whitened = 2000;
    if (published() || by_image_preset(table) || table.X.cols() <= whitened) return;
    if (!score_form_.empty()) return;
    score_form_ = "balanced";
    if (!members_) members_ = 2;
    err << "dasvdd: note: rows of " << table.X.cols()
        << " features are scored without whitening, by " << *members_
        << (*members_ == 1 ? " net" : " nets") << " (--score and --members say otherwise)\n";
  }

  dasvdd::Options::Missing missing_rule() const {
    using Missing = dasvdd::Options::Missing;
    return missing_ == "mask"     ? Missing::mask
           : missing_ == "impute" ? Missing::impute
                                  : Missing::refuse;
  }

  /// Whether one net is trained on standardized rows.
  bool scales(const Table& table) const { return standardize_ || (!raw_ && !table.images); }

  /// The library's one-line fit.
  template <class Scalar>
  dasvdd::Detector<Scalar> fit_default(const Table& table, SavedFit<Scalar>& saved) {
    dasvdd::FitOptions settings = table_settings(table);
    settings.stop = saved.stop();
    facts_["training"] = "default";
    return showing(saved, [&](const auto& progress) {
      return dasvdd::detail::fit_table_on_ranks<Scalar>(table.X, settings, ranks_, progress,
                                                        saved.checkpoint(), places_of(table));
    });
  }
  dasvdd::FitOptions table_settings(const Table& table) const {
    dasvdd::FitOptions settings;
    settings.seed = options_.seed;
    settings.feature_names = table.names;
    settings.threads = options_.threads;
    settings.standardize = !raw_;
    settings.missing = missing_rule();
    if (epochs_) settings.epochs = *epochs_;
    if (batch_size_) settings.batch_size = *batch_size_;
    if (learning_rate_option_->count() > 0)
      settings.adam.learning_rate = options_.adam.learning_rate;
    settings.center = options_.center;
    settings.kappa = options_.kappa;
    settings.contamination = contamination_;
    if (gamma_ != "auto") settings.gamma = options_.gamma;
    if (members_) settings.ensemble_size = *members_;
    if (score_form_ == "balanced") settings.score = dasvdd::ScoreForm::balanced;
    if (score_form_ == "whitened") settings.score = dasvdd::ScoreForm::whitened;
    limit_nets(settings);
    return settings;
  }
  /// No more nets at a time than the memory is for; nothing else changes.
  void limit_nets(dasvdd::detail::RunOptions& settings) const {
    if (nets_at_a_time_ == 0) return;
    settings.threads = std::min(dasvdd::detail::resolve_threads(settings.threads), nets_at_a_time_);
  }

  /// The library's one-line fit for images.
  template <class Scalar>
  dasvdd::Detector<Scalar> fit_images(const Table& table, SavedFit<Scalar>& saved) {
    dasvdd::ImageOptions settings;
    settings.seed = options_.seed;
    settings.feature_names = table.names;
    settings.threads = options_.threads;
    settings.stop = saved.stop();
    settings.kind = image_kind_ == "objects" ? dasvdd::ImageOptions::Kind::objects
                                             : dasvdd::ImageOptions::Kind::photographs;
    settings.shape = {table.channels, table.height, table.width};
    if (epochs_) settings.epochs = *epochs_;
    if (mixed_option_->count() > 0) settings.precision = dasvdd::mixed_precision();
    if (members_) settings.ensemble_size = *members_;
    limit_nets(settings);
    facts_["training"] = "images, " + image_kind_;
    return showing(saved, [&](const auto& progress) {
      return dasvdd::fit_images<Scalar>(table.X, settings, ranks_, progress, saved.checkpoint());
    });
  }

  /// Trains an ensemble and shows its progress.
  /// \param train called as train(progress)
  template <class Scalar, class Train>
  auto showing(SavedFit<Scalar>& saved, Train&& train) const {
    Progress bar("epoch", Progress::is_terminal() && ranks_.rank() == 0);
    return train([&](const dasvdd::FitProgress& at) {
      bar.update(static_cast<long>(at.done), static_cast<long>(at.total), progress_words(at));
      return saved.go_on(at.done);
    });
  }

  /// The paper's form: one net, the published score.
  template <class Scalar>
  dasvdd::Detector<Scalar> fit_published(const Table& table,
                                         const std::optional<StreamedRows>& streamed,
                                         SavedFit<Scalar>& saved, std::ostream& out) {
    namespace detail = dasvdd::detail;
    options_.feature_names = table.names;
    options_.stop = saved.stop();
    options_.standardize = scales(table);
    options_.missing = missing_rule();
    if (output_.empty()) output_ = table.images && !options_.standardize ? "sigmoid" : "identity";
    if (mixed_option_->count() > 0) options_.precision = dasvdd::mixed_precision();
    if (shards_.count(ranks_) > 0) {
      check(!streamed, in_quotes(data_.path),
            " is read in pieces, but trained on by shards in memory: a larger --memory reads it "
            "at once");
      return fit_sharded(table, saved, out);
    }
    if (streamed) options_.window = streamed->window();
    dasvdd::Trainer<Scalar> trainer(make_net<Scalar>(table), options_);
    std::optional<dasvdd::RowSource> source;
    std::optional<detail::RunRows> rows;
    if (streamed) {
      source = streamed->source();
      rows.emplace(*source, options_, std::is_same_v<Scalar, float>);
      trained_rows_ = rows->rows();
      rows->set_places(streamed->places(table));
    } else {
      rows.emplace(detail::AnyRows(table.X));
      rows->set_places(places_of(table));
    }
    Progress bar("epoch");
    if (saved.checkpoint()) {
      std::string more = "published, layers " + layers_text_ + net_ + ", output " + output_ +
                         (options_.standardize ? ", standardized" : "");
      if (!rows->knows_all()) {
        more += ", " + std::to_string(rows->rows()) + " rows in windows of " +
                std::to_string(options_.window) + ", " + std::to_string(rows->checksum());
      }
      saved.checkpoint()->begin(detail::checkpoint_task<Scalar>(rows->known(), options_, more), 1);
    }
    if (!rows->knows_all()) facts_["window"] = std::to_string(options_.window);
    const dasvdd::FitReport report = detail::train_with(
        trainer, *rows, saved.checkpoint(), 0, [&](const dasvdd::EpochReport& epoch) {
          bar.update(static_cast<long>(epoch.epoch), static_cast<long>(epoch.epochs),
                     loss_words(epoch));
          return saved.go_on(epoch.epoch);
        });
    if (report.stopped) saved.go_on(trainer.state().epochs);
    bar.finish();
    return trainer.detector(rows->known(), told(report, out));
  }

  /// The same by shards of the rows: with other processes, or in their way.
  template <class Scalar>
  dasvdd::Detector<Scalar> fit_sharded(const Table& table, SavedFit<Scalar>& saved,
                                       std::ostream& out) {
    namespace detail = dasvdd::detail;
    const Index shards = shards_.count(ranks_);
    dasvdd::ShardedTrainer<Scalar> trainer(make_net<Scalar>(table), options_, ranks_, shards);
    const detail::AnyRows X(table.X);
    const detail::Range held = trainer.rows_of_rank(X.rows());
    const detail::AnyRows mine = X.middle_rows(held.first, held.size());
    if (saved.checkpoint()) {
      const std::string more = "published, layers " + layers_text_ + ", output " + output_ +
                               (options_.standardize ? ", standardized" : "") + ", shards " +
                               std::to_string(shards);
      saved.checkpoint()->begin(detail::checkpoint_task<Scalar>(X, options_, more), 1);
    }
    Progress bar("epoch", Progress::is_terminal() && ranks_.rank() == 0);
    const dasvdd::FitReport report = detail::train_with(
        trainer, mine, saved.checkpoint(), 0, [&](const dasvdd::EpochReport& epoch) {
          bar.update(static_cast<long>(epoch.epoch), static_cast<long>(epoch.epochs),
                     loss_words(epoch));
          return saved.go_on(epoch.epoch);
        });
    bar.finish();
    return trainer.detector(mine, told(report, out));
  }

  /// Says how the training of one net went; what its detector shall warn of.
  std::vector<std::string> told(const dasvdd::FitReport& report, std::ostream& out) {
    facts_["training"] = "published";
    out << "gamma " << number_text(report.gamma) << '\n';
    if (!report.epochs.empty()) out << "loss " << number_text(report.epochs.back().loss) << '\n';
    if (options_.validation > 0) {
      out << "best epoch " << report.best_epoch << " of " << report.epochs.size() << '\n';
    }
    std::vector<std::string> warnings = far_values_;
    warnings.insert(warnings.end(), report.warnings.begin(), report.warnings.end());
    return warnings;
  }

  template <class Scalar>
  dasvdd::Autoencoder<Scalar> make_net(const Table& table) const {
    const dasvdd::Activation output = dasvdd::Activation(output_);
    if (net_.empty()) {
      return dasvdd::dense_autoencoder<Scalar>(table.X.cols(), layers_, output);
    }
    check(table.images, "--net ", net_,
          " is for images; --image-shape says of which shape the rows are");
    return dasvdd::conv_autoencoder<Scalar>({table.channels, table.height, table.width}, output);
  }

  dasvdd::detail::Ranks& ranks_;
  CLI::App& command_;
  CLI::Option *output_option_ = nullptr, *mixed_option_ = nullptr, *kind_option_ = nullptr,
              *validation_option_ = nullptr, *hold_out_option_ = nullptr,
              *members_option_ = nullptr, *learning_rate_option_ = nullptr;
  DataArguments data_;
  CheckpointArguments checkpoint_;
  ShardArguments shards_;
  ByArgument by_;
  std::string model_path_, layers_text_, net_, image_shape_text_, output_, gamma_ = "auto",
                                                                           image_kind_ = "objects";
  std::vector<Index> layers_;
  dasvdd::Options options_;
  std::optional<Index> epochs_, batch_size_, members_;
  bool standardize_ = false, raw_ = false, double_ = false;
  std::string hold_out_ = "drawn", missing_ = "refuse", score_form_;
  std::optional<double> false_alarm_rate_;
  double contamination_ = 0;
  std::vector<std::string> far_values_;  ///< what was left out of the rows, in sentences
  dasvdd::detail::Facts facts_;
  // Of a file that is read in pieces: rows a net was trained on; rows that a sample is of.
  Index trained_rows_ = 0, drawn_from_ = 0;
  int nets_at_a_time_ = 0;  // 0: as many as there are threads
};

}  // namespace tool
