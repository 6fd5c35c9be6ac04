#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tests the committed project on a bare Debian, made with debootstrap in a temporary folder:
#   tests/fresh_machine.sh [RELEASE]            the README's two commands, from a fresh clone
#   tests/fresh_machine.sh --syntax [RELEASE]   only parses every C++ source, in a few minutes
# RELEASE is trixie (Debian 13, the default), bookworm, or another that debootstrap knows. Both forms
# fail on a warning of that release's compiler. Needs root, debootstrap, git, a Debian mirror
# (GAZE_MIRROR, by default http://deb.debian.org/debian) and about 3 GB in TMPDIR.
# Exits with 77 if the machine could not be created.
set -euo pipefail

syntax=false
if [[ ${1:-} == --syntax ]]; then syntax=true; shift; fi
release=${1:-trixie}
project=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
mirror=${GAZE_MIRROR:-http://deb.debian.org/debian}

say() { echo "fresh_machine: $*" >&2; }
cannot() { say "$@"; exit 77; }

((EUID == 0)) || cannot "needs root"
command -v debootstrap >/dev/null || cannot "debootstrap is not installed"
machine=$(mktemp -d "${TMPDIR:-/var/tmp}/gaze-$release.XXXXXX")
trap 'rm -rf --one-file-system -- "$machine"' EXIT

# Runs a shell script from standard input in the new machine, with its own /proc and a clean
# environment. The mount ends with the command.
inside() {
  unshare --mount --pid --fork sh -c 'mount -t proc proc "$1/proc" && exec env -i HOME=/root \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 ${http_proxy:+"http_proxy=$http_proxy"} \
    chroot "$1" bash -euo pipefail -s' sh "$machine"
}

say "creating a bare $release"
debootstrap --variant=minbase "$release" "$machine" "$mirror" >"$machine.log" 2>&1 ||
  { tail -n 5 "$machine.log" >&2; rm -f "$machine.log"; cannot "debootstrap failed"; }
rm -f "$machine.log"
git clone -q --no-local "$project" "$machine/root/gaze"
inside <<<'apt-get update -q >/dev/null && apt-get install -qy --no-install-recommends git \
  ca-certificates >/dev/null 2>&1' || cannot "apt-get failed"

if $syntax; then
  # The commands that CMake would run: the sources of phyx/ one by one, so that each includes what it
  # uses, the others joined as they are compiled.
  inside <<'SCRIPT'
cd /root/gaze
./run setup bench
for join in ON OFF; do
  cmake --preset default -B build/$join -G Ninja -DGAZE_BUILD_BENCH=ON -DGAZE_JOIN_SOURCES=$join >/dev/null
  sed -n 's/^ *"command": "\(.*\)",\{0,1\}$/cd \/root\/gaze\/build\/'$join' \&\& \1/p' build/$join/compile_commands.json
done | sed 's/\\\(["\\]\)/\1/g; s/ -o [^ ]* -c / -fsyntax-only -Werror /' |
  awk '/build\/ON/ ? !/(gaze|gaze_phyx)\.dir/ && !/\/phyx\// : /\/phyx\/[^ ]*\.cpp$/' >commands
echo "parsing $(wc -l <commands) sources with $(c++ --version | head -n 1)"
tr '\n' '\0' <commands | xargs -0 -n 1 -P "$(nproc)" sh -c
SCRIPT
else
  inside <<'SCRIPT'
cd /root/gaze
./run ablate --preset smoke
test -s out/report.html
./run test
! grep 'warning:' build/*/run.log
SCRIPT
fi
say "$release: passed"
