#pragma once
/// \file
/// The kernels this CPU can run, and the choice among them.

#include <dasvdd/kernels/table.hpp>

#if !DASVDD_COMPILED_ELSEWHERE
#include <dasvdd/kernels/avx2.hpp>
#include <dasvdd/kernels/avx512.hpp>
#include <dasvdd/kernels/portable.hpp>
#endif

#include <cstdlib>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {

/// The instruction sets there are kernels for, the fastest first.
enum class Set { avx512, avx2, portable };

inline const char* name_of(Set set) {
  return set == Set::avx512 ? "avx512" : set == Set::avx2 ? "avx2" : "portable";
}

/// Whether this CPU and its operating system can run them.
inline bool runs(Set set) {
#if DASVDD_X86_KERNELS
  __builtin_cpu_init();  // needed by those who score before main
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (set == Set::avx2) return has_avx2;
  if (set == Set::avx512) {
    return has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  }
#endif
  return set == Set::portable;
}

/// The set of that name; the fastest where the name is null or empty.
/// \throws InvalidArgument for a name that is unknown or that this CPU can't run
inline Set set_named(const char* name) {
  std::string names;
  for (const Set set : {Set::avx512, Set::avx2, Set::portable}) {
    if (!runs(set)) continue;
    if (name == nullptr || *name == '\0' || std::string(name) == name_of(set)) return set;
    names += names.empty() ? name_of(set) : std::string(", ") + name_of(set);
  }
  throw InvalidArgument(detail::sentence("DASVDD_KERNELS is \"", name,
                                         "\", expected one of what this CPU runs: ", names));
}

/// The fastest set, or the one that the environment variable DASVDD_KERNELS names; read on first use.
/// \throws InvalidArgument as set_named does
inline Set best_set() {
  static const Set set = set_named(std::getenv("DASVDD_KERNELS"));
  return set;
}

#if DASVDD_COMPILED_ELSEWHERE
template <class Scalar>
const Table<Scalar>& table(Set set);
template <class Scalar>
const ProductTable<Scalar>& products(Set set);
template <class Scalar>
const CompactTable<Scalar>& compact(Set set);
#else
/// All kernels of a set.
template <class Scalar>
const Table<Scalar>& table(Set set) {
#if DASVDD_X86_KERNELS
  if (set == Set::avx512) return avx512::table<Scalar>();
  if (set == Set::avx2) return avx2::table<Scalar>();
#endif
  (void)set;
  return portable::table<Scalar>();
}
/// Its products alone.
template <class Scalar>
const ProductTable<Scalar>& products(Set set) {
#if DASVDD_X86_KERNELS
  if (set == Set::avx512) return avx512::products<Scalar>();
  if (set == Set::avx2) return avx2::products<Scalar>();
#endif
  (void)set;
  return portable::products<Scalar>();
}
/// Its product with weights of two bytes.
template <class Scalar>
const CompactTable<Scalar>& compact(Set set) {
#if DASVDD_X86_KERNELS
  if (set == Set::avx512) return avx512::compact<Scalar>();
  if (set == Set::avx2) return avx2::compact<Scalar>();
#endif
  (void)set;
  return portable::compact<Scalar>();
}
#endif

/// The kernels of best_set().
template <class Scalar>
const Table<Scalar>& best() {
  return table<Scalar>(best_set());
}
template <class Scalar>
const ProductTable<Scalar>& best_products() {
  return products<Scalar>(best_set());
}

/// All tables that this CPU can run, the fastest first, "portable" last; for tests and users.
template <class Scalar>
std::vector<const Table<Scalar>*> available() {
  std::vector<const Table<Scalar>*> tables;
  for (const Set set : {Set::avx512, Set::avx2, Set::portable}) {
    if (runs(set)) tables.push_back(&table<Scalar>(set));
  }
  return tables;
}

/// The table of that name, see set_named.
template <class Scalar>
const Table<Scalar>& choose(const char* name) {
  return table<Scalar>(set_named(name));
}

}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END
