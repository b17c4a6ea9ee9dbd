// Sentences.

#include <dasvdd/core/error.hpp>

#include <doctest/doctest.h>

#include <clocale>
#include <locale>
#include <string>
#include <string_view>

using dasvdd::detail::sentence;

namespace {

/// A locale as a host program may set it: 1.234,5.
struct Grouping : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

}  // namespace

TEST_CASE("a sentence joins words and numbers") {
  CHECK(sentence("row ", 3, " is ", 0.5) == "row 3 is 0.5");
  // A letter is not its number, and a view ends where it says.
  CHECK(sentence("shape ", 3, 'x', std::string_view("45", 1)) == "shape 3x4");
}

TEST_CASE("numbers in a sentence look the same whatever locale the host program has set") {
  const std::locale before = std::locale::global(std::locale(std::locale(), new Grouping));
  const std::string text = sentence("row ", 12345, " is ", 0.5);
  std::locale::global(before);
  CHECK(text == "row 12345 is 0.5");
}

TEST_CASE("a decimal point stays one under the C locale of a country with decimal commas") {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE", "de"}) {
    if (!std::setlocale(LC_NUMERIC, name)) continue;  // not installed
    CHECK(sentence(0.5, " and ", -1.25e-7) == "0.5 and -1.25e-07");
  }
  std::setlocale(LC_NUMERIC, before.c_str());
  CHECK(sentence(0.5, " and ", -1.25e-7) == "0.5 and -1.25e-07");
}

TEST_CASE("require throws its sentence, and only where the condition fails") {
  dasvdd::detail::ensure(true, "never said");
  CHECK_THROWS_WITH_AS(dasvdd::detail::ensure(false, "k is ", 7), "k is 7",
                       dasvdd::InvalidArgument);
  // Callers may catch the standard's types.
  CHECK_THROWS_AS(dasvdd::detail::ensure(false, "k"), std::invalid_argument);
  CHECK_THROWS_AS(throw dasvdd::FileError("f"), std::runtime_error);
}
