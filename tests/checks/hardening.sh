#!/usr/bin/env bash
# usage: hardening.sh LIBRARY
# No executable stack, full RELRO, no text relocations, stays loaded.
set -uo pipefail
library=$1
readelf=${READELF:-readelf}
segments=$("$readelf" -lW "$library") || exit 1
dynamic=$("$readelf" -dW "$library") || exit 1
failed=0
expect() { # TEXT COMMAND...
  local text=$1
  shift
  "$@" >/dev/null || { echo "$library: $text"; failed=1; }
}
absent() { ! grep -E "$1" <<<"$2"; }

expect "the stack is not marked non-executable" grep -E 'GNU_STACK .* RW +0x' <<<"$segments"
expect "no RELRO segment" grep -E 'GNU_RELRO' <<<"$segments"
expect "symbols are not bound at load time" grep -E 'FLAGS_1.*NOW' <<<"$dynamic"
expect "the library may be unloaded" grep -E 'FLAGS_1.*NODELETE' <<<"$dynamic"
expect "text relocations" absent 'TEXTREL' "$dynamic"
expect "bound to its own symbols (-Bsymbolic)" absent 'SYMBOLIC' "$dynamic"
expect "a segment that is writable and executable" absent ' (LOAD|RELRO) .* RWE ' "$segments"
exit "$failed"
