#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Gaze without CMake, from an installation that was moved: the Makefile with pkg-config, then g++
# alone with the objects that it made.
#   plain.sh COMPILER PREFIX
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
cxx=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r "$2" "$folder/moved"
cp "$here"/{Makefile,*.cpp} "$folder"
cd "$folder"
export PKG_CONFIG_PATH=$folder/moved/share/pkgconfig

version=$(sed -n 's/^set(PACKAGE_VERSION "\(.*\)")/\1/p' \
  "$(find moved -name gazeConfigVersion.cmake)")
pkg-config --exact-version="$version" gaze
make -s CXX="$cxx" training
./training
"$cxx" -std=c++20 -ffp-contract=off -DGAZE_CPU_COMPILED -I moved/include text_model.cpp \
  cpu_kernels.o cpu_engine.o -o text_model -pthread
./text_model
