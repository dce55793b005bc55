// Writing to streams.
#include "stdio.hpp"

#include <string.h>

using namespace libwire::interpose;

namespace {

size_t product(size_t size, size_t count) {
  size_t bytes;
  return __builtin_mul_overflow(size, count, &bytes) ? SIZE_MAX / 2 : bytes;
}

// Without a stream all are flushed.
template <typename Call>
int flush(Symbol symbol, FILE *stream, Call call, Locking locking = Locking::locks) {
  if (!stream) {
    Owners *table = existing_owners();
    bool has_some = table && table->has(running_wire()); // for which a worker would wait for ever
    return has_some ? call() : offload(symbol, Takes::unbounded, call);
  }
  return on_stream(symbol, stream, locking, can_flush_at_once(stream), call);
}

} // namespace

WRITE(int, fputc, (int c, FILE *stream), (c, stream), stream, 1, locks)
WRITE(int, putc, (int c, FILE *stream), (c, stream), stream, 1, locks)
SAME(_IO_putc, putc);
WRITE(int, putchar, (int c), (c), stdout, 1, locks)
WRITE(int, fputc_unlocked, (int c, FILE *stream), (c, stream), stream, 1, unlocked)
WRITE(int, putc_unlocked, (int c, FILE *stream), (c, stream), stream, 1, unlocked)
WRITE(int, putchar_unlocked, (int c), (c), stdout, 1, unlocked)
// What inline putc_unlocked() calls when the buffer is full.
WRITE(int, __overflow, (FILE * stream, int c), (stream, c), stream, 1, unlocked)
WRITE(int, putw, (int word, FILE *stream), (word, stream), stream, sizeof word, locks)
WRITE(int, fputs, (const char *text, FILE *stream), (text, stream), stream, ::strlen(text), locks)
SAME(_IO_fputs, fputs);
WRITE(int, fputs_unlocked, (const char *text, FILE *stream), (text, stream), stream, ::strlen(text),
      unlocked)
WRITE(int, puts, (const char *text), (text), stdout, ::strlen(text) + 1, locks)
SAME(_IO_puts, puts);
WRITE(size_t, fwrite, (const void *buffer, size_t size, size_t count, FILE *stream),
      (buffer, size, count, stream), stream, product(size, count), locks)
SAME(_IO_fwrite, fwrite);
WRITE(size_t, fwrite_unlocked, (const void *buffer, size_t size, size_t count, FILE *stream),
      (buffer, size, count, stream), stream, product(size, count), unlocked)
WRITE(int, vfprintf, (FILE * stream, const char *format, va_list arguments),
      (stream, format, arguments), stream, kFormatted, locks)
WRITE(int, vprintf, (const char *format, va_list arguments), (format, arguments), stdout,
      kFormatted, locks)
WRITE(int, __vfprintf_chk, (FILE * stream, int flag, const char *format, va_list arguments),
      (stream, flag, format, arguments), stream, kFormatted, locks)
WRITE(int, __vprintf_chk, (int flag, const char *format, va_list arguments),
      (flag, format, arguments), stdout, kFormatted, locks)
SERVE(int, fflush, (FILE * stream), (stream)) {
  return flush(AT_fflush, stream, [&] { return REAL(fflush)(stream); });
}
SAME(_IO_fflush, fflush);

SERVE(int, fflush_unlocked, (FILE * stream), (stream)) {
  return flush(
      AT_fflush_unlocked, stream, [&] { return REAL(fflush_unlocked)(stream); }, Locking::unlocked);
}

// To a descriptor, without a stream: the whole text goes through a worker, as what is written is
// not known before.
SERVE(int, vdprintf, (int fd, const char *format, va_list arguments), (fd, format, arguments)) {
  return offload(AT_vdprintf, Takes::unbounded,
                 [&] { return REAL(vdprintf)(fd, format, arguments); });
}

SERVE(int, __vdprintf_chk, (int fd, int flag, const char *format, va_list arguments),
      (fd, flag, format, arguments)) {
  return offload(AT___vdprintf_chk, Takes::unbounded,
                 [&] { return REAL(__vdprintf_chk)(fd, flag, format, arguments); });
}

// The forms with "...".
VARIADIC(int, fprintf, vfprintf, (FILE * stream, const char *format, ...), stream, format)
SAME(_IO_fprintf, fprintf);
VARIADIC(int, printf, vprintf, (const char *format, ...), format)
SAME(_IO_printf, printf);
VARIADIC(int, dprintf, vdprintf, (int fd, const char *format, ...), fd, format)
VARIADIC(int, __fprintf_chk, __vfprintf_chk, (FILE * stream, int flag, const char *format, ...),
         stream, flag, format)
VARIADIC(int, __printf_chk, __vprintf_chk, (int flag, const char *format, ...), flag, format)
VARIADIC(int, __dprintf_chk, __vdprintf_chk, (int fd, int flag, const char *format, ...), fd, flag,
         format)
