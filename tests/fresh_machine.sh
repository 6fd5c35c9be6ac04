#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tests the committed project on a bare Debian, made with debootstrap in a temporary folder:
#   tests/fresh_machine.sh [RELEASE]            the README's two commands, from a fresh clone
#   tests/fresh_machine.sh --run COMMAND [RELEASE]   a shell command there
#   tests/fresh_machine.sh --parse [RELEASE]    only parses the sources of phyx/, one by one, which
#                                               finds those that do not include what they use
# RELEASE is trixie (Debian 13, the default), bookworm, or another that debootstrap knows. Without
# --run, a warning of that release's compiler fails. Needs root, debootstrap, git, a Debian mirror
# (GAZE_MIRROR, by default http://deb.debian.org/debian) and about 3 GB in TMPDIR.
# Exits with 77 if the machine could not be created.
set -euo pipefail

task=readme command=
case ${1:-} in
  --run) task=run command=$2; shift 2 ;;
  --parse) task=parse; shift ;;
esac
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

case $task in
  run) inside <<<"cd /root/gaze; $command" ;;
  parse) inside <<'SCRIPT' ;;
cd /root/gaze
./run setup
cmake --preset default -G Ninja -DGAZE_JOIN_SOURCES=OFF >/dev/null
cd build/release
sed -n 's/^ *"command": "\(.*\)",\{0,1\}$/\1/p' compile_commands.json |
  sed 's/\\\(["\\]\)/\1/g; s/ -o [^ ]* -c / -fsyntax-only -Werror /' |
  awk '/\/phyx\/[^ ]*\.cpp$/' >commands
echo "parsing $(wc -l <commands) sources with $(c++ --version | head -n 1)"
tr '\n' '\0' <commands | xargs -0 -n 1 -P "$(nproc)" sh -c
SCRIPT
  readme) inside <<'SCRIPT' ;;
cd /root/gaze
./run ablate --preset smoke
test -s out/report.html
./run test
! grep 'warning:' build/*/run.log
SCRIPT
esac
say "$release: passed"
