// `dasvdd score MODEL -`: rows of standard input, each answered at once.

#include "tool/support.hpp"

#if defined(__unix__)
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#endif

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <utility>

using namespace tool_tests;

namespace {

/// A model of three features without names, fitted once a test.
std::string make_model(const TemporaryFolder& folder, const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = {"--label-column", "3"};
  all.insert(all.end(), more.begin(), more.end());
  const std::string rows = csv(200, 0), model = folder / "m";
  const std::string train = folder.put("train.csv", rows.substr(rows.find('\n') + 1));
  REQUIRE(dasvdd_tool(fit_arguments(train, model, all)).status == 0);
  return model;
}

std::string without_last_line(const std::string& text) {
  return text.substr(0, text.rfind('\n', text.size() - 2) + 1);
}

/// An .npy file of version 1.
std::string npy(const std::string& dictionary, const std::string& bytes) {
  const auto size = static_cast<std::uint16_t>(dictionary.size());
  return std::string("\x93NUMPY\x01\x00", 8) +
         std::string{static_cast<char>(size & 255), static_cast<char>(size >> 8)} + dictionary +
         bytes;
}

}  // namespace

TEST_CASE("tool: a watched stream says once when its rows are no longer the model's") {
  const TemporaryFolder folder;
  const std::string model = make_model(folder, {"--false-alarm-rate", "0.1"});
  const std::string like = csv(300, 0, "0", "1", 2), moved = csv(0, 300, "0", "1", 3);
  const auto watch = [&](const std::string& rows, const std::string& rate) {
    return dasvdd_tool({"score", model, "-", "--label-column", "3", "--watch", rate}, rows);
  };
  const Outcome quiet = watch(like, "0.01");
  CHECK(quiet.status == 0);
  CHECK(quiet.err.empty());
  const Outcome alarm = watch(like + moved.substr(moved.find('\n') + 1), "0.01");
  CHECK(alarm.status == 0);
  CHECK(std::count(alarm.out.begin(), alarm.out.end(), '\n') == 601);
  CHECK(std::count(alarm.err.begin(), alarm.err.end(), '\n') == 1);
  CHECK(contains(alarm.err, "the rows are no longer what the model was calibrated with"));
  CHECK(contains(watch(like, "1").err, "--watch is 1, expected a number between 0 and 1"));
  CHECK(contains(dasvdd_tool({"score", model, folder.put("f.csv", like), "--watch", "0.1"}).err,
                 "--watch goes with standard input"));
  const std::string plain = make_model(folder);
  CHECK(contains(dasvdd_tool({"score", plain, "-", "--watch", "0.1"}, like).err,
                 "isn't calibrated, so --watch doesn't fit"));
}

TEST_CASE("tool: a watched stream names the features that have moved") {
  const TemporaryFolder folder;
  const std::string model = make_model(folder, {"--false-alarm-rate", "0.1"});
  const std::string like = csv(300, 0, "0", "1", 2);
  const std::string normal = folder.put("normal.csv", csv(200, 0, "0", "1", 4));
  // The same rows with 5 added to the second feature.
  std::string moved;
  std::istringstream lines(like.substr(like.find('\n') + 1));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t from = line.find(',') + 1, to = line.find(',', from);
    moved += line.substr(0, from) + std::to_string(std::stod(line.substr(from, to - from)) + 5) +
             line.substr(to) + "\n";
  }
  const auto watch = [&](const std::string& rows, const std::string& reference) {
    return dasvdd_tool(
        {"score", model, "-", "--label-column", "3", "--watch", "0.01", "--watch-rows", reference},
        rows);
  };
  const Outcome quiet = watch(like, normal);
  CHECK(quiet.status == 0);
  CHECK(quiet.err.empty());
  const Outcome alarm = watch(like + moved, normal);
  CHECK(alarm.status == 0);
  CHECK(contains(alarm.err, "the rows are no longer what the model was calibrated with"));
  CHECK(contains(alarm.err, "feature 1 (from 0) has moved"));
  CHECK(!contains(alarm.err, "feature 0"));
  CHECK(!contains(alarm.err, "feature 2"));
  CHECK(std::count(alarm.err.begin(), alarm.err.end(), '\n') == 2);
  CHECK(watch(like, folder / "none.csv").status == 2);
  const Outcome alone = dasvdd_tool({"score", model, "-", "--watch-rows", normal}, like);
  CHECK(alone.status == 2);
  CHECK(contains(alone.err, "--watch"));
}

