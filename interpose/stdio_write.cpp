// Writing to streams.
#include "stream.hpp"

#include <stdarg.h>
#include <string.h>
#include <wchar.h>

using namespace libwire::interpose;

namespace {

size_t product(size_t size, size_t count) {
  size_t bytes;
  return __builtin_mul_overflow(size, count, &bytes) ? SIZE_MAX / 2 : bytes;
}

// Without a stream all are flushed.
template <typename Call>
int flush(Symbol symbol, FILE *stream, Call call, Locking locking = Locking::locks) {
  if (!stream)
    return offload(symbol, Takes::unbounded, call);
  bool nothing = stream->_mode <= 0 && stream->_IO_write_ptr <= stream->_IO_write_base;
  return on_stream(symbol, stream, locking, nothing || can_write_at_once(stream, 0), call);
}

} // namespace

#define WRITE(type, name, parameters, arguments, stream, size, locking)                            \
  SERVE(type, name, parameters, arguments) {                                                       \
    return write_stream(                                                                           \
        AT_##name, stream, size, [&] { return REAL(name) arguments; }, Locking::locking);          \
  }

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
WRITE(wint_t, fputwc, (wchar_t c, FILE *stream), (c, stream), stream, kFormatted, locks)
WRITE(wint_t, putwc, (wchar_t c, FILE *stream), (c, stream), stream, kFormatted, locks)
WRITE(wint_t, putwchar, (wchar_t c), (c), stdout, kFormatted, locks)
WRITE(int, fputws, (const wchar_t *text, FILE *stream), (text, stream), stream, kFormatted, locks)

SERVE(void, perror, (const char *text), (text)) {
  write_stream(AT_perror, stderr, kFormatted, [&] { return REAL(perror)(text), 0; });
}

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

// The forms with "..." end in those with a va_list, outside wires too.
#define PRINT(name, v_name, parameters, ...)                                                       \
  EXPORT int name parameters {                                                                     \
    va_list arguments;                                                                             \
    va_start(arguments, format);                                                                   \
    int got = __builtin_expect(!in_wire() && !attention, 1) ||                                     \
                      !enter(AT_##name, __builtin_return_address(0))                               \
                  ? REAL(v_name)(__VA_ARGS__, arguments)                                           \
                  : v_name##_in_wire(__VA_ARGS__, arguments);                                      \
    va_end(arguments);                                                                             \
    return got;                                                                                    \
  }

PRINT(fprintf, vfprintf, (FILE * stream, const char *format, ...), stream, format)
SAME(_IO_fprintf, fprintf);
PRINT(printf, vprintf, (const char *format, ...), format)
SAME(_IO_printf, printf);
PRINT(dprintf, vdprintf, (int fd, const char *format, ...), fd, format)
PRINT(__fprintf_chk, __vfprintf_chk, (FILE * stream, int flag, const char *format, ...), stream,
      flag, format)
PRINT(__printf_chk, __vprintf_chk, (int flag, const char *format, ...), flag, format)
PRINT(__dprintf_chk, __vdprintf_chk, (int fd, int flag, const char *format, ...), fd, flag, format)
