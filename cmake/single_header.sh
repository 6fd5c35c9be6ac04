#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Writes the CPU engine, everything that gaze/gaze.hpp includes, as one header.
#   cmake/single_header.sh OUTPUT
set -euo pipefail
export LC_ALL=C
root=$(dirname "$(dirname "$(readlink -f "$0")")")
output=$1
mkdir -p "$(dirname "$output")"
{
  cat <<EOF
// SPDX-License-Identifier: MIT
// Gaze $(sed -n 's/^project(gaze VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt"): the CPU engine as one header, made by cmake/single_header.sh.
//
$(sed 's|^|// |' "$root/LICENSE" | sed 's| *$||')
#pragma once
#ifdef GAZE_CPU_COMPILED
#error "gaze_single.hpp has the kernels: compile without GAZE_CPU_COMPILED"
#endif
EOF
  # A .hpp once, a .inl each time that it is included. Names of other files are left alone, and an
  # include of a macro stands for the file that the macro was defined as.
  awk -v include="$root/include/" '
    function put(path,   line, name) {
      if (path ~ /\.hpp$/ && seen[path]++) return
      printf "\n// ---- %s\n", path
      while ((status = getline line < (include path)) > 0) {
        if (line ~ /^#define [A-Z_]+ "gaze\//) {
          split(line, part, /[ "]+/)
          file_of[part[2]] = part[3]
        }
        name = ""
        if (match(line, /^ *# *include "gaze\/[^"]+"/)) {
          name = substr(line, RSTART, RLENGTH - 1)
          sub(/.*"/, "", name)
        } else if (match(line, /^ *# *include [A-Z_]+$/)) {
          name = line
          sub(/.* /, "", name)
          name = file_of[name]
        }
        if (name != "") put(name)
        else if (line !~ /^#pragma once|^\/\/ SPDX-/) print line
      }
      if (status < 0) { print "no such file: " include path > "/dev/stderr"; exit 1 }
      close(include path)
    }
    BEGIN { put("gaze/gaze.hpp") }'
} >"$output.new"
mv "$output.new" "$output"
