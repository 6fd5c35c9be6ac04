#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Compiler settings that Gaze refuses (gaze/core/language.hpp): every header alone reports them in a
# few lines. Flags without a macro in clang++ are not refused there.
#   compile_refused.sh COMPILER INCLUDE_FOLDER
set -euo pipefail
export LC_ALL=C
cxx=$1 include=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

compile() {  # compile HEADER FLAGS...
  local header=$1
  shift
  echo "#include \"$header\"" >"$folder/one.cpp"
  "$cxx" "$@" -fsyntax-only -I"$include" "$folder/one.cpp" >"$folder/log" 2>&1
}

refuses() {  # refuses HEADER WORDS FLAGS...
  local header=$1 words=$2
  shift 2
  if compile "$header" "$@"; then
    echo "$header: compiles with $*" >&2
    failed=1
  elif ! grep -qF -- "$words" "$folder/log" || (($(grep -c . "$folder/log") > 20)); then
    echo "$header with $*: expected '$words' in a few lines, got:" >&2
    head -30 "$folder/log" >&2
    failed=1
  fi
}

# Preprocessed only: the missing file ends that at once, but clang++ would go on and parse the rest.
while read -r header; do
  refuses "$header" 'Gaze needs C++20' -std=c++17 -E -o /dev/null
done < <(cd "$include" && find gaze -name '*.hpp' | sort)

refuses gaze/fwd.hpp 'Gaze needs a 64-bit target' -std=c++20 -m32

refuses gaze/fwd.hpp 'compile without -fno-exceptions' -std=c++20 -fno-exceptions

flags=(-ffast-math -Ofast -ffinite-math-only)
if ! "$cxx" --version | grep -q clang; then
  flags+=(-funsafe-math-optimizations -freciprocal-math -fno-signed-zeros -fsingle-precision-constant
    '-fassociative-math -fno-signed-zeros -fno-trapping-math')
fi
for flag in "${flags[@]}"; do
  # shellcheck disable=SC2086  # a list of words
  refuses gaze/fwd.hpp Gaze -std=c++20 -O2 $flag
done
if [[ $(uname -m) == x86_64 ]] && ! "$cxx" --version | grep -q clang; then
  refuses gaze/fwd.hpp 'extended precision' -std=c++20 -mfpmath=387
fi

for flag in -std=c++20 -std=c++23 '-std=c++20 -O3 -fno-math-errno -fno-trapping-math'; do
  # shellcheck disable=SC2086
  if [[ $flag == *c++23 ]] && ! "$cxx" -std=c++23 -fsyntax-only -x c++ /dev/null 2>/dev/null; then
    continue
  fi
  # shellcheck disable=SC2086
  if ! compile gaze/tensor.hpp $flag; then
    echo "gaze/tensor.hpp does not compile with $flag:" >&2
    head -30 "$folder/log" >&2
    failed=1
  fi
done
exit $failed
