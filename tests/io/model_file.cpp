#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/model_file.hpp>

#include <io/copied_file.hpp>
#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace dasvdd;
using namespace dasvdd::detail;

template <class Scalar>
RowMatrix<Scalar> rows(Index n, Index d) {
  RowMatrix<Scalar> X(n, d);
  Random random(7);
  for (Index i = 0; i < X.size(); ++i) X.data()[i] = static_cast<Scalar>(random.normal());
  return X;
}

Options quick(ScoreForm score = ScoreForm::published, bool standardize = false) {
  Options options;
  options.epochs = 2;
  options.batch_size = 16;
  options.score = score;
  options.standardize = standardize;
  options.threads = 1;
  return options;
}

template <class Scalar>
Detector<Scalar> trained(const Options& options) {
  Trainer<Scalar> trainer(dense_autoencoder<Scalar>(5, {7, 3}, sigmoid()), options);
  trainer.fit(rows<Scalar>(40, 5));
  return trainer.detector();
}

/// Through bytes and back, as a file goes.
template <class Scalar>
Detector<Scalar> again(const Detector<Scalar>& detector, const LayerFactory<Scalar>& factory = {}) {
  return from_tensor_file<Scalar>(TensorFile::parse(to_tensor_file(detector).serialize()), factory);
}

template <class Scalar>
void check_same(const Detector<Scalar>& a, const Detector<Scalar>& b) {
  const RowMatrix<Scalar> X = rows<Scalar>(9, 5);
  CHECK(a.score(X) == b.score(X));  // to the bit
  const auto pa = a.score_parts(X), pb = b.score_parts(X);
  CHECK(pa.latent == pb.latent);
  CHECK(a.threshold() == b.threshold());
  CHECK(a.calibration().scores() == b.calibration().scores());
  CHECK(a.facts() == b.facts());
  CHECK(a.warnings() == b.warnings());
  CHECK(a.model().members.front().gamma == b.model().members.front().gamma);
  CHECK(to_tensor_file(a).serialize() == to_tensor_file(b).serialize());
}

/// The sentence that refuses a good model in which one thing was changed.
std::string refusal(const std::function<void(std::map<std::string, Tensor>&, Facts&)>& change) {
  const TensorFile good = to_tensor_file(trained<float>(quick(ScoreForm::published, true)));
  std::map<std::string, Tensor> tensors;
  for (const Tensor& tensor : good.tensors()) tensors[tensor.name] = tensor;
  Facts words = good.metadata();
  change(tensors, words);
  TensorFile bad;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.dtype == DType::F64) {
      bad.add(name, tensor.shape, tensor.as<double>().data());
    } else {
      bad.add(name, tensor.shape, tensor.as<float>().data());
    }
  }
  for (const auto& [key, word] : words) bad.set_metadata(key, word);
  const TensorFile file = TensorFile::parse(bad.serialize(), "m");
  try {
    from_tensor_file<float>(file);
  } catch (const FileError& error) {
    return error.what();
  }
  return "nothing thrown";
}

template <class T>
Tensor tensor(const std::string& name, const std::vector<Index>& shape,
              const std::vector<T>& numbers) {
  TensorFile file;
  file.add(name, shape, numbers.data());
  return file[name];
}

/// y = x + w, a layer of a user's own.
struct Shift {
  using Scalar = double;
  Index size;
  Index inputs() const { return size; }
  Index outputs() const { return size; }
  Index parameters() const { return size; }
  void initialize(Random& random, double* w) const {
    for (Index i = 0; i < size; ++i) w[i] = random.normal();
  }
  void forward(const double* w, Rows<const double> x, Rows<double> y) const {
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index j = 0; j < size; ++j) y(i, j) = x(i, j) + w[j];
    }
  }
  void backward(const double*, Rows<const double> x, Rows<const double>, Rows<const double> dy,
                Rows<double> dx, double* dw) const {
    for (Index i = 0; i < x.rows(); ++i) {
      for (Index j = 0; j < size; ++j) {
        if (dx.data() != nullptr) dx(i, j) = dy(i, j);
        dw[j] += dy(i, j);
      }
    }
  }
  LayerSpec spec() const { return {"shift", {double(size)}}; }
};

/// The same without a name.
struct Nameless : Shift {
  LayerSpec spec() const { return {}; }
};

/// The identity on three numbers with six parameters and four statistics, and what it names them.
struct Named : Layer<float> {
  std::vector<TensorSpec> of_parameters, of_statistics;
  Named(std::vector<TensorSpec> parameters, std::vector<TensorSpec> statistics)
      : of_parameters(std::move(parameters)), of_statistics(std::move(statistics)) {}
  Index inputs() const override { return 3; }
  Index outputs() const override { return 3; }
  Index parameters() const override { return 6; }
  Index statistics() const override { return 4; }
  std::vector<TensorSpec> parameter_tensors() const override { return of_parameters; }
  std::vector<TensorSpec> statistics_tensors() const override { return of_statistics; }
  void forward(const float*, const float*, Rows<const float> x, Rows<float> y,
               float*) const override {
    y.matrix() = x.matrix();
  }
  void backward(const float*, Rows<const float>, Rows<const float>, Rows<const float> dy,
                Rows<float> dx, float*, float*) const override {
    if (dx.data() != nullptr) dx.matrix() = dy.matrix();
  }
};

