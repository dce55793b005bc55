#!/usr/bin/env bash
# usage: manpages.sh SOURCE-FOLDER LIBRARY
# The manual pages that are made from the headers: they say all that the comments say, every
# exported symbol has one, man(1) finds and shows them in 80 columns, and neither mandoc nor groff
# has a complaint. The examples of the overview compile; those that are programs print what it says.
# A tool that is not installed is skipped; in CI that is a failure.
set -uo pipefail
source=$1 library=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
export LC_ALL=C.UTF-8 MANWIDTH=80 MANPAGER=cat MANOPT=

fail() { failed=$((failed + 1)); echo "FAILED: $*"; }
check() { # TEXT COMMAND...: the command succeeds
  local text=$1
  shift
  if "$@"; then passed=$((passed + 1)); else fail "$text"; fi
}
silent() { # COMMAND...: succeeds and says nothing
  local said
  said=$("$@" 2>&1) && [ -z "$said" ] && return
  echo "$said" | head -n 20
  return 1
}
quiet() { # TEXT COMMAND...: the command succeeds and says nothing
  local text=$1
  shift
  check "$text" silent "$@"
}
have() {
  command -v "$1" >/dev/null && return
  if [ "${CI-}" = true ]; then
    fail "$1 is not installed"
  else
    skipped=$((skipped + 1))
    echo "skipped: no $1"
  fi
  return 1
}
generate() { "$source/scripts/manpages" "$1" "$source/man/libwire.7" "$2" 1.2.3; }

quiet "the pages cannot be made" generate "$source/capi/include" "$work/man"
generate "$source/capi/include" "$work/again"
quiet "the same sources give different pages" diff -r "$work/man" "$work/again"
pages=()
for page in "$work"/man/man[137]/*; do
  grep -q '^\.so ' "$page" || pages+=("$page")
done
headers=("$source"/capi/include/*.h)
written=("$source"/man/*.[17])
check "${#pages[@]} pages for ${#headers[@]} headers" \
  [ ${#pages[@]} -eq $((${#headers[@]} + ${#written[@]})) ]
quiet "the table of wire-interpose(7)" "$source/scripts/override-table" --check
for page in "${pages[@]}"; do
  check "the .TH line of ${page##*/}" \
    grep -q '^\.TH [A-Z_\\-]* [137] [0-9-]* "libwire 1\.2\.3" "libwire Manual"$' "$page"
done
if have mandoc; then
  for page in "${pages[@]}"; do quiet "mandoc: ${page##*/}" mandoc -T lint "$page"; done
fi
if have groff; then
  for page in "${pages[@]}"; do
    quiet "groff: ${page##*/}" groff -ww -z -mandoc -Tutf8 "$page"
  done
fi

# A symbol's page is the page of its header or a link to it, and has the symbol in its NAME.
symbols=$(sed -e ':a;s@/\*[^*]*\*/@@g;/\/\*/{N;ba}' "$source/capi/libwire.map" |
  grep -oE '\bwi(re|o)_[a-z0-9_]+;' | tr -d ';' |
  grep -v '^wire_private_')
check "there are symbols in libwire.map" [ -n "$symbols" ]
named() { # SYMBOL PAGE
  sed -n '/^\.SH NAME/,/^\.SH LIBRARY/p' "$2" | grep -qE "(^| )$1(,| |$)"
}
for symbol in $symbols; do
  page=$work/man/man3/$symbol.3
  if [ ! -e "$page" ]; then
    fail "$symbol has no page"
    continue
  fi
  link=$(sed -n 's/^\.so //p' "$page")
  [ -z "$link" ] || page=$work/man/$link
  check "$symbol is not in the NAME of ${page##*/}" named "$symbol" "$page"
done

