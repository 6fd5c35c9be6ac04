#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Compile time at -O2 (user time, best of three) against a budget: of Gaze's headers, and of a user's
# files with gaze::kernels. SLACK multiplies the budgets on slow machines.
#   compile_time.sh COMPILER INCLUDE_FOLDER [SLACK]
set -euo pipefail
export LC_ALL=C
cxx=$1 include=$2 slack=${3:-2}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

measure() {  # measure BUDGET NAME SOURCE [FLAGS]
  local budget=$1 name=$2 best=999 seconds
  shift 2
  for _ in 1 2 3; do
    TIMEFORMAT=%U
    if ! seconds=$({ time "$cxx" -std=c++20 -O2 -ffp-contract=off -I"$include" \
      -c "$@" -o "$folder/one.o" &>"$folder/log"; } 2>&1); then
      cat "$folder/log" >&2
      exit 1
    fi
    best=$(awk -v a="$best" -v b="$seconds" 'BEGIN { print a < b ? a : b }')
  done
  local verdict=ok
  awk -v t="$best" -v b="$budget" -v s="$slack" 'BEGIN { exit !(t > b * s) }' &&
    verdict="too slow" failed=1
  printf '%-24s %6.2f s, budget %.1f s x %s: %s\n' "$name" "$best" "$budget" "$slack" "$verdict"
}

headers() {  # headers BUDGET NAME HEADERS...
  local budget=$1 name=$2
  shift 2
  printf '#include "%s"\n' "$@" >"$folder/headers.cpp"
  measure "$budget" "$name" "$folder/headers.cpp"
}

headers 0.1 'names only' gaze/fwd.hpp
headers 1 'tensors and autograd' gaze/tensor.hpp gaze/autograd.hpp
headers 3 'the engine on the CPU' gaze/gaze.hpp
measure 6 'a program that trains' "$(dirname "$0")/consumer/training.cpp" -DGAZE_CPU_COMPILED
exit $failed