TEST_CASE("tool: a stream gets the answers of a file") {
  const TemporaryFolder folder;
  const std::string model = make_model(folder);
  const std::string rows = csv(20, 5, "0", "1", 2);
  const auto of_file = [&](const std::string& text, const std::vector<std::string>& more) {
    std::vector<std::string> call = {"score", model, folder.put("rows.csv", text)};
    call.insert(call.end(), more.begin(), more.end());
    return dasvdd_tool(call);
  };
  const auto of_stream = [&](const std::string& text, const std::vector<std::string>& more) {
    std::vector<std::string> call = {"score", model, "-"};
    call.insert(call.end(), more.begin(), more.end());
    return dasvdd_tool(call, text);
  };
  const std::string texts[] = {rows,
                               "\n \t\r\n# x\n\n" + rows,
                               without_last_line(rows),
                               rows.substr(rows.find('\n') + 1),
                               "\xef\xbb\xbf" + rows,
                               rows + "\n\r\n\n"};
  for (const std::string& text : texts) {
    for (const auto& more : std::vector<std::vector<std::string>>{
             {"--label-column", "3"}, {"--label-column", "3", "--explain", "2"}}) {
      const Outcome file = of_file(text, more), stream = of_stream(text, more);
      CHECK(file.status == 0);
      CHECK(stream.status == 0);
      CHECK(stream.err.empty());
      CHECK(stream.out == file.out);
    }
  }
  // Every kind of line break and of quotes.
  for (const std::string text :
       {"1,2,3\r\n4,5,6\r\n", "1,2,3\r4,5,6\r", "\"a\nb\",\"c\"\"\n\",d\n1,2,3\n\"4\",\"5\",6",
        "a,b,c\n", "", "1,2,3"}) {
    CAPTURE(text);
    const Outcome stream = of_stream(text, {});
    CHECK(stream.status == 0);
    CHECK(stream.out == (text.empty() ? "score,p_value,anomaly\n" : of_file(text, {}).out));
  }
  // Labels are words: a name tells the header, by an index the row is data.
  CHECK(of_stream("1,2,3,label\n1,2,3,ok\n", {"--label-column", "label"}).out ==
        of_file("1,2,3\n", {}).out);
  CHECK(lines(of_stream("1,2,3,ok\n1,2,3,bad\n", {"--label-column", "3"}).out).size() == 3);

  const std::string place = folder / "scores.csv";
  CHECK(of_stream(rows, {"--label-column", "label", "-o", place}).out.empty());
  CHECK(content(place) == of_file(rows, {"--label-column", "label"}).out);
}

TEST_CASE("tool: a stream's bad row ends it with its line, behind the answers before") {
  const TemporaryFolder folder;
  const std::string model = make_model(folder);
  const std::string good = dasvdd_tool({"score", model, "-"}, "1,2,3\n").out;
  const auto check_end = [&](const std::string& input, const std::string& out,
                             const std::string& sentence) {
    const Outcome outcome = dasvdd_tool({"score", model, "-"}, input);
    CHECK(outcome.status == 2);
    CHECK(outcome.out == out);
    CHECK(outcome.err == "dasvdd: standard input, " + sentence + "\n");
  };
  const std::string none = "score,p_value,anomaly\n";
  check_end("1,2,3\n1,x,3\n1,2,3\n", good,
            "line 2, column 1 (from 0): 'x' is no number (--label-column names a column of labels, "
            "--drop one to leave out)");
  check_end("a,b,c\n1,2,3\n1,2\n", good, "line 3 has 2 fields, expected 3 as in line 1");
  check_end("a,b,\"c\nd\"\r\n1,2,3\r\n1,nan,3\n", good,
            "line 4, column 'b': every value must be finite");
  check_end("1,2,3\n1,,3\n", good,
            "line 2, column 1 (from 0): the field is empty (fit --missing mask or impute takes "
            "missing values)");
  check_end("1,2,3\n\n\n1,2,3\n", good, "line 2 is empty");
  check_end("1,2,3\n1,\"2,3\n", good, "line 2: a quote is never closed");
  check_end("\n \n1,2,3\n\n1,2,3\n", good, "line 4 is empty");
  check_end(
      std::string("1,2,3\n1,x\0\x07y,3\n", 15), good,
      "line 2, column 1 (from 0): 'x\\x00\\x07y' is no number (--label-column names a column of "
      "labels, --drop one to leave out)");
  check_end("1,2\n", none, "line 1 has 2 features, the model takes 3");
  check_failure({"score", model, "-", "--labels", "x"}, 2, "--labels goes with a file");
}

