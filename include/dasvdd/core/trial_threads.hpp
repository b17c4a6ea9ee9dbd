#pragma once
/// \file
/// Whether the system gives so many threads, before OpenMP is asked for them.

#include <dasvdd/core/config.hpp>

#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define DASVDD_PTHREADS 1
#else
#include <system_error>
#include <thread>
#define DASVDD_PTHREADS 0
#endif

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The bytes that OMP_STACKSIZE names: "64M", " 512 k ", "100000B"; kilobytes without a letter. 0 for what OpenMP
/// doesn't take either.
inline std::size_t stack_size_of(const char* text) {
  const auto skip_blanks = [&] {
    while (std::isspace(static_cast<unsigned char>(*text))) ++text;
  };
  skip_blanks();
  std::size_t size = 0;
  constexpr std::size_t most = static_cast<std::size_t>(-1);
  for (; *text >= '0' && *text <= '9'; ++text) {
    const std::size_t digit = static_cast<std::size_t>(*text - '0');
    if (size > (most - digit) / 10) return 0;
    size = size * 10 + digit;
  }
  skip_blanks();
  int shift = 10;
  if (*text != '\0') {
    switch (*text) {
      case 'B':
      case 'b':
        shift = 0;
        break;
      case 'K':
      case 'k':
        break;
      case 'M':
      case 'm':
        shift = 20;
        break;
      case 'G':
      case 'g':
        shift = 30;
        break;
      default:
        return 0;
    }
    ++text;
    skip_blanks();
    if (*text != '\0') return 0;
  }
  return size > most >> shift ? 0 : size << shift;
}

/// The size of the stacks of OpenMP's threads; 0: that of all threads. Looked up once, as OpenMP does.
inline std::size_t openmp_stack_size() {
  static const std::size_t size = [] {
    for (const char* name : {"OMP_STACKSIZE", "GOMP_STACKSIZE"}) {
      const char* text = std::getenv(name);
      const std::size_t bytes = text ? stack_size_of(text) : 0;
      if (bytes > 0) return bytes;
    }
    return std::size_t(0);
  }();
  return size;
}

/// Starts so many threads, all there at the same time, with stacks like OpenMP's, and ends them. Whether that could be
/// done.
DASVDD_NOINLINE inline bool threads_can_be_had(int count) {
  std::mutex gate;  // closed until all have been started
#if DASVDD_PTHREADS
  std::vector<pthread_t> trial;
  try {
    trial.resize(static_cast<std::size_t>(count));
  } catch (const std::bad_alloc&) {
    return false;
  }
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0) return false;
  // A size that the system doesn't take leaves the usual one, in OpenMP too.
  if (openmp_stack_size() > 0) {
    static_cast<void>(::pthread_attr_setstacksize(&attributes, openmp_stack_size()));
  }
  const auto wait = [](void* closed) -> void* {
    const std::lock_guard<std::mutex> opened(*static_cast<std::mutex*>(closed));
    return nullptr;
  };
  std::size_t started = 0;
  {
    const std::lock_guard<std::mutex> closed(gate);
    while (started < trial.size() &&
           ::pthread_create(&trial[started], &attributes, wait, &gate) == 0)
      ++started;
  }
  for (std::size_t i = 0; i < started; ++i) ::pthread_join(trial[i], nullptr);
  ::pthread_attr_destroy(&attributes);
  return started == trial.size();
#else
  std::vector<std::thread> trial;
  bool all = true;
  try {
    const std::lock_guard<std::mutex> closed(gate);
    for (int i = 0; i < count; ++i)
      trial.emplace_back([&gate] { const std::lock_guard<std::mutex> opened(gate); });
  } catch (const std::system_error&) {
    all = false;
  } catch (const std::bad_alloc&) {
    all = false;
  }
  for (std::thread& thread : trial) thread.join();
  return all;
#endif
}

}  // namespace detail
DASVDD_NAMESPACE_END
