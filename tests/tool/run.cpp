#include "tool/arrays.hpp"
#include "tool/support.hpp"

#include <tool/progress.hpp>

#include <dasvdd/train/mixed_precision.hpp>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <numeric>
#if defined(__unix__)
#include <sys/resource.h>
#endif

#include <sstream>
#include <string>
#include <vector>

using namespace tool_tests;

TEST_CASE("tool: fit, score and eval find the anomalies of a labelled csv") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(200, 10)), model = folder / "m.dasvdd";
  const std::string test = folder.put("test.csv", csv(50, 50, "0", "1", 2));
  const Outcome fit = dasvdd_tool(fit_arguments(train, model, by_label));
  CHECK(fit.status == 0);
  CHECK(fit.err.empty());  // no progress bar: this is no terminal
  CHECK(contains(fit.out, "trained on 200 rows of 3 features, 10 labelled anomalies dropped\n"));

  const Outcome eval = dasvdd_tool({"eval", model, test, "--label-column", "label", "--json"});
  CHECK(eval.status == 0);
  const auto measures = nlohmann::json::parse(eval.out);
  CHECK(measures.size() == 5);
  CHECK(measures["n"] == 100);
  CHECK(measures["anomalies"] == 50);
  CHECK(measures["roc_auc"].get<double>() > 0.95);
  CHECK(measures["average_precision"].get<double>() > 0.9);
  CHECK(measures["fpr_at_95_tpr"].get<double>() < 0.3);
  const Outcome plain = dasvdd_tool({"eval", model, test, "--label-column", "3"});
  CHECK(contains(plain.out,
                 "roc_auc " + tool::number_text(measures["roc_auc"].get<double>()) + "\n"));
  CHECK(contains(plain.out, "\nn 100\nanomalies 50\n"));

  const Outcome score = dasvdd_tool({"score", model, test, "--label-column", "label"});
  CHECK(score.status == 0);
  const auto rows = lines(score.out);
  REQUIRE(rows.size() == 101);
  CHECK(rows[0] == "score,p_value,anomaly");
  const auto detector = dasvdd::load<float>(model);
  const auto scores = detector.score(tool::read_table(test, {"label", "", false}).X);
  for (dasvdd::Index i = 0; i < 100; ++i) {
    // Read back, the text is the score to the bit; p_value stays empty without calibration.
    const std::string& row = rows[static_cast<std::size_t>(i) + 1];
    CHECK(std::stof(row) == scores[i]);
    CHECK(row.substr(row.find(',')) == (detector.is_anomaly(scores[i]) ? ",,1" : ",,0"));
  }
}

TEST_CASE("tool: scores go to a file with -o, and no rows give the header alone") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(60, 0)), model = folder / "m";
  REQUIRE(dasvdd_tool(fit_arguments(train, model, by_label)).status == 0);
  const std::string scores = folder / "scores.csv";
  const Outcome to_file =
      dasvdd_tool({"score", model, train, "--label-column", "label", "-o", scores});
  CHECK(to_file.status == 0);
  CHECK(to_file.out.empty());
  CHECK(content(scores) == dasvdd_tool({"score", model, train, "--label-column", "label"}).out);
  const std::string none = folder.put("none.csv", "a,b,c\n");
  CHECK(dasvdd_tool({"score", model, none}).out == "score,p_value,anomaly\n");
}

TEST_CASE("tool: --normal picks the class, is kept in the model, and eval may say otherwise") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(100, 7, "shirt", "shoe")),
                    model = folder / "m";
  std::vector<std::string> more = by_label;
  more.insert(more.end(), {"--normal", "shirt"});
  CHECK(
      contains(dasvdd_tool(fit_arguments(train, model, more)).out, "7 labelled anomalies dropped"));
  const std::vector<std::string> eval = {"eval", model, train, "--label-column", "label", "--json"};
  const auto kept = nlohmann::json::parse(dasvdd_tool(eval).out);
  CHECK(kept["anomalies"] == 7);
  std::vector<std::string> other = eval;
  other.insert(other.end(), {"--normal", "shoe"});
  const auto turned = nlohmann::json::parse(dasvdd_tool(other).out);
  CHECK(turned["anomalies"] == 100);
  CHECK(turned["roc_auc"].get<double>() == doctest::Approx(1 - kept["roc_auc"].get<double>()));
  CHECK(contains(dasvdd_tool({"info", model}).out, "\nnormal shirt\n"));
}

TEST_CASE("tool: numbers are the same label however they are written") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(30, 5, "-8.0", "3")), model = folder / "m";
  std::vector<std::string> more = by_label;
  more.insert(more.end(), {"--normal", "-8"});
  CHECK(
      contains(dasvdd_tool(fit_arguments(train, model, more)).out, "5 labelled anomalies dropped"));
}

TEST_CASE("tool: without labels every row is normal") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", "2,1\n2,3\n3,5\n4,4\n"), model = folder / "m";
  const Outcome fit = dasvdd_tool(fit_arguments(train, model));
  CHECK(fit.status == 0);
  CHECK(contains(fit.out, "trained on 4 rows of 2 features\n"));
  check_failure({"eval", model, train}, 2, "'" + train + "' has no labels, which eval needs");
  check_failure(fit_arguments(train, model, {"--normal", "0"}), 2,
                "has no labels, so --normal doesn't fit");
}

