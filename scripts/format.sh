#!/bin/sh
# Formats this project's C++ files in place; with --check says which ones it would change, and fails if any.
set -eu
cd "$(dirname "$0")/.."

# Another version formats differently, and two people would undo each other's work.
formatter=$(command -v clang-format-14 || true)
if [ -z "$formatter" ]; then
  echo "dasvdd: scripts/format.sh needs clang-format 14 (Debian 12: apt-get install clang-format-14)" >&2
  exit 2
fi

files() { git ls-files -z -- '*.hpp' '*.cpp' '*.inc' '*.h' '*.c'; }
if [ "${1:-}" = --check ]; then
  files | xargs -0 "$formatter" --dry-run -Werror
else
  files | xargs -0 "$formatter" -i
fi
