#!/usr/bin/env bash
# usage: tail-calls.sh LIBRARY FUNCTION...
# Each function leaves the running wire by a jump to ontop_fcontext, never by a call: a call would
# leave a return address that the processor predicts and nobody returns to.
#
# From each function the jumps to other functions are followed. The switch must be reached, and
# nothing on that way may call it.
set -euo pipefail
library=$1
shift

"${OBJDUMP:-objdump}" -d --no-show-raw-insn -j .text "$library" | awk -v wanted="$*" '
  # "0000000000001234 <name>:" opens a function.
  /^[0-9a-f]+ <.*>:$/ {
    name = substr($2, 2, length($2) - 3)
    next
  }
  # "    1234:  jmp  5678 <target>"; a target with +offset lies inside a function and is no tail call.
  # Prefixes that linkers and processors put before an instruction are none of ours.
  { sub(/(addr32|bnd|notrack|data16|cs) +/, "") }
  name != "" && match($0, /<[^>]*>/) {
    target = substr($0, RSTART + 1, RLENGTH - 2)
    sub(/@plt$/, "", target)
    if (target ~ /\+0x/) {
      # The cold part of a function jumps back into it: same function, nothing new to follow.
      next
    }
    if ($2 ~ /^call/) calls[name] = calls[name] " " target
    else if ($2 ~ /^j/) jumps[name] = jumps[name] " " target
    known[name] = 1
    next
  }
  name != "" { known[name] = 1 }

  function visit(f,    i, n, list) {
    if (f in seen) return
    seen[f] = 1
    n = split(calls[f], list, " ")
    for (i = 1; i <= n; i++)
      if (list[i] ~ /^(ontop|jump)_fcontext$/) { print start ": " f " calls " list[i]; bad = 1 }
    n = split(jumps[f], list, " ")
    for (i = 1; i <= n; i++) {
      if (list[i] == "ontop_fcontext") reached = 1
      else if (list[i] != "jump_fcontext") visit(list[i])
    }
  }
  END {
    n = split(wanted, functions, " ")
    if (n == 0) { print "no function given"; exit 1 }
    for (k = 1; k <= n; k++) {
      start = functions[k]
      if (!(start in known)) { print start ": not found in the library"; bad = 1; continue }
      delete seen
      reached = 0
      visit(start)
      if (!reached) { print start ": no tail call of ontop_fcontext"; bad = 1 }
    }
    exit bad
  }'
