#pragma once
/// \file
/// `Bank`: many small detectors, one a group, as one value.

#include <dasvdd/core/parallel.hpp>
#include <dasvdd/detect/bank_layout.hpp>
#include <dasvdd/detect/detector.hpp>
#include <dasvdd/detect/thinned_scores.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Words one behind the other.
struct WordList {
  std::string text;
  std::vector<std::int64_t> ends;  ///< of each in the text

  Index size() const { return static_cast<Index>(ends.size()); }
  void add(std::string_view word) {
    text += word;
    ends.push_back(static_cast<std::int64_t>(text.size()));
  }
  std::string_view operator[](Index i) const {
    const auto at = static_cast<std::size_t>(i);
    const auto begin = static_cast<std::size_t>(i == 0 ? 0 : ends[at - 1]);
    return std::string_view(text).substr(begin, static_cast<std::size_t>(ends[at]) - begin);
  }
};

/// All that a Bank holds. G detectors, laid out as BankLayout says, in the order of their keys.
struct BankContent {
  BankLayout layout{1};
  WordList keys;                     ///< G, ascending by their bytes, each once
  AlignedBuffer<float> floats;       ///< G x layout.floats()
  std::vector<double> doubles;       ///< G x layout.doubles()
  std::vector<std::int64_t> counts;  ///< G x BankLayout::counts
  WordList refused_keys, refusals;   ///< ascending as well
  std::vector<std::string> feature_names;
  Facts facts;

  const float* floats_of(Index g) const { return floats.data() + g * layout.floats(); }
  const double* doubles_of(Index g) const {
    return doubles.data() + static_cast<std::ptrdiff_t>(g * layout.doubles());
  }
  const std::int64_t* counts_of(Index g) const {
    return counts.data() + static_cast<std::ptrdiff_t>(g * BankLayout::counts);
  }
  /// The place of a word in a sorted list; -1 where it isn't there.
  static Index place(const WordList& words, std::string_view word) {
    Index first = 0, last = words.size();
    while (first < last) {
      const Index middle = first + (last - first) / 2;
      if (words[middle] < word) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    return first < words.size() && words[first] == word ? first : -1;
  }
};

/// "seed 0, steps 30"
inline std::string words_of(const Facts& facts) {
  std::string words;
  for (const auto& [name, text] : facts) words += (words.empty() ? "" : ", ") + name + ' ' + text;
  return words;
}

}  // namespace detail

/// Many small detectors, one a group of rows (a metric, a machine, a customer), each a DASVDD net with its center, its
/// threshold and its p-values. fit_many() and load() make banks. A bank never changes, its copies share the numbers,
/// and any number of threads may score with one. All detectors lie in one block of memory, at most 8 KB each for up to
/// 20 features.
/// \code
/// dasvdd::Bank bank = dasvdd::fit_many(X, keys);  // one key a row
/// for (auto& [key, sentence] : bank.refused()) std::cerr << key << ": " << sentence << '\n';
/// auto scores = bank.score_many(X_new, keys_new);
/// \endcode
/// A row's score has the same bits in any batch and for any number of threads. Functions that take rows throw
/// InvalidArgument, and write nothing, for rows of another width or with NaN or infinity.
class Bank {
 public:
  /// A group that got no detector, and why.
  struct Refused {
    std::string key, sentence;
  };
  /// The memory that one thread scores in, made by make_workspace().
  class Workspace;

  /// Called by what makes banks: fit_many() and load().
  explicit Bank(
      std::shared_ptr<const detail::BankContent> content = std::make_shared<detail::BankContent>())
      : content_(std::move(content)) {}

