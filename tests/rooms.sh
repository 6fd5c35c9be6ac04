#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The include arrows between rooms point one way: usage rooms.sh REPOSITORY. A room is a folder of
# include/gaze or phyx, a header directly in include/gaze, phyx/'s own files, models/, or cuda/.
set -euo pipefail
cd "$1"

# One line "room included_room" per arrow.
arrows=$(grep -rE '^ *# *include "(gaze|models|phyx|cuda)/' include/gaze models phyx cuda |
  awk -F: '
    function room(path,   part, depth) {
      sub("^include/", "", path)
      depth = split(path, part, "/")
      if (part[1] == "gaze" || (part[1] == "phyx" && depth > 2)) return part[1] "/" part[2]
      return part[1]
    }
    {
      match($0, /"[^"]+"/)
      from = room($1)
      to = room(substr($0, RSTART + 1, RLENGTH - 2))
      if (from != to) print from, to
    }' | sort -u)

if ! order=$(tsort <<<"$arrows" 2>&1); then
  printf 'rooms include each other in a circle:\n%s\n' "$(grep '^tsort' <<<"$order")" >&2
  exit 1
fi

# The engine knows no model and no application, models no application, and no device another.
if grep -E '^(gaze/[^ ]+ (models|phyx|cuda)|models (phyx|cuda)|cuda (phyx|gaze/cpu))(/|$)' <<<"$arrows" >&2; then
  echo 'these rooms must not include each other (from to)' >&2
  exit 1
fi
printf '%d arrows between rooms, no circle\n' "$(wc -l <<<"$arrows")"