TEST_CASE("tool: --false-alarm-rate holds a tenth of the rows out and gives p-values") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(205, 0)), model = folder / "m";
  std::vector<std::string> more = by_label;
  more.insert(more.end(), {"--false-alarm-rate", "0.1"});
  CHECK(contains(dasvdd_tool(fit_arguments(train, model, more)).out,
                 "trained on 185 rows of 3 features, 20 held out for calibration\n"));
  const auto detector = dasvdd::load<float>(model);
  REQUIRE(detector.calibration().scores().size() == 20);
  // The calibration's scores are those of 20 rows, which the seed draws.
  const auto scores = detector.score(tool::read_table(train, {"label", "", false}).X);
  const auto rows = lines(dasvdd_tool({"score", model, train, "--label-column", "label"}).out);
  CHECK(rows.at(1) == tool::number_text(scores[0]) + "," +
                          tool::number_text(detector.p_value(scores[0])) + "," +
                          (detector.is_anomaly(scores[0]) ? "1" : "0"));
  const auto held_out = [&](const std::vector<std::string>& options) {
    std::vector<std::string> all = more;
    all.insert(all.end(), options.begin(), options.end());
    REQUIRE(dasvdd_tool(fit_arguments(train, model, all)).status == 0);
    const auto other = dasvdd::load<float>(model);
    const auto theirs = other.score(tool::read_table(train, {"label", "", false}).X);
    const auto& kept = other.calibration().scores();
    std::vector<int> numbers;
    for (int i = 0; i < 205; ++i) {
      if (std::find(kept.begin(), kept.end(), static_cast<double>(theirs[i])) != kept.end())
        numbers.push_back(i);
    }
    return numbers;
  };
  const std::vector<int> drawn = held_out({}), other = held_out({"--seed", "1"});
  CHECK(drawn.size() == 20);
  CHECK(drawn != other);
  std::vector<int> residues(10);
  for (const int i : drawn) residues[static_cast<std::size_t>(i % 10)] = 1;
  CHECK(std::accumulate(residues.begin(), residues.end(), 0) > 3);
  const std::vector<int> last = held_out({"--hold-out", "last"});
  CHECK(last.front() == 185);
  CHECK(last.back() == 204);
  CHECK(last.size() == 20);
  check_failure(fit_arguments(train, model, {"--label-column", "label", "--hold-out", "last"}), 2,
                "--hold-out goes with --false-alarm-rate");

  more.back() = "0.01";  // needs 99 held-out rows
  check_failure(fit_arguments(train, model, more), 2,
                "needs at least 99 held-out normal rows, got 20");
  more.back() = "1.5";
  check_failure(fit_arguments(train, model, more), 2, "the false alarm rate is 1.5");
}

TEST_CASE("tool: tables are standardized unless told otherwise, images are not unless told") {
  const TemporaryFolder folder;
  std::string images("\0\0\x08\x03\0\0\0\x0a\0\0\0\x02\0\0\0\x02", 16);
  for (int i = 0; i < 40; ++i) images += static_cast<char>(i * 37 % 256);
  const std::string idx = folder.put("images", images), table = folder.put("train.csv", csv(30, 0)),
                    model = folder / "m";
  const auto info = [&](const std::vector<std::string>& arguments) {
    REQUIRE(dasvdd_tool(arguments).status == 0);
    return dasvdd_tool({"info", model}).out;
  };
  const std::string raw_images = info(fit_arguments(idx, model));
  CHECK(contains(raw_images, "standardized no"));
  CHECK(contains(raw_images, "net 4-8-2 leaky_relu | 2-8-4 sigmoid"));
  CHECK(contains(info(fit_arguments(idx, model, {"--standardize"})), "standardized yes"));
  const std::string scaled = info(fit_arguments(table, model, by_label));
  CHECK(contains(scaled, "standardized yes"));
  CHECK(contains(scaled, "net 3-8-2 leaky_relu | 2-8-3 identity"));
  CHECK(contains(info(fit_arguments(table, model, {"--label-column", "label", "--no-standardize"})),
                 "standardized no"));
}

TEST_CASE("tool: --net lenet trains a convolutional net on images, and on rows said to be images") {
  const TemporaryFolder folder;
  std::string images("\0\0\x08\x03\0\0\0\x14\0\0\0\x08\0\0\0\x04", 16), table;
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 32; ++j) {
      const int pixel = (i * 37 + j * 11) % 256;
      images += static_cast<char>(pixel);
      table += tool::number_text(static_cast<float>(pixel) / 255) + (j < 31 ? "," : "\n");
    }
  }
  const std::string idx = folder.put("images", images), csv_file = folder.put("images.csv", table),
                    model = folder / "m", other = folder / "n";
  const auto arguments = [](const std::string& data, const std::string& to,
                            const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = {"fit", data, "-o", to, "--net", "lenet", "--epochs", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  REQUIRE(dasvdd_tool(arguments(idx, model)).status == 0);
  const std::string info = dasvdd_tool({"info", model}).out;
  CAPTURE(info);
  CHECK(contains(info,
                 "net 32-conv2d:256-batch_norm:256-max_pool2d:64-conv2d:32-batch_norm:32-"
                 "max_pool2d:8-32 identity | 32-8-upsample_nearest2d:32-"));
  CHECK(contains(info, "-conv_transpose2d:32 sigmoid\n"));
  CHECK(contains(info, "standardized no"));
  // 200 + 16, 800 + 8, 288 and 264, 800 + 16, 201: no running statistics among them.
  CHECK(contains(info, "parameters 2593\n"));
  // The same rows from a table that is said to hold images give the same model, but for what was divided.
  REQUIRE(dasvdd_tool(arguments(csv_file, other, {"--image-shape", "1,8,4"})).status == 0);
  const auto bytes_of = [](const std::string& path) {
    const auto detector = dasvdd::load<float>(path);
    auto same = std::make_shared<dasvdd::detail::Model<float>>(detector.model());
    same->facts.erase("pixels");
    return dasvdd::detail::to_tensor_file(
               dasvdd::Detector<float>(same, detector.threshold(), detector.calibration()))
        .serialize();
  };
  CHECK(dasvdd::load<float>(model).facts().at("pixels") == "divided by 255");
  CHECK(bytes_of(other) == bytes_of(model));
  REQUIRE(dasvdd_tool({"score", model, idx}).status == 0);
  REQUIRE(
      dasvdd_tool(arguments(csv_file, other, {"--image-shape", "2,4,4", "--output", "identity"}))
          .status == 2);  // colored images are halved three times
  check_failure(arguments(csv_file, other), 2,
                "--net lenet is for images; --image-shape says of which shape the rows are");
  check_failure(arguments(csv_file, other, {"--image-shape", "1,8,5"}), 2,
                "has rows of 32 numbers, which --image-shape 1,8,5 doesn't fit");
  check_failure(arguments(csv_file, other, {"--image-shape", "8,4"}), 2,
                "--image-shape is '8,4', expected three numbers: channels, height and width");
  check_failure(arguments(csv_file, other, {"--image-shape", "1,2,16"}), 2,
                "2 blocks halve the image as many times, but 2 x 16 can't be divided by 4");
  check_failure(arguments(csv_file, other, {"--layers", "8,2"}), 2, "--layers excludes --net");
}

TEST_CASE("tool: the published form's options reach the training") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(60, 0)), model = folder / "m";
  std::vector<std::string> more = by_label;
  more.insert(more.end(), {"--output", "leaky_relu", "--lr", "0.01", "--center-lr", "0.5",
                           "--kappa", "0.8", "--gamma", "0.25", "--seed", "011"});
  REQUIRE(dasvdd_tool(fit_arguments(train, model, more)).status == 0);
  const std::string info = dasvdd_tool({"info", model}).out;
  for (const char* line :
       {"| 2-8-3 leaky_relu\n", "learning_rate 0.01\n", "center_learning_rate 0.5\n", "kappa 0.8\n",
        "gamma 0.25\n", "seed 11\n", "epochs 30\n", "batch_size 20\n", "members 1\n"}) {
    CAPTURE(info);
    CHECK(contains(info, line));
  }
  // The library's own run with these options gives the same bytes' scores.
  dasvdd::Options options;
  options.epochs = 30;
  options.batch_size = 20;
  options.threads = 1;
  options.seed = 11;
  options.standardize = true;
  options.kappa = 0.8;
  options.gamma = dasvdd::GammaRule::value(0.25);
  options.adam.learning_rate = 0.01;
  options.center.learning_rate = 0.5;
  const auto X = tool::read_table(train, {"label", "", false}).X;
  dasvdd::Trainer<float> trainer(
      dasvdd::dense_autoencoder<float>(3, {8, 2}, dasvdd::Activation("leaky_relu")), options);
  trainer.fit(X);
  CHECK(dasvdd::load<float>(model).score(X) == trainer.detector().score(X));
  CHECK(dasvdd::load<float>(model).facts().at("precision") == "own");

  REQUIRE(dasvdd_tool({"fit", train, "-o", model, "--label-column", "label", "--layers", "8,2",
                       "--epochs", "2", "--mixed-precision"})
              .status == 0);
  CHECK(dasvdd::load<float>(model).facts().at("precision") == dasvdd::mixed_precision().name());
}