TEST_CASE("tool: a stream's first row says what its columns are, as a file's does") {
  const TemporaryFolder folder;
  const std::string model = make_model(folder);
  const auto call = [&](const std::string& input, const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = {"score", model, "-"};
    all.insert(all.end(), more.begin(), more.end());
    return dasvdd_tool(all, input);
  };
  const std::string expected = call("1,2.5,3\n4,5,6\n").out;
  CHECK(lines(expected).size() == 3);
  for (const char* input :
       {"a,b,c\n1,2.5,3\n4,5,6\n", "1;2,5;3\n4;5;6\n", "1\t2.5\t3\n4\t5\t6\n", "1|2.5|3\n4|5|6\n",
        "# x, \"y\n1,2.5,3\n# z\n4,5,6\n", "1,2.5,3,\n4,5,6,\n",
        "\xef\xbb\xbf"
        "a;b;c\r\n1;2.5;3\r\n4;5;6\r\n \n\n",
        "\"1,0\";\"2,5\";3\n4;5;6\n"}) {
    CAPTURE(input);
    const Outcome outcome = call(input);
    CHECK(outcome.status == 0);
    CHECK(outcome.out == expected);
  }
  for (const char* input : {"# x\n# a,b,c\n1,2.5,3\n4,5,6\n", "sep=;\n1;2,5;3\n4;5;6\n",
                            "\xef\xbb\xbfsep=|\r\na|b|c\r\n1|2.5|3\r\n4|5|6\r\n",
                            "\xef\xbb\xbf\xef\xbb\xbf\"a\nb\",b,c\n1,2.5,3\n4,5,6\n"}) {
    CAPTURE(input);
    const Outcome outcome = call(input);
    CHECK(outcome.err.empty());
    CHECK(outcome.out == expected);
  }
  CHECK(contains(call("sep=^\n1^2^3\n").err, "line 1 says that fields are separated by '^'"));
  CHECK(contains(call("\"a\rb\",b,c\r1,2,3\r1,x,3\r").err, "line 4, column 'b': 'x' is no"));
  CHECK(contains(call("\"a\r\nb\",b,c\r\n1,2,3\r\n1,x,3\r\n").err, "line 4, column 'b': 'x'"));
  // What is no text is named.
  for (const auto& input : std::vector<std::pair<std::string, std::string>>{
           {std::string("\xff\xfe"
                        "1\0,\0002\0,\0003\0\n\0",
                        14),
            "is text in UTF-16"},
           {std::string("\xff\xfe\0\0001\0\0\0", 8), "is text in UTF-32"},
           {std::string("\0\0\xfe\xff\0\0\0001", 8), "is text in UTF-32"},
           {std::string("1\0,\0002\0", 6), "is of no known kind"},
           {std::string("\x1f\x8b\x08\0\0\0\0\0", 8), "is packed with gzip; gzip -dc unpacks it"},
           {std::string("PK\3\4\x14\0", 6), "is a zip archive, as .npz files are"},
           {"\x28\xb5\x2f\xfd\x04\x58", "is packed with Zstandard"}}) {
    const std::string& kind = input.second;
    CAPTURE(kind);
    const Outcome outcome = call(input.first);
    CHECK(outcome.status == 2);
    CHECK(contains(outcome.err, "standard input " + kind));
    CHECK(contains(outcome.err, "; csv in UTF-8 and .npy are read from it"));
    CHECK(!contains(outcome.err, "latin1"));
  }
  CHECK(call("9,1,2.5,3\n9,4,5,6\n", {"--drop", "0"}).out == expected);
  CHECK(call("3,x,1,2.5\n6,y,4,5\n", {"--columns", "2,3,0"}).out == expected);
  CHECK(call("0,1,2\n1,2.5,3\n4,5,6\n", {"--header", "yes"}).out == expected);
  CHECK(lines(call("0,1,2\n1,2.5,3\n", {"--header", "no"}).out).size() == 3);
  const auto refused = [&](const std::string& input, const std::string& sentence) {
    const Outcome outcome = call(input);
    CHECK(outcome.status == 2);
    CAPTURE(outcome.err);
    CHECK(contains(outcome.err, sentence));
    CHECK(outcome.out == "score,p_value,anomaly\n");
  };
  refused("0,1,2\n1,2,3\n", "line 1: 0, 1, 2, ... may be names of columns or a row; --header");
  refused(",1,2\n0,2,3\n", "line 1: an empty field and 1, 2 may be pandas' index");
  refused("NA,?,?\n1,2,3\n", "line 1: NA may be a column's name or stand for a missing value");
  refused("1,NA,3\n1,2,3\n",
          "line 1, column 1 (from 0): 'NA' is no number, other fields are; --header");
  refused(",a,b\n0,1,2\n", "line 1: the first column has no name and seems to number the rows");
  refused("Unnamed: 0.1,Unnamed: 0,b\n0,1,2\n", "--drop 0,1 leaves such columns out");
  refused("a,b,a\n0,1,2\n", "two columns named 'a', 0 and 2");
  refused("1 2 3\n", "blanks separate the numbers");
  // A row is answered before the next is there, which may tell that it was a header.
  const Outcome late = call("1,2,3\n0.1,0.2,0.3\n");
  CHECK(late.status == 2);
  CHECK(contains(late.err, "line 1: 1, 2, 3 may be names of columns or a row, since other lines"));
  CHECK(lines(late.out).size() == 2);
  CHECK(call("1,2,3\n0.1,0.2,0.3\n", {"--header", "no"}).status == 0);
}

