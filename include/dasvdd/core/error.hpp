#pragma once
/// \file
/// The two exceptions of the library and the sentence builder behind their messages.

#include <dasvdd/core/config.hpp>

#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>

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

/// Joins the parts of a sentence: `sentence("row ", 3, " is NaN")`.
template <class... Parts>
std::string sentence(const Parts&... parts) {
  std::ostringstream text;
  text.imbue(std::locale::classic());  // whatever the host program has made the global locale
  (text << ... << parts);
  return text.str();
}

/// Throws InvalidArgument with the joined parts unless `condition` holds.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) throw InvalidArgument(sentence(parts...));
}

}  // namespace detail
DASVDD_NAMESPACE_END
