#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Line coverage of a build with --coverage whose tests have run: usage coverage.sh BUILD [--check]
# Prints a table of rooms, one of the readers of outside files, and the uncovered lines of each
# reader. With --check, fails below 85 % in a reader or 80 % over all. Lines of templates that no
# test instantiates are in no program, so they do not count.
set -euo pipefail
root=$(cd "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
build=$(cd "$1" && pwd)

# Every file whose code parses bytes from outside; $readers is matched to whole paths.
readers='include/gaze/image/(decode|inspect.*|jpeg_frame|prefix_code)\.hpp
include/gaze/io/(base64|json|line_file|safetensors|tensorboard|weight_files)\.hpp
include/gaze/text/(added_tokens|byte_pair_json|tokenizer_json|vocabulary_json)\.hpp
models/(hf/[^/]*|model_metadata)\.hpp
phyx/(answer|data)/[^/]*\.cpp
phyx/scoring/(judge_http|llm_judge|official_table|prediction_join|predictions|python_[a-z]*)\.cpp
phyx/(rewards/external_program|report/run_data|results/csv|serve/chat_request|serve/http_server)\.cpp
phyx/study/study_[a-z_]*\.cpp'

# gcov's text: "count: line:source", once per instantiation of a template; ##### or ===== if never
# executed, - for no code.
counts() {
  cd "$build"  # sources may be named relative to it
  find "$PWD" -name '*.gcda' -print0 |
    xargs -0 -n 1 gcov --stdout --relative-only --source-prefix "$root" 2>/dev/null |
    awk '
      match($0, /^ *-: *0:Source:/) { file = substr($0, RLENGTH + 1); sub(/^(\.\.\/)+/, "", file) }
      file ~ /^(include|models|phyx|cuda)\// && /^ *(-?[0-9]+\*?|#####|=====): *[1-9][0-9]*:/ {
        split($0, part, ":")
        at = file ":" part[2] + 0
        covered[at] = covered[at] || part[1] !~ /[#=]/
      }
      END { for (at in covered) print at ":" covered[at] + 0 }' | sort -t: -k1,1 -k2,2n
}

counts | awk -F: -v readers="$(tr '\n' '|' <<<"$readers")" -v check="${2:-}" '
  function room(path,   part, depth) {
    sub("^include/", "", path)
    depth = split(path, part, "/")
    return depth > 2 ? part[1] "/" part[2] : part[1]
  }
  function row(name, all, covered) {
    printf "| `%s` | %d | %.1f |\n", name, all, 100 * covered / all
  }
  BEGIN { sub(/\|$/, "", readers) }
  {
    file = $1; line = $2; r = room(file)
    if (!(file in all)) files[++n] = file
    if (!(r in room_all)) rooms[++m] = r
    all[file]++; covered[file] += $3
    room_all[r]++; room_covered[r] += $3
    every++; every_covered += $3
    if ($3) next
    if (line == last[file] + 1) sub(/(-[0-9]+)?$/, "-" line, missing[file])
    else missing[file] = missing[file] " " line
    last[file] = line
  }
  END {
    if (!every) { print "no counts: run the tests first" > "/dev/stderr"; exit 1 }
    print "| room | lines | covered, % |\n|---|---|---|"
    for (i = 1; i <= m; ++i) row(rooms[i], room_all[rooms[i]], room_covered[rooms[i]])
    row("all", every, every_covered)
    print "\n| reader | lines | covered, % |\n|---|---|---|"
    for (i = 1; i <= n; ++i) {
      f = files[i]
      if (f !~ "^(" readers ")$") continue
      row(f, all[f], covered[f])
      if (covered[f] < 0.85 * all[f]) low = low " " f
      if (f in missing) uncovered = uncovered "\n" f ":" missing[f]
    }
    print "\nuncovered lines of the readers:" uncovered
    if (check == "") exit
    if (low != "") print "below 85 %:" low > "/dev/stderr"
    if (every_covered < 0.8 * every) print "below 80 % over all" > "/dev/stderr"
    exit low != "" || every_covered < 0.8 * every
  }'