template <class L>
Detector<double> with_layer() {
  Network<double> encoder, decoder;
  encoder.add(dense<double>(5, 3)).add(L{3});
  decoder.add(dense<double>(3, 5));
  Trainer<double> trainer(Autoencoder<double>(encoder, decoder), quick());
  trainer.fit(rows<double>(40, 5));
  return trainer.detector();
}

}  // namespace

TEST_CASE(
    "a detector read back scores to the bit, whatever the scalar type, the score's form and the "
    "scaling") {
  for (const ScoreForm form :
       {ScoreForm::published, ScoreForm::balanced, ScoreForm::latent_whitened, ScoreForm::whitened,
        ScoreForm::several_centers}) {
    for (const bool standardize : {false, true}) {
      const auto narrow = trained<float>(quick(form, standardize));
      check_same(narrow, again(narrow));
      const auto wide = trained<double>(quick(form, standardize));
      check_same(wide, again(wide));
    }
  }
}

TEST_CASE("several centers are rows of the net's width, in the file and for a net with a decoder") {
  const auto detector = trained<float>(quick(ScoreForm::several_centers, true));
  const TensorFile file = to_tensor_file(detector);
  const auto& term = detector.model().members.front().latent;
  CHECK(file["score.latent.centers"].shape == std::vector<Index>{term.centers(), 5});
  for (const std::vector<Index>& shape : {std::vector<Index>{3, 4}, {5}, {0, 5}}) {
    const std::string sentence = refusal([&](auto& tensors, auto&) {
      const std::string name = "score.latent.centers";
      tensors[name] = tensor(name, shape, std::vector<float>(12));
    });
    CHECK(sentence.find("expected rows of 5 numbers") != std::string::npos);
  }
}

TEST_CASE(
    "a detector that normalizes contrast reads back the same, its floor a number of the file") {
  Options options = quick();
  options.contrast_floor = 0.125;
  const auto detector = trained<float>(options);
  const TensorFile file = to_tensor_file(detector);
  CHECK(file["scaler.contrast_floor"].as<double>({}).front() == 0.125);
  CHECK_FALSE(file.contains("scaler.mean"));
  CHECK(again(detector).model().scaler == detector.model().scaler);
  check_same(detector, again(detector));
}

TEST_CASE("a detector that softens images reads back the same, their shape in the file") {
  Options options = quick();
  options.soften = {1, 1, 5};
  const auto detector = trained<float>(options);
  const TensorFile file = to_tensor_file(detector);
  CHECK(file["scaler.softened_image"].as<double>({3}) == std::vector<double>{1, 1, 5});
  CHECK_FALSE(file.contains("scaler.mean"));
  CHECK(again(detector).model().scaler == detector.model().scaler);
  check_same(detector, again(detector));
}

TEST_CASE(
    "an ensemble, a calibrated detector and one with a threshold of its own read back the same") {
  Options other = quick();
  other.seed = 1;
  const auto pair = ensemble<float>({trained<float>(quick()), trained<float>(other)}, 0.25);
  CHECK(again(pair).model().members.size() == 2);
  check_same(pair, again(pair));
  const auto calibrated =
      trained<float>(quick()).calibrated(rows<float>(30, 5), false_alarm_rate(0.1));
  CHECK(again(calibrated).calibration().scores().size() == 30);
  check_same(calibrated, again(calibrated));
}

TEST_CASE("what the first net says of the rows it left out reads back the same") {
  const auto some = trained<float>(quick());
  const Detector<float> detector(std::make_shared<Model<float>>(some.model()), 1,
                                 Calibration({1, 2, 3}), Calibration({2, 5}));
  CHECK(again(detector).first_net_calibration().scores() == std::vector<double>{2, 5});
  CHECK(again(detector).watched().calibration().scores() == std::vector<double>{2, 5});
  check_same(detector, again(detector));
  CHECK(refusal([](auto& tensors, auto&) {
          tensors["calibration.first_net"] =
              tensor("calibration.first_net", {1}, std::vector<double>{1});
        }).find("there is calibration.first_net but no calibration.scores") != std::string::npos);
}

TEST_CASE("a net without a decoder, or without biases, reads back the same") {
  Network<float> encoder;
  encoder.add(dense<float>(5, 4, false)).add(relu()).add(dense<float>(4, 2, false));
  const Autoencoder<float> net(encoder, Network<float>());
  AlignedBuffer<float> parameters(net.parameters()), statistics(net.statistics()), center(2);
  for (Index i = 0; i < parameters.size(); ++i)
    parameters[i] = 0.125f * static_cast<float>(i % 7) - 0.25f;
  auto model = std::make_shared<Model<float>>();
  PackedNetwork<float> packed(net, parameters.data(), statistics.data());
  model->members.push_back({packed, parameters, statistics, center, 1.0, ScoreTerm<float>(5, 0, 5),
                            ScoreTerm<float>(2, 1, 1)});
  const Detector<float> detector(model, 0.5);
  const TensorFile file = to_tensor_file(detector);
  CHECK(file.contains("encoder.2.weight"));
  CHECK_FALSE(file.contains("encoder.0.bias"));
  check_same(detector, again(detector));
}

