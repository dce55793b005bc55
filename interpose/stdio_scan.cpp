// scanf and its kin. libc has each twice: the plain names, which mean what they meant before C99,
// and those that programs of C99 and later are compiled for. Its headers hide the former.
#include "stdio.hpp"

using namespace libwire::interpose;

extern "C" {
int old_vfscanf(FILE *stream, const char *format, va_list arguments) __asm__("vfscanf");
int old_vscanf(const char *format, va_list arguments) __asm__("vscanf");
int old_fscanf(FILE *stream, const char *format, ...) __asm__("fscanf");
int old_scanf(const char *format, ...) __asm__("scanf");
}

namespace {

// A line is enough for most formats.
template <typename Call> int scan(Symbol symbol, FILE *stream, Call call) {
  return read_stream(symbol, stream, kUnknown, '\n', call);
}

} // namespace

SERVE_AS(int, vfscanf, old_vfscanf, (FILE * stream, const char *format, va_list arguments),
         (stream, format, arguments)) {
  return scan(AT_vfscanf, stream, [&] { return REAL(vfscanf)(stream, format, arguments); });
}

SERVE_AS(int, vscanf, old_vscanf, (const char *format, va_list arguments), (format, arguments)) {
  return scan(AT_vscanf, stdin, [&] { return REAL(vscanf)(format, arguments); });
}

SERVE(int, __isoc99_vfscanf, (FILE * stream, const char *format, va_list arguments),
      (stream, format, arguments)) {
  return scan(AT___isoc99_vfscanf, stream,
              [&] { return REAL(__isoc99_vfscanf)(stream, format, arguments); });
}

SERVE(int, __isoc99_vscanf, (const char *format, va_list arguments), (format, arguments)) {
  return scan(AT___isoc99_vscanf, stdin, [&] { return REAL(__isoc99_vscanf)(format, arguments); });
}

// The forms with "...".
VARIADIC_AS(int, old_fscanf, fscanf, vfscanf, (FILE * stream, const char *format, ...), stream,
            format)
VARIADIC_AS(int, old_scanf, scanf, vscanf, (const char *format, ...), format)
VARIADIC_AS(int, __isoc99_fscanf, __isoc99_fscanf, __isoc99_vfscanf,
            (FILE * stream, const char *format, ...), stream, format)
VARIADIC_AS(int, __isoc99_scanf, __isoc99_scanf, __isoc99_vscanf, (const char *format, ...), format)