TEST_CASE("tool: a stream in NumPy's format is told by its first bytes") {
  const TemporaryFolder folder;
  const std::string model = make_model(folder);
  const float numbers[] = {1, 2, 3, 4, 5, 6};
  const std::string bytes(reinterpret_cast<const char*>(numbers), sizeof numbers);
  const std::string shape = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  const std::string expected = dasvdd_tool({"score", model, "-"}, "1,2,3\n4,5,6\n").out;
  const auto call = [&](const std::string& input) {
    return dasvdd_tool({"score", model, "-"}, input);
  };
  CHECK(call(npy(shape, bytes)).out == expected);
  CHECK(call(npy(shape, bytes)).status == 0);
  const Outcome cut = call(npy(shape, bytes.substr(0, 20)));
  CHECK(cut.status == 2);
  CHECK(cut.out == without_last_line(expected));
  CHECK(cut.err == "dasvdd: standard input is cut short\n");
  CHECK(contains(call(npy(shape, bytes + "x")).err, "more bytes than its header says"));
  float bad[6];
  std::copy_n(numbers, 6, bad);
  bad[4] = std::numeric_limits<float>::infinity();
  const Outcome infinite =
      call(npy(shape, std::string(reinterpret_cast<const char*>(bad), sizeof bad)));
  CHECK(infinite.out == without_last_line(expected));
  CHECK(contains(infinite.err, "standard input, row 1, column 1 (both from 0): every value"));
  const auto refused = [&](const std::string& dictionary, const std::string& sentence) {
    const Outcome outcome = call(npy(dictionary, bytes));
    CHECK(outcome.status == 2);
    CHECK(contains(outcome.err, sentence));
  };
  refused("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", "is in Fortran order");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }",
          "has rows of 2 numbers, the model takes 3");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", "expected 2: one sample");
  refused("{'descr': '<U1', 'fortran_order': False, 'shape': (2, 3), }", "expected numbers");
  CHECK(contains(dasvdd_tool({"score", model, "-", "--label-column", "1"}, npy(shape, bytes)).err,
                 "is no csv file, so --label-column, --columns, --drop and --header don't fit"));
}

TEST_CASE("tool: --fdr selects from a stream row by row") {
  const TemporaryFolder folder;
  const std::string model = make_model(folder, {"--false-alarm-rate", "0.1"});
  const std::string rows = csv(200, 30, "0", "1", 2);
  const auto answers = lines(
      dasvdd_tool({"score", model, "-", "--label-column", "label", "--fdr", "0.3"}, rows).out);
  REQUIRE(answers.size() == 231);
  CHECK(answers[0] == "score,p_value,anomaly,selected");
  const auto detector = dasvdd::load<float>(model);
  const std::size_t n = detector.calibration().scores().size();
  dasvdd::OnlineSelect select(0.3, n, 0.3 * (static_cast<double>(n) + 1) / 2);
  for (std::size_t i = 1; i < answers.size(); ++i) {
    const bool selected = select.add(detector.p_value(std::stof(answers[i])));
    CHECK(answers[i].substr(answers[i].size() - 2) == (selected ? ",1" : ",0"));
  }
  CHECK(select.state().selected >= 10);
}

