#!/usr/bin/env bash
# usage: runtime.sh LIBRARY ARCHIVE
# Neither library needs a C++ runtime, and neither runs code of its own at load time: no static
# constructors, no guarded statics. Thread-local data is reached without a call.
set -uo pipefail
library=$1 archive=$2
nm=${NM:-nm}
failed=0
undefined_in() { "$nm" $2 --undefined-only "$1" 2>/dev/null | awk 'NF >= 2 {print $NF}'; }
names_in() { "$nm" "$1" 2>/dev/null | awk 'NF >= 2 {print $NF}'; }

# The archive's members call each other by mangled names: what is defined in it does not count.
defined=$("$nm" --defined-only "$archive" 2>/dev/null | awk 'NF >= 3 {print $3}' | sort -u)
[ -n "$defined" ] || { echo "$archive: no symbols"; exit 1; }
needs() {
  undefined_in "$library" -D | sed 's/@.*//'
  undefined_in "$archive" "" | sort -u | comm -23 - <(echo "$defined")
}
runtime=$(needs | sort -u | grep -E '^(_Z|__cxa_|__gxx_|_Unwind_|__dynamic_cast|__tls_get_addr)' |
  grep -vE '^__cxa_(finalize|atexit|thread_atexit_impl)$')
[ -z "$runtime" ] || { echo "Symbols of a C++ runtime are needed:"; echo "$runtime"; failed=1; }

startup=$(for file in "$library" "$archive"; do names_in "$file"; done |
  grep -E '^(_GLOBAL__sub_I_|_GLOBAL__I_|__cxx_global_var_init|_ZGV)' | sort -u)
[ -z "$startup" ] || { echo "Static constructors or guarded statics:"; echo "$startup"; failed=1; }
exit "$failed"