TEST_CASE("tensors are named and numbered as torch.nn.Sequential does, activations counted") {
  Network<float> encoder, decoder;
  encoder.add(dense<float>(5, 7)).add(Activation()).add(dense<float>(7, 3)).add(tanh()).add(relu());
  decoder.add(dense<float>(3, 5)).add(sigmoid());
  Trainer<float> trainer(Autoencoder<float>(encoder, decoder), quick());
  trainer.fit(rows<float>(40, 5));
  const TensorFile file = to_tensor_file(trainer.detector());
  CHECK(
      file.metadata("net") ==
      R"({"decoder":[["dense",3,5,1],["sigmoid"]],"encoder":[["dense",5,7,1],["identity"],["dense",7,3,1],["tanh"],["relu"]]})");
  CHECK(file["encoder.0.weight"].shape == std::vector<Index>{7, 5});
  CHECK(file["encoder.2.bias"].shape == std::vector<Index>{3});
  CHECK(file["decoder.0.weight"].shape == std::vector<Index>{5, 3});
  CHECK(file["center"].as<float>({3}).size() == 3);
  CHECK(file["gamma"].as<double>({}).front() > 0);
  CHECK(file["threshold"].as<double>({}).front() == trainer.detector().threshold());
  CHECK_FALSE(file.contains("scaler.mean"));
  CHECK_FALSE(file.contains("calibration.scores"));
  check_same(trainer.detector(), again(trainer.detector()));
}

TEST_CASE("every activation reads back as it was written") {
  for (const auto& row : activation_table) {
    CAPTURE(row.name);
    Network<float> net;
    net.add(dense<float>(5, 7)).add(Activation(row.name)).add(dense<float>(7, 3));
    if (row.below > 0) net.add(Activation(row.name, 0.25));
    const nlohmann::json layers = net_to_json(net);
    CHECK(net_to_json(net_from_json<float>(layers, "net", {})) == layers);
  }
}

TEST_CASE("what training warned of is kept in the file, word for word") {
  const RowMatrix<float> alike = RowMatrix<float>::Constant(40, 5, 0.5f);
  Trainer<float> trainer(dense_autoencoder<float>(5, {7, 3}), quick());
  trainer.fit(alike);
  Options other = quick();
  other.seed = 1;
  const auto pair = ensemble<float>({trainer.detector(), trained<float>(other)}, 1);
  REQUIRE(pair.warnings().size() == 2);
  CHECK(pair.warnings()[0].find("net 1: the scores of the training rows are constant") == 0);
  check_same(pair, again(pair));
  CHECK(again(pair).warnings() == pair.warnings());

  auto model = std::make_shared<Model<float>>(pair.model());
  model->warnings = {"a \"quoted\" one", "", "two\nlines \xc3\xa9"};
  const Detector<float> said(model, 1);
  CHECK(again(said).warnings() == model->warnings);
  CHECK(to_tensor_file(said).metadata("warnings") ==
        "[\"a \\\"quoted\\\" one\",\"\",\"two\\nlines \xc3\xa9\"]");
  // Of a detector without warnings the file says nothing.
  model->warnings.clear();
  CHECK(to_tensor_file(said).metadata().count("warnings") == 0);
  CHECK_THROWS_WITH_AS(
      save(said, "m", {{"warnings", "none"}}),
      "a fact can't be named 'warnings': the model file means something else by it",
      InvalidArgument);
}

TEST_CASE("facts come back, those of save() before the model's own") {
  const TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  save(trained<float>(quick()), path, {{"seed", "7"}, {"normal", "shirt"}});
  const auto first = load<float>(path);
  CHECK(first.facts().at("seed") == "7");
  CHECK(first.facts().at("normal") == "shirt");
  CHECK(first.facts().at("objective") == "dasvdd");  // the trainer's own
  save(first, path, {{"seed", "8"}});
  Facts expected = first.facts();
  expected["seed"] = "8";
  CHECK(load<float>(path).facts() == expected);
  CHECK_THROWS_AS(save(first, path, {{"format", "x"}}), InvalidArgument);
  CHECK_THROWS_AS(save(first, path, {{"members.0.net", "x"}}), InvalidArgument);
}

TEST_CASE("the same run writes the same bytes") {
  CHECK(to_tensor_file(trained<float>(quick())).serialize() ==
        to_tensor_file(trained<float>(quick())).serialize());
}

TEST_CASE("a layer of the user's own is saved by its spec and made again by a factory") {
  const auto detector = with_layer<Shift>();
  CHECK(to_tensor_file(detector)["encoder.1.weight"].shape == std::vector<Index>{3});
  const LayerFactory<double> factory =
      [](const LayerSpec& spec) -> std::shared_ptr<const Layer<double>> {
    if (spec.name != "shift") return nullptr;
    return std::make_shared<detail::LayerModel<Shift>>(
        Shift{static_cast<Index>(spec.numbers.at(0))});
  };
  check_same(detector, again(detector, factory));
  CHECK_THROWS_WITH_AS(
      again(detector),
      doctest::Contains("'the file': the activation is 'shift', expected one of identity, "),
      FileError);
  CHECK_THROWS_AS(to_tensor_file(with_layer<Nameless>()), InvalidArgument);
}

