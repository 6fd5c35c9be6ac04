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
  find "$build" -name '*.gcda' -print0 |
    xargs -0 -n 1 gcov --stdout --relative-only --source-prefix "$root" 2>/dev/null |
    awk '
      match($0, /^ *-: *0:Source:/) { file = substr($0, RLENGTH + 1) }
      file ~ /^(include|models|phyx|cuda)\// && /^ *(-?[0-9]+\*?|#####|=====): *[1-9][0-9]*:/ {
        split($0, part, ":")
        at = file ":" part[2] + 0
        covered[at] = covered[at] || part[1] !~ /[#=]/
      }
      END { for (at in covered) print at ":" covered[at] + 0 }' | sort -t: -k1,1 -k2,2n
}

counts | awk -F: -v readers="$(tr '\n' '|' <<<"${readers}")" -v check="${2:-}" '
  function room(path,   part, depth) {
    sub("^include/", "", path)
    depth = split(path, part, "/")
    return depth > 2 || part[1] != "gaze" ? part[1] "/" (depth > 2 ? part[2] : "") : "gaze/"
  }
  function row(name, covered, all) {
    printf "| `%s` | %d | %.1f |\n", name, all, 100 * covered / all
  }
  BEGIN { sub(/\|$/, "", readers); readers = "^(" readers ")$" }
  {
    all[$1]++; covered[$1] += $3
    r = room($1); room_all[r]++; room_covered[r] += $3
    every++; every_covered += $3
    if (!($1 in first)) { first[$1] = 1; files[++n] = $1 }
    if (!(r in first)) { first[r] = 1; rooms[++m] = r }
    if (!$3) {
      missing[$1] = missing[$1] ($2 == last[$1] + 1 ? "" : "-" last[$1] " " $2); last[$1] = $2
    }
  }
  END {
    print "| room | lines | covered, % |\n|---|---|---|"
    for (i = 1; i <= m; ++i) row(rooms[i], room_covered[rooms[i]], room_all[rooms[i]])
    row("all", every_covered, every)
    print "\n| reader | lines | covered, % |\n|---|---|---|"
    for (i = 1; i <= n; ++i) {
      f = files[i]
      if (f !~ readers) continue
      row(f, covered[f], all[f])
      if (covered[f] < 0.85 * all[f]) low = low " " f
    }
    print "\nuncovered lines of the readers:"
    for (i = 1; i <= n; ++i) {
      f = files[i]
      if (f !~ readers || !(f in missing)) continue
      sub(/^-[0-9]* /, "", missing[f]); sub(/^- /, "", missing[f])
      print f ": " missing[f] "-" last[f]
    }
    if (check == "") exit
    if (low != "") print "below 85 %:" low > "/dev/stderr"
    if (every_covered < 0.8 * every) print "below 80 % over all" > "/dev/stderr"
    exit low != "" || every_covered < 0.8 * every
  }'
