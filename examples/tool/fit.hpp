#pragma once
/// \file
/// `dasvdd fit`: trains on a file's normal rows and writes a model.

#include <tool/command.hpp>
#include <tool/progress.hpp>

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/train/mixed_precision.hpp>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tool {

/// What a bar of progress says besides how far it is.
inline std::string loss_words(const dasvdd::EpochReport& epoch) {
  char text[32];
  std::snprintf(text, sizeof text, "loss %.5g", epoch.loss);
  return text;
}
inline std::string progress_words(const dasvdd::FitProgress& at) {
  const std::string net =
      "net " + std::to_string(at.member + 1) + " of " + std::to_string(at.ensemble_size);
  return (at.screening ? "screening" : net) + ", " + loss_words(at.epoch);
}

class FitCommand {
 public:
  explicit FitCommand(CLI::App& app)
      : command_(*app.add_subcommand("fit", "train a detector on normal rows")) {
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
    command_.add_option("--lr", options_.adam.learning_rate, "Adam's learning rate")
        ->capture_default_str();
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
        "share of normal rows that may be called anomalies; holds every tenth row out");
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
  }

  bool chosen() const { return command_.parsed(); }

  /// \param out results, \param err warnings
  void run(std::ostream& out, std::ostream& err) {
    check_options();
    Table table = data_.read();
    if (!image_shape_text_.empty()) set_image_shape(table);
    check_options_of(table);
    if (table.images) {
      facts_["image_shape"] = std::to_string(table.channels) + "," + std::to_string(table.height) +
                              "," + std::to_string(table.width);
    }
    const std::size_t dropped = keep_normal_rows(table);
    dasvdd::RowMatrix<float> held_out =
        false_alarm_rate_ ? split(table) : dasvdd::RowMatrix<float>();
    if (false_alarm_rate_) {
      // The calibration's own check, before the training and not after it.
      const std::vector<double> scores(static_cast<std::size_t>(held_out.rows()));
      naming(data_.path, [&] {
        return dasvdd::Calibration(scores).threshold(dasvdd::false_alarm_rate(*false_alarm_rate_));
      });
    }

    dasvdd::Detector<float> detector = naming(data_.path, [&] {
      return published()              ? fit_published(table, out)
             : by_image_preset(table) ? fit_images(table)
                                      : fit_default(table);
    });
    for (const std::string& warning : detector.warnings()) {
      err << "dasvdd: warning: " << warning << '\n';
    }
    if (false_alarm_rate_) {
      detector = naming(data_.path, [&] {
        return detector.calibrated(held_out, dasvdd::false_alarm_rate(*false_alarm_rate_),
                                   options_.threads);
      });
    }
    writing([&] { dasvdd::save(detector, model_path_, facts_); });

    out << "trained on " << table.X.rows() << " rows of " << table.X.cols() << " features";
    if (dropped != 0) out << ", " << dropped << " labelled anomalies dropped";
    if (false_alarm_rate_) out << ", " << held_out.rows() << " held out for calibration";
    out << "\nthreshold " << number_text(detector.threshold()) << "\nmodel " << model_path_ << '\n';
  }

 private:
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
    options_.check();
    if (false_alarm_rate_) dasvdd::false_alarm_rate(*false_alarm_rate_);
    check_output(model_path_);
    // Begins to write the model, and takes that back: no long training for a folder that refuses it.
    const dasvdd::detail::ReplacementFile place(model_path_);
  }

  /// What goes with some kinds of rows alone.
  void check_options_of(const Table& table) const {
    const bool preset = by_image_preset(table);
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
    Index kept = 0;
    for (Index i = 0; i < table.X.rows(); ++i) {
      if (anomaly[static_cast<std::size_t>(i)] == 0) table.X.row(kept++) = table.X.row(i);
    }
    check(kept > 0, in_quotes(data_.path), " has no row labelled ",
          in_quotes(given ? data_.normal : "0"), " to train on; the labels are ",
          label_listing(table.labels), given ? "" : ", and --normal says which is normal");
    const std::size_t dropped = static_cast<std::size_t>(table.X.rows() - kept);
    table.X.conservativeResize(kept, Eigen::NoChange);
    return dropped;
  }

  /// Takes every tenth row out.
  static dasvdd::RowMatrix<float> split(Table& table) {
    const Index n = table.X.rows();
    dasvdd::RowMatrix<float> held_out(n / 10, table.X.cols());
    Index kept = 0, held = 0;
    for (Index i = 0; i < n; ++i) {
      if (i % 10 == 9) {
        held_out.row(held++) = table.X.row(i);
      } else {
        table.X.row(kept++) = table.X.row(i);
      }
    }
    table.X.conservativeResize(kept, Eigen::NoChange);
    return held_out;
  }

  /// The library's one-line fit.
  dasvdd::Detector<float> fit_default(const Table& table) {
    dasvdd::FitOptions settings;
    settings.seed = options_.seed;
    settings.threads = options_.threads;
    settings.standardize = !raw_;
    if (epochs_) settings.epochs = *epochs_;
    if (batch_size_) settings.batch_size = *batch_size_;
    settings.adam = options_.adam;
    settings.center = options_.center;
    settings.kappa = options_.kappa;
    settings.contamination = contamination_;
    if (gamma_ != "auto") settings.gamma = options_.gamma;
    facts_["training"] = "default";
    return showing([&](const auto& progress) { return dasvdd::fit(table.X, settings, progress); });
  }

  /// The library's one-line fit for images.
  dasvdd::Detector<float> fit_images(const Table& table) {
    dasvdd::ImageOptions settings;
    settings.seed = options_.seed;
    settings.threads = options_.threads;
    settings.kind = image_kind_ == "objects" ? dasvdd::ImageOptions::Kind::objects
                                             : dasvdd::ImageOptions::Kind::photographs;
    settings.shape = {table.channels, table.height, table.width};
    if (epochs_) settings.epochs = *epochs_;
    if (mixed_option_->count() > 0) settings.precision = dasvdd::mixed_precision();
    facts_["training"] = "images, " + image_kind_;
    return showing(
        [&](const auto& progress) { return dasvdd::fit_images(table.X, settings, progress); });
  }

  /// Trains an ensemble and shows its progress.
  /// \param train called as train(progress)
  template <class Train>
  static dasvdd::Detector<float> showing(Train&& train) {
    Progress bar("epoch");
    return train([&](const dasvdd::FitProgress& at) {
      bar.update(static_cast<long>(at.done), static_cast<long>(at.total), progress_words(at));
    });
  }

  /// The paper's form: one net, the published score.
  dasvdd::Detector<float> fit_published(const Table& table, std::ostream& out) {
    options_.standardize = standardize_ || (!raw_ && !table.images);
    if (output_.empty()) output_ = table.images && !options_.standardize ? "sigmoid" : "identity";
    if (mixed_option_->count() > 0) options_.precision = dasvdd::mixed_precision();
    dasvdd::Trainer<float> trainer(make_net(table), options_);
    Progress bar("epoch");
    const dasvdd::FitReport report = trainer.fit(table.X, [&](const dasvdd::EpochReport& epoch) {
      bar.update(static_cast<long>(epoch.epoch), static_cast<long>(epoch.epochs),
                 loss_words(epoch));
      return true;
    });
    bar.finish();
    facts_["training"] = "published";
    out << "gamma " << number_text(report.gamma) << "\nloss "
        << number_text(report.epochs.back().loss) << '\n';
    if (options_.validation > 0) {
      out << "best epoch " << report.best_epoch << " of " << report.epochs.size() << '\n';
    }
    return trainer.detector();
  }

  dasvdd::Autoencoder<float> make_net(const Table& table) const {
    const dasvdd::Activation output = dasvdd::Activation(output_);
    if (net_.empty()) {
      return dasvdd::dense_autoencoder<float>(table.X.cols(), layers_, output);
    }
    check(table.images, "--net ", net_,
          " is for images; --image-shape says of which shape the rows are");
    return dasvdd::conv_autoencoder<float>({table.channels, table.height, table.width}, output);
  }

  CLI::App& command_;
  CLI::Option *output_option_ = nullptr, *mixed_option_ = nullptr, *kind_option_ = nullptr,
              *validation_option_ = nullptr;
  DataArguments data_;
  std::string model_path_, layers_text_, net_, image_shape_text_, output_, gamma_ = "auto",
                                                                           image_kind_ = "objects";
  std::vector<Index> layers_;
  dasvdd::Options options_;
  std::optional<Index> epochs_, batch_size_;
  bool standardize_ = false, raw_ = false;
  std::optional<double> false_alarm_rate_;
  double contamination_ = 0;
  dasvdd::detail::Facts facts_;
};

}  // namespace tool
