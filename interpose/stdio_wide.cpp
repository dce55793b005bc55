// Streams of wide characters. What their buffer holds is libc's secret, so that on pipes and the
// like every call is a worker's.
#include "stdio.hpp"

#include <wchar.h>

using namespace libwire::interpose;

// libc has scanf's kin twice, see stdio_scan.cpp.
extern "C" {
int old_vfwscanf(FILE *stream, const wchar_t *format, va_list arguments) __asm__("vfwscanf");
int old_vwscanf(const wchar_t *format, va_list arguments) __asm__("vwscanf");
int old_fwscanf(FILE *stream, const wchar_t *format, ...) __asm__("fwscanf");
int old_wscanf(const wchar_t *format, ...) __asm__("wscanf");
}

#define READ_WIDE(type, name, parameters, arguments, stream, locking)                              \
  READ(type, name, parameters, arguments, stream, kUnknown, kNoDelimiter, locking)
#define WRITE_WIDE(type, name, parameters, arguments, stream, locking)                             \
  WRITE(type, name, parameters, arguments, stream, kFormatted, locking)

READ_WIDE(wint_t, fgetwc, (FILE * stream), (stream), stream, locks)
READ_WIDE(wint_t, getwc, (FILE * stream), (stream), stream, locks)
READ_WIDE(wint_t, getwchar, (), (), stdin, locks)
READ_WIDE(wint_t, fgetwc_unlocked, (FILE * stream), (stream), stream, unlocked)
READ_WIDE(wint_t, getwc_unlocked, (FILE * stream), (stream), stream, unlocked)
READ_WIDE(wint_t, getwchar_unlocked, (), (), stdin, unlocked)
READ_WIDE(wchar_t *, fgetws, (wchar_t * buffer, int size, FILE *stream), (buffer, size, stream),
          stream, locks)
READ_WIDE(wchar_t *, fgetws_unlocked, (wchar_t * buffer, int size, FILE *stream),
          (buffer, size, stream), stream, unlocked)
READ_WIDE(wchar_t *, __fgetws_chk, (wchar_t * buffer, size_t space, int size, FILE *stream),
          (buffer, space, size, stream), stream, locks)
READ_WIDE(wchar_t *, __fgetws_unlocked_chk,
          (wchar_t * buffer, size_t space, int size, FILE *stream), (buffer, space, size, stream),
          stream, unlocked)

SERVE_AS(int, vfwscanf, old_vfwscanf, (FILE * stream, const wchar_t *format, va_list arguments),
         (stream, format, arguments)) {
  return read_stream(AT_vfwscanf, stream, kUnknown, kNoDelimiter,
                     [&] { return REAL(vfwscanf)(stream, format, arguments); });
}
SERVE_AS(int, vwscanf, old_vwscanf, (const wchar_t *format, va_list arguments),
         (format, arguments)) {
  return read_stream(AT_vwscanf, stdin, kUnknown, kNoDelimiter,
                     [&] { return REAL(vwscanf)(format, arguments); });
}
READ_WIDE(int, __isoc99_vfwscanf, (FILE * stream, const wchar_t *format, va_list arguments),
          (stream, format, arguments), stream, locks)
READ_WIDE(int, __isoc99_vwscanf, (const wchar_t *format, va_list arguments), (format, arguments),
          stdin, locks)
VARIADIC_AS(int, old_fwscanf, fwscanf, vfwscanf, (FILE * stream, const wchar_t *format, ...),
            stream, format)
VARIADIC_AS(int, old_wscanf, wscanf, vwscanf, (const wchar_t *format, ...), format)
VARIADIC(int, __isoc99_fwscanf, __isoc99_vfwscanf, (FILE * stream, const wchar_t *format, ...),
         stream, format)
VARIADIC(int, __isoc99_wscanf, __isoc99_vwscanf, (const wchar_t *format, ...), format)

WRITE_WIDE(wint_t, fputwc, (wchar_t c, FILE *stream), (c, stream), stream, locks)
WRITE_WIDE(wint_t, putwc, (wchar_t c, FILE *stream), (c, stream), stream, locks)
WRITE_WIDE(wint_t, putwchar, (wchar_t c), (c), stdout, locks)
WRITE_WIDE(wint_t, fputwc_unlocked, (wchar_t c, FILE *stream), (c, stream), stream, unlocked)
WRITE_WIDE(wint_t, putwc_unlocked, (wchar_t c, FILE *stream), (c, stream), stream, unlocked)
WRITE_WIDE(wint_t, putwchar_unlocked, (wchar_t c), (c), stdout, unlocked)
WRITE_WIDE(int, fputws, (const wchar_t *text, FILE *stream), (text, stream), stream, locks)
WRITE_WIDE(int, fputws_unlocked, (const wchar_t *text, FILE *stream), (text, stream), stream,
           unlocked)
WRITE_WIDE(int, vfwprintf, (FILE * stream, const wchar_t *format, va_list arguments),
           (stream, format, arguments), stream, locks)
WRITE_WIDE(int, vwprintf, (const wchar_t *format, va_list arguments), (format, arguments), stdout,
           locks)
WRITE_WIDE(int, __vfwprintf_chk,
           (FILE * stream, int flag, const wchar_t *format, va_list arguments),
           (stream, flag, format, arguments), stream, locks)
WRITE_WIDE(int, __vwprintf_chk, (int flag, const wchar_t *format, va_list arguments),
           (flag, format, arguments), stdout, locks)
VARIADIC(int, fwprintf, vfwprintf, (FILE * stream, const wchar_t *format, ...), stream, format)
VARIADIC(int, wprintf, vwprintf, (const wchar_t *format, ...), format)
VARIADIC(int, __fwprintf_chk, __vfwprintf_chk,
         (FILE * stream, int flag, const wchar_t *format, ...), stream, flag, format)
VARIADIC(int, __wprintf_chk, __vwprintf_chk, (int flag, const wchar_t *format, ...), flag, format)
