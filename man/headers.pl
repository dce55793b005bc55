# Reads a public header into what scripts/manpages writes pages from. Needs perl-base only.
#
# What a header looks like: its first comment says what it is for, its first sentence in short. A
# comment that begins with two stars describes the declaration that follows it, in the form that
# tests/abi/comments.sh checks. A plain comment between two blank lines is the heading of a group.
# In comments, lines that are indented by two more spaces are code and `-` begins an item of a list.
#
# Paragraphs are [kind, text], kind is text, item or code. An entry is one documented declaration:
#   kind        function, variable, macro (with parameters), constant (a macro without), type
#   name, doc   doc is {text, param: [[name, paragraphs]...], return, par: {Errors...}, order}
#   head        what stands before the parameters, up to the parenthesis
#   parameters  what stands between the parentheses
#   code        of a type or constant, all of it
use strict;
use warnings FATAL => 'all';

sub slurp {
  my ($file) = @_;
  open my $in, '<', $file or die "manpages: $file: $!\n";
  local $/;
  return scalar <$in>;
}

sub comment_lines { return map { s/^\s*\* ?//r } split /\n/, $_[0] }

sub paragraphs {
  my @result;
  for my $block (split /\n(?:[ \t]*\n)+/, join "\n", @_) {
    $block =~ s/\A\n+|\s+\z//g;
    next if $block eq '';
    if ($block =~ /\A {2}/) {
      push @result, ['code', $block =~ s/^ {2}//mgr];
    } else {
      push @result, [s/^- // ? 'item' : 'text', s/\s*\n\s*/ /gr] for split /\n(?=- )/, $block;
    }
  }
  return \@result;
}

# The continuation lines of @param and @return are aligned below their text: no code there.
sub one_paragraph { return [['text', join(' ', @_) =~ s/\s+/ /gr =~ s/^ | $//gr]] }

sub parse_comment {
  my ($comment) = @_;
  my %doc = (param => [], par => {}, order => []);
  my ($keep, @lines) = (sub { $doc{text} = paragraphs(@_) });
  for my $line (comment_lines($comment), '@') {
    if ($line !~ /^\@(\w*) *(.*)/) {
      push @lines, $line;
      next;
    }
    my ($tag, $rest) = ($1, $2);
    $keep->(@lines);
    @lines = ();
    if ($tag eq 'param') {
      my ($name, $text) = $rest =~ /^(\w+) +(.*)/
        or die "manpages: \@param without a text: $rest\n";
      @lines = ($text);
      $keep = sub { push @{$doc{param}}, [$name, one_paragraph(@_)] };
    } elsif ($tag eq 'return') {
      @lines = ($rest);
      $keep = sub { $doc{return} = one_paragraph(@_) };
    } elsif ($tag eq 'par') {
      push @{$doc{order}}, $rest;
      $keep = sub { $doc{par}{$rest} = paragraphs(@_) };
    } elsif ($tag eq 'defgroup') {
      @lines = ($rest =~ s/^\w+ +//r);
      $doc{group} = 1;
      $keep = sub { $doc{text} = paragraphs(@_) };
    } elsif ($tag ne '') {
      die "manpages: \@$tag is not understood\n";
    }
  }
  return \%doc;
}

# The entry that the text begins with, without its doc.
sub parse_declaration {
  my ($text) = @_;
  my $braces = qr/(\{(?:[^{}]|(?-1))*\})/;
  # Of two forms for C++ and C the second is meant; other conditions do not matter.
  $text =~ s/\A#ifdef __cplusplus\n.*?#else\n//s;
  1 while $text =~ s/\A\s*#\s*(?:if|ifdef|ifndef|else|endif|pragma)\b.*\n//;
  if ($text =~ /\A#define (\w+)\(([^)]*)\)/) {
    return {kind => 'macro', name => $1, head => $1, parameters => $2};
  }
  if ($text =~ /\A#define (\w+)(?: (.*))?/) {
    return {kind => 'constant', name => $1, code => $&};
  }
  if ($text =~ /\A(?:typedef )?(?:struct|enum) (\w+) $braces(?: (\w+))?;/) {
    return {kind => 'type', name => $3 // $1, code => $&};
  }
  if ($text =~ /\Atypedef [^;{}]*?(?:\(\*(\w+)\)\([^;]*\)|\b(\w+));/) {
    return {kind => 'type', name => $1 // $2, code => $&};
  }
  my $declaration = $text =~ s/[;{}].*//sr =~ s/\s*__attribute__.*//sr =~ s/\s+/ /gr;
  if ($declaration =~ /\A(?:extern )?([^(]*\(\*)(\w+)\)\((.*)\) ?\z/) {
    return {kind => 'variable', name => $2, head => "$1$2)", parameters => $3};
  }
  if ($declaration =~ /\A(?:static inline )?([^(]*?)(\w+)\((.*)\) ?\z/) {
    return {kind => 'function', name => $2, head => "$1$2", parameters => $3};
  }
  die "manpages: not understood: " . substr($text, 0, 200) . "\n";
}

# {header, includes: those of this project, top: paragraphs, group: doc or undef, types: [entry...],
# and in the order of the header parts: [{title: paragraphs or undef, entries: [entry...]}...]}
sub read_header {
  my ($file) = @_;
  my ($header) = $file =~ /([^\/]*)$/;
  my $text = slurp($file);
  $text =~ s/\A\s*\/\*\s(.*?)\*\///s or die "manpages: $header: no comment at its top\n";
  my %result = (header => $header, top => paragraphs(comment_lines($1)), types => [],
    includes => [$text =~ /^#include "(.*)"$/mg], parts => [{entries => []}]);
  while ($text =~ /\/\*(\*?)\s*(.*?)\*\/(\n*)/gs) {
    my ($describes, $comment, $gap) = ($1, $2, $3);
    if (!$describes) {
      my $alone = length $gap > 1 && substr($text, 0, $-[0]) =~ /\n\n\z/;
      push @{$result{parts}}, {title => paragraphs(comment_lines($comment)), entries => []}
        if $alone;
      next;
    }
    my $doc = parse_comment($comment);
    if ($doc->{group}) {
      $result{group} = $doc;
      next;
    }
    my $entry = parse_declaration(substr $text, pos $text);
    $entry->{doc} = $doc;
    # A macro that takes anything calls its argument what the comment calls it.
    $entry->{parameters} = join ', ', map { $_->[0] } @{$doc->{param}}
      if $entry->{kind} eq 'macro' && $entry->{parameters} eq '...';
    push @{$entry->{kind} eq 'type' ? $result{types} : $result{parts}[-1]{entries}}, $entry;
  }
  @{$result{parts}} = grep { @{$_->{entries}} } @{$result{parts}};
  return \%result;
}

1;