  /// Detectors in it.
  Index size() const { return content_->keys.size(); }
  /// Features d that a row must have.
  Index features() const { return content_->layout.d; }
  const std::vector<std::string>& feature_names() const { return content_->feature_names; }
  /// Words about the fit: the seed, the steps.
  const std::map<std::string, std::string>& facts() const { return content_->facts; }
  /// Bytes that one detector takes, in memory and in the file; its key comes on top.
  std::size_t detector_bytes() const { return content_->layout.bytes(); }
  const detail::BankContent& content() const { return *content_; }
  /// One bank of all groups of several, for groups that were fitted in several places. It is, to the bit, what one
  /// fit_many() over all rows gives, as long as each group's rows come in the same order there. Only the row's number
  /// in the sentence of a group refused for NaN or a value too large is that of its part.
  /// \throws InvalidArgument where there is none, two have a group in common, or they differ in their features, feature
  ///   names or facts
  static Bank joined(const std::vector<Bank>& banks);

  // ---- groups -----------------------------------------------------------------------------------

  /// The place of a group's detector, from 0 to size() - 1 in the order of the keys' bytes; -1 where there is none.
  Index find(std::string_view key) const { return detail::BankContent::place(content_->keys, key); }
  std::string_view key(Index group) const {
    require_place(group);
    return content_->keys[group];
  }
  std::vector<std::string> keys() const { return words(content_->keys); }
  /// The groups that fit_many() could make no detector of, each with the reason in a sentence.
  std::vector<Refused> refused() const {
    std::vector<Refused> list;
    for (Index i = 0; i < content_->refusals.size(); ++i)
      list.push_back({std::string(content_->refused_keys[i]), std::string(content_->refusals[i])});
    return list;
  }
  /// Rows that a group's detector was fitted to.
  Index rows(Index group) const {
    require_place(group);
    return static_cast<Index>(content_->counts_of(group)[detail::BankLayout::rows]);
  }
  /// One group as a Detector of its own, for explain() and all else that one has. Its scores may differ from the
  /// bank's in the last digit.
  Detector<float> detector(std::string_view key) const;

  // ---- scores -----------------------------------------------------------------------------------

  /// The score of each row by one group's detector.
  /// \param X n x d
  detail::Vector<float> score(const detail::AnyRows& X, std::string_view key,
                              int threads = 0) const {
    return scores(X, std::vector<Index>(static_cast<std::size_t>(X.rows()), required(key)),
                  threads);
  }
  /// The score of each row by the detector of its own group. Rows of a group that fit_many() refused get NaN.
  /// \param X n x d
  /// \param keys n, one a row
  /// \throws InvalidArgument also for a key that the bank has never seen
  detail::Vector<float> score_many(const detail::AnyRows& X, const std::vector<std::string>& keys,
                                   int threads = 0) const {
    return scores(X, places(keys, X.rows()), threads);
  }
  /// Memory for one thread to score in.
  Workspace make_workspace() const;
  /// Scores of groups by their places, as find() gives them, by the calling thread alone; allocates nothing. A
  /// place of -1 gives NaN. Fastest where rows of one group follow each other.
  /// \param groups, scores n numbers
  void score_many(const detail::AnyRows& X, const Index* groups, Workspace& workspace,
                  float* scores) const;

  // ---- decisions --------------------------------------------------------------------------------