#if defined(__unix__) && defined(DASVDD_TOOL)
namespace {

/// The tool as a process of its own, with pipes for standard input and output.
class Process {
 public:
  Process(const std::vector<std::string>& arguments, bool ignores_closed_pipes) {
    int in[2], out[2], err[2];
    REQUIRE(pipe2(in, O_CLOEXEC) == 0);
    REQUIRE(pipe2(out, O_CLOEXEC) == 0);
    REQUIRE(pipe2(err, O_CLOEXEC) == 0);
    std::vector<std::string> words = {"dasvdd"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(&word[0]);
    argv.push_back(nullptr);
    id_ = fork();
    REQUIRE(id_ >= 0);
    if (id_ == 0) {
      std::signal(SIGPIPE, ignores_closed_pipes ? SIG_IGN : SIG_DFL);
      dup2(in[0], 0);
      dup2(out[1], 1);
      dup2(err[1], 2);
      execv(DASVDD_TOOL, argv.data());
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    in_ = in[1];
    out_ = out[0];
    err_ = err[0];
  }
  ~Process() {
    for (const int file : {in_, out_, err_}) {
      if (file >= 0) close(file);
    }
    if (id_ > 0) {
      kill(id_, SIGKILL);
      waitpid(id_, nullptr, 0);
    }
  }

  void write(const std::string& text) const {
    REQUIRE(::write(in_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void close_input() { close(std::exchange(in_, -1)); }
  void close_output() { close(std::exchange(out_, -1)); }
  /// One line of what it writes, waited for at most a minute; empty at the end.
  std::string line() const {
    std::string text;
    for (char c; (text.empty() || text.back() != '\n') && read_one(out_, c);) text += c;
    return text;
  }
  std::string error() const {
    std::string text;
    for (char c; read_one(err_, c);) text += c;
    return text;
  }
  /// Waits for its end; an exit status, or 128 and the signal, as shells say it.
  int status() {
    int status = 0;
    REQUIRE(waitpid(std::exchange(id_, -1), &status, 0) > 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  static bool read_one(int file, char& c) {
    pollfd one{file, POLLIN, 0};
    REQUIRE(poll(&one, 1, 60000) == 1);
    return read(file, &c, 1) == 1;
  }

  pid_t id_ = -1;
  int in_ = -1, out_ = -1, err_ = -1;
};

}  // namespace

TEST_CASE("tool: standard input that can't be read is an error") {
  const TemporaryFolder folder;
  const std::string model = make_model(folder), out = folder / "out", err = folder / "err";
  for (const char* input : {"< /tmp", "<&-"}) {
    CAPTURE(input);
    const std::string command = std::string(DASVDD_TOOL) + " score '" + model + "' - " + input +
                                " > '" + out + "' 2> '" + err + "'";
    const int status = std::system(command.c_str());
    CHECK(WEXITSTATUS(status) == 2);
    CHECK(content(out).empty());
    CHECK(contains(content(err), "dasvdd: standard input can't be read: "));
  }
}

TEST_CASE("tool: a row is answered before the next is written") {
  const TemporaryFolder folder;
  const std::string model = make_model(folder);
  const auto expected = lines(dasvdd_tool({"score", model, "-"}, "1,2,3\n4,5,6\n").out);
  for (const std::string line_break : {"\n", "\r\n", "\r"}) {
    Process process({"score", model, "-"}, false);
    CHECK(process.line() == expected[0] + "\n");
    process.write("a,b,c" + line_break + "1,2,3" + line_break);
    CHECK(process.line() == expected[1] + "\n");
    process.write("4,5,6" + line_break);
    CHECK(process.line() == expected[2] + "\n");
    process.close_input();
    CHECK(process.line().empty());
    CHECK(process.status() == 0);
  }

  const std::string shape = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  const float numbers[] = {1, 2, 3, 4, 5, 6};
  const char* bytes = reinterpret_cast<const char*>(numbers);
  Process process({"score", model, "-"}, false);
  process.write(npy(shape, std::string(bytes, 12)));
  CHECK(process.line() == expected[0] + "\n");
  CHECK(process.line() == expected[1] + "\n");
  process.write(std::string(bytes + 12, 12));
  CHECK(process.line() == expected[2] + "\n");

  // Into a pipe by its name, too.
  const std::string pipe = folder / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  Process to_pipe({"score", model, "-", "-o", pipe}, false);
  std::ifstream answers(pipe);
  std::string line;
  CHECK(std::getline(answers, line));
  to_pipe.write("1,2,3\n");
  CHECK(std::getline(answers, line));
  CHECK(line == expected[1]);
}

TEST_CASE("tool: when nobody reads the answers any more, a stream ends without a word") {
  const TemporaryFolder folder;
  const std::string model = make_model(folder);
  for (const bool ignores : {false, true}) {
    CAPTURE(ignores);
    Process process({"score", model, "-"}, ignores);
    process.write("1,2,3\n");
    process.line();
    process.line();
    process.close_output();
    process.write("4,5,6\n");  // the input stays open, as tail -f keeps it
    CHECK(process.status() == 128 + SIGPIPE);
    CHECK(process.error().empty());
  }
}
#endif
