#!/usr/bin/env bash
# usage: needed.sh LIBRARY SONAME
# The shared library has that SONAME and needs libc, nothing else.
set -euo pipefail
library=$1 soname=$2
dynamic=$("${READELF:-readelf}" -dW "$library")

found=$(sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p' <<<"$dynamic")
[ "$found" = "$soname" ] || { echo "SONAME is '$found', not '$soname'"; exit 1; }

needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic")
case "$needed" in
  libc.so.[0-9]*) [ "$(wc -l <<<"$needed")" -eq 1 ] && exit 0 ;;
esac
echo "NEEDED should be libc alone, it is:"
echo "$needed"
exit 1
