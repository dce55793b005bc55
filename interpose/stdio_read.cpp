// Reading from streams.
#include "stdio.hpp"

using namespace libwire::interpose;

namespace {

size_t product(size_t size, size_t count) {
  size_t bytes;
  return __builtin_mul_overflow(size, count, &bytes) ? SIZE_MAX : bytes;
}

size_t line_size(int size) { return size > 1 ? size_t(size) - 1 : 0; }

} // namespace

READ(int, fgetc, (FILE * stream), (stream), stream, 1, kNoDelimiter, locks)
READ(int, getc, (FILE * stream), (stream), stream, 1, kNoDelimiter, locks)
SAME(_IO_getc, getc);
READ(int, getchar, (), (), stdin, 1, kNoDelimiter, locks)
READ(int, fgetc_unlocked, (FILE * stream), (stream), stream, 1, kNoDelimiter, unlocked)
READ(int, getc_unlocked, (FILE * stream), (stream), stream, 1, kNoDelimiter, unlocked)
READ(int, getchar_unlocked, (), (), stdin, 1, kNoDelimiter, unlocked)
// What inline getc_unlocked() calls for the next buffer.
READ(int, __uflow, (FILE * stream), (stream), stream, 1, kNoDelimiter, unlocked)
READ(int, __underflow, (FILE * stream), (stream), stream, 1, kNoDelimiter, unlocked)
READ(int, getw, (FILE * stream), (stream), stream, sizeof(int), kNoDelimiter, locks)
READ(char *, fgets, (char *buffer, int size, FILE *stream), (buffer, size, stream), stream,
     line_size(size), '\n', locks)
SAME(_IO_fgets, fgets);
READ(char *, fgets_unlocked, (char *buffer, int size, FILE *stream), (buffer, size, stream), stream,
     line_size(size), '\n', unlocked)
READ(char *, __fgets_chk, (char *buffer, size_t space, int size, FILE *stream),
     (buffer, space, size, stream), stream, line_size(size), '\n', locks)
READ(char *, __fgets_unlocked_chk, (char *buffer, size_t space, int size, FILE *stream),
     (buffer, space, size, stream), stream, line_size(size), '\n', unlocked)
READ(size_t, fread, (void *buffer, size_t size, size_t count, FILE *stream),
     (buffer, size, count, stream), stream, product(size, count), kNoDelimiter, locks)
SAME(_IO_fread, fread);
READ(size_t, fread_unlocked, (void *buffer, size_t size, size_t count, FILE *stream),
     (buffer, size, count, stream), stream, product(size, count), kNoDelimiter, unlocked)
READ(size_t, __fread_chk, (void *buffer, size_t space, size_t size, size_t count, FILE *stream),
     (buffer, space, size, count, stream), stream, product(size, count), kNoDelimiter, locks)
READ(size_t, __fread_unlocked_chk,
     (void *buffer, size_t space, size_t size, size_t count, FILE *stream),
     (buffer, space, size, count, stream), stream, product(size, count), kNoDelimiter, unlocked)
READ(ssize_t, getdelim, (char **line, size_t *size, int delimiter, FILE *stream),
     (line, size, delimiter, stream), stream, kUnknown, delimiter, locks)
SAME(__getdelim, getdelim);
READ(ssize_t, getline, (char **line, size_t *size, FILE *stream), (line, size, stream), stream,
     kUnknown, '\n', locks)