TEST_CASE("a layer's tensors have as many numbers as the layer says") {
  using Tensors = std::vector<TensorSpec>;
  const auto refused = [](const Tensors& parameters, const Tensors& statistics) {
    Network<float> encoder, decoder;
    encoder.add(dense<float>(5, 3));
    encoder.add(
        std::shared_ptr<const Layer<float>>(std::make_shared<Named>(parameters, statistics)));
    decoder.add(dense<float>(3, 5));
    try {
      tensor_places(Autoencoder<float>(encoder, decoder));
    } catch (const InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  const Tensors six = {{"gain", {2, 2}}, {"shift", {2}}}, four = {{"mean", {4}}};
  CHECK(refused(six, four) == "nothing thrown");
  CHECK(refused({}, {}) == "nothing thrown");
  for (const Index n : {3, 5}) {
    CHECK(refused({{"gain", {2, 2}}, {"shift", {n - 2}}}, four) ==
          "the parameter tensors of layer encoder.1 have " + std::to_string(n + 2) +
              " numbers, expected 6 as its parameters() says");
    CHECK(refused(six, {{"mean", {n}}}) == "the statistics tensors of layer encoder.1 have " +
                                               std::to_string(n) +
                                               " numbers, expected 4 as its statistics() says");
  }
  const Index large = Index(1) << 33;
  CHECK(refused({{"gain", {large, large}}, {"shift", {6}}}, four)
            .find("the parameter tensors of layer encoder.1 have 9223372036854775807 numbers") ==
        0);
  CHECK(refused({{"gain", {-6, -1}}}, four) ==
        "tensor encoder.1.gain of a layer is -6 x -1, expected no number below 0");
}

TEST_CASE("a model of another scalar type, and a file that is no model, are refused") {
  const TensorFile file =
      TensorFile::parse(to_tensor_file(trained<float>(quick())).serialize(), "m");
  CHECK_THROWS_WITH_AS(from_tensor_file<double>(file),
                       "'m': tensor 'encoder.0.weight' is F32, expected F64", FileError);
  CHECK_THROWS_WITH_AS(from_tensor_file<float>(TensorFile()), "this is no dasvdd model", FileError);
}

TEST_CASE("a model in which one thing is wrong is refused with its sentence") {
  using Tensors = std::map<std::string, Tensor>;
  CHECK(refusal([](Tensors&, Facts&) {}) == "nothing thrown");
  CHECK(refusal([](Tensors&, Facts& words) { words["format"] = "other"; }) ==
        "'m': this is no dasvdd model");
  for (const char* version : {"3", "0", "10", "2x"}) {
    CHECK(refusal([&](Tensors&, Facts& words) { words["format_version"] = version; }) ==
          "'m': the model's format version is '" + std::string(version) +
              "', this library reads 1 to 2; the model is of a newer library");
  }
  CHECK(refusal([](Tensors&, Facts& words) { words.erase("format_version"); }) ==
        "'m': the metadata have no 'format_version'");
  for (const char* members : {"0", "-1", "1x", "", "1000000000"}) {
    CHECK(refusal([&](Tensors&, Facts& words) { words["members"] = members; }) ==
          "'m': the number of members is '" + std::string(members) +
              "', expected a whole number from 1 to 17");
  }
  CHECK(refusal([](Tensors&, Facts& words) { words["members"] = "2"; }) ==
        "'m': the metadata have no 'members.0.net'");
  CHECK(refusal([](Tensors& t, Facts&) { t.erase("encoder.0.bias"); }) ==
        "'m': there is no tensor 'encoder.0.bias'");
  CHECK(refusal([](Tensors& t, Facts&) { t.erase("threshold"); }) ==
        "'m': there is no tensor 'threshold'");
  CHECK(refusal([](Tensors& t, Facts&) { t.erase("scaler.mean"); }) ==
        "'m': there is no tensor 'scaler.mean'");
  CHECK(refusal([](Tensors& t, Facts&) { t["extra"] = tensor<float>("extra", {1}, {0}); }) ==
        "'m': tensor 'extra' belongs to no part of the model");
  CHECK(refusal([](Tensors& t, Facts&) {
          t["center"] = tensor<float>("center", {2}, {0, 0});
        }) == "'m': tensor 'center' is 2, expected 3");
  CHECK(refusal([](Tensors& t, Facts&) {
          t["center"] = tensor<float>("center", {3}, {0, NAN, 0});
        }) == "'m': tensor 'center' has NaN at index 1, expected finite numbers");
  CHECK(refusal([](Tensors& t, Facts&) { t["gamma"] = tensor<double>("gamma", {}, {INFINITY}); }) ==
        "'m': tensor 'gamma' has infinity at index 0, expected finite numbers");
  CHECK(refusal([](Tensors& t, Facts&) {
          t["encoder.0.weight"].shape = {5, 7};
        }) == "'m': tensor 'encoder.0.weight' is 5 x 7, expected 7 x 5 as the net says");
  CHECK(refusal([](Tensors& t, Facts&) {
          t["scaler.mean"] = tensor<double>("x", {5}, {0, 0, 0.5, 0, 0});
          t["scaler.scale"] = tensor<double>("x", {5}, {1, 1, 0, 1, 1});
        }) ==
        "'m': the scaler's feature 2 has mean 0.5 and scale 0, expected finite numbers and a "
        "positive scale");
  for (const double height : {0.0, 2.5, 1e300}) {
    CHECK(refusal([&](Tensors& t, Facts&) {
            t.erase("scaler.mean");
            t.erase("scaler.scale");
            t["scaler.softened_image"] = tensor<double>("x", {3}, {1, height, 5});
          }).find("'m': the softened image's shape has the number ") == 0);
  }
  CHECK(refusal([](Tensors& t, Facts&) {
          t.erase("scaler.mean");
          t.erase("scaler.scale");
          t["scaler.softened_image"] = tensor<double>("x", {3}, {1, 2, 5});
        }) == "'m': the scaler is for 10 features, the net takes 5");
  CHECK(refusal([](Tensors& t, Facts&) {
          t["score.latent"] = tensor<double>("x", {2}, {1, 0});
        }) == "'m': a score term's divisor is 0, expected a positive number");
}

TEST_CASE("a model of format version 1 is read: no checksum, no self-test") {
  using Tensors = std::map<std::string, Tensor>;
  CHECK(refusal([](Tensors& t, Facts& words) {
          words["format_version"] = "1";
          t.erase("self_test.row");
          t.erase("self_test.score");
        }) == "nothing thrown");

  const std::string file = to_tensor_file(trained<float>(quick())).serialize();
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = file;
    return changed.replace(changed.find(from), from.size(), to);
  };
  const auto read = [](const std::string& bytes) {
    return from_tensor_file<float>(TensorFile::parse(bytes, "m"));
  };
  // The word's name made another, of the same length.
  const std::string without = with("\"checksum\"", "\"chocksum\"");
  CHECK_THROWS_WITH_AS(read(without), "'m': the metadata have no checksum", FileError);
  std::string older = without;
  const std::string version = "\"format_version\":\"2\"";
  older.replace(older.find(version), version.size(), "\"format_version\":\"1\"");
  CHECK(read(older).threshold() == read(file).threshold());
}

TEST_CASE("a model that computes something else than when it was written is refused") {
  using Tensors = std::map<std::string, Tensor>;
  const std::string sentence = "'m': the model's self-test row has the ";
  // Whatever is well-formed: a word of the net, a number of it, the weight of a term, the scale of a feature.
  CHECK(refusal([](Tensors&, Facts& words) {
          std::string& net = words["net"];
          net.replace(net.find("sigmoid"), 7, "tanh");
        }).find(sentence) == 0);
  CHECK(refusal([](Tensors& t, Facts&) {
          auto bias = t["decoder.2.bias"].as<float>();
          bias[0] += 0.01f;
          t["decoder.2.bias"] = tensor<float>("x", {5}, bias);
        }).find(sentence) == 0);
  CHECK(refusal([](Tensors& t, Facts&) {
          t["score.reconstruction"] = tensor<double>("x", {2}, {1, 5.01});
        }).find(sentence) == 0);
  CHECK(refusal([](Tensors& t, Facts&) {
          auto scale = t["scaler.scale"].as<double>();
          scale[4] *= 1.5;
          t["scaler.scale"] = tensor<double>("x", {5}, scale);
        }).find(sentence) == 0);
  CHECK(refusal([](Tensors& t, Facts&) { t.erase("self_test.score"); }) ==
        "'m': there is no tensor 'self_test.score'");
  CHECK(refusal([](Tensors& t, Facts&) {
          t["self_test.row"] = tensor<float>("x", {4}, {0, 0, 0, 0});
        }) == "'m': tensor 'self_test.row' is 4, expected 5");
}

TEST_CASE("a small file that takes much to score is refused, unless the caller allows it") {
  // After the first layer 7 numbers are enlarged to 7 million, by a layer without a parameter, and shrunk again.
  const TensorFile good = to_tensor_file(trained<float>(quick()));
  TensorFile bomb = copied_file(good, [](std::string name) {
    if (name.compare(0, 10, "encoder.2.") == 0) name[8] = '5';
    return name.compare(0, 10, "self_test.") == 0 ? std::string() : name;
  });
  std::string net = good.metadata("net");
  net.insert(net.find(R"(["dense",7,3,1])"),
             R"(["upsample_nearest2d",1,1,7,256],["upsample_nearest2d",1,256,1792,4],)"
             R"(["max_pool2d",1,1024,7168,1024,1024],)");
  bomb.set_metadata("net", net);
  CHECK(bomb.serialize().size() < 4000);

  const auto read = [&](const LoadLimits& limits) {
    return from_tensor_file<float>(bomb, {}, limits);
  };
  LoadLimits limits;
  CHECK_THROWS_WITH_AS(read(limits), doctest::Contains("the model takes a workspace of 56371"),
                       FileError);
  limits.workspace_bytes = std::int64_t(1) << 33;
  const std::int64_t cost = read(limits).model().multiply_adds();
  limits.multiply_adds = cost - 1;
  CHECK_THROWS_WITH_AS(
      read(limits),
      doctest::Contains(
          ("multiply-adds a row or more, at most " + std::to_string(cost - 1)).c_str()),
      FileError);
  CHECK(read(LoadLimits::none()).model().multiply_adds() == cost);
}

namespace {

/// A model of a net that has no parameters, without a decoder.
TensorFile bare_model(const std::string& encoder, Index code) {
  TensorFile file;
  for (const auto& [key, word] : std::map<std::string, std::string>{
           {"format", "dasvdd"},
           {"format_version", "1"},
           {"members", "1"},
           {"net", "{\"decoder\":[],\"encoder\":[" + encoder + "]}"}})
    file.set_metadata(key, word);
  const std::vector<float> center(static_cast<std::size_t>(code));
  const double one = 1, unused[] = {0, 1}, used[] = {1, 1};
  file.add("center", {code}, center.data());
  file.add("gamma", {}, &one);
  file.add("threshold", {}, &one);
  file.add("score.reconstruction", {2}, unused);
  file.add("score.latent", {2}, used);
  return file;
}

/// Why a file is refused under limits of so many multiply-adds and bytes.
std::string refused_under(const TensorFile& file, std::int64_t multiply_adds, std::int64_t bytes) {
  try {
    from_tensor_file<float>(file, {}, {multiply_adds, bytes});
  } catch (const FileError& error) {
    return error.what();
  }
  return "nothing thrown";
}

constexpr std::int64_t any = std::numeric_limits<std::int64_t>::max();

/// Refused for this cost, and taken where one more is allowed.
void check_limits(const TensorFile& file, std::int64_t least_cost, std::int64_t least_bytes) {
  const std::string cost = refused_under(file, least_cost - 1, any);
  CHECK(cost.find("the model takes the time of ") == 0);
  CHECK(cost.find("multiply-adds a row or more") != std::string::npos);
  CHECK(refused_under(file, any, least_bytes - 1).find("the model takes a workspace of ") == 0);
}

}  // namespace

TEST_CASE("a model's workspace is counted whole: the rows, the score, and what packing adds") {
  // Of an input that no layer gives, tiles of 96 rows are all there is.
  const TensorFile pool = bare_model(R"(["max_pool2d",1,256,256,64,64])", 16);
  check_limits(pool, 48 * 65536, 96 * 65536 * 4);
  CHECK(refused_under(pool, any, 96 * 65536 * 4 + 65536) == "nothing thrown");

  // The distances to very many centers.
  TensorFile centers = bare_model(R"(["dense",1,1,0])", 1);
  centers.set_metadata("net", R"({"encoder":[["dense",1,1,0]],"decoder":[["dense",1,1,0]]})");
  const float one = 1;
  centers.add("encoder.0.weight", {1, 1}, &one);
  centers.add("decoder.0.weight", {1, 1}, &one);
  const std::vector<float> places(20000, 1.0f);
  centers.add("score.latent.centers", {20000, 1}, places.data());
  check_limits(centers, 20000, 96 * 20000 * 4);
  // A vast number of rows without numbers is no number of centers.
  TensorFile none = bare_model(R"(["max_pool2d",1,8,8,4,4])", 4);
  none.add("score.latent.centers", {any, 0}, places.data());
  CHECK(refused_under(none, any, any) ==
        "the score's latent term is of the decoded code but the net has no decoder");
  CHECK(refused_under(centers, any, 97 * 20000 * 4 + 65536) == "nothing thrown");

  // One output takes a strip of many.
  const Index d = 20000, panel = kernels::best<float>().panel;
  TensorFile wide = bare_model(R"(["dense",20000,1,0])", 1);
  wide.add("encoder.0.weight", {1, d}, std::vector<float>(static_cast<std::size_t>(d)).data());
  check_limits(wide, d * panel, (96 + panel - 1) * d * 4);
  CHECK(refused_under(wide, any, (96 + panel - 1) * d * 4 + 65536) == "nothing thrown");
}

TEST_CASE("a row's time is counted where a layer has few multiply-adds, or none") {
  std::string activations = R"(["upsample_nearest2d",1,1,1000,1])";
  for (int i = 0; i < 100; ++i) activations += R"(,["gelu"])";
  check_limits(bare_model(activations, 1000), 100 * 1000 * 32, 96 * 1000 * 4);
  // Comparisons are not carried out as wide products are.
  check_limits(bare_model(R"(["max_pool2d",1,64,64,32,1],["max_pool2d",1,33,33,33,33])", 1),
               48 * 33 * 33 * 1024, 96 * 64 * 64 * 4);
  // The weights meet the zeros around the one pixel, too.
  TensorFile transposed = bare_model(R"(["conv_transpose2d",1,1,1,1,32,1,0,0])", 1024);
  transposed.add("encoder.0.weight", {1, 1, 32, 32}, std::vector<float>(1024).data());
  check_limits(transposed, 1024 * 32 * 63, 96 * 1024 * 4);
  TensorFile strided = bare_model(R"(["conv2d",1,64,64,1,32,32,0,0])", 4);
  strided.add("encoder.0.weight", {1, 1, 32, 32}, std::vector<float>(1024).data());
  check_limits(strided, 16 * 1024, 96 * 64 * 64 * 4);
}

TEST_CASE("a masked row's time is counted") {
  // Each missing value is a step of two products.
  const auto read = [](bool masks, std::int64_t multiply_adds) {
    const Options options = quick(ScoreForm::whitened, true);
    TensorFile file = to_tensor_file(trained<float>(options));
    const double one = 1;
    if (masks) file.add("scaler.masks_missing", {}, &one);
    return refused_under(file, multiply_adds, any);
  };
  std::int64_t cost = 1;  // of a row without missing values
  while (read(false, cost) != "nothing thrown") ++cost;
  CHECK(read(true, cost).find("the model takes the time of ") == 0);
  CHECK(read(true, cost + masked_cost(5) - 1).find("the model takes the time of ") == 0);
  CHECK(read(true, cost + masked_cost(5)) == "nothing thrown");
}

TEST_CASE("ordinary models stay far below what a model may cost") {
  const LoadLimits limits;
  const auto check = [&](const Autoencoder<float>& net, Index members, bool masks = false) {
    const Index d = net.inputs();
    const TermSize whitened{d, !masks || d < 1000}, centers{d, false, 2000};
    const std::int64_t cost =
        forward_cost(net.joined()) + whitened.cost(masks) + centers.cost(false);
    CHECK(members * cost < limits.multiply_adds / (masks ? 1 : 4));
    const std::int64_t bytes =
        WorkspaceSize<float>(96, masks).cover(net, whitened, centers).bytes();
    CHECK(bytes + members * PackedNetwork<float>::padding_bytes(net) < limits.workspace_bytes / 2);
  };
  for (const char* name : {"mnist", "cifar10", "speech", "pima"})
    check(paper_preset<float>(name).net, 9);
  check(conv_autoencoder<float>({1, 28, 28}), 9);
  check(conv_autoencoder<float>({3, 32, 32}), 9);
  check(conv_autoencoder<float>({3, 96, 96}, {32, 64, 128}, 128), 3);
  check(paper_preset<float>("mnist").net, 9, true);
  // As the tool's fit makes them of tables that lack values: above 2,000 features it whitens none.
  const TermSize widest{1900, true};
  CHECK(9 * widest.cost(true) < limits.multiply_adds);
}

TEST_CASE("warnings that are no list of sentences are refused") {
  for (const char* word : {"", "none", "{}", "[1]", R"(["a",null])", R"(["a")"}) {
    CHECK(refusal([&](std::map<std::string, Tensor>&, Facts& words) {
            words["warnings"] = word;
          }) == "'m': the metadata's 'warnings' is no JSON list of strings");
  }
  CHECK(refusal([](std::map<std::string, Tensor>&, Facts& words) { words["warnings"] = "[]"; }) ==
        "nothing thrown");
}

TEST_CASE("save and load take paths, strings and literals") {
  const TemporaryFolder folder;
  const std::string name = folder / "m.safetensors";
  const std::filesystem::path path = name;
  const auto detector = trained<double>(quick());
  save(detector, path);
  check_same(detector, load<double>(name.c_str()));
  save(detector, name);
  check_same(detector, load<double>(path));
  const std::string deeper = "'" + name + "/deeper': ";
  CHECK_THROWS_WITH_AS(load<double>(path / "deeper"), doctest::Contains(deeper.c_str()), FileError);
}

TEST_CASE("a net that is no net is refused, and a vast one before memory is taken for it") {
  const auto with_net = [](const std::string& net) {
    return refusal([&](std::map<std::string, Tensor>&, Facts& words) { words["net"] = net; });
  };
  const auto with_encoder = [&](const std::string& encoder) {
    return with_net(R"({"decoder":[["dense",3,5,1]],"encoder":)" + encoder + "}");
  };
  CHECK(with_net("{") == "'m': the metadata's 'net' is no JSON object of encoder and decoder");
  CHECK(with_net("[]") == "'m': the metadata's 'net' is no JSON object of encoder and decoder");
  CHECK(with_encoder("7") == "'m': the encoder is no list of layers");
  CHECK(with_encoder("[]") == "'m': the encoder has no layer");
  CHECK(with_encoder("[[7]]") == "'m': layer 0 of the encoder is no list of a name and numbers");
  CHECK(with_encoder(R"([["dense","5",3,1]])") ==
        "'m': layer 0 of the encoder has something else than numbers behind its name");
  for (const char* sizes : {"5,3", "5,3.5,1", "-5,3,1", "5,3,1,1", "1e18,3,1"}) {
    CHECK(with_encoder("[[\"dense\"," + std::string(sizes) + "]]") ==
          "'m': layer 0 of the encoder is dense but not followed by inputs, outputs and 0 or 1");
  }
  CHECK(with_encoder(R"([["dense",5,3,1],["swoosh"]])")
            .find("'m': the activation is 'swoosh', expected one of identity, ") == 0);
  // Numbers that no activation of today has.
  const auto activation = [&](const std::string& f) {
    return with_encoder(R"([["dense",5,7,1],)" + f + R"(,["dense",7,3,1],["leaky_relu",0.01]])");
  };
  CHECK(activation(R"(["leaky_relu",0.01,0.02])") ==
        "'m': layer 1 of the encoder is leaky_relu followed by 2 numbers, expected its parameter "
        "alone");
  for (const char* name : {"identity", "relu", "selu", "gelu", "silu", "softplus", "tanh"}) {
    CHECK(activation("[\"" + std::string(name) + "\",0]") ==
          "'m': layer 1 of the encoder is " + std::string(name) +
              " followed by 1 number, expected none");
  }
  CHECK(with_encoder(R"([["relu"]])").find("can't be the first layer") != std::string::npos);
  CHECK(with_encoder(R"([["dense",5,4,1]])") ==
        "'m': the decoder takes a code of 3 numbers, the encoder gives 4");
  CHECK(with_encoder(R"([["dense",5,100000,1],["dense",100000,100000,1],["dense",100000,3,1]])") ==
        "'m': tensor 'encoder.0.weight' is 7 x 5, expected 100000 x 5 as the net says");
  CHECK(with_encoder(
            R"([["dense",5,1000000,1],["dense",1000000,1000000,1],["dense",1000000,3,1]])") ==
        "'m': the model takes the time of 1000101000480 multiply-adds a row or more, at most "
        "68719476736 are allowed; LoadLimits, --trust-model or trusted=True allow more to a model "
        "of your own");
  std::string deep = "[[\"dense\",5,3,1]";
  for (int i = 0; i < 10000; ++i) deep += ",[\"relu\"]";
  CHECK(with_encoder(deep + "]") == "'m': the encoder has 10001 layers, at most 10000 are read");
}

TEST_CASE("feature names come back, and are checked") {
  Options options = quick();
  options.feature_names = {"flow", "current", "\"pressure, bar\"",
                           "Gr\xc3\xb6\xc3\x9f"
                           "e",
                           "t"};
  const auto detector = trained<float>(options);
  CHECK(detector.feature_names() == options.feature_names);
  CHECK(again(detector).feature_names() == options.feature_names);
  CHECK(detector.with_threshold(2).feature_names() == options.feature_names);
  CHECK(detector.compacted().feature_names() == options.feature_names);
  CHECK(trained<float>(quick()).feature_names().empty());
  CHECK(to_tensor_file(trained<float>(quick())).metadata().count("feature_names") == 0);

  const auto refused = [](const char* word) {
    return refusal(
        [&](std::map<std::string, Tensor>&, Facts& words) { words["feature_names"] = word; });
  };
  CHECK(refused(R"(["a","b","c","d","e"])") == "nothing thrown");
  CHECK(refused(R"("a")") == "'m': the metadata's 'feature_names' is no JSON list of strings");
  CHECK(refused(R"(["a","b"])") == "'m': there are 2 feature names, the net takes 5 features");
  CHECK(refused(R"(["a","b","c","d","a"])") == "'m': two features are named 'a'");
  CHECK(refused(R"(["a","b","","d","e"])") == "'m': feature 2 has an empty name");
}

TEST_CASE("names that don't fit the rows are refused before anything is trained") {
  Options options = quick();
  options.feature_names = {"a", "b"};
  CHECK_THROWS_WITH_AS(trained<float>(options), "there are 2 feature names for 5 features",
                       InvalidArgument);
  options.feature_names = {"a", "b", "c", "d", "b"};
  CHECK_THROWS_WITH_AS(trained<float>(options), "two features are named 'b'", InvalidArgument);
  FitOptions of_table;
  of_table.feature_names = {"a"};
  CHECK_THROWS_WITH_AS(fit(rows<float>(40, 5), of_table),
                       "there are 1 feature names for 5 features", InvalidArgument);
  ImageOptions of_images;
  of_images.feature_names = {"a"};
  CHECK_THROWS_WITH_AS(fit_images(rows<float>(40, 9), of_images),
                       "there are 1 feature names for 9 features", InvalidArgument);
  // An ensemble's nets call their features the same.
  of_table.feature_names = {"a", "b", "c", "d", "e"};
  of_table.ensemble_size = 2;
  of_table.steps = 5;
  const auto named = fit(rows<float>(40, 5), of_table);
  CHECK(named.feature_names() == of_table.feature_names);
  of_table.feature_names = {};
  const auto nameless = fit(rows<float>(40, 5), of_table);
  try {
    ensemble<float>({named, nameless}, 1);
    FAIL("nothing thrown");
  } catch (const InvalidArgument& error) {
    CHECK(std::string(error.what()) ==
          "detector 1 of the ensemble has other feature names than detector 0");
  }
}