TEST_CASE("tool: for images, without --layers, it does what fit_images() does") {
  const TemporaryFolder folder;
  std::string images("\0\0\x08\x03\0\0\0\x14\0\0\0\x03\0\0\0\x02", 16);  // 20 of 3 x 2
  for (int i = 0; i < 120; ++i) images += static_cast<char>(i * 37 % 256);
  const std::string idx = folder.put("images", images), model = folder / "m";
  const auto arguments = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = {"fit", idx, "-o", model, "--epochs", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const auto X = tool::read_table(idx, {}).X;
  dasvdd::ImageOptions settings;
  settings.epochs = 2;
  settings.seed = 5;
  settings.shape = {1, 3, 2};
  REQUIRE(dasvdd_tool(arguments({"--seed", "5"})).status == 0);
  CHECK(dasvdd::load<float>(model).score(X) == dasvdd::fit_images<float>(X, settings).score(X));
  const std::string info = dasvdd_tool({"info", model}).out;
  CHECK(contains(info, "images softened, 1 x 3 x 2\n"));
  CHECK(contains(info, "standardized no\n"));
  CHECK(contains(info, "training images, objects\n"));

  settings.kind = dasvdd::ImageOptions::Kind::photographs;
  settings.precision = dasvdd::mixed_precision();
  REQUIRE(
      dasvdd_tool(arguments({"--seed", "5", "--image-kind", "photographs", "--mixed-precision"}))
          .status == 0);
  CHECK(dasvdd::load<float>(model).score(X) == dasvdd::fit_images<float>(X, settings).score(X));
  CHECK(contains(dasvdd_tool({"info", model}).out, "images contrast normalized\n"));

  for (const std::string option :
       {"--lr", "--center-lr", "--kappa", "--gamma", "--contamination"}) {
    check_failure(arguments({option, "0.25"}), 2, option + " doesn't go with images");
  }
  check_failure(arguments({"--batch-size", "16"}), 2, "--batch-size doesn't go with images");
  check_failure(arguments({"--image-kind", "cats"}), 2, "--image-kind");
}

TEST_CASE("tool: without --layers it does what fit() does") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(40, 0)), model = folder / "m";
  REQUIRE(dasvdd_tool({"fit", train, "-o", model, "--label-column", "label", "--epochs", "3",
                       "--seed", "5"})
              .status == 0);
  dasvdd::FitOptions settings;
  settings.epochs = 3;
  settings.seed = 5;
  const auto X = tool::read_table(train, {"label", "", false}).X;
  const auto direct = dasvdd::fit<float>(X, settings), loaded = dasvdd::load<float>(model);
  CHECK(loaded.score(X) == direct.score(X));
  CHECK(loaded.threshold() == direct.threshold());
  check_failure({"fit", train, "-o", model, "--output", "sigmoid"}, 2,
                "--output goes with --layers or --net, which aren't given");
  check_failure({"fit", train, "-o", model, "--mixed-precision"}, 2,
                "--mixed-precision goes with images, --layers or --net");
  check_failure({"fit", train, "-o", model, "--image-kind", "objects"}, 2,
                "--image-kind goes with images, without --layers, --net and --standardize");

  REQUIRE(dasvdd_tool({"fit", train, "-o", model, "--label-column", "label", "--epochs", "3",
                       "--batch-size", "16", "--lr", "0.01", "--center-lr", "0.5", "--kappa", "0.8",
                       "--gamma", "0.25", "--no-standardize"})
              .status == 0);
  settings = {};
  settings.epochs = 3;
  settings.batch_size = 16;
  settings.adam.learning_rate = 0.01;
  settings.center.learning_rate = 0.5;
  settings.kappa = 0.8;
  settings.gamma = dasvdd::GammaRule::value(0.25);
  settings.standardize = false;
  CHECK(dasvdd::load<float>(model).score(X) == dasvdd::fit<float>(X, settings).score(X));
}

TEST_CASE("tool: --contamination is that of fit()") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(40, 0)), model = folder / "m";
  std::vector<std::string> words = {
      "fit", train, "-o", model, "--label-column", "label", "--epochs", "3", "--contamination",
      "0.1"};
  REQUIRE(dasvdd_tool(words).status == 0);
  dasvdd::FitOptions settings;
  settings.epochs = 3;
  settings.contamination = 0.1;
  const auto X = tool::read_table(train, {"label", "", false}).X;
  const auto direct = dasvdd::fit<float>(X, settings), loaded = dasvdd::load<float>(model);
  CHECK(loaded.score(X) == direct.score(X));
  CHECK(loaded.threshold() == direct.threshold());
  words.back() = "0.5";
  check_failure(words, 2, "--contamination is 0.5, expected a share from 0 to below 0.5");
  words.back() = "0.1";
  words.insert(words.end(), {"--layers", "4"});
  check_failure(words, 2, "--contamination goes without --layers and --net");
}

