// open and its kin. Opening a named pipe or a device may wait for ever; libwire tells those from
// files.
#include "gate.hpp"
#include "memory.hpp"

#include "wire_io.h"

#include <stdarg.h>

using namespace libwire::interpose;

namespace {

bool needs_mode(int flags) { return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE; }

int open_path(Symbol symbol, const char *path, int flags, mode_t mode) {
  return through_wio(
      symbol, [&] { return wio_open(path, flags, mode); },
      [&] { return REAL(open)(path, flags, mode); });
}

int open_below(Symbol symbol, int directory, const char *path, int flags, mode_t mode) {
  if (directory == AT_FDCWD || (can_read(path, 1) && path[0] == '/'))
    return open_path(symbol, path, flags, mode);
  return offload(symbol, Takes::unbounded,
                 [&] { return REAL(openat)(directory, path, flags, mode); });
}

// The optional argument is there only when the flags say so.
#define MODE_ARGUMENT(flags)                                                                       \
  mode_t mode = 0;                                                                                 \
  if (needs_mode(flags)) {                                                                         \
    va_list arguments;                                                                             \
    va_start(arguments, flags);                                                                    \
    mode = va_arg(arguments, mode_t);                                                              \
    va_end(arguments);                                                                             \
  }

} // namespace

EXPORT int open(const char *path, int flags, ...) {
  MODE_ARGUMENT(flags)
  if (__builtin_expect(!in_wire() && !attention, 1) || !enter(AT_open, __builtin_return_address(0)))
    return REAL(open)(path, flags, mode);
  return open_path(AT_open, path, flags, mode);
}
SAME(open64, open);
SAME(__open, open);
SAME(__open64, open);

EXPORT int openat(int directory, const char *path, int flags, ...) {
  MODE_ARGUMENT(flags)
  if (__builtin_expect(!in_wire() && !attention, 1) ||
      !enter(AT_openat, __builtin_return_address(0)))
    return REAL(openat)(directory, path, flags, mode);
  return open_below(AT_openat, directory, path, flags, mode);
}
SAME(openat64, openat);

// A flag that needs the mode, which is not there, ends the program in libc.
SERVE(int, __open_2, (const char *path, int flags), (path, flags)) {
  return needs_mode(flags) ? REAL(__open_2)(path, flags) : open_path(AT___open_2, path, flags, 0);
}
SAME(__open64_2, __open_2);

SERVE(int, __openat_2, (int directory, const char *path, int flags), (directory, path, flags)) {
  return needs_mode(flags) ? REAL(__openat_2)(directory, path, flags)
                           : open_below(AT___openat_2, directory, path, flags, 0);
}
SAME(__openat64_2, __openat_2);

SERVE(int, creat, (const char *path, mode_t mode), (path, mode)) {
  return open_path(AT_creat, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
SAME(creat64, creat);
