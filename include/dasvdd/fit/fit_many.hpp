#pragma once
/// \file
/// One small detector for each group of rows: `auto bank = dasvdd::fit_many(X, keys);`

#include <dasvdd/detect/bank.hpp>
#include <dasvdd/detect/places.hpp>
#include <dasvdd/fit/bank_options.hpp>
#include <dasvdd/fit/batch.hpp>
#include <dasvdd/fit/member.hpp>
#include <dasvdd/train/far_values.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Rows of one group, by their numbers in the table.
struct Group {
  std::string key;
  std::vector<Index> rows;
};

/// The groups of rows with one key each, in the order of the keys' bytes.
inline std::vector<Group> groups_of(const std::vector<std::string>& keys, Index n) {
  ensure(static_cast<Index>(keys.size()) == n, "there are ", keys.size(), " keys for ", n,
         " rows, expected one a row");
  std::map<std::string_view, std::vector<Index>> rows;
  for (std::size_t i = 0; i < keys.size(); ++i) rows[keys[i]].push_back(static_cast<Index>(i));
  std::vector<Group> groups;
  for (auto& [key, numbers] : rows) groups.push_back({std::string(key), std::move(numbers)});
  return groups;
}

/// The groups of rows that lie one group behind the other, in the order of their keys' bytes.
inline std::vector<Group> groups_of(const std::vector<Index>& offsets, Index n) {
  ensure(!offsets.empty() && offsets.front() == 0 && offsets.back() == n,
         "the offsets of groups must begin with 0 and end with ", n, ", the number of rows");
  // All of them, before rows are listed: one in the middle may be far beyond n.
  for (std::size_t g = 0; g + 1 < offsets.size(); ++g) {
    ensure(offsets[g] <= offsets[g + 1], "offset ", g + 1, " is ", offsets[g + 1],
           ", below the one before it, ", offsets[g]);
  }
  std::vector<Group> groups;
  for (std::size_t g = 0; g + 1 < offsets.size(); ++g) {
    groups.push_back({std::to_string(g), {}});
    for (Index i = offsets[g]; i < offsets[g + 1]; ++i) groups.back().rows.push_back(i);
  }
  std::sort(groups.begin(), groups.end(),
            [](const Group& a, const Group& b) { return a.key < b.key; });
  return groups;
}

/// A number for a word, FNV-1a: groups of other keys have other seeds, whatever else is in the table.
inline std::uint64_t hash_of(std::string_view word) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

/// Why a group of n rows is too small or too large; empty where it is neither.
inline std::string size_refusal(Index n, Index least) {
  if (n < least)
    return sentence("has ", n, n == 1 ? " row" : " rows", ", expected at least ", least);
  if (n > BankLayout::most_rows)
    return sentence("has ", n, " rows, expected at most ", BankLayout::most_rows);
  return {};
}

/// Why a group can get no detector, a sentence that begins behind its name; empty where it can.
inline std::string refusal_of(const AnyRows& X, const Group& group, const BankOptions& options,
                              const Places& places) {
  const std::string size = size_refusal(static_cast<Index>(group.rows.size()), options.least_rows);
  if (!size.empty()) return size;
  const auto place = [&](Index i, Index j) {
    return places.row_text(i) + ", " +
           places.column_text(options.feature_names, static_cast<std::size_t>(j));
  };
  bool constant = true;
  for (const Index i : group.rows) {
    for (Index j = 0; j < X.cols(); ++j) {
      const double x = X(i, j);
      if (!is_finite(x))
        return sentence("has ", non_finite_name(x), " in ", place(i, j),
                        "; every value must be finite");
      if (std::abs(x) > static_cast<double>((std::numeric_limits<float>::max)()))
        return sentence("has ", x, " in ", place(i, j), ", too large for a detector in float");
      constant = constant && x == X(group.rows.front(), j);
    }
  }
  if (constant) return "is constant: all its rows are the same";
  return {};
}

/// Fewer rows than these leave out fewer than 99 in one fifth, too few for a threshold of one in a hundred: nets of all
/// five folds are then trained, the other four for the scores of their left-out rows alone.
constexpr Index one_fold_is_enough = 495;

