#!/bin/sh
# SPDX-License-Identifier: MIT
# A reward in a POSIX shell: 1 for a complete, well-formed response of at most 24 tokens,
# 24 / tokens for a longer one, 0 otherwise. Inside JSON texts quotes are escaped, so the patterns
# below match only the keys of the object (docs/rewards.md, "A reward in any language").
while IFS= read -r line; do
  score=0
  case $line in
    *'"ended":true'*'"well_formed":true'*)
      tokens=${line#*'"length":'}
      tokens=${tokens%%,*}
      score=1
      if [ "$tokens" -gt 24 ]; then
        score=$(printf '0.%03d' $((24000 / tokens)))
      fi
      ;;
  esac
  printf '%s\n' "$score"
done
