#pragma once
// What the tests of the tool share: calls of it, and tables for it.

#include <tool/read_table.hpp>

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/checkpoint_file.hpp>
#include <dasvdd/io/model_file.hpp>

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <iosfwd>
#include <sstream>
#include <string>
#include <vector>

namespace tool_tests {

/// tool::run() of another source: whoever includes it compiles every command.
int run_tool(int argc, const char* const* argv, std::ostream& out, std::ostream& err,
             std::istream& in);

struct Outcome {
  int status;
  std::string out, err;
};

/// The tool as a shell would call it, in this process.
/// \param input what standard input holds
inline Outcome dasvdd_tool(const std::vector<std::string>& arguments,
                           const std::string& input = {}) {
  std::vector<const char*> words = {"dasvdd"};
  for (const std::string& argument : arguments) words.push_back(argument.c_str());
  std::ostringstream out, err;
  std::istringstream in(input);
  const int status = run_tool(static_cast<int>(words.size()), words.data(), out, err, in);
  return {status, out.str(), err.str()};
}

inline std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Rows on a line through space with a little noise; anomalies lie off it.
inline std::string csv(int normal, int anomalies, const char* normal_label = "0",
                       const char* anomaly_label = "1", unsigned seed = 1) {
  dasvdd::Random random(seed);
  std::string text = "a,b,c,label\n";
  for (int i = 0; i < normal + anomalies; ++i) {
    const bool anomaly = i >= normal;
    const double t = random.normal();
    const double x[] = {t, 2 * t + 1, anomaly ? 4 - t : -t};
    for (const double value : x) text += tool::number_text(value + 0.05 * random.normal()) + ",";
    text += std::string(anomaly ? anomaly_label : normal_label) + "\n";
  }
  return text;
}

/// What most calls share: a small net, few epochs, one thread.
inline std::vector<std::string> fit_arguments(const std::string& data, const std::string& model,
                                              const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = {"fit",      data, "-o",           model, "--layers",  "8,2",
                                  "--epochs", "30", "--batch-size", "20",  "--threads", "1"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

inline const std::vector<std::string> by_label = {"--label-column", "label"};

/// Checks that a call fails with this status and one sentence on standard error, nothing on
/// standard output.
inline void check_failure(const std::vector<std::string>& arguments, int status,
                          const std::string& sentence) {
  const Outcome outcome = dasvdd_tool(arguments);
  CAPTURE(outcome.err);
  CHECK(outcome.status == status);
  CHECK(contains(outcome.err, sentence));
  CHECK(outcome.err.compare(0, 8, "dasvdd: ") == 0);
  CHECK(lines(outcome.err).size() == 1);
  CHECK(outcome.out.empty());
}

}  // namespace tool_tests
