#pragma once
/// \file
/// `dasvdd import`: an autoencoder that was trained elsewhere becomes a detector.

#include <tool/command.hpp>
#include <tool/far_rows.hpp>
#include <tool/groups.hpp>

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/io/torch_net.hpp>

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tool {

class ImportCommand {
 public:
  explicit ImportCommand(CLI::App& app)
      : command_(
            *app.add_subcommand("import", "make a detector of an autoencoder trained elsewhere")) {
    command_
        .add_option("NET", net_path_,
                    "a safetensors file with the tensors of a torch.nn.Sequential: 0.weight, ..., "
                    "or encoder.0.weight, ...")
        ->required();
    command_.add_option("-o", model_path_, "the model file to write")
        ->required()
        ->type_name("MODEL");
    data_.declare(command_, "--data", true);
    command_.get_option("--data")
        ->description("rows, of which the normal ones are used: .npy, .npz, .csv, IDX images")
        ->type_name("ROWS");
    command_
        .add_option("--layers", layers_.modules,
                    "all modules in their order, | between encoder and decoder: "
                    "\"linear,relu,linear | linear,relu,linear,sigmoid\"; docs/import.md lists "
                    "them. Without it they are Linear and BatchNorm1d, as the tensors say")
        ->type_name("LIST");
    command_
        .add_option(
            "--activation", layers_.activation,
            "without --layers, what stands where there are no tensors: relu, leaky_relu:0.2")
        ->type_name("NAME")
        ->excludes("--layers");
    command_
        .add_option("--epsilon", layers_.epsilon, "of every batch norm that names none in --layers")
        ->capture_default_str();
    command_.add_option("--image-shape", image_shape_text_, "the rows are images of that shape")
        ->type_name("CHANNELS,HEIGHT,WIDTH");
    command_
        .add_option("--score", score_,
                    "reconstruction: the mean squared error alone; the others are score forms of "
                    "the library")
        ->capture_default_str()
        ->check(CLI::IsMember({"published", "reconstruction", "balanced", "latent_whitened",
                               "whitened", "several_centers"}));
    command_
        .add_option("--gamma", gamma_,
                    "with --score published, the weight of the latent term; without it, such that "
                    "both terms have the same mean over the rows")
        ->type_name("X");
    command_.add_flag("--standardize", standardize_,
                      "scale every feature by the rows' mean and deviation before the net");
    command_
        .add_option("--false-alarm-rate", false_alarm_rate_,
                    "share of normal rows, or groups, that may be called anomalies")
        ->capture_default_str();
    command_.add_option("--seed", seed_, "draws the rows that are held out for calibration")
        ->capture_default_str()
        ->transform(whole_number<std::uint64_t>());
    command_.add_option("--threads", threads_, "0 for all; never changes the result")
        ->capture_default_str()
        ->transform(whole_number<int>());
    groups_.declare(command_, data_);
  }

  bool chosen() const { return command_.parsed(); }

  /// \param out results, \param err warnings
  void run(std::ostream& out, std::ostream& err) {
    std::vector<std::string> read = data_.files();
    read.push_back(net_path_);
    check_output(model_path_, read);
    try_output(model_path_);
    check(score_ == "published" || !gamma_, "--gamma goes with --score published");
    check(!gamma_ || (*gamma_ >= 0 && dasvdd::detail::is_finite(*gamma_)), "--gamma is ",
          gamma_.value_or(0), ", expected a finite number that is not negative");
    const auto alarm = dasvdd::false_alarm_rate(false_alarm_rate_);
    if (!image_shape_text_.empty()) layers_.image = image_shape(image_shape_text_);

    const auto file = dasvdd::detail::TensorFile::read(net_path_);
    const auto foreign =
        naming(net_path_, [&] { return dasvdd::detail::TorchReader<float>(file, layers_).read(); });
    Table table = data_.read();
    keep_normal_rows(table);
    naming(data_.path,
           [&] { dasvdd::detail::require_width(table.X, foreign.net.inputs(), "the batch"); });
    check_numbers(table, in_quotes(data_.path), std::numeric_limits<double>::max());
    Split split = split_rows(table);
    naming(data_.path, [&] {
      // The calibration's own check, before the work and not after it.
      return dasvdd::Calibration(std::vector<double>(split.units)).threshold(alarm);
    });

    // What is scaled, a few values must not decide; they score as anomalies then.
    std::vector<std::string> warnings;
    if (standardize_) leave_far_rows(split.rows, warnings);

    const dasvdd::Detector<float> fitted =
        naming(data_.path, [&] { return fit(foreign, split.rows.X); });
    warnings.insert(warnings.end(), fitted.warnings().begin(), fitted.warnings().end());
    warn(warnings, err);
    Eigen::VectorXf scores = fitted.score(split.held_out.X, threads_);
    if (groups_.given()) scores = groups_.scores(Groups(split.held_out.groups), scores);
    const dasvdd::Calibration calibration = naming(data_.path, [&] {
      return dasvdd::Calibration(std::vector<double>(scores.begin(), scores.end()));
    });
    const double threshold = calibration.threshold(alarm);
    const dasvdd::Detector<float> detector(shared_model(fitted, warnings), threshold, calibration);
    writing([&] { dasvdd::save(detector, output_place(model_path_)); });

    out << "features " << detector.features() << "\ncode " << foreign.net.code()
        << "\ncalibrated by " << calibration.scores().size()
        << (groups_.given() ? " groups" : " rows") << " of " << split.held_out.X.rows()
        << " rows\nthreshold " << number_text(threshold) << "\nmodel " << model_path_ << '\n';
  }

 private:
  /// Rows that give center, weights and scaler, and rows that calibrate.
  struct Split {
    Table rows, held_out;
    std::size_t units;  ///< held-out groups, or rows
  };

  void keep_normal_rows(Table& table) const {
    if (table.labels.empty()) {
      check(data_.normal.empty(), in_quotes(data_.path), " has no labels, so --normal doesn't fit");
      return;
    }
    const std::vector<int> anomaly =
        anomalies(table.labels, data_.normal.empty() ? "0" : data_.normal);
    std::vector<Index> kept;
    for (std::size_t i = 0; i < anomaly.size(); ++i) {
      if (anomaly[i] == 0) kept.push_back(static_cast<Index>(i));
    }
    check(!kept.empty(), in_quotes(data_.path), " has no normal row; the labels are ",
          label_listing(table.labels), ", and --normal says which is normal");
    table.keep(kept);
  }

  /// The mean squared error of rows as they are has no number that comes from rows: all calibrate it.
  bool needs_rows() const { return score_ != "reconstruction" || standardize_; }

  /// Holds half of the rows, or of the groups, out; the seed draws which.
  Split split_rows(const Table& table) const {
    const Groups groups(table.groups);
    const std::size_t n = static_cast<std::size_t>(table.X.rows());
    const std::size_t units = groups_.given() ? groups.names.size() : n;
    std::vector<std::size_t> order(units);
    std::iota(order.begin(), order.end(), std::size_t(0));
    dasvdd::Random random(seed_);
    random.shuffle(order.data(), order.size());
    std::vector<bool> held(units, !needs_rows());
    if (needs_rows()) {
      for (std::size_t i = 0; i < units / 2; ++i) held[order[i]] = true;
    }
    Split split;
    split.units = static_cast<std::size_t>(std::count(held.begin(), held.end(), true));
    std::vector<Index> fitting, calibrating;
    for (std::size_t i = 0; i < n; ++i) {
      const bool out = held[groups_.given() ? groups.group_of[i] : i];
      if (out || !needs_rows()) calibrating.push_back(static_cast<Index>(i));
      if (!out || !needs_rows()) fitting.push_back(static_cast<Index>(i));
    }
    split.rows = table.chosen(fitting);
    split.held_out = table.chosen(calibrating);
    return split;
  }

  /// Center, gamma and the score's terms from rows, by the library's own end of a training.
  dasvdd::Detector<float> fit(const dasvdd::detail::TorchNet<float>& foreign,
                              const dasvdd::RowMatrix<double>& X) const {
    using namespace dasvdd::detail;
    const int threads = resolve_threads(threads_);
    Scaler<float> scaler;
    if (standardize_) scaler = Scaler<float>(Standardizer<float>::of(X));
    const Index m = foreign.net.code();
    const double n = static_cast<double>(X.rows());
    const PackedNetwork<float> packed(foreign.net, foreign.parameters.data(),
                                      foreign.statistics.data());
    std::vector<double> sums(static_cast<std::size_t>(m), 0);
    forward_rows(packed, scaler, X, 1, false,
                 [&](Index, dasvdd::Rows<const float> x, const auto& result) {
                   for (Index i = 0; i < x.rows(); ++i) {
                     for (Index j = 0; j < m; ++j) {
                       sums[static_cast<std::size_t>(j)] += static_cast<double>(result.code(i, j));
                     }
                   }
                 });
    AlignedBuffer<float> center(m);
    for (Index j = 0; j < m; ++j) {
      center[j] = static_cast<float>(sums[static_cast<std::size_t>(j)] / n);
    }
    dasvdd::Options options;
    options.score = form();
    TrainedNet<float> trained{
        foreign.net, foreign.parameters, foreign.statistics, center, scaler, 0, "imported", 1, 1};
    const RowTerms<float> rows =
        terms_of_rows(packed, trained, score_form<float>(dasvdd::ScoreForm::published), X, threads);
    const double q = mean_of(rows.distance);
    const double r = mean_of(rows.residual, static_cast<double>(X.cols()));
    check(is_finite(q) && is_finite(r), in_quotes(net_path_),
          " overflows on these rows: their mean squared error is ", r,
          "; are they scaled as those it was trained on?");
    const double equal = q > 0 ? r / q : 0;
    trained.gamma = score_ == "reconstruction" ? 0 : gamma_.value_or(equal);
    trained.q_weight = trained.gamma;
    dasvdd::FitReport report;
    return finished(finish(trained, options, X, threads, report));
  }

  dasvdd::ScoreForm form() const {
    using dasvdd::ScoreForm;
    for (const ScoreForm form : {ScoreForm::balanced, ScoreForm::latent_whitened,
                                 ScoreForm::whitened, ScoreForm::several_centers}) {
      if (score_ == dasvdd::detail::score_form<float>(form).name) return form;
    }
    return ScoreForm::published;
  }

  /// The model with facts of this import in the place of a training's.
  std::shared_ptr<const dasvdd::detail::Model<float>> shared_model(
      const dasvdd::Detector<float>& detector, const std::vector<std::string>& warnings) const {
    auto model = std::make_shared<dasvdd::detail::Model<float>>(detector.model());
    model->warnings = warnings;
    model->facts = {{"training", "imported"}, {"score", score_}, {"seed", std::to_string(seed_)}};
    if (!data_.normal.empty()) model->facts["normal"] = canonical_label(data_.normal);
    if (!image_shape_text_.empty()) model->facts["image_shape"] = image_shape_text_;
    if (groups_.given()) model->facts["group_by"] = groups_.by();
    return model;
  }

  CLI::App& command_;
  DataArguments data_;
  GroupArguments groups_;
  dasvdd::detail::TorchLayers layers_;
  std::string net_path_, model_path_, image_shape_text_, score_ = "published";
  std::optional<double> gamma_;
  double false_alarm_rate_ = 0.01;
  bool standardize_ = false;
  std::uint64_t seed_ = 0;
  int threads_ = 0;
};

}  // namespace tool
