#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# WebAssembly: compiles the engine's examples with Emscripten, runs them in node, and compares what
# they print with the same examples on this machine, with the kernels that WebAssembly has.
#   webassembly.sh REPOSITORY EXAMPLES_FOLDER
# Needs Debian's emscripten, node and nlohmann-json3-dev.
set -euo pipefail
repository=$1 native=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export NODE_PATH=/usr/share/nodejs  # Debian's Emscripten finds its packages only from Debian's node

cd "$repository"
for source in examples/{01,02,06,07,08,11}_*.cpp; do
  name=$(basename "$source" .cpp)
  # /usr/include last, for nlohmann-json. One file, because old Emscripten's loader breaks on node 18.
  em++ -std=c++20 -O2 -ffp-contract=off -fexceptions -msimd128 -sALLOW_MEMORY_GROWTH -sSINGLE_FILE \
    -Iinclude -I. -idirafter /usr/include "$source" -o "$folder/$name.js" 2>"$folder/log" ||
    { cat "$folder/log" >&2; exit 1; }
  node "$folder/$name.js" >"$folder/wasm" 2>&1
  GAZE_ISA=generic "$native/example_$name" >"$folder/native" 2>&1
  diff "$folder/native" "$folder/wasm"
  echo "$name: $(wc -l <"$folder/wasm") equal lines"
done