/// The two terms of rows that nets left out, whose sums are the scores that new rows would get.
struct LeftOutTerms {
  std::vector<double> w, p;  ///< before they are weighed
  double reconstruction_weight = 0, latent_weight = 0;

  /// What one net says. The weights become those of the first net.
  template <class Scalar>
  void add(const LeftOut& rows, const Member<Scalar>& member) {
    w.insert(w.end(), rows.reconstruction.begin(), rows.reconstruction.end());
    p.insert(p.end(), rows.latent.begin(), rows.latent.end());
    if (reconstruction_weight > 0) return;
    reconstruction_weight = member.reconstruction.weight();
    latent_weight = member.latent.weight();
  }
  /// The weights of all nets' rows in place of those of the first's: a fifth of few rows would be measured by
  /// the largest among themselves, and be small by that alone.
  void divide_anew(double trust) {
    reconstruction_weight = 1 / Ninety(w, 0.01).of_all();
    if (latent_weight > 0) latent_weight = trust / Ninety(p, 1e-12).of_all();
  }
  std::vector<double> scores() const {
    std::vector<double> sums;
    for (std::size_t i = 0; i < w.size(); ++i)
      sums.push_back(std::fma(reconstruction_weight, w[i], latent_weight * p[i]));
    return finite_scores<float>(std::move(sums));
  }
};

/// Fits one group into place `at` of the content, by the calling thread alone.
/// \tparam Scalar float
template <class Scalar>
DASVDD_COLD void fit_group(const AnyRows& X, const Group& group, const BankOptions& options,
                           BankContent& content, Index at) {
  const BankLayout& layout = content.layout;
  const Index n = static_cast<Index>(group.rows.size()), d = layout.d;
  const bool few = n < one_fold_is_enough;
  FitOptions of_fit;
  of_fit.seed = Random(options.seed, hash_of(group.key)).bits();
  of_fit.threads = 1;
  of_fit.steps = options.steps > 0 ? options.steps : few ? 400 : 1200;
  of_fit.adam.learning_rate = 4e-3;
  of_fit.feature_names = options.feature_names;

  // A few values far from all others would decide how their feature is scaled: their rows have no part.
  const std::vector<Index> far_rows = few_far_rows(far_values(ChosenRows(X, group.rows).rows()), n);
  std::vector<Index> used;
  for (const Index i : all_rows_but(far_rows, n)) {
    used.push_back(group.rows[static_cast<std::size_t>(i)]);
  }
  const ChosenRows chosen(X, used);
  const AnyRows rows = chosen.rows();
  FitTask<Scalar> task{rows, of_fit, nullptr, {}, all_rows(rows.rows()), {}, {}};
  task.form = {BankLayout::net<Scalar>, 0.1, layout.centers()};
  task.scaler = standardizer_of<Scalar>(rows, task.order, MissingRule::refuse);
  random_stream(of_fit.seed, Stream::fit_order).shuffle(task.order.data(), task.order.size());

  std::optional<Detector<Scalar>> detector;
  LeftOutTerms left_out;
  const auto go_on = [](const FitProgress&) { return true; };
  NetsProgress progress(Folds::count, go_on);
  for (Index fold = 0; fold < (few ? Folds::count : 1); ++fold) {
    auto fitted = fit_member(task, fold, progress);
    left_out.add(fitted->left_out, fitted->detector.model().members.front());
    if (fold == 0) detector = std::move(fitted->detector);
  }
  const double trust = 1 - static_cast<double>(d) / static_cast<double>(rows.rows());
  if (few) left_out.divide_anew(trust);
  std::vector<double> scores = left_out.scores();

  const Model<Scalar>& model = detector->model();
  const Member<Scalar>& member = model.members.front();
  float* floats = content.floats.data() + at * layout.floats();
  double* doubles = content.doubles.data() + static_cast<std::ptrdiff_t>(at * layout.doubles());
  std::int64_t* counts =
      content.counts.data() + static_cast<std::ptrdiff_t>(at * BankLayout::counts);
  Index l = 0;
  for (const auto& step : member.network.net().joined().steps()) {
    BankLayout::turn(member.parameters.data() + step.weight_at, step.inputs, step.inputs,
                     step.outputs, floats + layout.weight(l), step.outputs);
    std::copy_n(member.parameters.data() + step.bias_at, step.outputs, floats + layout.bias(l));
    ++l;
  }
  std::copy_n(member.center.data(), BankLayout::code, floats + layout.center());
  BankLayout::turn(member.reconstruction.whitening().data(), d, d, d, floats + layout.whitening(),
                   d);
  BankLayout::turn(member.latent.center_rows().data(), d, d, member.latent.centers(),
                   floats + layout.center_columns(), layout.centers());
  const std::vector<float> kept = thinned_scores(scores, BankLayout::kept_scores);
  std::copy(kept.begin(), kept.end(), floats + layout.scores());
  const auto& scaler = std::get<Standardizer<Scalar>>(model.scaler.kind());
  std::copy(scaler.mean().begin(), scaler.mean().end(), doubles + layout.mean());
  std::copy(scaler.scale().begin(), scaler.scale().end(), doubles + layout.scale());
  counts[BankLayout::rows] = n;
  counts[BankLayout::calibration] = static_cast<std::int64_t>(scores.size());
  counts[BankLayout::used_centers] = member.latent.centers();
  std::vector<std::string> unused;
  doubles[layout.threshold()] =
      threshold_or_largest(Calibration(std::move(scores)), usual_false_alarms, unused);
  doubles[layout.gamma()] = member.gamma;
  doubles[layout.reconstruction_weight()] = left_out.reconstruction_weight;
  doubles[layout.latent_weight()] = left_out.latent_weight;
}