  /// A row of the group whose score is above it is called an anomaly: of new normal rows about one in a hundred, or
  /// the largest score of a left-out row where the group has fewer than 99.
  double threshold(Index group) const {
    require_place(group);
    return content_->doubles_of(group)[content_->layout.threshold()];
  }
  /// 1 for an anomaly, 0 for a normal row; -1 for a row of a group that was refused.
  Eigen::VectorXi predict(const detail::AnyRows& X, const std::vector<std::string>& keys,
                          int threads = 0) const {
    const std::vector<Index> groups = places(keys, X.rows());
    const detail::Vector<float> s = scores(X, groups, threads);
    Eigen::VectorXi labels(s.size());
    for (Index i = 0; i < s.size(); ++i) {
      const Index group = groups[static_cast<std::size_t>(i)];
      labels[i] = group < 0 ? -1 : static_cast<double>(s[i]) > threshold(group);
    }
    return labels;
  }
  /// The probability that a normal row of the group scores at least as high. Of more than 64 calibration scores some
  /// are kept: above 33 / (n + 1) of n scores a p-value may come out too large, by a tenth or so for up to 500
  /// scores and a third for thousands, never too small.
  double p_value(Index group, float score) const {
    require_place(group);
    detail::ensure(!detail::is_nan(static_cast<double>(score)),
                   "the score is NaN, expected a number or infinity");
    const Index n = calibration_size(group);
    detail::ensure(n > 0, "the group ", in_quotes(key(group)), " has no scores for a p-value");
    const Index above =
        detail::most_not_below(detail::kept_ranks(n, detail::BankLayout::kept_scores),
                               content_->floats_of(group) + content_->layout.scores(), score);
    return (1 + static_cast<double>(above)) / (1 + static_cast<double>(n));
  }
  /// Scores of rows that a net left out, behind a group's p-values.
  Index calibration_size(Index group) const {
    require_place(group);
    return static_cast<Index>(content_->counts_of(group)[detail::BankLayout::calibration]);
  }
  /// The places of the groups of n rows; -1 for a group that was refused.
  /// \throws InvalidArgument where there are not n keys, or one was never seen
  std::vector<Index> places(const std::vector<std::string>& keys, Index n) const {
    detail::ensure(static_cast<Index>(keys.size()) == n, "there are ", keys.size(), " keys for ", n,
                   " rows, expected one a row");
    std::vector<Index> groups;
    groups.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const bool again = i > 0 && keys[i] == keys[i - 1];
      const Index place = again ? groups.back() : find(keys[i]);
      if (place < 0 && !again) {
        detail::ensure(detail::BankContent::place(content_->refused_keys, keys[i]) >= 0, "row ", i,
                       " is of the group ", in_quotes(keys[i]), ", of which the bank of ", size(),
                       " groups has no detector");
      }
      groups.push_back(place);
    }
    return groups;
  }

 private:
  static std::string in_quotes(std::string_view word) { return "'" + std::string(word) + "'"; }
  static std::vector<std::string> words(const detail::WordList& list) {
    std::vector<std::string> result;
    for (Index i = 0; i < list.size(); ++i) result.emplace_back(list[i]);
    return result;
  }
  void require_place(Index group) const {
    detail::ensure(group >= 0 && group < size(), "the group's place is ", group, ", expected 0 to ",
                   size() - 1);
  }
  Index required(std::string_view key) const {
    const Index group = find(key);
    if (group >= 0) return group;
    const Index refused = detail::BankContent::place(content_->refused_keys, key);
    detail::ensure(refused < 0, "the group ", in_quotes(key), " has no detector: it ",
                   refused < 0 ? std::string_view() : content_->refusals[refused]);
    detail::ensure(false, "the bank of ", size(), " groups has no group ", in_quotes(key));
    return -1;
  }
  detail::Vector<float> scores(const detail::AnyRows& X, const std::vector<Index>& groups,
                               int threads) const;

  std::shared_ptr<const detail::BankContent> content_;
};

/// The packed weights of one detector at a time, and rows on their way through its net.
class Bank::Workspace {
 private:
  friend class Bank;
  using Layout = detail::BankLayout;
  /// Rows that are scored together, and the room for one: no layer is wider.
  static constexpr Index tile = detail::kernels::batch_tile, stride = Layout::most_features;

  explicit Workspace(std::shared_ptr<const detail::BankContent> content)
      : content_(std::move(content)),
        k_(&detail::kernels::best<float>()),
        x_(tile, stride),
        wide_(tile, stride),
        code_(tile, stride),
        output_(tile, stride),
        terms_(2 * tile),
        distances_(detail::round_up(content_->layout.centers(), k_->panel)),
        shift_(2 * stride),
        wide_shift_(stride),
        centers_(detail::round_up(content_->layout.centers(), k_->panel), content_->layout.d) {
    const Layout& layout = content_->layout;
    for (Index l = 0; l < Layout::layers; ++l) {
      const Index panels = detail::round_up(layout.outputs(l), k_->panel);
      weights_[l] = detail::AlignedBuffer<float>(layout.inputs(l), panels);
      biases_[l] = detail::AlignedBuffer<float>(panels);
    }
    whitening_ = detail::AlignedBuffer<float>(layout.d, detail::round_up(layout.d, k_->panel));
  }

