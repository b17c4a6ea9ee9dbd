#pragma once
/// \file
/// The instruction sets there are kernels for, and the choice among those this CPU can run.

#include <dasvdd/kernels/table.hpp>

#if !DASVDD_COMPILED_ELSEWHERE
#include <dasvdd/kernels/avx2.hpp>
#include <dasvdd/kernels/avx512.hpp>
#include <dasvdd/kernels/portable.hpp>
#endif

#include <cstdlib>
#include <string>
#include <vector>

/// One row an instruction set, the fastest first: its name, and the function that says whether this
/// CPU and its operating system can run it. The name is that of its header, of its namespace, and
/// the value of DASVDD_KERNELS. A new set is a header (simd.hpp says what is in it), its #include
/// above, and a row here.
#if DASVDD_X86_KERNELS
// clang-format off
#define DASVDD_INSTRUCTION_SETS(row) \
  row(avx512, runs_avx512)           \
  row(avx2, runs_avx2)               \
  row(portable, runs_anywhere)
// clang-format on
#else
#define DASVDD_INSTRUCTION_SETS(row) row(portable, runs_anywhere)
#endif

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {

inline bool runs_anywhere() { return true; }
#if DASVDD_X86_KERNELS
inline bool runs_avx2() {
  __builtin_cpu_init();  // needed by those who score before main
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
inline bool runs_avx512() {
  return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#endif

enum class Set {
#define DASVDD_ROW(name, runs) name,
  DASVDD_INSTRUCTION_SETS(DASVDD_ROW)
#undef DASVDD_ROW
};

struct SetRow {
  Set set;
  const char* name;
  bool (*runs)();
};
/// In the order of Set.
inline constexpr SetRow set_table[] = {
#define DASVDD_ROW(name, runs) {Set::name, #name, runs},
    DASVDD_INSTRUCTION_SETS(DASVDD_ROW)
#undef DASVDD_ROW
};

inline const char* name_of(Set set) { return set_table[static_cast<int>(set)].name; }

/// The set of that name; the fastest where the name is null or empty.
/// \throws InvalidArgument for a name that is unknown or that this CPU can't run
inline Set set_named(const char* name) {
  std::string names;
  for (const SetRow& row : set_table) {
    if (!row.runs()) continue;
    if (name == nullptr || *name == '\0' || std::string(name) == row.name) return row.set;
    names += names.empty() ? row.name : std::string(", ") + row.name;
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

// One function a kind of table, so that a program compiles the kinds it uses.
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
#define DASVDD_ROW(name, runs) name::table<Scalar>,
  static constexpr TableFunction<Table<Scalar>> of_set[] = {DASVDD_INSTRUCTION_SETS(DASVDD_ROW)};
#undef DASVDD_ROW
  return of_set[static_cast<int>(set)]();
}
/// Its products alone.
template <class Scalar>
const ProductTable<Scalar>& products(Set set) {
#define DASVDD_ROW(name, runs) name::products<Scalar>,
  static constexpr TableFunction<ProductTable<Scalar>> of_set[] = {
      DASVDD_INSTRUCTION_SETS(DASVDD_ROW)};
#undef DASVDD_ROW
  return of_set[static_cast<int>(set)]();
}
/// Its product with weights of two bytes.
template <class Scalar>
const CompactTable<Scalar>& compact(Set set) {
#define DASVDD_ROW(name, runs) name::compact<Scalar>,
  static constexpr TableFunction<CompactTable<Scalar>> of_set[] = {
      DASVDD_INSTRUCTION_SETS(DASVDD_ROW)};
#undef DASVDD_ROW
  return of_set[static_cast<int>(set)]();
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
  for (const SetRow& row : set_table) {
    if (row.runs()) tables.push_back(&table<Scalar>(row.set));
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
