#pragma once
/// \file
/// `FitProcess`: the process that trains the nets of a fit, as the fit sees it.

#include <dasvdd/core/function_ref.hpp>
#include <dasvdd/fit/checkpoint.hpp>
#include <dasvdd/fit/fitted_ensemble.hpp>
#include <dasvdd/fit/progress.hpp>
#include <dasvdd/train/row_numbers.hpp>

#include <optional>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// One process on its own, which trains all nets. A derived class joins several, of which each trains some
/// (mpi/fit_rank.hpp): all of them run the same fit and call each function, in the same order.
template <class Scalar>
class FitProcess {
 public:
  virtual ~FitProcess() = default;

  /// Before any work.
  /// \param check throws InvalidArgument where the fit can't be
  /// \param task the rows and options in words and numbers
  virtual void begin(FunctionRef<void()> check, FunctionRef<std::string()> task,
                     Checkpoint<Scalar>* checkpoint, Index nets) {
    check();
    if (checkpoint) checkpoint->begin(task(), nets);
  }
  /// The numbers of the nets that this process trains, ascending.
  /// \param costs how long each net takes, in any unit
  virtual std::vector<Index> nets(const std::vector<double>& costs) {
    return all_rows(static_cast<Index>(costs.size()));
  }
  /// Calls train(), which trains the nets of this process and reports to `progress`.
  virtual void run(NetsProgress& progress, FunctionRef<void()> train) {
    (void)progress;
    train();
  }
  /// After run(): what one process has made of a net, all of them have.
  virtual void gather(std::vector<std::optional<FittedMember<Scalar>>>& of_nets) { (void)of_nets; }
  virtual void gather(std::vector<std::vector<double>>& scores_of_nets) { (void)scores_of_nets; }
};

/// How long a net takes, in multiply-adds: three products for each row that it trains on, and one for each that it
/// scores.
template <class Scalar>
double net_cost(const Autoencoder<Scalar>& net, Index epochs, Index trained, Index scored) {
  return static_cast<double>(net.multiply_adds()) *
         (3 * static_cast<double>(epochs) * static_cast<double>(trained) +
          static_cast<double>(scored));
}

}  // namespace detail
DASVDD_NAMESPACE_END
