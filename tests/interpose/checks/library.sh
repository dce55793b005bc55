#!/usr/bin/env bash
# usage: library.sh LIBRARY
# How it is linked: bound at load, never unloaded, needing libc and libwire only, with thread-local
# storage that no call is needed for; and no override calls dlsym or allocates.
set -euo pipefail
library=$1
readelf=${READELF:-readelf}
failed=0
fail() {
  echo "$1"
  failed=1
}

dynamic=$("$readelf" -dW "$library")
for flag in NOW NODELETE; do
  grep -q "FLAGS_1.*$flag" <<<"$dynamic" || fail "not linked with $flag"
done
grep -q STATIC_TLS <<<"$dynamic" || fail "thread-local storage is not initial-exec"
needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$dynamic" | sort | tr '\n' ' ')
case $needed in
  "libc.so.6 libwire.so.1 " | "ld-linux"*" libc.so.6 libwire.so.1 ") ;;
  *) fail "needs $needed" ;;
esac
undefined=$("$readelf" --dyn-syms -W "$library" | awk '$7 == "UND" {sub(/@.*/, "", $8); print $8}')
for symbol in malloc calloc realloc free __tls_get_addr; do
  ! grep -qx "$symbol" <<<"$undefined" || fail "calls $symbol"
done
! "$readelf" -lW "$library" | grep -E 'GNU_STACK.* RWE' || fail "executable stack"
exit "$failed"
