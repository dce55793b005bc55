#!/usr/bin/env bash
# usage: readme.sh README LIBDIR WORK-FOLDER
# The first program of the README compiles with the command that it gives, and prints what it says.
set -euo pipefail
readme=$1 libdir=$2 work=$3
mkdir -p "$work"
# block LANGUAGE: the first of that language; none for "".
block() {
  awk -v begin="\`\`\`$1" '
    /^```/ { if (wanted) exit; inside = !inside; wanted = inside && $0 == begin; next }
    wanted' "$readme"
}
block c >"$work/prog.c"
block "" >"$work/expected"
command=$(sed -n 's/^`\(cc prog\.c [^`]*\)`.*/\1/p' "$readme" | head -n 1)
[ -s "$work/prog.c" ] && [ -s "$work/expected" ] && [ -n "$command" ] ||
  { echo "the README has no program, no output or no command"; exit 1; }

cd "$work"
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir
rm -f a.out
eval "${command/#cc/${CC:-cc} -Wall -Wextra -Werror}"
./a.out >printed
diff expected printed
