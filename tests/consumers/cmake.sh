#!/usr/bin/env bash
# usage: cmake.sh PROJECT WORK-FOLDER [CMAKE-OPTION...]
# Configures, builds and tests a project of this folder that uses libwire.
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)/$1
work=$2
shift 2
rm -rf "$work"
cmake -S "$source" -B "$work" -G Ninja -DCMAKE_BUILD_TYPE=Release "$@"
cmake --build "$work" --parallel 2
ctest --test-dir "$work" --output-on-failure --no-tests=error
