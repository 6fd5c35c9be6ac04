#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks that the library has no way to print, log or exit, and no mutable state except the thread
# pool, the allocator and the instruction set: in the sources, and in the symbols of an object file
# that uses much of the library.
#   library_symbols.sh COMPILER ROOT MODELS_INCLUDE_FOLDER
set -euo pipefail
export LC_ALL=C
cxx=$1 root=$2 models=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

refuse() {  # refuse WHAT LINES
  [[ -n $2 ]] || return 0
  printf '%s:\n%s\n' "$1" "$2" >&2
  failed=1
}

calls='v?f?printf|puts|putchar|fput[cs]|fwrite|perror|syslog'
calls+='|exit|_exit|_Exit|quick_exit|abort|__assert_fail|assert|signal|raise|atexit'
refuse 'sources that print or exit' "$(
  grep -rnE "(^|[^_a-zA-Z.>])($calls) ?\(|std::(cout|cerr|clog|cin)\b|<(iostream|csignal)>" \
    --include='*.hpp' --include='*.inl' "$root/include/gaze" "$root/models" |
    grep -vE '^[^:]*:[0-9]*: *//' || true)"

for source in tests/whole_library cmake/cpu_kernels cmake/cpu_engine; do
  "$cxx" -std=c++20 -O0 -DNDEBUG -I"$root/include" -I"$root" -I"$models" -c "$root/$source.cpp" \
    -o "$folder/$(basename "$source").o"
done

# std::terminate is allowed: std::thread and noexcept refer to it.
refuse 'symbols that print or exit' "$(
  nm -C --undefined-only "$folder"/*.o |
    grep -E " U ($calls|std::(cout|cerr|clog|cin|ios_base::Init.*))(@|$)" || true)"

# Writable data of the program: sections .data and .bss, without constants that need relocation.
# (Thread-local data is in .tdata and .tbss.) The table of rotary angles is a cache.
allowed='gaze::detail::ThreadPool::owner\(\)::the_owner'
allowed+='|gaze::detail::executor'
allowed+='|gaze::Allocator<gaze::Cpu>::cache\(\)::c'
allowed+='|gaze::detail::current_isa\(\)::isa'
allowed+='|gaze::detail::current_bf16_products\(\)::path'
allowed+='|gaze::cpu::detail::rotary_table<(float|double)>\(.*\)::tables'
allowed+='|gaze::detail::ProcessMutex<gaze::cpu::detail::RotaryTable<(float|double)> >'
allowed+='::(mutex_|get\(\)::registered)'
compiler='DW\.ref\..*'
constants='gaze::text::(detail::)?k[A-Z][A-Za-z]*'  # const, but initialised at program start
refuse 'mutable state' "$(
  nm -C -f sysv --defined-only "$folder"/*.o | awk -F'|' '$7 ~ /^\.(data|bss)/' |
    grep -v '|\.data\.rel\.ro' | cut -d'|' -f1 | sed 's/ *$//' | sort -u |
    grep -vE "^(guard variable for )?($allowed|$constants|$compiler)(\[abi:cxx11\])?$" || true)"
exit $failed
