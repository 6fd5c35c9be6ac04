#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Gaze on another processor, with the portable kernels alone, where GAZE_ISA and GAZE_BF16 values
# that it lacks are errors. Also with libc++ if installed: version 14 has no <memory_resource>.
#   compile_portable.sh COMPILER TESTS_FOLDER INCLUDE_FOLDER
set -euo pipefail
export LC_ALL=C
cxx=$1 source=$2/portable.cpp include=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
unset GAZE_ISA GAZE_BF16

build() { "$cxx" -std=c++20 -O0 -pthread -I"$include" "$@" "$source" -o "$folder/portable"; }

expect() {  # expect CODE WORDS [VARIABLE=VALUE]
  local code=$1 words=$2 got=0
  shift 2
  env "$@" "$folder/portable" >"$folder/log" || got=$?
  if ((got != code)) || ! grep -qF -- "$words" "$folder/log" && [[ -n $words ]]; then
    echo "with '$*': exit code $got, expected $code and '$words' in:" >&2
    cat "$folder/log" >&2
    failed=1
  fi
}

build -DGAZE_X86=0 -DGAZE_NEON=0
expect 0 ''
expect 0 '' GAZE_ISA=generic GAZE_BF16=floats
for isa in avx2 avx512 neon; do
  expect 3 "GAZE_ISA=$isa: this processor does not have it" GAZE_ISA=$isa
done
expect 3 'GAZE_ISA=sse: not one of generic, avx2, avx512, neon' GAZE_ISA=sse
expect 3 'not one of' GAZE_ISA=
for way in pairs tiles; do
  expect 3 "GAZE_BF16=$way: this processor does not have it" GAZE_BF16=$way
done

echo '#include <vector>
int main() { return std::vector<int>().size(); }' >"$folder/any.cpp"
if "$cxx" -std=c++20 -stdlib=libc++ "$folder/any.cpp" -o "$folder/any" &>/dev/null; then
  build -stdlib=libc++
  expect 0 ''
else
  echo "not tested: $cxx has no libc++"
fi
exit $failed