TEST_CASE("tool: a bar's words say which net is at work, or that the rows are being screened") {
  dasvdd::FitProgress at;
  at.member = 1;
  at.ensemble_size = 9;
  at.epoch.loss = 0.25;
  CHECK(tool::progress_words(at) == "net 2 of 9, loss 0.25");
  at.screening = true;
  CHECK(tool::progress_words(at) == "screening, loss 0.25");
}

TEST_CASE("tool: what training warns of is a line each, and kept in the model") {
  const TemporaryFolder folder;
  std::string rows = "a,b\n";
  for (int i = 0; i < 40; ++i) rows += "1,2\n";  // all alike
  const std::string data = folder.put("alike.csv", rows), model = folder / "m";
  for (const bool published : {false, true}) {
    CAPTURE(published);
    const Outcome fit =
        published ? dasvdd_tool(fit_arguments(data, model))
                  : dasvdd_tool({"fit", data, "-o", model, "--epochs", "1", "--threads", "1"});
    REQUIRE(fit.status == 0);
    const auto warnings = dasvdd::load<float>(model).warnings();
    REQUIRE(warnings.size() ==
            (published ? 1u : 10u));  // one a net, and one of the few rows  // one a net
    std::string told, listed;
    for (const std::string& warning : warnings) {
      told += "dasvdd: warning: " + warning + "\n";
      listed += "warning " + warning + "\n";
    }
    CHECK(fit.err == told);
    CHECK(contains(told, "the scores of the training rows are constant"));
    CHECK(contains(dasvdd_tool({"info", model}).out, listed));
  }
}

TEST_CASE("tool: --validation and --patience are those of Trainer") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(60, 0)), model = folder / "m";
  std::vector<std::string> words = {
      "fit",      train, "-o",         model, "--label-column", "label", "--layers", "4",
      "--epochs", "200", "--patience", "2",   "--validation",   "0.2"};
  const Outcome fitted = dasvdd_tool(words);
  REQUIRE(fitted.status == 0);
  dasvdd::Options options;
  options.epochs = 200;
  options.standardize = true;
  options.validation = 0.2;
  options.patience = 2;
  const auto X = tool::read_table(train, {"label", "", false}).X;
  dasvdd::Trainer<float> trainer(
      dasvdd::dense_autoencoder<float>(X.cols(), {4}, dasvdd::Activation()), options);
  const dasvdd::FitReport report = trainer.fit(X);
  REQUIRE(report.epochs.size() < 200);  // patience has ended it
  CHECK(dasvdd::load<float>(model).score(X) == trainer.detector().score(X));
  CHECK(fitted.out.find("best epoch " + std::to_string(report.best_epoch) + " of " +
                        std::to_string(report.epochs.size()) + "\n") != std::string::npos);
  words.back() = "1";
  check_failure(words, 2, "validation is 1, expected");
  words.resize(words.size() - 2);
  check_failure(words, 2, "patience needs rows to watch");
  check_failure({"fit", train, "-o", model, "--label-column", "label", "--validation", "0.2"}, 2,
                "--validation goes with --layers or --net, which aren't given");
}

TEST_CASE("tool: the same run writes the same bytes") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(60, 0)), one = folder / "1",
                    two = folder / "2";
  REQUIRE(dasvdd_tool(fit_arguments(train, one, by_label)).status == 0);
  REQUIRE(dasvdd_tool(fit_arguments(train, two, by_label)).status == 0);
  CHECK(content(one) == content(two));
}

TEST_CASE("tool: bad input is exit status 2 and one sentence") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(30, 0)), model = folder / "m";
  REQUIRE(dasvdd_tool(fit_arguments(train, model, by_label)).status == 0);
  const std::string nowhere = folder / "nowhere";

  // Usage.
  check_failure({}, 2, "A subcommand is required");
  check_failure(
      {"train"}, 2,
      "'train' is no subcommand; there are fit, score, eval, info, export, import and freeze");
  check_failure({"--versio"}, 2, "'--versio' is no subcommand");
  check_failure({"fit", train, "-o", model, "--layers", ""}, 2, "--layers is empty");
  check_failure({"fit", train}, 2, "-o is required");
  check_failure({"fit", "-o", model}, 2, "TRAIN is required");
  check_failure({"score", model, train, "--what"}, 2, "--what");
  for (const char* seed : {"-1", "x", "1.5", "0x10", "18446744073709551616"}) {
    check_failure(
        fit_arguments(train, model, {"--seed", seed}), 2,
        "--seed: '" + std::string(seed) + "' is no whole number from 0 to 18446744073709551615");
  }
  for (const std::string option : {"--epochs", "--batch-size", "--patience", "--threads"}) {
    for (const char* number : {"9223372036854775808", "0x10"}) {
      check_failure({"fit", train, "-o", model, option, number}, 2,
                    option + ": '" + number + "' is no whole number from 0 to ");
    }
  }
  check_failure({"fit", train, "-o", model, "--epochs", "-1"}, 2, "epochs is -1");
  check_failure({"fit", train, "-o", model, "--batch-size", "-1"}, 2, "the batch size is -1");
  check_failure({"fit", train, "-o", model, "--patience", "-1"}, 2, "patience is -1");
  check_failure({"fit", train, "-o", model, "--threads", "-1"}, 2, "threads is -1");
  check_failure(fit_arguments(train, model, {"--output", "relu"}), 2, "--output");
  check_failure(fit_arguments(train, model, {"--standardize", "--no-standardize"}), 2, "excludes");
  for (const char* layers : {"8,x", "8,,2", ",8", "8,", "0", "-3", "8 2"}) {
    check_failure({"fit", train, "-o", model, "--layers=" + std::string(layers)}, 2,
                  "expected whole numbers from 1 with commas between them");
  }
  check_failure(fit_arguments(train, model, {"--gamma", "big"}), 2,
                "--gamma is 'big', expected a number or auto");

  // Options out of range, files that aren't what they should be.
  check_failure(fit_arguments(train, model, {"--kappa", "0"}), 2, "kappa is 0");
  check_failure({"score", nowhere, train}, 2, "'" + nowhere + "': there is no such file");
  check_failure({"info", train}, 2, train);
  check_failure({"score", model, nowhere}, 2, "'" + nowhere + "' can't be opened");
  check_failure({"score", model, folder.put("wide.csv", "1,2,3,4\n")}, 2,
                "wide.csv': the batch is 1 x 4, expected 3 columns");
  check_failure({"score", model, folder.put("nan.csv", "1,2,3\n1,nan,3\n")}, 2,
                "nan.csv', line 2, column 1 (from 0): NaN; every value must be finite");
  check_failure(fit_arguments(folder.put("one.csv", "1,2\n"), model), 2,
                "one.csv': the training set has one row");
  check_failure(fit_arguments(folder.put("inf.csv", "1,2\n1,inf\n"), model), 2,
                "inf.csv', line 2, column 1 (from 0): infinity; every value must be finite");

  // Labels that don't suit.
  const std::string words = folder.put("words.csv", csv(5, 5, "ok", "bad"));
  check_failure(fit_arguments(words, model, by_label), 2,
                "has no row labelled '0' to train on; the labels are bad, ok");
  check_failure({"eval", model, train, "--label-column", "label"}, 2,
                "has 0 anomalies among 30 rows where '0' is normal");

  // A place where no result can be, seen before the work.
  check_failure(fit_arguments(train, folder / "missing/m", by_label), 2, "there is no folder");
  check_failure({"score", model, train, "--label-column", "label", "-o", folder / "."}, 2,
                "it is a folder");
  check_failure(fit_arguments(train, "", by_label), 2, "-o is empty");
  const std::string other = folder / "other";
  REQUIRE(dasvdd_tool(fit_arguments(train, other, by_label)).status == 0);
  const std::vector<std::vector<std::string>> calls = {
      fit_arguments(train, "PLACE", by_label),
      {"fit", train, "-o", "PLACE", "--label-column", "label", "--by", "0"},
      fit_arguments(train, folder / "new", {"--label-column", "label", "--checkpoint", "PLACE"}),
      {"import", other, "-o", "PLACE", "--data", train},
      {"export", other, "-o", "PLACE"},
      {"freeze", other, "-o", "PLACE"}};
  for (std::vector<std::string> call : calls) {
    CAPTURE(call.front());
    const auto place = std::find(call.begin(), call.end(), "PLACE");
    *place = "/dev/null";
    const bool checkpoint = place + 1 == call.end() && call.size() > 2 && *(place - 1) != "-o";
    check_failure(call, 2,
                  checkpoint ? "'/dev/null' is a file already, and no checkpoint"
                             : "'/dev/null' can't be written: it is no regular file");
#if defined(__linux__)
    // A folder that takes no file, whoever asks.
    *place = "/proc/new";
    check_failure(call, 1, "'/proc/new' can't be written");
#endif
  }
  CHECK(!std::filesystem::exists(folder / "new"));
}

