#!/bin/sh
# Prints every name a user sees in namespace dasvdd through dasvdd.hpp and io/model_file.hpp, one a line, then those that
# train/mixed_precision.hpp adds. Nested namespaces are entered; detail, operators and the inline namespace are left out.
# With --check says where docs/api.md differs, and fails if it does, or if there are more than 60 names.
#
# The compiler itself is asked: Clang's code completion behind "dasvdd::".
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C

if ! command -v clang++ >/dev/null 2>&1; then
  echo "dasvdd: scripts/public_names.sh needs clang++ (Debian: apt-get install clang)" >&2
  exit 2
fi
eigen=$(pkg-config --cflags eigen3 2>/dev/null || echo -I/usr/include/eigen3)
file=$(mktemp "${TMPDIR:-/tmp}/dasvdd-names-XXXXXX.cpp")
trap 'rm -f "$file"' EXIT

# write_source <text> <header>...: writes the program that is asked about.
write_source() {
  text=$1
  shift
  for header; do echo "#include <$header>"; done >"$file"
  printf '%s' "$text" >>"$file"
}

# clang <option>...: its answer about the program, errors included.
clang() {
  # shellcheck disable=SC2086  # several flags
  clang++ -std=c++17 -Iinclude $eigen -fsyntax-only -w -ferror-limit=0 "$@" "$file" 2>&1 || :
}

# completions <namespace> <header>...: what Clang offers behind "<namespace>::".
completions() {
  begun="int x = $1::"
  shift
  write_source "$begun" "$@"
  clang -Xclang -code-completion-at="$file:$(($# + 1)):$((${#begun} + 1))" |
    sed -n 's/^COMPLETION: \([A-Za-z_][A-Za-z0-9_]*\).*/\1/p' | sort -u |
    grep -vxE 'operator|detail|v[0-9]+_[0-9]+_.*' || :
}

# names_in <namespace> <header>...: those of nested namespaces, too.
names_in() {
  space=$1
  shift
  found=$(completions "$space" "$@")
  # An alias of what is no namespace is an error, which shows the alias.
  write_source "$(for name in $found; do echo "namespace is_$name = $space::$name;"; done)" "$@"
  refused=$(clang)
  for name in $found; do
    echo "$space::$name"
    case $refused in
      *"namespace is_$name ="*) ;;
      *) (names_in "$space::$name" "$@") ;;
    esac
  done
}

names() { names_in dasvdd "$@" | sed 's/^dasvdd:://' | sort -u; }

all=$(names dasvdd/dasvdd.hpp dasvdd/io/model_file.hpp)
with_mixed=$(names dasvdd/dasvdd.hpp dasvdd/io/model_file.hpp dasvdd/train/mixed_precision.hpp)

if [ "${1:-}" != --check ]; then
  echo "$all"
  echo "# dasvdd/train/mixed_precision.hpp"
  # The added ones: those that stand once in both lists together.
  printf '%s\n%s\n' "$all" "$with_mixed" | sort | uniq -u
  exit
fi

described=$(sed -n 's/^| `\([A-Za-z0-9_:]*\)` |.*/\1/p' docs/api.md | sort)
bad=0
for name in $(printf '%s\n%s\n' "$with_mixed" "$described" | sort | uniq -u); do
  if printf '%s\n' "$described" | grep -qx "$name"; then
    echo "docs/api.md describes $name, which the headers don't show, or shows once only"
  else
    echo "docs/api.md doesn't describe $name"
  fi
  bad=1
done
for name in $(printf '%s\n' "$described" | uniq -d); do
  echo "docs/api.md describes $name twice"
  bad=1
done
count=$(printf '%s\n' "$with_mixed" | wc -l)
if [ "$count" -gt 60 ]; then
  echo "there are $count public names, expected at most 60"
  bad=1
fi
exit $bad
