#!/bin/sh
# budget.sh COST TIME MEMORY COMPILE... : a program that fits and scores takes at most TIME % of the time and MEMORY %
# of the memory that a file takes to compile that multiplies two Eigen matrices. COST is the program made of cost.cpp,
# COMPILE the compiler with its flags. Processor time, the best of three each, in turn: other programs on the machine
# disturb it little.
set -eu
cost=$1 time=$2 memory=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)

# compile SOURCE COMPILE...: sets ms and kb.
compile() {
  source=$1
  shift
  used=$("$cost" "$@" -c "$source" -o /dev/null)
  ms=${used% *} kb=${used#* }
}

eigen=1000000000
ours=1000000000
for round in 1 2 3; do
  compile "$here/eigen_product.cpp" "$@"
  if [ "$ms" -lt "$eigen" ]; then eigen=$ms; fi
  eigen_kb=$kb
  compile "$here/../consumers/main.cpp" "$@"
  if [ "$ms" -lt "$ours" ]; then ours=$ms; fi
  ours_kb=$kb
  echo "round $round: Eigen product $eigen ms, $eigen_kb KB; dasvdd $ours ms, $ours_kb KB (times: best so far)"
done
share=$((100 * ours / eigen)) share_kb=$((100 * ours_kb / eigen_kb))
echo "dasvdd compiles in $share % of the Eigen product's time (allowed: $time %) and $share_kb % of its memory (allowed: $memory %)"
[ "$share" -le "$time" ] && [ "$share_kb" -le "$memory" ]