#if defined(__unix__)
TEST_CASE("tool: scores replace a file whole, or leave it as it was") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(300, 0)), model = folder / "m";
  REQUIRE(dasvdd_tool(fit_arguments(train, model, by_label)).status == 0);
  const std::string scores = folder.put("scores.csv", "the old ones");
  const std::vector<std::string> call = {"score", model, train, "--label-column",
                                         "label", "-o",  scores};
  // A file may grow to 100 bytes.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{100, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const Outcome outcome = dasvdd_tool(call);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(outcome.status == 1);
  CHECK(outcome.err == "dasvdd: '" + scores + "' can't be written: File too large\n");
  CHECK(content(scores) == "the old ones");
  CHECK(dasvdd_tool(call).status == 0);
  CHECK(lines(content(scores)).size() == 301);
  CHECK(folder.files() == 3);
}
#endif

#if defined(__linux__)
TEST_CASE("tool: a disk that is full is exit status 1 and one sentence") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(30, 0)), model = folder / "m";
  REQUIRE(dasvdd_tool(fit_arguments(train, model, by_label)).status == 0);
  check_failure({"score", model, train, "--label-column", "label", "-o", "/dev/full"}, 1,
                "'/dev/full' can't be written");
  check_failure({"score", model, train, "--label-column", "label", "-o", "/proc/new"}, 1,
                "'/proc/new' can't be written");
  std::ofstream full("/dev/full");
  std::ostringstream err;
  const char* words[] = {"dasvdd", "info", model.c_str()};
  std::istringstream none;
  CHECK(run_tool(3, words, full, err, none) == 1);
  CHECK(err.str() == "dasvdd: standard output can't be written\n");
}
#endif

TEST_CASE("tool: --help and --version are no errors") {
  CHECK(contains(dasvdd_tool({"--help"}).out, "score every row of a file"));
  CHECK(contains(dasvdd_tool({"fit", "--help"}).out, "--false-alarm-rate"));
  CHECK(dasvdd_tool({"--version"}).out == DASVDD_VERSION_STRING "\n");
  CHECK(dasvdd_tool({"--version"}).status == 0);
  CHECK(dasvdd_tool({"--help"}).err.empty());
}

TEST_CASE("tool: features have names: matched in any order, told by info and by --explain") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(100, 0)), model = folder / "m";
  REQUIRE(dasvdd_tool(fit_arguments(train, model, by_label)).status == 0);
  CHECK(dasvdd::load<float>(model).feature_names() == std::vector<std::string>{"a", "b", "c"});
  CHECK(
      contains(dasvdd_tool({"info", model}).out, "features 3\nfeature a\nfeature b\nfeature c\n"));
  const std::string rows = folder.put("rows.csv", "a,b,c\n1,3,-1\n2,9,-2\n");
  const std::string turned = folder.put("turned.csv", "c,x,a,b\n-1,7,1,3\n-2,7,2,9\n");
  const Outcome plain = dasvdd_tool({"score", model, rows, "--explain", "2"});
  CHECK(dasvdd_tool({"score", model, turned, "--drop", "x", "--explain", "2"}).out == plain.out);
  CHECK(dasvdd_tool({"score", model, turned, "--columns", "b,a,c", "--explain", "2"}).out ==
        plain.out);
  CHECK(dasvdd_tool({"score", model, "-", "--drop", "x", "--explain", "2"}, content(turned)).out ==
        plain.out);
  // The second row's b, 9 for 5, stands out.
  CHECK(contains(lines(plain.out).at(2), ",b,"));
  check_failure({"score", model, turned}, 2,
                "turned.csv' has the column 'x', which the model doesn't know");
  check_failure({"score", model, folder.put("less.csv", "a,b\n1,2\n")}, 2,
                "less.csv' has no column 'c'");
  check_failure(
      {"eval", model, folder.put("twice.csv", "a,b,c,c,y\n1,2,3,4,1\n"), "--label-column", "y"}, 2,
      "has two columns named 'c', 2 and 3 (from 0)");
  const Outcome stream = dasvdd_tool({"score", model, "-"}, "a,b\n1,2\n");
  CHECK(contains(stream.err, "standard input has no column 'c', which the model takes"));
  // eval goes by the names, too.
  const std::string labelled = folder.put("l.csv", "y,c,b,a\n0,-1,3,1\n1,-2,9,2\n");
  CHECK(contains(dasvdd_tool({"eval", model, labelled, "--label-column", "y"}).out, "roc_auc 1\n"));
  // Names with commas are quoted where they are fields.
  const std::string odd = folder.put("odd.csv", "\"a,1\",b\n1,2\n2,3\n3,4\n5,5\n");
  REQUIRE(dasvdd_tool(fit_arguments(odd, model)).status == 0);
  CHECK(contains(dasvdd_tool({"score", model, odd, "--explain", "2"}).out, ",\"a,1\","));
}

