#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Compiles and runs the README's program with the engine as one header and nothing else.
#   compile_single_header.sh COMPILER REPOSITORY
set -euo pipefail
cxx=$1 root=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$root/cmake/single_header.sh" "$folder/gaze_single.hpp"
awk '/^```cpp/ { inside = 1; next } /^```/ && inside { exit } inside' "$root/README.md" |
  sed 's|gaze/gaze.hpp|gaze_single.hpp|' >"$folder/readme.cpp"
cd "$folder"
"$cxx" -std=c++20 -O1 -ffp-contract=off -Wall -Wextra -Werror readme.cpp -o readme -pthread
./readme | tail -1 | grep -E '^1500 0\.0000'
