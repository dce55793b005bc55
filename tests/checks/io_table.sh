#!/bin/sh
# capi/wio.def names every wio_ function once: the same as the contract's list of symbols, the
# version map and the header; README.md has the table made from it.
#
# io_table.sh TOP-FOLDER
set -eu
top=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The name is the third argument of WIO_CALL and the second of WIO_OWN.
sed -n -e 's/^WIO_CALL([a-z]*, [^,]*, \([a-z0-9_]*\), (.*/wio_\1/p' \
    -e 's/^WIO_OWN([a-z]*, \([a-z0-9_]*\), ".*/wio_\1/p' "$top/capi/wio.def" | sort >"$work/table"
grep -c '^WIO_' "$top/capi/wio.def" >"$work/entries"
sed -n 's/^\(wio_[a-z0-9_]*\) .*/\1/p' "$top/tests/abi/symbols.txt" | sort >"$work/contract"
sed -n 's/^ *\(wio_[a-z0-9_]*\);.*/\1/p' "$top/capi/libwire.map" | sort >"$work/map"
grep -o 'wio_[a-z0-9_]*(' "$top/capi/include/wire_io_gen.h" | tr -d '(' | sort >"$work/header"

test "$(wc -l <"$work/table")" -eq "$(cat "$work/entries")"
test -s "$work/table"
for other in contract map header; do
  echo "table and $other:"
  diff "$work/table" "$work/$other"
done
# Every class is one of the five, and every entry has its reason.
if grep '^WIO_' "$top/capi/wio.def" |
  grep -vE '^WIO_(CALL|OWN)\((direct|ready|nowait|worker|unbounded), .*, ".+"\)$'; then
  exit 1
fi
"$top/scripts/io-table" "$top/README.md"
