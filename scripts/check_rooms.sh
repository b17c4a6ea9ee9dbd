#!/bin/sh
# A header includes only its own room and rooms below it (docs/design.md): says which ones don't, and fails if any.
set -eu
cd "$(dirname "$0")/../include/dasvdd"

below=
bad=0
for room in core kernels nn objective detect train fit eval io mpi c; do
  below="$below$room/ "
  # The C interface stands on the whole library.
  if [ "$room" = c ]; then below="${below}dasvdd.hpp/ "; fi
  for file in "$room"/*; do
    [ -f "$file" ] || continue
    # shellcheck disable=SC2013  # one word a line
    for included in $(sed -n 's|^ *# *include *[<"]dasvdd/\([^>"]*\)[>"].*|\1|p' "$file"); do
      case " $below" in
        *" ${included%%/*}/ "*) ;;
        *) echo "include/dasvdd/$file includes <dasvdd/$included>, which is above it"; bad=1 ;;
      esac
    done
  done
done
exit $bad
