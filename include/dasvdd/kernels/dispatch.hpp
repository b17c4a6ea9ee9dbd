#pragma once
/// \file
/// The kernels this CPU can run, and the choice among them.

#include <dasvdd/kernels/avx2.hpp>
#include <dasvdd/kernels/avx512.hpp>
#include <dasvdd/kernels/portable.hpp>

#include <cstdlib>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace kernels {

/// All tables that this CPU and its operating system can run, the fastest first, "portable" last.
template <class Scalar>
std::vector<const Table<Scalar>*> available() {
  std::vector<const Table<Scalar>*> tables;
#if DASVDD_X86_KERNELS
  __builtin_cpu_init();  // needed by those who score before main
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
    tables.push_back(&avx512::table<Scalar>());
  }
  if (has_avx2) tables.push_back(&avx2::table<Scalar>());
#endif
  tables.push_back(&portable::table<Scalar>());
  return tables;
}

/// The table of that name; the fastest where the name is null or empty.
/// \throws InvalidArgument for a name that is unknown or that this CPU can't run
template <class Scalar>
const Table<Scalar>& choose(const char* name) {
  const auto tables = available<Scalar>();
  if (name == nullptr || *name == '\0') return *tables.front();
  std::string names;
  for (const auto* table : tables) {
    if (std::string(name) == table->name) return *table;
    names += names.empty() ? table->name : std::string(", ") + table->name;
  }
  throw InvalidArgument(detail::sentence("DASVDD_KERNELS is \"", name,
                                         "\", expected one of what this CPU runs: ", names));
}

/// The fastest table, or the one that the environment variable DASVDD_KERNELS names; chosen on
/// first use.
/// \throws InvalidArgument as `choose` does
template <class Scalar>
const Table<Scalar>& best() {
  static const Table<Scalar>& table = choose<Scalar>(std::getenv("DASVDD_KERNELS"));
  return table;
}

}  // namespace kernels
DASVDD_NAMESPACE_END
