#pragma once
/// \file
/// The library's version: the one place that names it (CMake reads it from here).

#define DASVDD_VERSION_MAJOR 0
#define DASVDD_VERSION_MINOR 1
#define DASVDD_VERSION_PATCH 0
#define DASVDD_VERSION_STRING "0.1.0"
