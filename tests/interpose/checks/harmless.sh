#!/usr/bin/env bash
# usage: harmless.sh LIBRARY
# Programs without wires make the same system calls with the library as without it, once the loader
# is done; a program with raised privileges does not load it.
set -euo pipefail
library=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

command -v strace >/dev/null || { echo "no strace"; exit 1; }
strace -o "$work/probe" true 2>/dev/null || { echo "strace may not trace here: skipped"; exit 0; }

# calls FILE COMMAND...: the system calls after the loader's last, by name; each process by itself.
calls() {
  local file=$1
  shift
  rm -f "$work"/trace*
  strace -ff -o "$work/trace" -E "${preload:-UNUSED=}" "$@" >/dev/null 2>&1 </dev/null
  for trace in $(printf '%s\n' "$work"/trace* | sort -V); do
    # The loader ends with unmapping its cache. When signals come is a matter of chance.
    awk '/^execve.* = 0$/ {loading = 1}
         loading {if (/^munmap/) loading = 0; next}
         /^[a-z]/ && !/^rt_sigreturn/ {sub(/\(.*/, ""); print}' "$trace"
    echo "--"
  done >"$file"
}

compare() {
  preload= calls "$work/without" "$@"
  preload=LD_PRELOAD=$library calls "$work/with" "$@"
  [ "$(wc -l <"$work/without")" -gt 1 ] || { echo "no calls seen: $*"; failed=1; }
  diff "$work/without" "$work/with" && return
  echo "other system calls with the library (>): $*"
  failed=1
}

compare true
compare ls /
compare sh -c 'ls /; (cat /dev/null); exit 0'

# The loader ignores it where it could be used to gain rights.
if [ "$(id -u)" -eq 0 ]; then
  cp "$(command -v cat)" "$work/cat"
  chown nobody "$work/cat"
  chmod 4755 "$work/cat" "$work"
  if LD_PRELOAD=$library "$work/cat" /proc/self/maps 2>/dev/null | grep -q wire-interpose; then
    mount=$(stat -f -c %T "$work")
    echo "loaded into a set-user-ID program ($mount)"
    failed=1
  fi
fi
exit "$failed"
