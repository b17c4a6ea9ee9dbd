// Fits that are broken off and taken up: the command line's side. kills.py kills them at any moment.

#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#include <signal.h>
#include <unistd.h>
#endif

using namespace tool_tests;

TEST_CASE("tool: a fit leaves no checkpoint, and one that is taken up writes the same model") {
  const TemporaryFolder folder;
  const std::string data = folder.put("t.csv", csv(60, 0)), model = folder / "m",
                    kept = folder / "c";
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--label-column", "label"});
    return dasvdd_tool(fit_arguments(data, model, more));
  };
  CHECK(with({}).status == 0);
  const std::string whole = content(model);
  CHECK(with({"--checkpoint", kept, "--every", "1"}).status == 0);
  CHECK_FALSE(std::filesystem::exists(kept));
  CHECK(content(model) == whole);
  check_failure(fit_arguments(data, model, {"--label-column", "label", "--resume", kept}), 2,
                "'" + kept + "': there is no such file");
}

TEST_CASE("tool: options of checkpoints that don't fit together are refused before any work") {
  const TemporaryFolder folder;
  const std::string data = folder.put("t.csv", csv(60, 0)), model = folder / "m",
                    kept = folder / "c";
  const auto refused = [&](const std::vector<std::string>& more, const std::string& sentence) {
    check_failure(fit_arguments(data, model, more), 2, sentence);
    CHECK_FALSE(std::filesystem::exists(model));
  };
  refused({"--every", "5"}, "--every goes with --checkpoint or --resume");
  for (const char* every : {"0", "1.5", "x", "s", "-1s"}) {
    refused({"--checkpoint", kept, "--every", every}, "--every is '" + std::string(every) + "'");
  }
  refused({"--checkpoint", kept, "--every", ""}, "--every is empty");
  refused({"--resume", ""}, "--resume is empty");
  refused({"--checkpoint", kept, "--resume", kept}, "excludes --");
  refused({"--checkpoint", data}, "--checkpoint '" + data + "' would take the place of");
  refused({"--checkpoint", kept, "--validation", "0.2"}, "don't go with --validation");
  refused({"--checkpoint", folder / "no/c"}, "there is no folder");
  REQUIRE(dasvdd_tool(fit_arguments(data, folder / "other", {"--label-column", "label"})).status ==
          0);
  refused({"--resume", folder / "other"}, "this is no checkpoint of a dasvdd fit");
}

#if defined(__unix__) || defined(__APPLE__)
namespace {

/// Sends the process a signal when `ready` says so, which must be after the handler is there.
template <class Ready>
std::thread signal_when(int number, Ready ready) {
  return std::thread([number, ready] {
    while (!ready()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ::kill(::getpid(), number);
  });
}

/// The function that handles a signal now. The test program has handlers of its own.
auto handler_of(int number) {
  struct sigaction now;
  ::sigaction(number, nullptr, &now);
  return now.sa_handler;
}

}  // namespace

TEST_CASE("tool: Ctrl-C keeps a training in its checkpoint, with which it goes on") {
  const TemporaryFolder folder;
  const std::string data = folder.put("t.csv", csv(60, 0)), model = folder / "m",
                    kept = folder / "c";
  folder.put("m", "the old one");
  // So many epochs that the signal always comes before the end.
  std::vector<std::string> arguments =
      fit_arguments(data, model, {"--label-column", "label", "--checkpoint", kept, "--every", "1"});
  *(std::find(arguments.begin(), arguments.end(), "--epochs") + 1) = "100000000";
  for (const int number : {SIGINT, SIGTERM}) {
    const auto before = handler_of(number);
    std::thread sender = signal_when(
        number, [&] { return handler_of(number) != before && std::filesystem::exists(kept); });
    const Outcome stopped = dasvdd_tool(arguments);
    sender.join();
    CHECK(stopped.status == 128 + number);
    CHECK(contains(stopped.err, "dasvdd: stopped after "));
    CHECK(contains(stopped.err, "--resume " + kept));
    CHECK(content(model) == "the old one");
    dasvdd::Checkpoint<float> checkpoint;
    dasvdd::load(checkpoint, kept);
    CHECK(checkpoint.epochs() >= 1);
    *std::find(arguments.begin(), arguments.end(), number == SIGINT ? "--checkpoint" : "--resume") =
        "--resume";
  }
}

TEST_CASE("tool: Ctrl-C without a checkpoint writes the model of what was trained") {
  const TemporaryFolder folder;
  const std::string data = folder.put("t.csv", csv(60, 0)), model = folder / "m";
  std::vector<std::string> arguments = fit_arguments(data, model, {"--label-column", "label"});
  *(std::find(arguments.begin(), arguments.end(), "--epochs") + 1) = "100000000";
  const auto before = handler_of(SIGINT);
  std::thread sender = signal_when(SIGINT, [&] { return handler_of(SIGINT) != before; });
  const Outcome stopped = dasvdd_tool(arguments);
  sender.join();
  CHECK(stopped.status == 130);
  CHECK(
      contains(stopped.err, "dasvdd: stopped; '" + model + "' is of what was trained until then"));
  CHECK(dasvdd::load<float>(model).features() == 3);
  CHECK((handler_of(SIGINT) == before));
}
#endif
