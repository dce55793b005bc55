#!/usr/bin/env bash
# usage: headers.sh INCLUDE-DIR
# Every public header compiles alone, and included twice, in every dialect, without a warning; what
# is more than a prototype in them (use.c) and DEFER (defer.c) also runs. Looks at the folder it is
# given, so it can check the installed headers. A compiler that is not there is skipped, and so is a
# dialect that a compiler does not know; none at all is a failure.
set -uo pipefail
include=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
strict=(-Wall -Wextra -Wpedantic -Werror "-I$include")

attempt() { # TEXT COMMAND...: the command succeeds and says nothing
  local text=$1
  shift
  if "$@" >"$work/output" 2>&1 && [ ! -s "$work/output" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $text: $*"
    head -20 "$work/output"
  fi
}
skip() { skipped=$((skipped + 1)); echo "skipped: $1"; }
knows() { echo | "$1" "-std=$2" -x "$3" -fsyntax-only - 2>/dev/null; }
run() { "$@" -o "$work/program" && "$work/program"; }

headers=$(cd "$include" && ls ./*.h | sed 's@^\./@@')
[ -n "$headers" ] || { echo "no headers in $include"; exit 1; }
for header in $headers; do
  printf '#include "%s"\n#include "%s"\nextern int not_empty;\n' "$header" "$header" \
    >"$work/$header.alone"
  echo "#include \"$header\""
done >"$work/all"
cat >"$work/uses.c" <<'END'
#include "macros.h"
#include "wire_defer.h"
static wire_t wire;
wire_t *wire_get_current(void) { return &wire; }
static int leaves_one(int *UNUSED(number)) {
  static int left;
  {
    DEFER({ left++; });
  }
  return left;
}
int main(void) { return leaves_one(NULL) == 1 ? 0 : 1; }
END
{ echo 'extern "C" {' && cat "$work/all" && echo '}'; } >"$work/linkage"

check_dialect() { # COMPILER DIALECT LANGUAGE
  local compiler=$1 dialect=$2 language=$3
  local compile=("$compiler" "-std=$dialect" "${strict[@]}" -x "$language")
  for header in $headers; do
    attempt "$header alone and twice" "${compile[@]}" -fsyntax-only "$work/$header.alone"
  done
  for macro in _FILE_OFFSET_BITS=64 _GNU_SOURCE; do
    attempt "all headers, $macro" "${compile[@]}" "-D$macro" -fsyntax-only "$work/all"
  done
  attempt "all headers, beside macros of the program's" "${compile[@]}" "${macros[@]}" \
    -fsyntax-only "$work/all"
  [ "$language" = c ] ||
    attempt 'all headers, in extern "C"' "${compile[@]}" -fsyntax-only "$work/linkage"
}

# What programs call attributes for short. The headers must not expand them, nor what they stand for.
macros=('-Dunused=__attribute__((__unused__))' '-Dcleanup(x)=__attribute__((__cleanup__(x)))'
  '-Dformat(a,b)=__attribute__((__format__(__printf__,a,b)))' -Dprintf=log_printf
  '-Dnoinline=__attribute__((__noinline__))' '-Dgnu_inline=static' '-Dlikely(x)=(x)')

# use.c names functions of the library only in a function that is never called: link without it.
check_use() { # COMPILER DIALECT LANGUAGE
  local compile=("$1" "-std=$2" "${strict[@]}" -x "$3")
  attempt "calls without feature-test macros" run "${compile[@]}" -ffunction-sections \
    -Wl,--gc-sections "$here/use.c"
}

# Nested functions need an executable stack, which linkers that know this option mention.
quiet=-Wl,--no-warn-execstack
echo 'int main(void) { return 0; }' >"$work/empty.c"
cc "$work/empty.c" $quiet -o "$work/program" 2>/dev/null || quiet=
check_defer() { # COMPILER DIALECT LANGUAGE FLAG...
  local compile=("$1" "-std=$2" "${strict[@]}" -D_GNU_SOURCE -x "$3")
  shift 3
  attempt "macros beside the program's own" run "${compile[@]}" "${macros[@]}" "$work/uses.c" \
    -x none $quiet "$@"
  for level in -O0 -O2; do
    attempt "DEFER $level" run "${compile[@]}" $level "$here/defer.c" -x none $quiet "$@"
  done
}

refuses_defer() { # a command that must fail and say why
  if "$@" >"$work/output" 2>&1; then return 1; fi
  grep -q 'error: DEFER in C needs' "$work/output" && : >"$work/output"
}

for entry in gcc:c clang:c g++:c++ clang++:c++; do
  compiler=${entry%%:*} language=${entry#*:}
  command -v "$compiler" >/dev/null || { skip "$compiler is not installed"; continue; }
  case $language in
    c) dialects="c99 c11 c17 c2x" ;;
    *) dialects="c++11 c++14 c++17 c++20" ;;
  esac
  for dialect in $dialects; do
    knows "$compiler" "$dialect" "$language" || { skip "$compiler knows no $dialect"; continue; }
    check_dialect "$compiler" "$dialect" "$language"
    check_use "$compiler" "$dialect" "$language"
    [ "$compiler" = clang ] || check_defer "$compiler" "$dialect" "$language"
  done
done

if command -v clang >/dev/null; then
  attempt "DEFER is refused by clang without blocks" refuses_defer \
    clang -std=c11 "${strict[@]}" -D_GNU_SOURCE -fsyntax-only "$here/defer.c"
  attempt "DEFER with blocks compiles" \
    clang -std=c11 "${strict[@]}" -D_GNU_SOURCE -fblocks -fsyntax-only "$here/defer.c"
  if clang "$work/empty.c" -lBlocksRuntime -o "$work/program" 2>/dev/null; then
    check_defer clang c11 c -fblocks -lBlocksRuntime
  else
    skip "no blocks runtime to run DEFER with"
  fi
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