TEST_CASE("tool: a bad number is found before the training, at its place in the file") {
  const TemporaryFolder folder;
  const std::string model = folder / "m";
  // Behind labelled anomalies, and whatever rows the seed holds out.
  std::string text = "label,a,b\n";
  for (int i = 0; i < 40; ++i) {
    text +=
        std::to_string(i % 4 == 1) + "," + std::to_string(i) + "," + (i == 30 ? "nan" : "1") + "\n";
  }
  const std::string train = folder.put("train.csv", text);
  for (const char* seed : {"0", "1", "2", "3", "4", "5", "6", "7"}) {
    check_failure(
        fit_arguments(train, model,
                      {"--label-column", "label", "--false-alarm-rate", "0.5", "--seed", seed}),
        2, "train.csv', line 32, column 'b': NaN; every value must be finite");
  }
  check_failure(
      fit_arguments(folder.put("far.csv", "2,1\n3,1.797e308\n"), model), 2,
      "far.csv', line 2, column 1 (from 0): 1.797e+308 is too large for a detector in float");
}

TEST_CASE("tool: a result never takes the place of what is read") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(60, 0)), model = folder / "m";
  const std::string before = content(train), hard = folder / "hard.csv", soft = folder / "soft.csv";
  REQUIRE(dasvdd_tool(fit_arguments(train, model, by_label)).status == 0);
  const std::string model_before = content(model);
  std::filesystem::create_hard_link(train, hard);
  std::filesystem::create_symlink("train.csv", soft);
  const std::string labels = folder.put("labels.npy", "x");
  for (const std::string& place : {train, folder / "./train.csv", hard, soft}) {
    CAPTURE(place);
    const std::string sentence =
        "-o '" + place + "' would take the place of '" + train + "', which is read";
    check_failure(fit_arguments(train, place, by_label), 2, sentence);
    check_failure({"score", model, train, "--label-column", "label", "-o", place}, 2, sentence);
  }
  check_failure({"score", model, train, "--label-column", "label", "-o", model}, 2,
                "would take the place of '" + model + "'");
  check_failure({"score", model, train, "--label-column", "label", "--heatmap", train}, 2,
                "--heatmap '" + train + "' would take the place of");
  check_failure(fit_arguments(train, labels, {"--labels", labels}), 2,
                "would take the place of '" + labels + "'");
  CHECK(content(train) == before);
  CHECK(content(model) == model_before);

  // Nor that of another result, where there is no file yet either.
  const std::string fresh = folder / "fresh", soon = folder / "soon";
  std::filesystem::create_symlink("fresh", soon);
  for (const std::string& place : {fresh, folder / "./fresh", soon}) {
    std::vector<std::string> arguments = fit_arguments(train, fresh, by_label);
    arguments.insert(arguments.end(), {"--checkpoint", place});
    check_failure(arguments, 2,
                  "--checkpoint '" + place + "' would take the place of '" + fresh +
                      "', which is written, too");
  }
  check_failure({"score", model, train, "--label-column", "label", "-o", fresh, "--heatmap", soon},
                2, "--heatmap '" + soon + "' would take the place of");
  std::filesystem::remove(soon);
  CHECK(!std::filesystem::exists(fresh));
  std::vector<std::string> over_model = fit_arguments(train, fresh, by_label);
  over_model.insert(over_model.end(), {"--checkpoint", model});
  check_failure(over_model, 2, "is a file already, and no checkpoint");
  CHECK(content(model) == model_before);
  const std::string circle = folder / "circle";
  std::filesystem::create_symlink("circle", circle);
  check_failure(fit_arguments(train, circle, by_label), 2, "its links lead in a circle");

  // A link that leads to no file yet: the file is made, by every command.
  const std::string link = folder / "link", later = folder / "later";
  std::filesystem::create_symlink("later", link);
  CHECK(dasvdd_tool({"score", model, train, "--label-column", "label", "-o", link}).status == 0);
  CHECK(lines(content(later)).size() == 61);
  std::filesystem::remove(later);
  CHECK(dasvdd_tool(fit_arguments(train, link, by_label)).status == 0);
  CHECK(dasvdd_tool({"info", later}).status == 0);
  CHECK(std::filesystem::is_symlink(link));
  // One that leads to a folder that isn't there: the same answer from both, before the work.
  std::filesystem::remove(link);
  std::filesystem::create_symlink("missing/later", link);
  check_failure({"score", model, train, "--label-column", "label", "-o", link}, 2,
                "there is no folder");
  check_failure(fit_arguments(train, link, by_label), 2, "there is no folder");
}

TEST_CASE("tool: --double trains in double, and every command reads both kinds of models") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(100, 20)), model = folder / "m",
                    narrow = folder / "n";
  std::vector<std::string> more = by_label;
  REQUIRE(dasvdd_tool(fit_arguments(train, narrow, more)).status == 0);
  more.push_back("--double");
  REQUIRE(dasvdd_tool(fit_arguments(train, model, more)).status == 0);
  CHECK(dasvdd::load<double>(model).features() == 3);
  CHECK(contains(dasvdd_tool({"info", model}).out, "\nnumbers double\n"));
  CHECK(
      contains(dasvdd_tool({"eval", model, train, "--label-column", "label"}).out, "anomalies 20"));
  const auto wide =
      lines(dasvdd_tool({"score", model, train, "--label-column", "label", "--explain", "1"}).out);
  const auto both =
      lines(dasvdd_tool({"score", narrow, train, "--label-column", "label", "--explain", "1"}).out);
  REQUIRE(wide.size() == both.size());
  // Two trainings of thirty epochs in two types stay close.
  CHECK(std::stod(wide[1]) == doctest::Approx(std::stod(both[1])).epsilon(0.01));
  CHECK(wide[1] != both[1]);
  const Outcome stream = dasvdd_tool({"score", model, "-", "--label-column", "label"}, csv(5, 0));
  CHECK(stream.status == 0);
  REQUIRE(dasvdd_tool({"fit", train, "-o", model, "--double", "--epochs", "1", "--members", "1",
                       "--label-column", "label"})
              .status == 0);
  CHECK(dasvdd::load<double>(model).ensemble_size() == 1);
}

