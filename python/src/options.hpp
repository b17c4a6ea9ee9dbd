#pragma once
/// \file
/// Options as Python's words: each word of an options struct once, for reading and for telling the defaults.

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <dasvdd/fit/fit_options.hpp>
#include <dasvdd/fit/image_options.hpp>
#include <dasvdd/train/mixed_precision.hpp>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace nb = nanobind;

namespace dasvdd::python {

/// "mnist is 3, expected ..." and the like: an object as it may stand in a sentence.
inline std::string shown(nb::handle value) { return nb::cast<std::string>(nb::repr(value)); }

/// Takes an options struct's numbers out of a dict; a word that is not there, or None, leaves the default.
class OptionReader {
 public:
  explicit OptionReader(nb::dict words) : words_(std::move(words)) {}

  void operator()(const char* word, bool& value) { read(word, value, "True or False"); }
  void operator()(const char* word, double& value) { read(word, value, "a number"); }
  template <class Whole, class = std::enable_if_t<std::is_integral_v<Whole>>>
  void operator()(const char* word, Whole& value) {
    read(word, value, std::is_unsigned_v<Whole> ? "a whole number from 0" : "a whole number");
  }
  void operator()(const char* word, GammaRule& rule) {
    const nb::object given = take(word);
    if (given.is_none()) return;
    if (nb::isinstance<GammaRule>(given)) {
      rule = nb::cast<GammaRule>(given);
    } else if (PyFloat_Check(given.ptr()) || PyLong_Check(given.ptr())) {
      rule = GammaRule::value(nb::cast<double>(given));
    } else {
      rule = name(word, given) == "ratio_of_means" ? GammaRule::ratio_of_means()
             : name(word, given) == "mean_of_ratios"
                 ? GammaRule::mean_of_ratios()
                 : refuse<GammaRule>(word, given,
                                     "a number, a GammaRule, "
                                     "\"ratio_of_means\" or \"mean_of_ratios\"");
    }
  }
  void operator()(const char* word, CenterRule::Kind& kind) {
    choose(word, kind,
           {{"adagrad", CenterRule::Kind::adagrad},
            {"batch_mean", CenterRule::Kind::batch_mean},
            {"fixed", CenterRule::Kind::fixed}});
  }
  void operator()(const char* word, ScoreForm& form) {
    choose(word, form,
           {{"published", ScoreForm::published},
            {"balanced", ScoreForm::balanced},
            {"latent_whitened", ScoreForm::latent_whitened},
            {"whitened", ScoreForm::whitened},
            {"several_centers", ScoreForm::several_centers}});
  }
  void operator()(const char* word, FitOptions::Missing& rule) {
    choose(word, rule,
           {{"refuse", FitOptions::Missing::refuse},
            {"mask", FitOptions::Missing::mask},
            {"impute", FitOptions::Missing::impute}});
  }
  void operator()(const char* word, ImageOptions::Kind& kind) {
    choose(word, kind,
           {{"objects", ImageOptions::Kind::objects},
            {"photographs", ImageOptions::Kind::photographs}});
  }
  void operator()(const char* word, std::vector<std::string>& names) {
    const nb::object given = take(word);
    if (!given.is_none() && !nb::try_cast(given, names))
      refuse<int>(word, given, "a list of names");
  }
  /// "own", "mixed" for the fastest set, or a set's name.
  void operator()(const char* word, detail::Precision& precision) {
    const nb::object given = take(word);
    if (given.is_none()) return;
    const std::string text = name(word, given);
    if (text == "own") {
      precision = {};
    } else {
      precision = text == "mixed" ? mixed_precision() : mixed_precision(text.c_str());
    }
  }
  void operator()(const char* word, Shape& shape) {
    const nb::object given = take(word);
    if (given.is_none()) return;
    if (!nb::isinstance<nb::sequence>(given) || nb::len(given) != 3)
      refuse<int>(word, given, "channels, height and width");
    for (std::size_t i = 0; i < 3; ++i) {
      Index& size = i == 0 ? shape.channels : i == 1 ? shape.height : shape.width;
      if (!nb::try_cast<Index>(given[i], size))
        refuse<int>(word, given, "channels, height and width");
    }
  }

  /// Throws for words that are no option.
  void end() const {
    for (const auto [word, value] : words_) {
      throw nb::type_error(("there is no option '" + nb::cast<std::string>(word) + "'").c_str());
    }
  }

