// Every public header.
#include <dasvdd/dasvdd.hpp>
#include <dasvdd/detect/drift_watch.hpp>
#include <dasvdd/detect/false_discovery.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/train/mixed_precision.hpp>