  /// Packs a group's numbers, where they aren't yet.
  void prepare(Index group) {
    if (group == group_) return;
    group_ = group;
    const Layout& layout = content_->layout;
    const float* floats = content_->floats_of(group);
    const double* doubles = content_->doubles_of(group);
    for (Index l = 0; l < Layout::layers; ++l) {
      k_->pack_columns(floats + layout.weight(l), layout.outputs(l), layout.outputs(l),
                       layout.inputs(l), weights_[l].data());
      std::copy_n(floats + layout.bias(l), layout.outputs(l), biases_[l].data());
    }
    k_->pack_columns(floats + layout.whitening(), layout.d, layout.d, layout.d, whitening_.data());
    used_centers_ = static_cast<Index>(content_->counts_of(group)[Layout::used_centers]);
    if (used_centers_ > 0) {
      k_->pack_columns(floats + layout.center_columns(), layout.centers(), used_centers_, layout.d,
                       centers_.data());
    }
    for (Index j = 0; j < layout.d; ++j) {
      const detail::Standardizer<float>::Constants c(doubles[layout.mean() + j],
                                                     doubles[layout.scale() + j]);
      shift_[j] = c.shift;
      shift_[stride + j] = c.factor;
      wide_shift_[j] = c.wide_shift;
    }
    const double width = static_cast<double>(layout.d);
    reconstruction_factor_ = doubles[layout.reconstruction_weight()] / width;
    latent_factor_ = doubles[layout.latent_weight()] / width;
  }

  /// Scores of at most a tile of rows of the group that was prepared.
  void score(const detail::AnyRows& X, float* scores) {
    const Index n = X.rows(), d = X.cols();
    scale(X);
    layer(0, n, x_, wide_);
    layer(1, n, wide_, code_);
    layer(2, n, code_, wide_);
    layer(3, n, wide_, output_);
    double* reconstruction = terms_.data();
    double* latent = reconstruction + tile;
    for (Index i = 0; i < n; ++i) {
      k_->scaled_difference(output_.data() + i * stride, x_.data() + i * stride, 1.0f, d,
                            wide_.data() + i * stride);
    }
    k_->product({n, d, d, whitening_.data(), wide_.data(), stride, 1, x_.data(), stride}, nullptr,
                {});
    const Index strips = detail::ceil_div(used_centers_, k_->panel);
    for (Index i = 0; i < n; ++i) {
      reconstruction[i] = reconstruction_factor_ * static_cast<double>(k_->squared_distance(
                                                       x_.data() + i * stride, zeros(), d));
      latent[i] = 0;
      if (used_centers_ == 0) continue;
      k_->strip_terms(centers_.data(), output_.data() + i * stride, true, d, strips, latent_factor_,
                      distances_.data());
      latent[i] = *std::min_element(distances_.begin(), distances_.begin() + used_centers_);
    }
    k_->scores(reconstruction, latent, n, scores);
  }

  /// The rows in the net's units.
  void scale(const detail::AnyRows& X) {
    const Index d = X.cols();
    X.visit([&](auto rows) {
      for (Index i = 0; i < rows.rows(); ++i) {
        detail::Standardizer<float>::scale(*k_, rows.row(i), d, shift_.data(), wide_shift_.data(),
                                           shift_.data() + stride, x_.data() + i * stride);
      }
    });
  }

  void layer(Index l, Index n, const detail::AlignedBuffer<float>& from,
             detail::AlignedBuffer<float>& to) {
    const Layout& layout = content_->layout;
    // As in BankLayout::net(): nothing follows the code and the output.
    const Activation f = l % 2 == 0 ? leaky_relu() : Activation();
    k_->product({n, layout.outputs(l), layout.inputs(l), weights_[l].data(), from.data(), stride, 1,
                 to.data(), stride},
                biases_[l].data(), f);
  }

  static const float* zeros() {
    alignas(64) static constexpr float zero[Layout::most_features] = {};
    return zero;
  }

