// Which kernels run: the fastest, unless the environment names others.

#include "support.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

using namespace kernel_tests;

template <class Scalar>
std::string refusal(const char* name) {
  try {
    kernels::choose<Scalar>(name);
  } catch (const dasvdd::InvalidArgument& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE_TEMPLATE("every CPU has kernels, the portable ones last", Scalar, float, double) {
  const auto tables = kernels::available<Scalar>();
  REQUIRE(!tables.empty());
  CHECK(tables.back()->name == std::string("portable"));
  for (const auto* table : tables) {
    CHECK(&kernels::choose<Scalar>(table->name) == table);
    // Biases and parameters are padded to this many scalars: a panel must not be wider.
    CHECK(table->panel <= 32);
  }
}

TEST_CASE(
    "a build without SIMD has the portable kernels alone, one without extensions single numbers") {
  const auto tables = kernels::available<float>();
#if defined(DASVDD_NO_EXTENSIONS)
  CHECK(tables.size() == 1);
  CHECK(tables[0]->panel == 2);
#elif defined(DASVDD_NO_SIMD)
  CHECK(tables.size() == 1);
  CHECK(tables[0]->panel > 2);
#else
  CHECK(tables.back()->panel > 2);
#endif
}

TEST_CASE_TEMPLATE("without a name the first of the list is chosen", Scalar, float, double) {
  CHECK(&kernels::choose<Scalar>(nullptr) == kernels::available<Scalar>().front());
  CHECK(&kernels::choose<Scalar>("") == kernels::available<Scalar>().front());
}

TEST_CASE("an unknown or unsupported name is refused with the list of what there is") {
  const std::string text = refusal<float>("abacus");
  CHECK(text.find("DASVDD_KERNELS") != std::string::npos);
  CHECK(text.find("\"abacus\"") != std::string::npos);
  for (const auto* table : kernels::available<float>()) {
    CHECK(text.find(table->name) != std::string::npos);
  }
  CHECK(!refusal<double>("AVX2").empty());  // case matters, as everywhere in an environment
}

TEST_CASE("best kernels are those that the environment names") {
  // best() reads the environment once, so a process sees only its own: see the test below.
  const char* name = std::getenv("DASVDD_KERNELS");
  if (refusal<float>(name).empty()) {
    CHECK(&kernels::best<float>() == &kernels::choose<float>(name));
    CHECK(&kernels::best<double>() == &kernels::choose<double>(name));
  } else {
    CHECK_THROWS_AS(kernels::best<float>(), dasvdd::InvalidArgument);
    CHECK_THROWS_AS(kernels::best<double>(), dasvdd::InvalidArgument);
  }
}

#if defined(__linux__)
TEST_CASE("other processes choose by their own environment") {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const auto passes_with = [&](const std::string& name) {
    const std::string command = "DASVDD_KERNELS='" + name + "' '" + self +
                                "' --test-case='best kernels are those*' > /dev/null";
    return std::system(command.c_str()) == 0;
  };
  for (const auto* table : kernels::available<float>()) CHECK(passes_with(table->name));
  CHECK(passes_with(""));
  CHECK(passes_with("abacus"));
}
#endif