TEST_CASE("tool: numbers of a file keep their 64 bits up to the scaler") {
  const TemporaryFolder folder;
  std::string late = "t,x\n", early = late;
  for (int i = 0; i < 60; ++i) {
    const std::string x = tool::number_text(std::sin(i / 9.0));
    late += std::to_string(1700000000 + i) + "," + x + "\n";
    early += std::to_string(i) + "," + x + "\n";
  }
  const std::string model = folder / "m", other = folder / "n";
  REQUIRE(dasvdd_tool(fit_arguments(folder.put("late.csv", late), model)).status == 0);
  REQUIRE(dasvdd_tool(fit_arguments(folder.put("early.csv", early), other)).status == 0);
  const auto a = lines(dasvdd_tool({"score", model, folder / "late.csv"}).out);
  const auto b = lines(dasvdd_tool({"score", other, folder / "early.csv"}).out);
  // The scaled rows are the same but for a rounding.
  for (std::size_t i = 1; i < a.size(); ++i)
    CHECK(std::stod(a[i]) == doctest::Approx(std::stod(b[i])).epsilon(1e-3));
}

TEST_CASE("tool: an image of bytes scores the same whatever other images its file has") {
  const TemporaryFolder folder;
  std::string many, dark(16, '\1'), both;
  for (int i = 0; i < 640; ++i) many += static_cast<char>(i * 37 % 256);
  dark[3] = 0;
  both = dark + many.substr(0, 16);
  const auto file = [&](const char* name, const std::string& bytes) {
    return folder.put(
        name, test_files::array("|u1", "(" + std::to_string(bytes.size() / 16) + ", 4, 4)", bytes));
  };
  const std::string model = folder / "m";
  REQUIRE(dasvdd_tool(fit_arguments(file("many.npy", many), model)).status == 0);
  const std::string alone = file("dark.npy", dark);
  const Outcome one = dasvdd_tool({"score", model, alone});
  CHECK(contains(one.err, "divided by 255"));
  const std::string expected =
      lines(dasvdd_tool({"score", model, file("both.npy", both)}).out).at(1);
  CHECK(lines(one.out).at(1) == expected);
  CHECK(lines(dasvdd_tool({"score", model, alone, "--memory", "1"}).out).at(1) == expected);
  const std::string idx =
      folder.put("dark.idx", std::string("\0\0\x08\x03\0\0\0\1\0\0\0\4\0\0\0\4", 16) + dark);
  CHECK(lines(dasvdd_tool({"score", model, idx}).out).at(1) == expected);
  // A model of black and white alone was trained from 0 to 1.
  std::string black_and_white;
  for (const char c : many) black_and_white += static_cast<char>(c & 1);
  const std::string masks = file("masks.npy", black_and_white), other = folder / "o";
  CHECK(!contains(dasvdd_tool(fit_arguments(masks, other)).err, "divided"));
  CHECK(!contains(dasvdd_tool({"score", other, masks}).err, "divided"));
}

TEST_CASE(
    "tool: an option whose value is empty is refused, as a shell's unset variable makes one") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(30, 2)), model = folder / "m";
  for (const char* option : {"--label-column", "--labels", "--drop", "--columns", "--normal",
                             "--image-shape", "--checkpoint", "--resume", "--memory"}) {
    CAPTURE(option);
    check_failure({"fit", train, "-o", model, option, ""}, 2, " is empty");
  }
  CHECK(folder.files() == 1);
  REQUIRE(dasvdd_tool(fit_arguments(train, model, by_label)).status == 0);
  check_failure({"score", model, train, "--group", ""}, 2, "--group is empty");
  check_failure({"eval", model, train, "--label-column", "label", "--group", ""}, 2,
                "--group is empty");
  check_failure({"score", model, "-", "--watch", "0.01", "--watch-rows", ""}, 2,
                "--watch-rows is empty");
  check_failure({"score", model, ""}, 2, "DATA is empty");
}

TEST_CASE("tool: a column that counts the rows is told of, whatever the file and its name") {
  const TemporaryFolder folder;
  std::string with, without;
  dasvdd::Random random(3);
  std::vector<double> numbers;
  for (int i = 0; i < 30; ++i) {
    const double x = random.normal();
    with += std::to_string(i) + "," + tool::number_text(x) + "\n";
    without += std::to_string(i == 29 ? 40 : i) + "," + tool::number_text(x) + "\n";
    numbers.insert(numbers.end(), {static_cast<double>(i), x});
  }
  const std::string said =
      " counts the rows, so new ones may lie beyond all of these; --drop leaves it out";
  const std::string model = folder / "m";
  const auto err = [&](const std::string& data, const std::vector<std::string>& more = {}) {
    const Outcome outcome = dasvdd_tool(fit_arguments(data, model, more));
    CHECK(outcome.status == 0);
    return outcome.err;
  };
  const std::string named = folder.put("named.csv", "t,x\n" + with);
  CHECK(contains(err(named), "column 't'" + said));
  CHECK(contains(err(folder.put("plain.csv", with)), "column 0 (from 0)" + said));
  CHECK(contains(err(folder.put("a.npy", test_files::array("<f8", "(30, 2)",
                                                           test_files::raw<double>(numbers)))),
                 "column 0 (from 0)" + said));
  CHECK(!contains(err(named, {"--columns", "t,x"}), said));
  CHECK(!contains(err(named, {"--drop", "t"}), said));
  CHECK(!contains(err(folder.put("gap.csv", "t,x\n" + without)), said));
}

TEST_CASE(
    "tool: so many members as nobody has are refused, and those of wide rows need no whitening") {
  const TemporaryFolder folder;
  const std::string train = folder.put("train.csv", csv(30, 0)), model = folder / "m";
  for (const char* members : {"0", "10001", "1000000000", "9223372036854775807"}) {
    CAPTURE(members);
    check_failure({"fit", train, "-o", model, "--label-column", "label", "--members", members}, 2,
                  "ensemble_size is " + std::string(members) + ", expected 1 to 10000");
  }
  check_failure(fit_arguments(train, model, {"--label-column", "label", "--shards", "0"}), 2,
                "--shards is 0, expected at least 1");
  dasvdd::Random random(3);
  std::vector<double> numbers;
  for (int i = 0; i < 5 * 2001; ++i) numbers.push_back(random.normal());
  const std::string wide = folder.put(
      "wide.npy", test_files::array("<f8", "(5, 2001)", test_files::raw<double>(numbers)));
  for (const char* members : {"1", "2"}) {
    const Outcome outcome =
        dasvdd_tool({"fit", wide, "-o", model, "--members", members, "--epochs", "1"});
    CHECK(outcome.status == 0);
    CHECK(
        contains(outcome.err, "are scored without whitening, by " + std::string(members) + " net"));
    const auto detector = dasvdd::load<float>(model);
    CHECK(detector.ensemble_size() == members[0] - '0');
    CHECK(!detector.model().members.front().reconstruction.whitened());
  }
}

