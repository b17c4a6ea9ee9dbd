#pragma once
/// \file
/// The command line: which subcommand, and what becomes of errors. Apart from main() so that tests
/// can call it.

#include <tool/eval.hpp>
#include <tool/export.hpp>
#include <tool/fit.hpp>
#include <tool/freeze.hpp>
#include <tool/import.hpp>
#include <tool/info.hpp>
#include <tool/score.hpp>

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <new>
#include <string>

namespace tool {

/// Runs the tool. Results go to `out`, errors to `err` as one sentence.
/// \param in what "-" in place of a data file reads
/// \param ranks the processes that run the same command
/// \return the exit status: 0; 2 for bad input, wrong usage included; 1 when running failed; 141 when nobody
///   reads `out` any more
inline int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err,
               std::istream& in, dasvdd::detail::Ranks& ranks) {
  const auto failed = [&](int status, std::string sentence) {
    std::replace(sentence.begin(), sentence.end(), '\n', ' ');
    err << "dasvdd: " << printable(sentence) << '\n';
    return status;
  };

  CLI::App app("One-class anomaly detection: trains on normal rows, scores new ones.", "dasvdd");
  app.set_version_flag("--version", DASVDD_VERSION_STRING);
  app.require_subcommand(1);
  FitCommand fit(app, ranks);
  ScoreCommand score(app);
  EvalCommand eval(app);
  InfoCommand info(app);
  ExportCommand export_model(app);
  ImportCommand import_net(app);
  FreezeCommand freeze(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    app.exit(help, out, err);
    return 0;
  } catch (const CLI::ParseError& error) {
    if (argc > 1 && app.get_subcommands().empty()) {
      return failed(
          2, in_quotes(argv[1]) +
                 " is no subcommand; there are fit, score, eval, info, export, import and freeze");
    }
    return failed(2, error.what());
  }

  // What a shell makes of a variable that isn't set.
  for (const CLI::App* command : app.get_subcommands()) {
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& value : option->results()) {
        if (value.empty()) return failed(2, option->get_name() + " is empty, expected a value");
      }
    }
  }

  if (!ranks.alone() && !fit.chosen()) {
    return failed(2, "there are " + std::to_string(ranks.size()) +
                         " processes; fit is what several do together");
  }

  errno = 0;
  try {
    if (fit.chosen()) fit.run(out, err);
    if (score.chosen()) score.run(in, out, err);
    if (eval.chosen()) eval.run(out, err);
    if (info.chosen()) info.run(out);
    if (export_model.chosen()) export_model.run(out, err);
    if (import_net.chosen()) import_net.run(out, err);
    if (freeze.chosen()) freeze.run(out, err);
    out.flush();
    // Like a program that the signal of a closed pipe ends, where the caller has that signal ignored.
    if (!out && errno == EPIPE) return 128 + 13;
    if (!out) return failed(1, "standard output can't be written");
  } catch (const Interrupted& end) {
    return failed(end.status(), end.what());
  } catch (const dasvdd::InvalidArgument& error) {
    return failed(2, error.what());
  } catch (const FileError& error) {
    return failed(2, error.what());
  } catch (const std::bad_alloc&) {
    return failed(1, "there isn't enough memory");
  } catch (const std::exception& error) {
    return failed(1, error.what());
  }
  return 0;
}
/// The same in one process.
inline int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err,
               std::istream& in = std::cin) {
  dasvdd::detail::Ranks alone;
  return run(argc, argv, out, err, in, alone);
}

}  // namespace tool