  std::shared_ptr<const detail::BankContent> content_;
  const detail::kernels::Table<float>* k_;
  detail::AlignedBuffer<float> x_, wide_, code_, output_;
  detail::AlignedBuffer<double> terms_, distances_;
  detail::AlignedBuffer<float> shift_;  // the means, and behind them 1 / scale
  detail::AlignedBuffer<double> wide_shift_;
  detail::AlignedBuffer<float> weights_[Layout::layers], biases_[Layout::layers], whitening_,
      centers_;
  Index group_ = -1, used_centers_ = 0;
  double reconstruction_factor_ = 0, latent_factor_ = 0;
};

inline Bank Bank::joined(const std::vector<Bank>& banks) {
  detail::ensure(!banks.empty(), "there are no banks to join");
  const detail::BankContent& first = banks.front().content();
  for (std::size_t b = 1; b < banks.size(); ++b) {
    const detail::BankContent& other = banks[b].content();
    detail::ensure(other.layout.d == first.layout.d, "bank ", b, " is of ", other.layout.d,
                   " features, bank 0 of ", first.layout.d);
    detail::ensure(other.feature_names == first.feature_names, "bank ", b,
                   " has other feature names than bank 0");
    detail::ensure(other.facts == first.facts, "bank ", b,
                   " was fitted otherwise than bank 0: ", detail::words_of(other.facts), ", not ",
                   detail::words_of(first.facts));
  }

  struct Place {
    std::string_view key;
    std::size_t bank;
    Index at;
    bool refused;
  };
  std::vector<Place> places;
  Index size = 0;
  for (std::size_t b = 0; b < banks.size(); ++b) {
    const detail::BankContent& part = banks[b].content();
    size += part.keys.size();
    for (Index g = 0; g < part.keys.size(); ++g) places.push_back({part.keys[g], b, g, false});
    for (Index g = 0; g < part.refused_keys.size(); ++g)
      places.push_back({part.refused_keys[g], b, g, true});
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.key < b.key; });
  for (std::size_t i = 1; i < places.size(); ++i)
    detail::ensure(places[i - 1].key != places[i].key, "the group ", in_quotes(places[i].key),
                   " is in bank ", places[i - 1].bank, " and in bank ", places[i].bank,
                   "; all rows of a group must be fitted in one place");

  auto content = std::make_shared<detail::BankContent>();
  content->layout = first.layout;
  content->feature_names = first.feature_names;
  content->facts = first.facts;
  const Index floats = first.layout.floats(), doubles = first.layout.doubles();
  constexpr Index counts = detail::BankLayout::counts;
  content->floats = detail::AlignedBuffer<float>(size, floats);
  content->doubles.reserve(static_cast<std::size_t>(size * doubles));
  content->counts.reserve(static_cast<std::size_t>(size * counts));
  for (const Place& place : places) {
    const detail::BankContent& part = banks[place.bank].content();
    if (place.refused) {
      content->refused_keys.add(place.key);
      content->refusals.add(part.refusals[place.at]);
      continue;
    }
    std::copy_n(part.floats_of(place.at), floats,
                content->floats.data() + content->keys.size() * floats);
    const double* numbers = part.doubles_of(place.at);
    content->doubles.insert(content->doubles.end(), numbers, numbers + doubles);
    const std::int64_t* whole = part.counts_of(place.at);
    content->counts.insert(content->counts.end(), whole, whole + counts);
    content->keys.add(place.key);
  }
  return Bank(std::move(content));
}

inline Bank::Workspace Bank::make_workspace() const { return Workspace(content_); }

inline void Bank::score_many(const detail::AnyRows& X, const Index* groups, Workspace& workspace,
                             float* scores) const {
  detail::ensure(workspace.content_ == content_, "the workspace was made by another bank");
  detail::require_width(X, features(), "the batch");
  detail::require_finite(X, "the batch");
  for (Index i = 0; i < X.rows(); ++i)
    detail::ensure(groups[i] >= -1 && groups[i] < size(), "row ", i, " is of group ", groups[i],
                   ", expected -1 to ", size() - 1);
  const detail::FloatingPointMode mode;
  for (Index first = 0, count; first < X.rows(); first += count) {
    const Index group = groups[first], most = (std::min)(X.rows() - first, Workspace::tile);
    for (count = 1; count < most && groups[first + count] == group;) ++count;
    if (group < 0) {
      std::fill_n(scores + first, count, std::numeric_limits<float>::quiet_NaN());
      continue;
    }
    workspace.prepare(group);
    workspace.score(X.middle_rows(first, count), scores + first);
  }
}

