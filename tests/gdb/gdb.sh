#!/usr/bin/env bash
# usage: gdb.sh BUILD-FOLDER PROGRAM
# What gdb says about PROGRAM (wires.c) with the script of the installed library, which it loads by
# itself: live, from a core file, and with a library that is stripped.
set -uo pipefail
build=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
failed=0 passed=0

fail() {
  echo "FAILED: $1"
  failed=$((failed + 1))
}

cmake --install "$build" --prefix "$prefix" >"$work/install" 2>&1 || { cat "$work/install"; exit 1; }
library=$(find "$prefix" -name 'libwire.so.*' ! -name '*.py' -type f)
[ -n "$library" ] || { echo "no library is installed"; exit 1; }
scripts=$prefix/share/gdb/auto-load
[ -f "$scripts$library-gdb.py" ] || fail "no $scripts$library-gdb.py"
export LD_LIBRARY_PATH=${library%/*}

look() { # FILE-OR-NONE COMMAND...: as a user with this prefix in the search path of gdb
  local core=$1 options=()
  shift
  for command in "$@"; do options+=(-ex "$command"); done
  gdb -q -batch -nx -iex "set debuginfod enabled off" -iex "set auto-load scripts-directory $scripts" \
    -iex "set auto-load safe-path $prefix:/usr" -ex "set pagination off" -ex "set width 0" \
    "${options[@]}" "$program" ${core:+"$core"} >"$work/output" 2>&1
}

expect() { # PATTERN...: each is in the output, in this order
  local text
  text=$(cat "$work/output")
  for pattern in "$@"; do
    if [[ $text =~ $pattern ]]; then
      text=${text#*"${BASH_REMATCH[0]}"}
      passed=$((passed + 1))
    else
      fail "$what: no \"$pattern\" in order in:"
      sed 's/^/  /' "$work/output"
      return
    fi
  done
}

expect_not() {
  if grep -E "$1" "$work/output"; then fail "$what: $1"; else passed=$((passed + 1)); fi
}

all_wires() {
  expect "Id +Thread +Stack +Name +State" \
    "1 +1 +[0-9]+/65536 +'holder' +suspended" \
    "2 +1 +[0-9]+/65536 +'locker' +waits for lock 0x[0-9a-f]+" \
    "3 +1 +[0-9]+/65536 +'sender' +waits for a receiver on channel 0x[0-9a-f]+" \
    "4 +1 +[0-9]+/65536 +'reader' +waits for an event: descriptor [0-9]+ to be readable" \
    "5 +1 +[^ ]+/65536 +'looker' +running" \
    "6 +1 +[0-9]+/65536 +'never ran' +ready, will run ends_at_once" \
    "7 +2 +[0-9]+/65536 +'elsewhere' +waits for an event: descriptor [0-9]+ to be readable"
}

backtraces() {
  expect "Wire 1 'holder' of thread 1: suspended" \
    "#1 [^#]*hold_here \\(depth=[^)]*0\\)" "#2 [^#]*hold_here \\(depth=[^)]*1\\)" \
    "#3 [^#]*hold_here \\(depth=[^)]*2\\)" "#4 [^#]*holds" \
    "Wire 2 'locker'" " locks " "Wire 3 'sender'" " sends " "Wire 4 'reader'" " reads " \
    "Wire 5 'looker' of thread 1: running" " look_here " " looks " \
    "Wire 6 'never ran' of thread 1: ready, will run ends_at_once" \
    "Wire 7 'elsewhere' of thread 2" " reads "
  expect_not "corrupt stack|Backtrace stopped|make_fcontext|\?\? \(\)$|Error|Traceback"
}

for case in as-built stripped; do
  if [ $case = stripped ]; then ${STRIP:-strip} --strip-unneeded "$library"; fi
  what="live, $case"
  look "" "break look_here" "run" "info wires" "wire apply all bt" "wire 1" "frame 2" \
    "info locals" "wire holder" "up" "info wires" "wire" "wire 0" "bt 1" "wire apply 2 3 bt 1" \
    "wire 9" "kill"
  all_wires
  backtraces
  expect "Wire 1 'holder' of thread 1: suspended" "#2 [^#]*hold_here" "local = " \
    "Wire 1 'holder'" "#2 [^#]*hold_here" "\* 1 +1 +[^ ]+ +'holder'" "Wire 1 'holder'" "#0 +look_here" \
    "#0 +look_here" "Wire 2 'locker'" "Wire 3 'sender'" "No wire 9"

  what="core file, $case"
  pattern=$(cat /proc/sys/kernel/core_pattern)
  if [ "${pattern#|}" = "$pattern" ] && [ "${pattern#*/}" = "$pattern" ]; then
    (cd "$work" && rm -f core* && ulimit -c unlimited && "$program" crash) >/dev/null 2>&1
    core=$(find "$work" -maxdepth 1 -name "${pattern%%%*}*" -type f | head -n 1)
    [ -n "$core" ] || { fail "$what: no core file"; continue; }
    look "$core" "info wires" "wire apply all bt" "wire holder"
    all_wires
    backtraces
    expect "Wire 1 'holder'" "#1 [^#]*hold_here"
  else
    echo "skipped: $what: the system keeps core files elsewhere ($pattern)"
  fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