TEST_CASE(
    "tool: pixels from 0 to 255 are divided by 255, in training and in scoring, and that is said") {
  const TemporaryFolder folder;
  std::string bytes, shares;
  for (int i = 0; i < 40; ++i) {
    for (int j = 0; j < 16; ++j) {
      const int pixel = i == 0 && j == 0 ? 255 : (i * 37 + j * 11) % 200;
      bytes += std::to_string(pixel) + (j < 15 ? "," : "\n");
      shares += tool::number_text(pixel / 255.0) + (j < 15 ? "," : "\n");
    }
  }
  const std::string whole = folder.put("bytes.csv", bytes),
                    parts = folder.put("shares.csv", shares);
  const std::string model = folder / "m", other = folder / "n";
  const std::vector<std::string> shape = {"--image-shape", "1,4,4"};
  const Outcome fit = dasvdd_tool(fit_arguments(whole, model, shape));
  CHECK(fit.status == 0);
  CHECK(contains(fit.err, "note: '" + whole + "' has pixels from 0 to 255: divided by 255\n"));
  const Outcome quiet = dasvdd_tool(fit_arguments(parts, other, shape));
  CHECK(!contains(quiet.err, "pixels"));
  CHECK(dasvdd::load<float>(model).facts().at("pixels") == "divided by 255");
  CHECK(dasvdd::load<float>(other).facts().count("pixels") == 0);
  CHECK(dasvdd_tool({"score", model, parts}).out == dasvdd_tool({"score", other, parts}).out);
  const Outcome scores = dasvdd_tool({"score", model, whole});
  CHECK(contains(scores.err, "divided by 255"));
  CHECK(scores.out == dasvdd_tool({"score", model, parts}).out);
  CHECK(contains(dasvdd_tool({"score", model, "-"}, bytes).err,
                 "has pixels from 0 to 255, the model takes 0 to 1"));
  // Other ranges can't be guessed; a table's numbers are left alone.
  check_failure(fit_arguments(folder.put("odd.csv", "0.5,3000,1,2\n1,2,3,4\n"), model,
                              {"--image-shape", "1,2,2"}),
                2, "has pixels from 0 to 3000, expected 0 to 1 or whole numbers from 0 to 255");
  // Those of a model's images are known: a file that has others is told of.
  std::string signs, wide, one_row;
  for (int i = 0; i < 40; ++i) {
    for (int j = 0; j < 16; ++j) {
      const double share = ((i * 37 + j * j * 11) % 200) / 255.0;
      const char* const end = j < 15 ? "," : "\n";
      signs += tool::number_text(2 * share - 1) + end;
      wide += tool::number_text(share * 65535) + end;
      one_row += tool::number_text(i == 7 ? share * 65535 : share) + end;
    }
  }
  check_failure(fit_arguments(folder.put("signs.csv", signs), other, shape), 2,
                "has pixels from -1 to ");
  const std::string said = ", the model's go from 0 to 1: its scores say nothing";
  for (const std::string& rows : {signs, wide}) {
    const std::string path = folder.put("range.csv", rows);
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"score", model, path},
          {"score", model, path, "--memory", "1K"}}) {
      const Outcome outcome = dasvdd_tool(arguments);
      CHECK(outcome.status == 0);
      CHECK(contains(outcome.err, said));
    }
    CHECK(
        contains(dasvdd_tool({"score", model, "-"}, rows).err, "standard input has pixels from "));
  }
  CHECK(!contains(dasvdd_tool({"score", model, folder.put("one.csv", one_row)}).err, said));
  CHECK(!contains(dasvdd_tool(fit_arguments(whole, model)).err, "pixels"));
}

TEST_CASE(
    "tool: rows of many features are scored without whitening, unless the command says otherwise") {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 2001; ++j)
      text += std::to_string((i * 31 + j * 7) % 13) + (j < 2000 ? "," : "\n");
  }
  const std::string train = folder.put("wide.csv", text), model = folder / "m";
  const Outcome fit = dasvdd_tool({"fit", train, "-o", model, "--epochs", "1"});
  CHECK(fit.status == 0);
  CHECK(contains(fit.err, "rows of 2001 features are scored without whitening, by 2 nets"));
  const std::string info = dasvdd_tool({"info", model}).out;
  CHECK(contains(info, "\nscore balanced\n"));
  CHECK(contains(info, "\nmembers 2\n"));
  const std::string narrow = folder.put("narrow.csv", csv(30, 0));
  REQUIRE(dasvdd_tool({"fit", narrow, "-o", model, "--epochs", "1", "--label-column", "label",
                       "--score", "whitened", "--members", "3"})
              .status == 0);
  CHECK(contains(dasvdd_tool({"info", model}).out, "\nscore whitened\n"));
  CHECK(dasvdd::load<float>(model).ensemble_size() == 3);
}

TEST_CASE("tool: control bytes from a file don't reach the terminal") {
  const TemporaryFolder folder;
  const std::string data = folder.put("t.csv", "a,b\x1b[2J,c\n1,2,3\n4,5,7\n7,8,8\n"),
                    model = folder / "m";
  REQUIRE(dasvdd_tool(fit_arguments(data, model)).status == 0);
  dasvdd::save(dasvdd::load<float>(model), model, {{"note", "one\ntwo\x07"}});
  const Outcome info = dasvdd_tool({"info", model});
  CHECK(info.status == 0);
  CHECK(contains(info.out, "feature b\\x1b[2J\n"));
  CHECK(contains(info.out, "note one\\x0atwo\\x07\n"));
  const Outcome wrong = dasvdd_tool({"score", model, folder.put("u.csv", "a,d\x1b[2J,c\n1,2,3\n")});
  CHECK(wrong.status == 2);
  CHECK(contains(wrong.err, "\\x1b[2J"));
  CHECK(wrong.err.find('\x1b') == std::string::npos);
}
