#pragma once
/// \file
/// A fit of one net by several processes, or in their way by one.

#include <tool/command.hpp>

#include <dasvdd/mpi/sharded_trainer.hpp>

#include <optional>
#include <string>

namespace tool {

/// The option --shards.
class ShardArguments {
 public:
  void declare(CLI::App& command) {
    command
        .add_option("--shards", count_,
                    "with --layers: adds gradients up over so many parts of the rows, to the same "
                    "bits for any number of processes under mpirun, where 16 is the default")
        ->transform(whole_number<Index>());
  }

  /// \param one_net whether the command trains one net
  void check_options(bool one_net) const {
    check(one_net || !count_, "--shards goes with --layers");
    check(!count_ || *count_ >= 1, "--shards is ", count_.value_or(0), ", expected at least 1");
  }

  /// 0: rows aren't cut into shards.
  Index count(dasvdd::detail::Ranks& ranks) const {
    constexpr Index usual = dasvdd::ShardedTrainer<float>::usual_shards;
    return count_ ? *count_ : ranks.alone() ? 0 : usual;
  }

 private:
  std::optional<Index> count_;
};

}  // namespace tool
