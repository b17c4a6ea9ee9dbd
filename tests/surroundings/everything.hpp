// Every public header.
#include <dasvdd/dasvdd.hpp>
#include <dasvdd/detect/drift_watch.hpp>
#include <dasvdd/detect/false_discovery.hpp>
#include <dasvdd/fit/fit_many.hpp>
#include <dasvdd/io/bank_file.hpp>
#include <dasvdd/io/checkpoint_file.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/mpi/sharded_trainer.hpp>
#include <dasvdd/train/mixed_precision.hpp>