# Each paragraph of the comments is, as words, in the page of its header.
nothing_lost() { # FOLDER HEADER...: the folder has the pages as text
  perl - "$@" <<'PERL'
use strict;
use warnings FATAL => 'all';
my ($pages, @headers) = @ARGV;
my ($count, $lost) = (0, 0);
sub slurp { open my $in, '<', $_[0] or die "$_[0]: $!\n"; local $/; return scalar <$in> }
sub words { return ' ' . join(' ', lc($_[0]) =~ s/(?<=\w)\([1-8]\)//gr =~ /\w+/g) . ' ' }
for my $file (@headers) {
  my ($name) = $file =~ /([^\/]*)\.h$/;
  my $page = -e "$pages/$name" ? "$pages/$name" : "$pages/wire_$name";
  my $shown = words(slurp($page));
  my $text = slurp($file);
  my @comments = ($text =~ /\A\/\*(.*?)\*\//s, $text =~ /\/\*\*(.*?)\*\//gs);
  for (map { split /\n *\*? *\n|\n \* (?=\@)/ } map { s/\A\s+//r } @comments) {
    my $paragraph = s/^ ?\* ?//mgr;
    $paragraph =~ s/^\@(?:par \w+|return|(?:param|defgroup) \w+)//;
    next if $paragraph =~ /^\s*None\.\s*$/ || /^(?: \* )?\@par Source/;
    $count++;
    next if index($shown, words($paragraph)) >= 0;
    $lost++;
    print "$name.h: $paragraph\n";
  }
}
print "no comments\n" unless $count;
exit($lost || !$count);
PERL
}

finds() { man -M "$work/man" -w "$@" >"$work/found"; }

if have man; then
  mkdir "$work/text"
  # The names must be split.
  # shellcheck disable=SC2086
  check "man does not find all names" finds libwire wire-run wire-interpose DEFER wire_t $symbols
  for page in "${pages[@]}"; do
    name=${page##*/}
    text=$work/text/${name%.[137]}
    man -l "$page" >"$text"
    check "man -l $name" [ $? -eq 0 ]
    quiet "$name is wider than 80 columns" awk 'length > 80' "$text"
  done
  for symbol in $symbols; do
    check "$symbol has no entry" \
      grep -qE "^ +([a-z0-9_]+\(\), )*$symbol(\(\)(,.*)?)?$" "$work"/text/*
  done
  check "lost in the pages" nothing_lost "$work/text" "${headers[@]}"
fi

# Examples: blocks that begin with #include. What a program prints is the next block.
extract_examples() {
  perl - "$source/man/libwire.7" "$work" <<'PERL'
use strict;
use warnings FATAL => 'all';
my ($page, $work) = @ARGV;
open my $in, '<', $page or die "$page: $!\n";
my @blocks = join('', <$in>) =~ /^\.EX\n(.*?)^\.EE$/msg;
my %plain = ('\e' => '\\', '\-' => '-', '\(aq' => "'");
my $number = 0;
while (defined(my $block = shift @blocks)) {
  $block =~ s/(\\(?:e|-|\(aq))/$plain{$1}/g;
  next unless $block =~ /^#include/;
  $number++;
  open my $out, '>', "$work/example$number.c" or die;
  print $out $block;
  next unless $block =~ /^int main/m;
  open my $expected, '>', "$work/example$number.expected" or die;
  print $expected $blocks[0];
}
exit !$number;
PERL
}
check "no examples in the overview" extract_examples
for example in "$work"/example*.c; do
  name=${example%.c}
  language=(-std=gnu11)
  # In C clang has no DEFER that could change a variable.
  if grep -q DEFER "$example" && echo __clang__ | "${CC:-cc}" -E - | grep -q '^1'; then
    language=(-x c++ -std=c++11)
  fi
  # The functions of an example that is no program are not used.
  quiet "compiling ${name##*/}" "${CC:-cc}" "${language[@]}" -Wall -Wextra -Werror \
    -Wno-unused-function "-I$source/capi/include" -c "$example" -o "$name.o"
  [ -e "$name.expected" ] || continue
  quiet "linking ${name##*/}" "${CC:-cc}" "$name.o" "$library" "-Wl,-rpath,${library%/*}" -o "$name"
  quiet "${name##*/} prints something else" diff "$name.expected" <("$name" 2>&1)
done

# What the generator does not understand is an error, not a page with a hole.
says_why() {
  ! generate "$1" "$work/none" >"$work/said" 2>&1 && grep -q '^manpages: ' "$work/said"
}
refused() { # TEXT HEADER
  mkdir "$work/bad"
  printf '%b' "$2" >"$work/bad/bad.h"
  check "accepted: $1" says_why "$work/bad"
  rm -r "$work/bad"
}
refused "no comment at the top" '#ifndef BAD_H\n#endif\n'
refused "an unknown tag" '/* Bad. */\n/**\n * F.\n *\n * @throws x\n */\nvoid f(void);\n'
refused "no declaration" '/* Bad. */\n/** F. */\n=\n'
refused "a parameter without a text" \
  '/* Bad. */\n/**\n * F.\n *\n * @param a\n */\nvoid f(int a);\n'

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