/// fit_many() of groups in the order of their keys.
/// \tparam Scalar float
/// \param places of the rows in the file they are of
template <class Scalar>
Bank fit_groups(const AnyRows& X, const std::vector<Group>& groups, const BankOptions& options,
                FunctionRef<bool(const FitProgress&)> progress, const Places& places = {}) {
  options.validate();
  const Index d = X.cols();
  ensure(d > 0, "the training set has no columns");
  ensure(d <= BankLayout::most_features, "the training set has ", d,
         " columns, a bank's small detectors take at most ", BankLayout::most_features,
         "; fit() trains a larger one");
  ensure(options.feature_names.empty() || static_cast<Index>(options.feature_names.size()) == d,
         "there are ", options.feature_names.size(), " feature names for ", d, " features");
  ensure(X.rows() > 0, "the training set is empty");

  auto content = std::make_shared<BankContent>();
  content->layout = BankLayout{d};
  const BankLayout& layout = content->layout;
  content->feature_names = options.feature_names;
  content->facts = {{"seed", sentence(options.seed)}, {"steps", sentence(options.steps)}};
  std::vector<std::string> refusals;
  std::vector<std::size_t> fitted;
  for (const Group& group : groups) {
    refusals.push_back(refusal_of(X, group, options, places));
    if (refusals.back().empty()) fitted.push_back(refusals.size() - 1);
  }
  const Index count = static_cast<Index>(fitted.size());
  content->floats = AlignedBuffer<float>(count, layout.floats());
  content->doubles.resize(fitted.size() * static_cast<std::size_t>(layout.doubles()));
  content->counts.resize(fitted.size() * static_cast<std::size_t>(BankLayout::counts));

  // Groups are of all sizes: each thread takes the next one.
  std::mutex mutex;
  Index next = 0;
  FitProgress at;
  at.ensemble_size = 1;
  at.total = static_cast<Index>(groups.size());
  at.done = at.total - count;
  bool stopped = false;
  const FloatingPointMode::Host host;
  const auto take = [&](bool one_done) -> Index {
    const std::lock_guard<std::mutex> lock(mutex);
    if (one_done) {
      at.done += 1;
      if (!stopped) {
        stopped = true;  // should it throw
        const FloatingPointMode mode(host);
        stopped = !progress(at);
      }
    }
    return stopped || next == count ? -1 : next++;
  };
  const int threads = resolve_threads(options.threads);
  parallel(static_cast<int>((std::max)(Index(1), (std::min)(Index(threads), count))),
           [&](const Team& team) {
             team.guard([&] {
               for (Index i = take(false); i >= 0; i = take(true)) {
                 const std::size_t g = fitted[static_cast<std::size_t>(i)];
                 try {
                   fit_group<Scalar>(X, groups[g], options, *content, i);
                 } catch (const InvalidArgument& error) {
                   refusals[g] = sentence("can't be fitted: ", error.what());
                 }
               }
             });
           });
  for (Index i = next; i < count; ++i)
    refusals[fitted[static_cast<std::size_t>(i)]] = "was not fitted: the fit was stopped before";

  // Those that turned out to be refused leave no gap.
  Index kept = 0, candidate = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const bool tried = candidate < count && fitted[static_cast<std::size_t>(candidate)] == g;
    const Index from = candidate;
    candidate += tried;
    if (!refusals[g].empty()) {
      content->refused_keys.add(groups[g].key);
      content->refusals.add(refusals[g]);
      continue;
    }
    content->keys.add(groups[g].key);
    if (from != kept) {
      std::copy_n(content->floats_of(from), layout.floats(),
                  content->floats.data() + kept * layout.floats());
      std::copy_n(content->doubles_of(from), layout.doubles(),
                  content->doubles.data() + static_cast<std::ptrdiff_t>(kept * layout.doubles()));
      std::copy_n(content->counts_of(from), BankLayout::counts,
                  content->counts.data() + static_cast<std::ptrdiff_t>(kept * BankLayout::counts));
    }
    ++kept;
  }
  if (kept < count) {
    AlignedBuffer<float> floats(kept, layout.floats());
    std::copy_n(content->floats.data(), floats.size(), floats.data());
    content->floats = std::move(floats);
    content->doubles.resize(static_cast<std::size_t>(kept * layout.doubles()));
    content->counts.resize(static_cast<std::size_t>(kept * BankLayout::counts));
  }
  return Bank(std::move(content));
}

}  // namespace detail

