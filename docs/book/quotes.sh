#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks what the book quotes: a code block with the name of a file after its language occurs in that
# file, line by line; one with the name of an example program occurs in what the program prints.
#
#   docs/book/quotes.sh [FOLDER OF THE EXAMPLE PROGRAMS]
#
# Without the folder, or where a program has not been built, its output is not checked.
set -euo pipefail
cd "$(dirname "$0")/../.."
programs=${1:+$(realpath "$1")}
scratch=$(mktemp -d)  # some programs write files
trap 'rm -rf "$scratch"' EXIT
status=0
declare -A texts

report() {
  echo "$1" >&2
  status=1
}

# Loads the text that a block should occur in; fails if there is none to compare with.
load() {  # load SOURCE
  [[ -z ${texts[$1]:-} ]] || return 0
  if [[ -f $1 ]]; then
    texts[$1]=$(<"$1")
  elif [[ $1 == example_* ]]; then
    [[ -x $programs/$1 ]] || return 1
    texts[$1]=$(cd "$scratch" && "$programs/$1")
  else
    report "no such file: $1"
    return 1
  fi
}

for document in docs/book/*.md; do
  inside=false
  while IFS= read -r line; do
    if ! $inside && [[ $line == '```'* ]]; then
      read -r language source _ <<<"${line#'```'} "
      inside=true block='' first=true
      [[ $language != cpp || -n $source ]] || report "$document: a code block without its file"
    elif $inside && [[ $line == '```' ]]; then
      inside=false
      if [[ -n $source ]] && load "$source" && [[ $'\n'${texts[$source]}$'\n' != *$'\n'"$block"$'\n'* ]]; then
        report "$document: this is not in $source:"$'\n'"$block"
      fi
    elif $inside; then
      if $first; then block=$line; else block+=$'\n'$line; fi
      first=false
    fi
  done <"$document"
done
exit $status
