#!/bin/sh
# Prints every name of namespace dasvdd that a program sees, one a line: what clang offers behind `dasvdd::`.
#   sh scripts/public_names.sh           through dasvdd.hpp, io/model_file.hpp, io/checkpoint_file.hpp,
#                                        train/mixed_precision.hpp, detect/drift_watch.hpp, mpi/sharded_trainer.hpp,
#                                        mpi/fit_ranks.hpp and fit/fit_many.hpp
#   sh scripts/public_names.sh --check   fails where docs/api.md lists other names, or there are more than 65
# Names with a life of their own inside the library are in dasvdd::detail, which is not printed.
set -eu
cd "$(dirname "$0")/.."

most=65
clang=$(command -v clang++ || command -v clang++-14 || true)
if [ -z "$clang" ]; then
  echo "dasvdd: scripts/public_names.sh needs clang++ (Debian: apt-get install clang)" >&2
  exit 2
fi
eigen=${EIGEN_INCLUDE_DIR:-/usr/include/eigen3}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/headers.hpp" <<'TEXT'
#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/io/checkpoint_file.hpp>
#include <dasvdd/train/mixed_precision.hpp>
#include <dasvdd/detect/drift_watch.hpp>
#include <dasvdd/mpi/sharded_trainer.hpp>
#include <dasvdd/mpi/fit_ranks.hpp>
#include <dasvdd/fit/fit_many.hpp>
TEXT

# run_clang OPTION...: reads $folder/names.cpp, whose lines come after those of the headers.
run_clang() {
  "$clang" -std=c++17 -fsyntax-only -I include -isystem "$eigen" -include "$folder/headers.hpp" "$@" "$folder/names.cpp"
}

# names_in NAMESPACE: one a line. The inline namespace, operators and deduction guides are no names that anyone types.
names_in() {
  printf 'int x = %s::\n' "$1" >"$folder/names.cpp"
  run_clang -Xclang "-code-completion-at=$folder/names.cpp:1:$((11 + ${#1}))" 2>/dev/null |
    sed -n 's/^COMPLETION: \([A-Za-z_][A-Za-z_0-9]*\).*/\1/p' |
    grep -v -e '^detail$' -e '^v[0-9]' -e '^operator' -e '^PREFERRED' | LC_ALL=C sort -u
}

# namespaces_in NAMESPACE NAME...: those of the names that an alias of a namespace can be made of.
namespaces_in() {
  outer=$1
  shift
  : >"$folder/names.cpp"
  for name in "$@"; do printf 'namespace alias_of_%s = %s::%s;\n' "$name" "$outer" "$name" >>"$folder/names.cpp"; done
  wrong=$(run_clang -ferror-limit=0 2>&1 | sed -n 's/^.*names\.cpp:\([0-9]*\):[0-9]*: error.*/\1/p' | sort -u)
  line=0
  for name in "$@"; do
    line=$((line + 1))
    # shellcheck disable=SC2086,SC2116  # lines become words
    case " $(echo $wrong) " in *" $line "*) ;; *) echo "$name" ;; esac
  done
}

# A namespace is a name, and so is everything in it.
all_names() {
  names=$(names_in dasvdd)
  [ -n "$names" ] || return 0
  echo "$names"
  # shellcheck disable=SC2086  # one word a name
  for inner in $(namespaces_in dasvdd $names); do names_in "dasvdd::$inner" | sed "s/^/$inner::/"; done
}

all_names >"$folder/names"
if [ ! -s "$folder/names" ]; then
  echo "dasvdd: scripts/public_names.sh: clang names nothing; does the library compile?" >&2
  exit 1
fi
if [ "${1:-}" != --check ]; then
  cat "$folder/names"
  exit 0
fi

# docs/api.md: each name in backquotes at the start of a table's row; the last table is of other libraries' names.
sed '/^## If you know/,$d' docs/api.md | sed -n 's/^| `\([A-Za-z_0-9]*\)`.*/\1/p' | LC_ALL=C sort >"$folder/documented"
count=$(wc -l <"$folder/names")
bad=0
if ! diff "$folder/names" "$folder/documented" >"$folder/difference"; then
  echo "docs/api.md lists other names than the headers (< headers, > docs/api.md):"
  grep '^[<>]' "$folder/difference"
  bad=1
fi
if [ "$count" -gt "$most" ]; then
  echo "$count public names, at most $most are allowed: move what no user types into dasvdd::detail"
  bad=1
fi
exit $bad
