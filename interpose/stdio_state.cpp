// Functions that ask or change the state of a stream. None waits for input; but the stream may be a
// worker's that does, and what the buffer holds may have to be written first.
#include "stdio.hpp"

#include <wchar.h>

using namespace libwire::interpose;

// Waits for the stream only.
#define STATE(type, name, parameters, arguments)                                                   \
  SERVE(type, name, parameters, arguments) {                                                       \
    return at_stream(AT_##name, stream, [&] { return REAL(name) arguments; });                     \
  }
#define STATE_VOID(name, parameters, arguments)                                                    \
  SERVE(void, name, parameters, arguments) {                                                       \
    at_stream(AT_##name, stream, [&] { return REAL(name) arguments, 0; });                         \
  }

STATE(int, ungetc, (int c, FILE *stream), (c, stream))
SAME(_IO_ungetc, ungetc);
STATE(wint_t, ungetwc, (wint_t c, FILE *stream), (c, stream))
STATE(int, feof, (FILE * stream), (stream))
SAME(_IO_feof, feof);
STATE(int, ferror, (FILE * stream), (stream))
SAME(_IO_ferror, ferror);
STATE_VOID(clearerr, (FILE * stream), (stream))

// May write what the buffer holds.
#define FLUSHING(type, name, parameters, arguments)                                                \
  SERVE(type, name, parameters, arguments) {                                                       \
    return on_stream(AT_##name, stream, Locking::locks, can_flush_at_once(stream),                 \
                     [&] { return REAL(name) arguments; });                                        \
  }
#define FLUSHING_VOID(name, parameters, arguments)                                                 \
  SERVE(void, name, parameters, arguments) {                                                       \
    on_stream(AT_##name, stream, Locking::locks, can_flush_at_once(stream),                        \
              [&] { return REAL(name) arguments, 0; });                                            \
  }

FLUSHING(int, fseek, (FILE * stream, long offset, int whence), (stream, offset, whence))
FLUSHING(int, fseeko, (FILE * stream, off_t offset, int whence), (stream, offset, whence))
SAME(fseeko64, fseeko);
FLUSHING(long, ftell, (FILE * stream), (stream))
SAME(_IO_ftell, ftell);
FLUSHING(off_t, ftello, (FILE * stream), (stream))
SAME(ftello64, ftello);
FLUSHING(int, fgetpos, (FILE * stream, fpos_t *position), (stream, position))
SAME(fgetpos64, fgetpos);
SAME(_IO_fgetpos, fgetpos);
SAME(_IO_fgetpos64, fgetpos);
FLUSHING(int, fsetpos, (FILE * stream, const fpos_t *position), (stream, position))
SAME(fsetpos64, fsetpos);
SAME(_IO_fsetpos, fsetpos);
SAME(_IO_fsetpos64, fsetpos);
FLUSHING_VOID(rewind, (FILE * stream), (stream))
FLUSHING(int, setvbuf, (FILE * stream, char *buffer, int mode, size_t size),
         (stream, buffer, mode, size))
SAME(_IO_setvbuf, setvbuf);
FLUSHING_VOID(setbuf, (FILE * stream, char *buffer), (stream, buffer))
FLUSHING_VOID(setbuffer, (FILE * stream, char *buffer, size_t size), (stream, buffer, size))
SAME(_IO_setbuffer, setbuffer);
FLUSHING_VOID(setlinebuf, (FILE * stream), (stream))
