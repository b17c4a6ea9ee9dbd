#pragma once
/// \file
/// The two exceptions of the library and the sentence builder behind their messages.

#include <dasvdd/core/config.hpp>

#include <cstddef>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

DASVDD_NAMESPACE_BEGIN

/// An argument is wrong: its message is one sentence that says which, what came and what was
/// expected. Thrown before anything has changed.
class InvalidArgument : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// A file can't be read or written, or holds something else than it should. One sentence with the
/// file's name.
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

/// A number as printf writes it, with a point whatever locale the host program has set.
/// \param format of one double
DASVDD_NOINLINE inline std::string number_text(const char* format, double number) {
  char digits[48];
  std::snprintf(digits, sizeof digits, format, number);
  std::string text;
  bool marked = false;
  for (const char* c = digits; *c != '\0'; ++c) {
    const bool plain =
        (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || *c == '-' || *c == '+';
    if (plain) text += *c;
    if (!plain && !marked) text += '.';
    marked = marked || !plain;  // a mark may have several bytes
  }
  return text;
}

/// One part of a sentence: a text or a number. Sentences are put together by one function for all, because a template
/// that streams its parts would be compiled anew for each sentence.
class Part {
 public:
  Part(const char* text) : text_(text) {}
  Part(std::string_view text) : text_(text) {}
  Part(const std::string& text) : text_(text) {}
  Part(char letter) : letter_(letter), kind_(Kind::letter) {}
  template <class Number, class = std::enable_if_t<std::is_arithmetic_v<Number>>>
  Part(Number number) {
    if constexpr (std::is_floating_point_v<Number>) {
      real_ = static_cast<double>(number);
      kind_ = Kind::real;
    } else if constexpr (std::is_unsigned_v<Number>) {
      natural_ = number;
      kind_ = Kind::natural;
    } else {
      integer_ = number;
      kind_ = Kind::integer;
    }
  }

  DASVDD_NOINLINE void append_to(std::string& sentence) const {
    switch (kind_) {
      case Kind::text:
        sentence += text_;
        return;
      case Kind::letter:
        sentence += letter_;
        return;
      case Kind::integer:
        sentence += std::to_string(integer_);
        return;
      case Kind::natural:
        sentence += std::to_string(natural_);
        return;
      case Kind::real:
        sentence += number_text("%g", real_);
        return;
    }
  }

 private:
  enum class Kind { text, letter, integer, natural, real };
  std::string_view text_;
  union {
    char letter_;
    long long integer_;
    unsigned long long natural_;
    double real_ = 0;
  };
  Kind kind_ = Kind::text;
};

DASVDD_NOINLINE inline std::string join(const Part* parts, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) parts[i].append_to(text);
  return text;
}
[[noreturn]] DASVDD_COLD inline void refuse(const Part* parts, std::size_t count) {
  throw InvalidArgument(join(parts, count));
}

/// Joins the parts of a sentence: `sentence("row ", 3, " is NaN")`.
template <class... Parts>
std::string sentence(const Parts&... parts) {
  const Part list[] = {Part(parts)...};
  return join(list, sizeof...(parts));
}

/// Throws InvalidArgument with the joined parts unless `condition` holds.
template <class... Parts>
void ensure(bool condition, const Parts&... parts) {
  if (condition) return;
  const Part list[] = {Part(parts)...};
  refuse(list, sizeof...(parts));
}

}  // namespace detail
DASVDD_NAMESPACE_END
