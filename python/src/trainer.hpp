#pragma once
/// \file
/// What Python's Trainer calls: one interface over the types of number and the objectives.

#include "arrays.hpp"
#include "detector.hpp"
#include "nets.hpp"
#include "supervised.hpp"

#include <dasvdd/train/fit_report.hpp>
#include <dasvdd/train/options.hpp>

#include <memory>
#include <string>

namespace dasvdd::python {

/// A trainer whose types are forgotten.
class AnyTrainer {
 public:
  virtual ~AnyTrainer() = default;

  virtual const char* dtype() const = 0;
  virtual const char* objective() const = 0;
  /// \param names of the features from now on
  virtual FitReport fit(nb::handle X, const Names& names, Supervised& supervised) = 0;
  virtual FitReport partial_fit(nb::handle X, Index epochs, Supervised& supervised) = 0;
  /// One mini-batch.
  virtual EpochReport step(nb::handle X) = 0;
  virtual AnyDetector detector() const = 0;
  virtual AnyDetector detector_for(nb::handle X) const = 0;

  /// Everything that training remembers, as arrays and numbers.
  virtual nb::dict state() const = 0;
  virtual void set_state(const nb::dict& state) = 0;
  /// Parameters and statistics by their names in a model file, as arrays.
  virtual nb::dict tensors() const = 0;
  /// Puts some of them back; the others stay.
  virtual void set_tensors(const nb::dict& tensors) = 0;
  /// The mean latent code of rows, for a center.
  virtual Array mean_code(nb::handle X) const = 0;
};

/// What names an objective.
struct ObjectiveChoice {
  std::string name;
  double nu;      ///< of soft_boundary_deep_svdd
  Index warm_up;  ///< of soft_boundary_deep_svdd
};

/// In trainer_float.cpp and trainer_double.cpp, which compile at the same time.
template <class Scalar>
std::unique_ptr<AnyTrainer> make_trainer(const AnyNet& net, const Options& options,
                                         const ObjectiveChoice& objective);
extern template std::unique_ptr<AnyTrainer> make_trainer<float>(const AnyNet&, const Options&,
                                                                const ObjectiveChoice&);
extern template std::unique_ptr<AnyTrainer> make_trainer<double>(const AnyNet&, const Options&,
                                                                 const ObjectiveChoice&);

void bind_trainer(nb::module_& m);

}  // namespace dasvdd::python
