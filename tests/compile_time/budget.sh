#!/bin/sh
# budget.sh FACTOR COMPILE... : a program that fits and scores takes at most FACTOR times as long to compile as a file
# that multiplies two Eigen matrices. COMPILE is the compiler with its flags. Processor time, the best of three each, in
# turn: other programs on the machine disturb it little.
set -eu
factor=$1
shift
here=$(cd "$(dirname "$0")" && pwd)

# The processor time of one compilation in milliseconds: `times` ends with the user and system time of the children.
cost() {
  source=$1
  shift
  sh -c '"$@" && times' sh "$@" -c "$source" -o /dev/null |
    tail -n 1 | tr 'ms' '  ' | awk '{ printf "%d\n", 1000 * (60 * ($1 + $3) + $2 + $4) }'
}

least() { if [ "$1" -lt "$2" ]; then echo "$1"; else echo "$2"; fi; }

eigen=1000000000
ours=1000000000
for round in 1 2 3; do
  eigen=$(least "$eigen" "$(cost "$here/eigen_product.cpp" "$@")")
  ours=$(least "$ours" "$(cost "$here/../consumers/main.cpp" "$@")")
  echo "round $round: Eigen product $eigen ms, dasvdd $ours ms (best so far)"
done
echo "dasvdd compiles in $((100 * ours / eigen)) % of the Eigen product's time; allowed: $((100 * factor)) %"
[ "$ours" -le $((factor * eigen)) ]
