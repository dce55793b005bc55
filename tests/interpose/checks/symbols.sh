#!/usr/bin/env bash
# usage: symbols.sh LIBRARY TABLE SOURCES-FOLDER MANUAL-PAGE
# The library exports exactly what the table says; libc has every one of them; every entry names the
# file that has it, a known way of serving and a reason; and no cancellation point is forgotten.
set -euo pipefail
library=$1 table=$2 sources=$3 page=$4
here=$(dirname "$0")
nm=${NM:-nm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
failed=0
fail() {
  echo "$1"
  failed=1
}

sed -nE 's/^(OVERRIDE|VERSIONED|RUNTIME|TWIN)\(([A-Za-z0-9_]+), .*/\2/p' "$table" | sort >"$work/table"
uniq -d "$work/table" >"$work/twice"
[ ! -s "$work/twice" ] || fail "twice in the table: $(cat "$work/twice")"
"$nm" -D --defined-only "$library" | awk '$2 != "A" {print $3}' | sed 's/@.*//' |
  sort >"$work/exported"
diff "$work/table" "$work/exported" || fail "the table (<) and what the library exports (>) differ"

# Entries of other forms would be left out above.
entries=$(grep -cE '^[A-Z]+\(' "$table")
how='(ready|timer|worker|unbounded|lock|direct)'
own="(OVERRIDE|VERSIONED|RUNTIME)\\(\\w+, \\w+, $how, \".+\"\\)"
known=$(grep -cE "^($own|TWIN\\(\\w+, \\w+\\)|OTHER\\(\\w+\\)|PASSED\\(\\w+, \".+\"\\))\$" "$table")
[ "$entries" -eq "$known" ] || fail "$((entries - known)) entries of $table are not of a known form"

# `family` is a file in which the name stands; a twin is made in the file of its original.
while read -r symbol family; do
  grep -qE "\b$symbol\b" "$sources/$family.cpp" || fail "$symbol is not in $family.cpp"
done < <(sed -nE 's/^(OVERRIDE|VERSIONED|RUNTIME)\((\w+), (\w+),.*/\2 \3/p' "$table")
while read -r twin of; do
  grep -qE "^SAME\($twin, $of\);" "$sources"/*.cpp || fail "$twin is not made of $of"
done < <(sed -nE 's/^TWIN\((\w+), (\w+)\)/\1 \2/p' "$table")

# What libc does not have nobody calls: a slip of the pen, or another libc.
libc=$(ldd "$library" | awk '$1 ~ /^libc\.so/ {print $3}')
"$nm" -D --defined-only "$libc" | awk '{print $3}' | sed 's/@.*//' | sort -u >"$work/libc"
comm -23 "$work/table" "$work/libc" | grep -vE '^(wire_|__cxa_)' >"$work/unknown" || true
[ ! -s "$work/unknown" ] || fail "libc has no: $(tr '\n' ' ' <"$work/unknown")"

# Cancellation points are overridden, or listed with the reason why not.
sed -nE 's/^PASSED\((\w+), .*/\1/p' "$table" >"$work/passed"
sort "$work/table" "$work/passed" >"$work/known"
grep -v '^#' "$here/cancellation_points.txt" | tr -s ' ' '\n' | sed '/^$/d' | sort -u |
  comm -23 - "$work/known" >"$work/forgotten"
[ ! -s "$work/forgotten" ] ||
  fail "neither overridden nor passed on: $(tr '\n' ' ' <"$work/forgotten")"

# The list is that of pthreads(7), where that page is installed.
pthreads=$(man -w 7 pthreads 2>/dev/null || true)
if [ -f "$pthreads" ]; then
  zcat -f "$pthreads" | sed -n '/^.SS Cancel\{1,2\}ation points/,/^.SS Compiling/p' |
    sed -nE 's/^([a-z_0-9]+)\(\).*/\1/p' | sort -u >"$work/points"
  [ "$(wc -l <"$work/points")" -gt 200 ] || fail "pthreads(7) is not what it was"
  comm -23 "$work/points" "$work/known" >"$work/forgotten"
  [ ! -s "$work/forgotten" ] || fail "in pthreads(7), but not here: $(tr '\n' ' ' <"$work/forgotten")"
fi

# The manual page names them all.
sed -n '/^.SH FUNCTIONS/,/^.SH EXAMPLES/{s/\\f[BIP]//g;p}' "$page" | tr -cs 'A-Za-z0-9_' '\n' |
  sort -u >"$work/words"
sort -u "$work/table" "$work/passed" | comm -23 - "$work/words" >"$work/missing"
[ ! -s "$work/missing" ] || fail "not in $page: $(tr '\n' ' ' <"$work/missing")"
exit "$failed"
