#!/usr/bin/env bash
# usage: pkg-config.sh LIBDIR WORK-FOLDER
# Builds program.c with nothing but pkg-config's answers, the ways a user would, and runs it.
set -uo pipefail
libdir=$1 work=$2
program=$(cd "$(dirname "$0")" && pwd)/program.c
mkdir -p "$work"
cd "$work" || exit 1

export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir
cc=${CC:-cc} cxx=${CXX:-c++}
cflags=$(pkg-config --cflags wire) || exit 1
libs=$(pkg-config --libs wire) || exit 1
static_libs=$(pkg-config --static --libs wire) || exit 1
failed=0

# form NAME SHARED|OWN COMMAND...: builds ./NAME and runs it; it must, or must not, need libwire.so.
form() {
  local name=$1 kind=$2
  shift 2
  echo "$*"
  if ! "$@" -Wall -Wextra -Werror -o "$name" || ! "./$name"; then
    echo "failed: $name"
    failed=1
    return
  fi
  local needs=OWN
  "${READELF:-readelf}" -dW "$name" | grep -q 'NEEDED.*libwire' && needs=SHARED
  [ "$needs" = "$kind" ] || { echo "$name should be $kind, it is $needs"; failed=1; }
}

# The answers are words for the command line: they must be split.
# shellcheck disable=SC2086
{
  form shared SHARED $cc "$program" $cflags $libs
  form shared-no-pie SHARED $cc -no-pie -fno-pie "$program" $cflags $libs
  form shared-static-libs SHARED $cc "$program" $cflags $static_libs
  form own-archive OWN $cc "$program" $cflags "$libdir/libwire.a"
  form own-by-name OWN $cc "$program" $cflags "-L$libdir" -l:libwire.a
  form static OWN $cc -static "$program" $cflags $static_libs
  form static-pie OWN $cc -static-pie -fPIE "$program" $cflags $static_libs
  form cxx SHARED $cxx -x c++ "$program" -x none $cflags $libs
}
exit "$failed"