 private:
  template <class T>
  using Choices = std::initializer_list<std::pair<const char*, T>>;

  nb::object take(const char* word) {
    if (!words_.contains(word)) return nb::none();
    nb::object value = words_[word];
    nb::del(words_[word]);
    return value;
  }
  template <class T>
  void read(const char* word, T& value, const char* expected) {
    nb::object given = take(word);
    if (given.is_none()) return;
    // NumPy's numbers too: int(), unless it would cut something off.
    if (nb::hasattr(given, "item") && !nb::hasattr(given, "__len__")) given = given.attr("item")();
    const bool flag = PyBool_Check(given.ptr());
    if (flag != std::is_same_v<T, bool> || !nb::try_cast<T>(given, value))
      refuse<int>(word, given, expected);
  }
  template <class T>
  void choose(const char* word, T& value, Choices<T> choices) {
    const nb::object given = take(word);
    if (given.is_none()) return;
    const std::string text = name(word, given);
    std::string known;
    for (const auto& [choice, meaning] : choices) {
      if (text == choice) {
        value = meaning;
        return;
      }
      known += std::string(known.empty() ? "one of " : ", ") + choice;
    }
    refuse<int>(word, given, known.c_str());
  }
  static std::string name(const char* word, nb::handle given) {
    std::string text;
    if (!nb::try_cast<std::string>(given, text)) refuse<int>(word, given, "a name");
    return text;
  }
  template <class T>
  [[noreturn]] static T refuse(const char* word, nb::handle given, const char* expected) {
    throw InvalidArgument(detail::sentence(word, " is ", shown(given), ", expected ", expected));
  }

  nb::dict words_;
};

/// Calls visit(word, member) for each option; in Python all are flat.
template <class Visit>
void each_word(detail::RunOptions& o, Visit&& visit) {
  visit("seed", o.seed);
  visit("threads", o.threads);
  visit("precision", o.precision);
  visit("feature_names", o.feature_names);
}
template <class Visit>
void each_training_word(detail::TrainingOptions& o, Visit&& visit) {
  each_word(o, visit);
  visit("batch_size", o.batch_size);
  visit("kappa", o.kappa);
  visit("gamma", o.gamma);
  visit("center", o.center.kind);
  visit("center_learning_rate", o.center.learning_rate);
  visit("center_decay", o.center.decay);
  visit("learning_rate", o.adam.learning_rate);
  visit("beta1", o.adam.beta1);
  visit("beta2", o.adam.beta2);
  visit("epsilon", o.adam.epsilon);
  visit("weight_decay", o.adam.weight_decay);
  visit("standardize", o.standardize);
  visit("missing", o.missing);
  visit("score", o.score);
}
template <class Visit>
void each_word(FitOptions& o, Visit&& visit) {
  each_training_word(o, visit);
  visit("ensemble_size", o.ensemble_size);
  visit("steps", o.steps);
  visit("epochs", o.epochs);
  visit("contamination", o.contamination);
}
template <class Visit>
void each_word(Options& o, Visit&& visit) {
  each_training_word(o, visit);
  visit("epochs", o.epochs);
  visit("final_rate", o.final_rate);
  visit("validation", o.validation);
  visit("patience", o.patience);
  visit("contrast_floor", o.contrast_floor);
  visit("soften", o.soften);
  visit("shuffle", o.shuffle);
  visit("training_quantile", o.training_quantile);
}
template <class Visit>
void each_word(ImageOptions& o, Visit&& visit) {
  each_word(static_cast<detail::RunOptions&>(o), visit);
  visit("ensemble_size", o.ensemble_size);
  visit("kind", o.kind);
  visit("shape", o.shape);
  visit("epochs", o.epochs);
}

/// The options that `words` name.
template <class AnyOptions>
AnyOptions options_of(const nb::dict& words) {
  AnyOptions options;
  OptionReader reader(nb::cast<nb::dict>(words.attr("copy")()));
  each_word(options, reader);
  reader.end();
  return options;
}

/// The defaults that are numbers, for the test that compares them with the signatures in Python.
template <class AnyOptions>
nb::dict numbers_of(AnyOptions options) {
  nb::dict words;
  each_word(options, [&](const char* word, const auto& value) {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) words[word] = value;
  });
  return words;
}

}  // namespace dasvdd::python