/// Fits one small detector to each group of normal rows: `dasvdd::Bank bank = dasvdd::fit_many(X, keys);`
///
/// For thousands of metrics, machines or customers with tens to thousands of rows of a few features each. A group's
/// detector is one net with its center and its several-centers score, as fit() makes them, trained in milliseconds.
/// It has the same bits whatever other groups there are, and on any number of threads. A group that can't be fitted
/// (constant, too short, with NaN or infinity) costs its own sentence in Bank::refused(), not the run.
/// \param X n x d, of float or double; d at most 32
/// \param keys n, the group of each row, in any order
/// \param progress called as progress(const FitProgress&) after each group, by one thread at a time; `done` and `total`
///   count groups. Returning false ends the fit: groups that had not begun are among the refused.
/// \throws InvalidArgument for options out of range, more than 32 features, or not one key a row
template <class Batch, class Progress = detail::NoProgress>
Bank fit_many(const Batch& X, const std::vector<std::string>& keys, const BankOptions& options = {},
              Progress&& progress = {}) {
  const detail::AnyRows rows = detail::rows_of(X);
  return detail::fit_groups<float>(
      rows, detail::groups_of(keys, rows.rows()), options,
      [&](const FitProgress& at) { return detail::keep_going(progress, at); });
}
/// The same for rows that lie one group behind the other. Group g has the rows offsets[g] to offsets[g + 1] - 1, and the
/// key std::to_string(g).
/// \param offsets from 0 to n, ascending
template <class Batch, class Progress = detail::NoProgress>
Bank fit_many(const Batch& X, const std::vector<Index>& offsets, const BankOptions& options = {},
              Progress&& progress = {}) {
  const detail::AnyRows rows = detail::rows_of(X);
  return detail::fit_groups<float>(
      rows, detail::groups_of(offsets, rows.rows()), options,
      [&](const FitProgress& at) { return detail::keep_going(progress, at); });
}

DASVDD_NAMESPACE_END
