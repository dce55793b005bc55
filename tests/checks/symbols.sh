#!/usr/bin/env bash
# usage: symbols.sh LIBRARY VERSION-MAP SYMBOLS.TXT
# The library exports exactly the symbols of tests/abi/symbols.txt, at the version named there; the
# version map lists the same; and nobody but the program decides which wire_log is used.
set -euo pipefail
library=$1 map=$2 list=$3
readelf=${READELF:-readelf}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
same() { # TEXT: the lines expected and those found must be the same
  diff -u --label expected --label found "$work/expected" "$work/found" && return
  echo "$1"
  failed=1
}

# The list has comments, and headings in brackets.
listed() {
  awk '{sub(/#.*/, "")} /^\[/ {next} NF' "$list" | LC_ALL=C sort
}
listed >"$work/expected"

# Data is marked, because a program may hold a copy of it: its size is part of the interface.
"$readelf" --dyn-syms -W "$library" |
  awk '$5 == "GLOBAL" && $7 ~ /^[0-9]+$/ {
         sub(/@@?/, " ", $8)
         print $8 ($4 == "OBJECT" ? " data" : "")
       }' | LC_ALL=C sort >"$work/found"
same "The library does not export what $list lists."

# Without comments, one symbol a line, with the node it stands in.
sed -e ':a;s@/\*[^*]*\*/@@g;/\/\*/{N;ba}' "$map" | tr ';{}' '\n\n\n' |
  awk '/^[A-Z][A-Z0-9_.]* *$/ {node = $1} /^ *[a-z_0-9]+ *$/ {print $1, node}' |
  LC_ALL=C sort >"$work/found"
listed | sed 's/ data$//' >"$work/expected"
same "$map does not list what $list lists."

# Through the global offset table, or a program that was linked with a copy of wire_log would set
# one variable and the library use another.
"$readelf" -rW "$library" | grep -E 'GLOB_DAT .* wire_log(@|$| )' >/dev/null ||
  { echo "$library uses wire_log without asking for the program's"; failed=1; }
exit "$failed"
