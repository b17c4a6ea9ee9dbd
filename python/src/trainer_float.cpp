#include "trainer_of.hpp"

namespace dasvdd::python {

template std::unique_ptr<AnyTrainer> make_trainer<float>(const AnyNet&, const Options&,
                                                         const ObjectiveChoice&);

}  // namespace dasvdd::python
