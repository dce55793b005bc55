#!/usr/bin/env bash
# usage: layout.sh INCLUDE-DIR
# The layouts of abi/layout.c hold in those headers for each compiler that is there, in C and C++, and
# whatever the -D switches.
set -uo pipefail
include=$1
source=$(cd "$(dirname "$0")/../abi" && pwd)/layout.c
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
runs=0 failed=0

attempt() { # COMMAND...
  runs=$((runs + 1))
  if ! "$@" -I"$include" -Wall -Wextra -Werror "$source" -o "$work/layout" ||
    ! "$work/layout" >"$work/output"; then
    echo "FAILED: $*"
    cat "$work/output"
    failed=1
  fi
}

for compiler in "gcc -std=c11" "clang -std=c11" "g++ -x c++ -std=c++20" "clang++ -x c++ -std=c++20"; do
  command -v "${compiler%% *}" >/dev/null || continue
  for switch in -O2 -DNDEBUG -DDEBUG -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
    "-D_FORTIFY_SOURCE=2 -O2"; do
    # Both are several words.
    # shellcheck disable=SC2086
    attempt $compiler $switch
  done
done
[ "$runs" -gt 0 ] || { echo "no compiler"; exit 1; }
exit "$failed"