inline detail::Vector<float> Bank::scores(const detail::AnyRows& X,
                                          const std::vector<Index>& groups, int threads) const {
  // Before any thread starts, and with the numbers of the whole batch in the sentence.
  detail::require_width(X, features(), "the batch");
  detail::require_finite(X, "the batch");
  constexpr std::int64_t row_cost = 10000;  // with a detector's packing
  const int team_size =
      detail::worthwhile_threads(detail::resolve_threads(threads), row_cost * X.rows());
  detail::Vector<float> result(X.rows());
  detail::parallel(team_size, [&](const detail::Team& team) {
    team.guard([&] {
      const detail::Range mine = team.share(X.rows());
      if (mine.size() == 0) return;
      Workspace workspace = make_workspace();
      score_many(X.middle_rows(mine.first, mine.size()), groups.data() + mine.first, workspace,
                 result.data() + mine.first);
    });
  });
  return result;
}

inline Detector<float> Bank::detector(std::string_view key) const {
  using detail::BankLayout;
  const Index group = required(key);
  const BankLayout& layout = content_->layout;
  const float* floats = content_->floats_of(group);
  const double* doubles = content_->doubles_of(group);
  const auto turned = [&](Index at, Index stride, Index rows, Index cols) {
    detail::AlignedBuffer<float> result(rows, cols);
    detail::BankLayout::turn(floats + at, stride, rows, cols, result.data(), cols);
    return result;
  };
  const Autoencoder<float> net = BankLayout::net<float>(layout.d, 0);
  detail::AlignedBuffer<float> parameters(net.parameters());
  Index l = 0;
  for (const auto& step : net.joined().steps()) {
    BankLayout::turn(floats + layout.weight(l), step.outputs, step.outputs, step.inputs,
                     parameters.data() + step.weight_at, step.inputs);
    std::copy_n(floats + layout.bias(l), step.outputs, parameters.data() + step.bias_at);
    ++l;
  }
  const double width = static_cast<double>(layout.d), latent = doubles[layout.latent_weight()];
  const Index centers = static_cast<Index>(content_->counts_of(group)[BankLayout::used_centers]);
  detail::ScoreTerm<float> reconstruction(layout.d, doubles[layout.reconstruction_weight()], width,
                                          turned(layout.whitening(), layout.d, layout.d, layout.d));
  auto latent_term = centers > 0
                         ? detail::ScoreTerm<float>::nearest_of(
                               layout.d, latent, width,
                               turned(layout.center_columns(), layout.centers(), centers, layout.d))
                         : detail::ScoreTerm<float>(BankLayout::code, 0, 1);
  auto model = std::make_shared<detail::Model<float>>();
  detail::PackedNetwork<float> packed(net, parameters.data(), nullptr);
  model->members.push_back({std::move(packed),
                            std::move(parameters),
                            {},
                            turned(layout.center(), 1, 1, BankLayout::code),
                            doubles[layout.gamma()],
                            std::move(reconstruction),
                            std::move(latent_term)});
  const double *mean = doubles + layout.mean(), *scale = doubles + layout.scale();
  model->scaler = detail::Scaler<float>(detail::Standardizer<float>(
      std::vector<double>(mean, mean + layout.d), std::vector<double>(scale, scale + layout.d)));
  model->facts = content_->facts;
  model->facts["group"] = std::string(key);
  model->feature_names = content_->feature_names;
  const auto ranks = detail::kept_ranks(calibration_size(group), BankLayout::kept_scores);
  return Detector<float>(std::move(model), threshold(group),
                         Calibration(detail::filled_scores(ranks, floats + layout.scores())));
}

DASVDD_NAMESPACE_END
