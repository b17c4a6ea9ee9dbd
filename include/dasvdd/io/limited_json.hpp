#pragma once
/// \file
/// JSON from a stranger: small text may take much memory.

#include <dasvdd/core/error.hpp>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Far more values than any word of a model has: names of features, warnings, layers with their numbers.
constexpr std::size_t most_json_values = std::size_t(1) << 20;

/// Sees the JSON event by event and ends where it is nested too deep, or has too many values.
class JsonLimits final : public nlohmann::json::json_sax_t {
 public:
  explicit JsonLimits(std::size_t depth) : depth_(depth) {}

  bool too_many() const { return values_ > most_json_values; }

  bool null() override { return one_more(); }
  bool boolean(bool) override { return one_more(); }
  bool number_integer(number_integer_t) override { return one_more(); }
  bool number_unsigned(number_unsigned_t) override { return one_more(); }
  bool number_float(number_float_t, const string_t&) override { return one_more(); }
  bool string(string_t&) override { return one_more(); }
  bool binary(binary_t&) override { return one_more(); }
  bool key(string_t&) override { return one_more(); }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  bool one_more() { return ++values_ <= most_json_values; }
  bool enter() { return ++open_ <= depth_ && one_more(); }
  bool leave() {
    --open_;
    return true;
  }

  std::size_t depth_, open_ = 0, values_ = 0;
};

/// The JSON in `text`; discarded where it is none, or is nested deeper than `depth`.
/// \param what begins the sentence: "the metadata's 'warnings'"
/// \throws FileError where it has more than most_json_values
inline nlohmann::json limited_json(const std::string& text, std::size_t depth,
                                   const std::string& what) {
  JsonLimits limits(depth);
  const bool good = nlohmann::json::sax_parse(text, &limits);
  if (limits.too_many())
    throw FileError(sentence(what, " has more than ", most_json_values, " values"));
  if (!good) return nlohmann::json(nlohmann::json::value_t::discarded);
  return nlohmann::json::parse(text, nullptr, false);
}

}  // namespace detail
DASVDD_NAMESPACE_END
