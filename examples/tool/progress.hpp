#pragma once
/// \file
/// A progress bar on standard error, for people: nothing is written unless that is a terminal.

#include <dasvdd/fit/progress.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace tool {

/// Seconds as people read them: "8 s", "3:07", "1:02:45".
inline std::string duration_text(double seconds) {
  const long s = static_cast<long>(std::max(seconds, 0.0) + 0.5);
  char text[48];
  if (s < 60) {
    std::snprintf(text, sizeof text, "%ld s", s);
  } else if (s < 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld", s / 60, s % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  }
  return text;
}

/// What a bar of progress says besides how far it is.
inline std::string loss_words(const dasvdd::EpochReport& epoch) {
  char text[32];
  std::snprintf(text, sizeof text, "loss %.5g", epoch.loss);
  return text;
}
inline std::string progress_words(const dasvdd::FitProgress& at) {
  const std::string net =
      "net " + std::to_string(at.member + 1) + " of " + std::to_string(at.ensemble_size);
  return (at.screening ? "screening" : net) + ", " + loss_words(at.epoch);
}

/// One line of progress: what is done of how much, how fast, how long still, and a word of the
/// caller's. `unit` is what is counted, e.g. "epoch".
inline std::string progress_line(long done, long total, double seconds, const std::string& unit,
                                 const std::string& words) {
  const int width = 28;
  const double share = total > 0 ? std::min(1.0, double(done) / double(total)) : 1.0;
  const int filled = static_cast<int>(share * width);
  std::string line = unit + " " + std::to_string(done) + "/" + std::to_string(total) + " [" +
                     std::string(std::size_t(filled), '#') +
                     std::string(std::size_t(width - filled), '.') + "]";
  if (done > 0 && seconds > 0) {
    char rate[48];
    std::snprintf(rate, sizeof rate, " %.3g %s/s", double(done) / seconds, unit.c_str());
    line += rate;
    line += done < total
                ? ", " + duration_text(seconds / double(done) * double(total - done)) + " left"
                : ", took " + duration_text(seconds);
  }
  return words.empty() ? line : line + ", " + words;
}

/// The bar itself. It redraws its line at most ten times a second and leaves the last state
/// standing.
class Progress {
 public:
  explicit Progress(std::string unit, bool shown = is_terminal())
      : unit_(std::move(unit)), shown_(shown) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { finish(); }

  static bool is_terminal() {
#if defined(__unix__) || defined(__APPLE__)
    return ::isatty(STDERR_FILENO) == 1;
#else
    return false;
#endif
  }

  /// \param words what else there is to say, e.g. the loss
  void update(long done, long total, const std::string& words = {}) {
    if (!shown_) return;
    const auto now = std::chrono::steady_clock::now();
    if (done < total && drawn_ && now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    drawn_ = true;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    // Back to the line's start, and what was longer before is wiped out.
    std::fprintf(stderr, "\r%s\033[K", progress_line(done, total, seconds, unit_, words).c_str());
    std::fflush(stderr);
  }

  /// Ends the line, so that what is written next begins on its own.
  void finish() {
    if (drawn_) std::fputc('\n', stderr);
    drawn_ = false;
  }

 private:
  std::string unit_;
  bool shown_, drawn_ = false;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now(), last_ = start_;
};

}  // namespace tool
