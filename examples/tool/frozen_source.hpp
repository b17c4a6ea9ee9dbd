#pragma once
/// \file
/// `FrozenSource`: a frozen model as a C99 header.

#include <tool/frozen_c.hpp>
#include <tool/frozen_int8.hpp>

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tool {

/// The text of a C99 header with a model's weights and functions, and what it takes of a device's memory.
class FrozenSource {
 public:
  /// \param bytes the model in eight bits; null for floats
  /// \param name a C identifier that all names begin with
  /// \param title one line of the first comment
  FrozenSource(const FrozenModel& model, const FrozenBytes* bytes, std::string name,
               std::string title)
      : model_(model), bytes_(bytes), name_(std::move(name)), title_(std::move(title)) {
    plan();
    write();
  }

  const std::string& text() const { return text_; }
  /// Bytes of the constants: what they take of the flash.
  std::size_t weight_bytes() const { return weight_bytes_; }
  /// Bytes of the memory that a score is computed in.
  std::size_t memory_bytes() const {
    const std::size_t bytes = static_cast<std::size_t>(4 * floats_ + whole_bytes() * wholes_);
    return (bytes + 3) / 4 * 4;
  }

 private:
  using Kind = FrozenStage::Kind;

  /// What an activation takes where it is no float.
  Index whole_bytes() const { return bytes_ && bytes_->half() > 128 ? 2 : 1; }

  // ---- memory: the row in the net's units, then room for the code's difference, then the tensors, which take turns at
  // ---- the two ends of what is left ---------------------------------------------------------------------

  /// Whether the decoder's output is looked at more than once, so that it must be kept.
  static bool needs_output(const FrozenMember& member) {
    return !member.decoder.empty() &&
           (member.latent.factor > 0 || member.reconstruction.factor > 0) &&
           (!member.reconstruction.whitening.empty() ||
            (member.latent.factor > 0 && !member.latent.centers.empty()));
  }
  bool scales() const { return model_.scaling != FrozenModel::Scaling::none; }

  void plan() {
    const Index row = scales() ? model_.features : 0;
    Index difference = 0, work = 0, real = 0;
    for (const FrozenMember& member : model_.members) {
      const Index code = static_cast<Index>(member.center.size());
      const bool apart = member.latent_of_code() && !member.latent.whitening.empty();
      if (apart) difference = std::max(difference, code);
      if (bytes_) {
        real = std::max({real, code, needs_output(member) ? model_.features : Index(0)});
        Index from = model_.features;
        for (const auto* stages : {&member.encoder, &member.decoder}) {
          for (const FrozenStage& stage : *stages) {
            const Index to = &stage == &stages->back() ? 0 : stage.out.size();
            work = std::max(work, from + to);
            from = to == 0 ? code : to;
          }
        }
      } else {
        Index from = 0;
        for (const auto* stages : {&member.encoder, &member.decoder}) {
          for (const FrozenStage& stage : *stages) {
            const bool in_place = stage.kind == Kind::nothing && from > 0;
            work = std::max(work, (in_place ? 0 : from) + stage.out.size());
            from = stage.out.size();
          }
        }
      }
    }
    difference_at_ = row;
    work_at_ = row + difference;
    work_ = work;
    floats_ = std::max<Index>(1, work_at_ + (bytes_ ? real : work));
    wholes_ = bytes_ ? work : 0;
  }

  // ---- text ------------------------------------------------------------------------------------------

  /// Adds text in which @ and $ stand for the name.
  void add(std::string_view text) {
    for (const char c : text) {
      if (c == '@') {
        text_ += name_;
      } else if (c == '$') {
        for (const char n : name_)
          text_ += static_cast<char>(std::toupper(static_cast<unsigned char>(n)));
      } else {
        text_ += c;
      }
    }
  }
  /// The same, once for each text however often it is needed.
  void need(std::string_view function) {
    if (std::find(needed_.begin(), needed_.end(), function) == needed_.end())
      needed_.push_back(function);
  }

  static std::string literal(float x) {
    std::string text = number_text(x);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text + "f";
  }
  static std::string number(Index n) { return std::to_string(n); }

  void array(const std::string& name, const std::vector<float>& numbers) {
    weight_bytes_ += 4 * numbers.size();
    list("float", name, numbers.size(), [&](std::size_t i) { return literal(numbers[i]); });
  }
  void array(const std::string& name, const std::vector<std::int8_t>& numbers) {
    weight_bytes_ += numbers.size();
    list("int8_t", name, numbers.size(),
         [&](std::size_t i) { return std::to_string(int(numbers[i])); });
  }
  template <class Item>
  void list(const char* type, const std::string& name, std::size_t size, const Item& item) {
    std::string text =
        std::string("$_CONSTANT ") + type + " @_" + name + "[" + std::to_string(size) + "] = {";
    std::size_t line = 120;
    for (std::size_t i = 0; i < size; ++i) {
      const std::string word = item(i) + (i + 1 < size ? "," : "");
      if (line + word.size() > 110) {
        text += "\n  ";
        line = 2;
      }
      text += word + " ";
      line += word.size() + 1;
    }
    if (text.back() == ' ') text.pop_back();
    add(text + "};\n");
  }

  /// The number of an activation among those that the model has; 0 is the identity.
  int function(const dasvdd::Activation& f) {
    if (f.is_identity()) return 0;
    const std::pair<std::string, float> key(f.name(), static_cast<float>(f.parameter()));
    return functions_.emplace(key, static_cast<int>(functions_.size()) + 1).first->second;
  }
  /// The expression of an activation, with what of math.h it needs.
  static std::string expression(const std::string& name, float parameter) {
    const std::string a = literal(parameter);
    if (name == "relu") return "x > 0.0f ? x : 0.0f";
    if (name == "leaky_relu") return "x > 0.0f ? x : " + a + " * x";
    if (name == "elu") return "x > 0.0f ? x : " + a + " * expm1f(x)";
    if (name == "selu") return "1.05070098f * (x > 0.0f ? x : 1.67326324f * expm1f(x))";
    if (name == "gelu") return "0.5f * x * erfcf(-0.707106781f * x)";
    if (name == "silu") return "x / (1.0f + expf(-x))";
    if (name == "softplus") return "(x > 0.0f ? x : 0.0f) + log1pf(expf(x > 0.0f ? -x : x))";
    if (name == "tanh") return "tanhf(x)";
    if (name == "sigmoid") return "1.0f / (1.0f + expf(-x))";
    throw dasvdd::InvalidArgument("the net has the activation '" + name +
                                  "', which freeze can't write as C");
  }

  // ---- one net ------------------------------------------------------------------------------------------

  static const char* word(Kind kind) {
    switch (kind) {
      case Kind::dense:
        return "dense";
      case Kind::conv:
        return "conv";
      case Kind::conv_transpose:
        return "conv_transpose";
      case Kind::max_pool:
        return "max_pool";
      case Kind::upsample:
        return "upsample";
      case Kind::nothing:
        return "copy";
    }
    return "";
  }
  std::string_view text_of(Kind kind) const {
    using namespace frozen;
    switch (kind) {
      case Kind::dense:
        return bytes_ ? dense8_text : dense_text;
      case Kind::conv:
        return bytes_ ? conv8_text : conv_text;
      case Kind::conv_transpose:
        return bytes_ ? conv_transpose8_text : conv_transpose_text;
      case Kind::max_pool:
        return bytes_ ? max_pool8_text : max_pool_text;
      case Kind::upsample:
        return bytes_ ? upsample8_text : upsample_text;
      case Kind::nothing:
        return bytes_ ? nothing8_text : nothing_text;
    }
    return {};
  }

  void shape(const std::string& name, const FrozenStage& s) {
    const Index numbers[] = {s.in.channels, s.in.height, s.in.width, s.out.channels, s.out.height,
                             s.out.width,   s.kernel,    s.stride,   s.padding};
    weight_bytes_ += 9 * 4;
    list("long", name, 9, [&](std::size_t i) { return number(numbers[i]); });
  }

  /// Constants of one stage, and lines that compute it in float. \return where its outputs are
  std::string float_stage(const FrozenStage& s, const std::string& id, const std::string& x,
                          Index& at, Index from, std::string& code) {
    const bool in_place = s.kind == Kind::nothing && from > 0;
    if (s.kind == Kind::conv_transpose) need(frozen::reach_text);
    if (!in_place) at = at == 0 && from > 0 ? work_ - s.out.size() : 0;
    const std::string y = "f + " + number(at);
    if (!in_place) {
      need(text_of(s.kind));
      code += std::string("  @_") + word(s.kind) + "(" + x + ", ";
      if (s.kind == Kind::dense) {
        code += number(s.row()) + ", ";
      } else if (s.kind == Kind::nothing) {
        code += number(s.out.size()) + ", ";
      } else {
        shape(id + "_shape", s);
        code += "@_" + id + "_shape, ";
      }
      if (s.multiplies()) {
        array(id + "_w", s.weight);
        if (!s.bias.empty()) array(id + "_b", s.bias);
        code += "@_" + id + "_w, " + (s.bias.empty() ? "0" : "@_" + id + "_b") + ", ";
      }
      if (s.kind == Kind::dense) code += number(s.out.size()) + ", ";
      code += y + ");\n";
    }
    if (!s.factor.empty()) {
      need(frozen::channels_text);
      array(id + "_mean", s.mean);
      array(id + "_factor", s.factor);
      array(id + "_shift", s.shift);
      code += "  @_channels(" + y + ", " + number(s.out.channels) + ", " + number(s.out.plane()) +
              ", @_" + id + "_mean, @_" + id + "_factor, @_" + id + "_shift);\n";
    }
    if (const int f = function(s.f)) {
      need(frozen::activate_text);
      code += "  @_activate(" + y + ", " + number(s.out.size()) + ", " + std::to_string(f) + ");\n";
    }
    return y;
  }

  /// The same in eight bits.
  /// \param at the inputs' place among the bytes, then the outputs'
  /// \param compared whether the outputs are only compared with the row, so that none need be kept
  void byte_stage(const FrozenStage& s, const ByteStage& b, const std::string& id, Index& at,
                  bool compared, std::string& code) {
    if (s.kind == Kind::conv_transpose) need(frozen::reach_text);
    need(text_of(s.kind));
    const std::string x = "q + " + number(at);
    if (!b.to_float) at = at == 0 ? work_ - s.out.size() : 0;
    array(id + "_scale", b.scale);
    array(id + "_offset", b.offset);
    if (s.multiplies()) array(id + "_w", b.rows.numbers);
    if (s.kind != Kind::dense) shape(id + "_shape", s);
    code += "  out.row = " + std::string(compared ? "x" : "0") +
            ";\n  out.real = " + (b.to_float ? "f" : "0") +
            ";\n  out.bytes = " + (b.to_float ? "0" : "q + " + number(at)) +
            ";\n  out.inverse = " + literal(b.out.inverse()) +
            ";\n  out.distance = 0.0f;\n  out.zero = " + std::to_string(b.out.zero) +
            ";\n  out.f = " + std::to_string(function(s.f)) + ";\n";
    code += std::string("  @_") + word(s.kind) + "8(" + x + ", ";
    if (s.kind == Kind::dense) {
      code += number(s.row());
    } else {
      code += std::to_string(b.in.zero) + ", @_" + id + "_shape";
    }
    if (s.multiplies()) code += ", @_" + id + "_w";
    code += ", @_" + id + "_scale, @_" + id + "_offset";
    if (s.kind == Kind::dense) code += ", " + number(s.out.size());
    code += ", &out);\n";
  }

  /// A line that adds factor * ||A (a - b)||^2 to the score.
  /// \param e where the difference may be put, where there is a matrix
  void add_term(const FrozenTerm& term, const ByteRows* bytes, const std::string& id,
                const std::string& a, const std::string& b, const std::string& e,
                std::string& code) {
    const std::string n = number(term.size), begin = "  score += " + literal(term.factor) + " * @_";
    if (term.whitening.empty()) {
      need(frozen::distance_text);
      code += begin + "distance(" + a + ", " + b + ", " + n + ");\n";
      return;
    }
    need(frozen::difference_text);
    code += "  @_difference(" + a + ", " + b + ", " + n + ", " + e + ");\n";
    const std::string name =
        std::string("whitened") + (term.lower ? "_lower" : "") + (bytes ? "8" : "");
    if (bytes) {
      need(term.lower ? frozen::whitened_lower8_text : frozen::whitened8_text);
      array(id + "_whitening", bytes->numbers);
      array(id + "_whitening_scale", bytes->scale);
    } else {
      need(term.lower ? frozen::whitened_lower_text : frozen::whitened_text);
      array(id + "_whitening", term.whitening);
    }
    code += begin + name + "(@_" + id + "_whitening, " +
            (bytes ? "@_" + id + "_whitening_scale, " : "") + e + ", " + n + ");\n";
  }

  /// Constants and function of net k.
  void net(std::size_t k) {
    const FrozenMember& member = model_.members[k];
    const ByteMember* bytes = bytes_ ? &bytes_->members()[k] : nullptr;
    const std::string id = std::to_string(k);
    std::string code, y = "x";
    Index at = 0, from = 0;
    const auto part = [&](const std::vector<FrozenStage>& stages,
                          const std::vector<ByteStage>* eight, const std::string& letter) {
      for (std::size_t l = 0; l < stages.size(); ++l) {
        const std::string stage = id + "_" + letter + std::to_string(l);
        if (eight) {
          const bool last = letter == "d" && l + 1 == stages.size();
          byte_stage(stages[l], (*eight)[l], stage, at, last && !needs_output(member), code);
        } else {
          y = float_stage(stages[l], stage, y, at, from, code);
          from = stages[l].out.size();
        }
      }
      if (eight) y = "f";
    };
    const auto quantize = [&](const Grid& grid, Index n) {
      code += "  @_quantize(" + y + ", " + number(n) + ", " + literal(grid.inverse()) + ", " +
              std::to_string(grid.zero) + ", q);\n";
      at = 0;
    };
    if (bytes) quantize(bytes->encoder.front().in, model_.features);
    part(member.encoder, bytes ? &bytes->encoder : nullptr, "e");
    if (member.latent_of_code()) {
      array(id + "_center", member.center);
      add_term(member.latent, bytes ? &bytes->latent_whitening : nullptr, id + "_latent", y,
               "@_" + id + "_center", "m->f + " + number(difference_at_), code);
    }
    if (!member.decoder.empty()) {
      if (bytes) quantize(bytes->code, static_cast<Index>(member.center.size()));
      part(member.decoder, bytes ? &bytes->decoder : nullptr, "d");
      if (member.latent.factor > 0 && !member.latent.centers.empty()) {
        const std::string count =
            number(static_cast<Index>(member.latent.centers.size()) / member.latent.size);
        const std::string rest = count + ", " + y + ", " + number(member.latent.size) + ");\n";
        const std::string begin = "  score += " + literal(member.latent.factor) + " * @_nearest";
        if (bytes) {
          need(frozen::nearest8_text);
          array(id + "_centers", bytes->centers.numbers);
          array(id + "_centers_scale", bytes->centers.scale);
          code += begin + "8(@_" + id + "_centers, @_" + id + "_centers_scale, " + rest;
        } else {
          need(frozen::distance_text);
          need(frozen::nearest_text);
          array(id + "_centers", member.latent.centers);
          code += begin + "(@_" + id + "_centers, " + rest;
        }
      }
      if (bytes && !needs_output(member)) {
        code += "  score += " + literal(member.reconstruction.factor) + " * out.distance;\n";
      } else if (member.reconstruction.factor > 0) {
        add_term(member.reconstruction, bytes ? &bytes->reconstruction_whitening : nullptr,
                 id + "_reconstruction", y, "x", y, code);
      }
    }
    nets_ += "\nstatic inline float @_net_" + id + "(const float *x, @_memory *m) {\n" +
             "  float *f = m->f + " + number(work_at_) + ";\n" +
             (bytes ? "  @_whole *q = m->q;\n  @_out out;\n" : "") + "  float score = 0.0f;\n" +
             code + "  return score;\n}\n";
  }

  // ---- the whole ------------------------------------------------------------------------------------------

  void write() {
    add("/* " + title_ + "\n" + R"(
   C99, no heap, no file, nothing but this header. The functions:

     float @_score(const float *row)          larger is more anomalous; infinity for a row too far out, or with NaN
     int @_is_anomaly(const float *row)       1 where the score is above $_THRESHOLD
     int @_self_test(void)                    1 where this build gives the right score
     float @_score_in(const float *row, @_memory *memory)   the same score in memory of yours

   The first three share one static @_memory: so the linker counts it, and no small stack overflows. They are for
   one thread at a time; in several threads, or in an interrupt, call @_score_in with a @_memory of its own each.
   Define $_STORAGE before including to place that memory (static __attribute__((section(".ccmram"))), say), and
   $_CONSTANT to place the weights. Include it in one source file: every other one would hold a copy of the weights. */
)");
    add("#ifndef $_H\n#define $_H\n\n#include <float.h>\n");
    const std::string head = std::exchange(text_, {});

    // Constants and nets first: they decide which functions are needed.
    for (std::size_t k = 0; k < model_.members.size(); ++k) net(k);
    if (model_.scaling == FrozenModel::Scaling::standardized) {
      array("mean", model_.shift);
      array("inverse_deviation", model_.scale);
    }
    array("test_row", model_.test_row);
    const std::string constants = std::exchange(text_, {});

    text_ = head;
    std::string functions;
    for (const auto& [key, at] : functions_) {
      functions += "    case " + std::to_string(at) + ":\n      return " +
                   expression(key.first, key.second) + ";\n";
    }
    const bool root = model_.scaling == FrozenModel::Scaling::contrast ||
                      model_.scaling == FrozenModel::Scaling::softened;
    if (root || functions.find("f(") != std::string::npos) add("#include <math.h>\n");
    if (bytes_) add("#include <stdint.h>\n");
    const float score = bytes_ ? bytes_->score(model_.test_row.data()) : model_.test_score;
    add("\n#define $_FEATURES " + number(model_.features) + "\n#define $_THRESHOLD " +
        literal(model_.threshold) + "\n#define $_TEST_SCORE " + literal(score) +
        "\n#define $_TEST_TOLERANCE " + (bytes_ ? "0.02f" : "0.0001f") +
        "\n#ifndef $_STORAGE\n#define $_STORAGE static\n#endif\n#ifndef $_CONSTANT\n#define "
        "$_CONSTANT static "
        "const\n#endif\n");
    if (model_.scaling == FrozenModel::Scaling::softened) {
      add("#define $_CHANNELS " + number(model_.image.channels) + "\n#define $_HEIGHT " +
          number(model_.image.height) + "\n#define $_WIDTH " + number(model_.image.width) + "\n");
    }
    add("\n/* What a score is computed in: " + std::to_string(memory_bytes()) +
        " bytes. */\n#define $_FLOATS " + number(floats_) + "\n");
    if (bytes_) {
      add("#define $_WHOLES " + number(std::max<Index>(1, wholes_)) + "\n#define $_HALF " +
          number(bytes_->half()) + "\ntypedef int" + number(8 * whole_bytes()) +
          "_t @_whole; /* an activation: -$_HALF to $_HALF - 1 */\n");
    }
    add("typedef struct @_memory {\n  float f[$_FLOATS];\n" +
        std::string(bytes_ ? "  @_whole q[$_WHOLES];\n" : "") + "} @_memory;\n\n");
    if (model_.scaling == FrozenModel::Scaling::contrast)
      add("$_CONSTANT float @_contrast_floor = " + literal(model_.contrast_floor) + ";\n");
    text_ += constants;

    add(frozen::fma_text);
    if (!functions.empty() || bytes_) {
      add("\nstatic inline float @_f(int f, float x) {\n  switch (f) {\n" + functions +
          "    default:\n      return x;\n  }\n}\n");
    }
    if (bytes_) add(frozen::bytes_text);
    for (const std::string_view function : needed_) add(function);
    if (model_.scaling == FrozenModel::Scaling::standardized) add(frozen::standardize_text);
    if (model_.scaling == FrozenModel::Scaling::contrast) add(frozen::contrast_text);
    if (model_.scaling == FrozenModel::Scaling::softened) add(frozen::soften_text);
    add(nets_);

    add("\nstatic inline float @_score_in(const float *row, @_memory *memory) {\n  float score = "
        "0.0f;\n");
    if (scales()) add("  @_scale(row, memory->f);\n");
    for (std::size_t k = 0; k < model_.members.size(); ++k) {
      add("  score += @_net_" + std::to_string(k) + "(" + (scales() ? "memory->f" : "row") +
          ", memory);\n");
    }
    if (model_.members.size() > 1)
      add("  score /= " + literal(static_cast<float>(model_.members.size())) + ";\n");
    add("  if (!(score <= FLT_MAX)) {\n    score = FLT_MAX;\n    score *= 2.0f;\n  }\n  return "
        "score;\n}\n");
    add("\nstatic inline float @_score(const float *row) {\n  $_STORAGE @_memory memory;\n"
        "  return @_score_in(row, &memory);\n}\n");
    add(frozen::score_text);
    add("\n#endif\n");
  }

  const FrozenModel& model_;
  const FrozenBytes* bytes_;
  std::string name_, title_, text_, nets_;
  std::vector<std::string_view>
      needed_;  // pieces of frozen_c.hpp, in the order they are first needed
  std::map<std::pair<std::string, float>, int> functions_;
  std::size_t weight_bytes_ = 0;
  Index difference_at_ = 0, work_at_ = 0, work_ = 0, floats_ = 0, wholes_ = 0;
};

}  // namespace tool
