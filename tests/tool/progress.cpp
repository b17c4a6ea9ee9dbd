#include <tool/progress.hpp>

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <string>

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <unistd.h>
#endif

TEST_CASE("progress: durations as people read them") {
  CHECK(tool::duration_text(0) == "0 s");
  CHECK(tool::duration_text(59.4) == "59 s");
  CHECK(tool::duration_text(187) == "3:07");
  CHECK(tool::duration_text(3765) == "1:02:45");
  CHECK(tool::duration_text(-1) == "0 s");
}

TEST_CASE("progress: a line says what is done, how fast, how long still, and the caller's words") {
  CHECK(tool::progress_line(7, 28, 14, "epoch", "loss 0.1") ==
        "epoch 7/28 [#######.....................] 0.5 epoch/s, 42 s left, loss 0.1");
  CHECK(tool::progress_line(28, 28, 56, "epoch", "") ==
        "epoch 28/28 [############################] 0.5 epoch/s, took 56 s");
  CHECK(tool::progress_line(0, 28, 0, "epoch", "") == "epoch 0/28 [............................]");
  CHECK(tool::progress_line(0, 0, 0, "row", "") == "row 0/0 [############################]");
}

#if defined(__unix__) || defined(__APPLE__)
namespace {

/// What goes to standard error meanwhile.
template <class Action>
std::string standard_error(const Action& action) {
  const TemporaryFolder folder;
  const std::string path = folder / "stderr";
  std::fflush(stderr);
  const int saved = ::dup(STDERR_FILENO), file = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
  ::dup2(file, STDERR_FILENO);
  action();
  std::fflush(stderr);
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  ::close(file);
  return content(path);
}

}  // namespace

TEST_CASE("progress: nothing is written unless standard error is a terminal") {
  CHECK(standard_error([] {
          tool::Progress progress("epoch");  // it is a file now
          progress.update(1, 2);
          progress.update(2, 2);
        }).empty());
}

TEST_CASE("progress: the line is drawn over, seldom, and ended once") {
  const std::string text = standard_error([] {
    tool::Progress progress("epoch", true);
    for (long i = 0; i <= 1000; ++i) progress.update(i, 1000);
    progress.finish();
  });
  CHECK(text.find("epoch 0/1000") != std::string::npos);
  CHECK(text.find("epoch 1000/1000") != std::string::npos);
  CHECK(text.size() < 1000 * 20);  // far fewer than a thousand lines
  CHECK(text.find('\n') == text.size() - 1);
}
#endif
