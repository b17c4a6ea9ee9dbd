// The words of Apple's AssertMacros.h, as SDKs define them that still have them without underscores. The standard
// library and nlohmann/json are there before: they are not what is checked.
#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#define check(assertion) \
  do {                   \
  } while (0)
#define verify(assertion) \
  do {                    \
  } while (0)
#define require(assertion, label) \
  do {                            \
    if (!(assertion)) goto label; \
  } while (0)

#include "everything.hpp"
