#pragma once
/// \file
/// A fit that can be broken off: its checkpoint's file, when it is written, and Ctrl-C.

#include <tool/command.hpp>
#include <tool/interrupt.hpp>

#include <dasvdd/io/checkpoint_file.hpp>
#include <dasvdd/mpi/fit_ranks.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace tool {

/// The options --checkpoint, --every and --resume.
struct CheckpointArguments {
  std::string path, resume, every = "60s";

  void declare(CLI::App& command) {
    CLI::Option* checkpoint =
        command
            .add_option("--checkpoint", path,
                        "a file that the training is kept in while it runs, to go on from; it is "
                        "removed when the model is written")
            ->type_name("FILE");
    command
        .add_option("--resume", resume,
                    "goes on from the file that --checkpoint wrote, and keeps it up to date; "
                    "rows and options must be the same")
        ->type_name("FILE")
        ->excludes(checkpoint);
    command
        .add_option("--every", every,
                    "with --checkpoint or --resume: how often the file is written, after so many "
                    "epochs or, as in 60s, seconds")
        ->capture_default_str()
        ->type_name("N|SECONDS");
  }

  /// Before any work: whether the options fit together.
  /// \param read files that the command reads
  /// \param model the place of the model
  /// \param writes whether this process is the one that writes files
  void check_options(const CLI::App& command, const std::vector<std::string>& read,
                     const std::string& model, bool writes = true) {
    check(given() || command.get_option("--every")->count() == 0,
          "--every goes with --checkpoint or --resume");
    if (!given()) return;
    check_output(file(), read, resume.empty() ? "--checkpoint" : "--resume", {model});
    // At the end of the fit it is removed.
    const bool exists = resume.empty() && std::filesystem::exists(path);
    check(!exists || !is_checkpoint(path), "--checkpoint ", in_quotes(path),
          " is a checkpoint already: --resume goes on with it; another name, or remove it");
    check(!exists, "--checkpoint ", in_quotes(path),
          " is a file already, and no checkpoint: another name, or remove it");
    const bool seconds = every.size() > 1 && every.back() == 's';
    const auto number = parse_number(seconds ? every.substr(0, every.size() - 1) : every);
    check(number && *number >= (seconds ? 0 : 1) && *number < 1e9 &&
              (seconds || *number == static_cast<double>(static_cast<long>(*number))),
          "--every is ", in_quotes(every),
          ", expected a whole number of epochs, or seconds as in 60s");
    if (seconds) {
      seconds_ = *number;
    } else {
      epochs_ = static_cast<Index>(*number);
    }
    if (resume.empty() && writes) try_output(path);
  }

  bool given() const { return !path.empty() || !resume.empty(); }
  const std::string& file() const { return resume.empty() ? path : resume; }
  std::optional<double> seconds() const { return seconds_; }
  Index epochs() const { return epochs_; }

 private:
  static bool is_checkpoint(const std::string& path) {
    try {
      dasvdd::detail::check_checkpoint(dasvdd::detail::TensorFile::read(path));
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  std::optional<double> seconds_;
  Index epochs_ = 0;
};

/// One fit of the command with its checkpoint. Of several ranks each keeps what it trains, and the first writes all.
template <class Scalar>
class SavedFit {
 public:
  SavedFit(const CheckpointArguments& arguments, dasvdd::detail::Ranks& ranks)
      : arguments_(arguments), ranks_(ranks) {
    if (arguments_.resume.empty()) return;
    dasvdd::load(checkpoint_, arguments_.resume);
    written_epochs_ = checkpoint_.epochs();
  }

  /// For fit(): null where there is no file to write.
  dasvdd::Checkpoint<Scalar>* checkpoint() { return arguments_.given() ? &checkpoint_ : nullptr; }

  /// For the fit's options: ends it after a mini-batch when a signal comes.
  const std::atomic<bool>* stop() const { return interrupt_.stop(); }

  /// Called after epochs, and after one that was broken off, on all ranks at the same time. Whether to go on.
  /// \param done epochs, of all nets
  /// \throws Interrupted where a signal came and the file is written
  bool go_on(Index done) {
    const int signal = signal_of_any();
    if (!arguments_.given()) return signal == 0;
    const auto now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - written_).count();
    const bool mine = arguments_.seconds() ? seconds >= *arguments_.seconds()
                                           : done - written_epochs_ >= arguments_.epochs();
    const bool due = ranks_.numbers(mine).front() != 0;  // by the first rank's clock
    if (!due && signal == 0) return true;
    dasvdd::detail::gather_nets(checkpoint_, ranks_);
    dasvdd::Checkpoint<Scalar> there;  // nets may go on while it is written
    there.set_content(checkpoint_.content());
    if (ranks_.rank() == 0) {
      writing([&] { dasvdd::save(there, output_place(arguments_.file())); });
    }
    written_ = now;
    written_epochs_ = done;
    if (signal == 0) return true;
    throw Interrupted(signal, "stopped after " + std::to_string(there.epochs()) +
                                  " epochs; the same command with --resume " + arguments_.file() +
                                  " in place of --checkpoint goes on");
  }

  /// When the model has been written.
  /// \throws Interrupted where a signal came: the model is of the nets there were
  void finish(const std::string& model) {
    if (const int signal = signal_of_any()) {
      throw Interrupted(signal, "stopped; " + in_quotes(model) +
                                    " is of what was trained until then (--checkpoint keeps a "
                                    "training to go on from)");
    }
    if (!arguments_.given() || ranks_.rank() != 0) return;
    const std::filesystem::path place = output_place(arguments_.file());
    try {
      // Takes away what a run that was killed while it wrote has left.
      const dasvdd::detail::ReplacementFile last(place);
    } catch (const FileError&) {
      // The model is written; a checkpoint that stays does no harm.
    }
    std::error_code ignored;
    std::filesystem::remove(place, ignored);
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// All ranks stop together, whichever a signal came to.
  int signal_of_any() {
    const auto signals = ranks_.numbers(interrupt_.signal());
    return static_cast<int>(*std::max_element(signals.begin(), signals.end()));
  }

  const CheckpointArguments& arguments_;
  dasvdd::detail::Ranks& ranks_;
  dasvdd::Checkpoint<Scalar> checkpoint_;
  Interrupt interrupt_;
  Clock::time_point written_ = Clock::now();
  Index written_epochs_ = 0;
};

}  // namespace tool
