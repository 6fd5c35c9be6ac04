#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks that every path of this repository named in a document exists, and every link's file and
# heading, and that docs/embedding.md shows the programs of tests/consumer,
# and the version in packaging.
#
#   tests/document_paths.sh
set -euo pipefail
shopt -s nullglob globstar
cd "$(dirname "$0")/.."

folders='bench|cmake|cuda|docs|examples|gaze|include|models|packaging|phyx|tests'
status=0

report() {
  echo "$1: $2" >&2
  status=1
}

# Paths start at the root; gaze/ may also be an installed header or the root itself.
exists() {
  compgen -G "$1" > /dev/null ||
    [[ $1 == gaze/* && ( -e ${1#gaze/} || -e include/$1 ) ]]
}

# The anchors of a document's headings, as GitHub makes them.
anchors() {
  sed -n 's/^##* *//p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

for document in README.md {bench,docs,examples,packaging,tests}/**/*.md; do
  while read -r path; do
    exists "$path" || report "$document" "no such path: $path"
  done < <(grep -oE "(^|[^A-Za-z0-9_./~-])($folders)/[A-Za-z0-9_./*{<…-]+" "$document" |
             sed -E 's/^[^a-z]//; s/[.-]+$//; /[{<…]/d' | sort -u)

  while read -r link; do
    target=$(dirname "$document")/${link%%#*}
    [[ $link == '#'* ]] && target=$document
    if [[ ! -e $target ]]; then
      report "$document" "no such file: $link"
    elif [[ $link == *'#'* ]] && ! anchors "$target" | grep -qxF -- "${link#*#}"; then
      report "$document" "no such heading: $link"
    fi
  done < <(grep -oE '\]\([^) ]+\)' "$document" | sed 's/^](//; s/)$//; /:\/\//d' | sort -u)
done
for program in text_model.cpp answer.cpp Makefile; do
  [[ $(<docs/embedding.md) == *"$(sed -n '3,$p' "tests/consumer/$program")"* ]] ||
    report docs/embedding.md "does not show tests/consumer/$program as it is"
done
version=$(sed -n 's/^project(gaze VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
grep -qF "\"version-semver\": \"$version\"" packaging/vcpkg/gaze/vcpkg.json ||
  report packaging/vcpkg/gaze/vcpkg.json "another version than $version"
exit $status
