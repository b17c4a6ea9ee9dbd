// Sentences.

#include <dasvdd/core/error.hpp>

#include <doctest/doctest.h>

#include <clocale>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <locale>
#include <string>
#include <string_view>

#include "io/temporary_folder.hpp"

using dasvdd::detail::sentence;

namespace {

/// A locale as a host program may set it: 1.234,5.
struct Grouping : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

#ifdef __GLIBC__
/// The C library's own file of a locale in which numbers have a comma: small machines have none installed.
/// \param mark the point's two bytes or one, \param letter the same as a wide letter
void write_locale(const std::string& folder, const std::string& mark, std::uint32_t letter) {
  constexpr std::uint32_t magic = 0x20031115u ^ 1u;  // of LC_NUMERIC
  // Six items and where they begin: point, separator, grouping, the first two as wide letters, encoding.
  const std::uint32_t head[] = {magic, 6, 32, 35, 35, 36, 40, 44}, wide[] = {letter, 0};
  std::string bytes(reinterpret_cast<const char*>(head), sizeof head);
  bytes.append((mark + std::string(4, '\0')).substr(0, 4))
      .append(reinterpret_cast<const char*>(wide), sizeof wide);
  bytes.append("UTF-8", 6);
  std::filesystem::create_directory(folder);
  std::ofstream(folder + "/LC_NUMERIC", std::ios::binary) << bytes;
}
#endif

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
#ifdef __GLIBC__
  const TemporaryFolder folder;
  write_locale(folder / "comma", ",", ',');
  write_locale(folder / "arabic", "\xd9\xab", 0x66b);
  ::setenv("LOCPATH", (folder / "").c_str(), 1);
  REQUIRE(std::setlocale(LC_NUMERIC, "comma"));
  char text[8];
  std::snprintf(text, sizeof text, "%g", 0.5);
  CHECK(std::string(text) == "0,5");
  CHECK(sentence(0.5, " and ", -1.25e-7) == "0.5 and -1.25e-07");
  CHECK(dasvdd::detail::number_text("%.17g", 0.9) == "0.90000000000000002");
  REQUIRE(std::setlocale(LC_NUMERIC, "arabic"));
  std::snprintf(text, sizeof text, "%g", 0.5);
  CHECK(std::string(text) ==
        "0\xd9\xab"
        "5");
  CHECK(sentence(0.5, " and ", -1.25e-7) == "0.5 and -1.25e-07");
  ::unsetenv("LOCPATH");
#endif
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
