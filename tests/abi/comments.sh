#!/usr/bin/env bash
# usage: comments.sh INCLUDE-DIR VERSION-MAP
# Every function of the public headers has a comment of the one form that wire.h describes, its
# parameters are those of the prototype, and the version map lists the declared functions and data,
# no more, no less. So the comments can be turned into pages, and none goes stale without notice.
set -uo pipefail
exec perl - "$1" "$2" <<'PERL'
use strict;
use warnings;
my ($include, $map) = @ARGV;
my ($passed, $failed, %declared) = (0, 0);

sub expect {
  my ($holds, $text) = @_;
  $holds ? $passed++ : $failed++;
  print "$text\n" unless $holds;
}

sub slurp {
  my ($file) = @_;
  open my $in, '<', $file or die "$file: $!\n";
  local $/;
  return scalar <$in>;
}

# A declaration that names a function, or the one variable, and the comment before it.
sub check_declaration {
  my ($header, $declaration, $comment) = @_;
  $declaration =~ s/__attribute__.*//s;
  return if $declaration =~ /^(?:typedef|struct|enum|template)\b.*[^)]$/s;
  return unless $declaration =~ /^(.*?\(?\*?)\b((?:wire|wio)_\w+)\)?\((.*)\)\s*$/s;
  my ($result, $name, $parameters) = ($1, $2, $3);
  return if $name =~ /^wire_defer_/;    # what the macro DEFER is made of
  $declared{$name} = 1 unless $result =~ /^static/;
  if (!defined $comment) {
    expect(0, "$header: $name: no comment");
    return;
  }
  if ($name =~ /^wio_/ and $comment !~ /\@par/) {
    expect($comment =~ /^ As [a-z0-9_]+\([23]\)\./, "$header: $name: names no page");
    return;
  }
  my @wanted = qw(Errors Switches Allocates Context);
  my @found = grep { $_ ne 'Source' } $comment =~ /\@par (\w+)\n \* \w/g;
  expect("@found" eq "@wanted", "$header: $name: paragraphs are (@found), not (@wanted)");

  my $returns = $result !~ /^(?:extern )?void (?:\(\*)?$/;
  expect(($comment =~ /\@return \S/) == $returns, "$header: $name: \@return");

  $parameters =~ s/\(\*(\w+)\)\([^()]*\)/$1/g;    # a function pointer by its name
  @wanted = grep { $_ !~ /^(?:void|nullptr)$/ }
    map { s/\s*=.*//sr =~ /(\w+)\s*$/ } split /,/, $parameters;
  @found = $comment =~ /\@param (\w+) +\S/g;
  expect("@found" eq "@wanted", "$header: $name: describes (@found), has (@wanted)");
}

for my $file (sort glob "$include/wire*.h") {
  my ($header) = $file =~ /([^\/]*)$/;
  my $text = slurp($file);
  $text =~ s/^#(?:.*\\\n)*.*\n//mg;
  $text =~ s/^extern "C" \{\n//mg;
  my $comment;
  while ($text !~ /\G\s*\}?\s*\z/gc) {
    if ($text =~ /\G\s*\/\*\*(.*?)\*\//sgc) { $comment = $1 }
    elsif ($text =~ /\G\s*\/\*.*?\*\//sgc) { }
    elsif ($text =~ /\G\s*\}\n/gc) { undef $comment }
    elsif ($text =~ /\G\s*([^;{}]*)(?:;|(\{(?:[^{}]|(?2))*\})[^;{}\n]*;?)/gc) {
      my $declaration = $1;
      check_declaration($header, $declaration, $comment);
      # The forms of wire_thread_init for C and C++ share one comment.
      undef $comment unless $declaration =~ /= nullptr/;
    }
    else { die "$header: not understood: " . substr($text, pos($text) // 0, 200) . "\n" }
  }
}

my $listed = slurp($map);
$listed =~ s/\/\*.*?\*\///gs;
my %listed = map { $_ => 1 } $listed =~ /\b(wi\w+);/g;
expect($listed{$_}, "$map: $_ is declared and not listed") for sort keys %declared;
expect($declared{$_} || /^wire_private_/, "$map: $_ is listed and not declared") for sort keys %listed;
print "$passed passed, $failed failed\n";
exit($failed != 0);
PERL
