// Locks on files: tried first, then a worker waits, or the wire tries again. They belong to the
// process or to the open file, not to a thread.
#include "retry.hpp"

#include <stdarg.h>

using namespace libwire::interpose;

namespace {

bool is_taken(int error) { return error == EAGAIN || error == EACCES; }

template <typename Try, typename Plain> int lock(Symbol symbol, Try try_now, Plain plain) {
  Errno saved;
  int got = try_now();
  if (got == 0 || !is_taken(errno))
    return got;
  errno = saved.saved();
  return retry(symbol, Restarts::as_set, try_now, is_taken,
               [&] { return offload(symbol, Takes::unbounded, plain); });
}

int control(int fd, int command, void *argument) {
  auto plain = [&] { return REAL(fcntl)(fd, command, argument); };
  if (command != F_SETLKW && command != F_OFD_SETLKW)
    return plain();
  int trying = command == F_SETLKW ? F_SETLK : F_OFD_SETLK;
  return lock(
      AT_fcntl, [&] { return REAL(fcntl)(fd, trying, argument); }, plain);
}

} // namespace

SERVE(int, flock, (int fd, int operation), (fd, operation)) {
  auto plain = [&] { return REAL(flock)(fd, operation); };
  if (operation & LOCK_NB)
    return plain();
  return lock(
      AT_flock, [&] { return REAL(flock)(fd, operation | LOCK_NB); }, plain);
}

SERVE(int, lockf, (int fd, int command, off_t length), (fd, command, length)) {
  auto plain = [&] { return REAL(lockf)(fd, command, length); };
  if (command != F_LOCK)
    return plain();
  return lock(
      AT_lockf, [&] { return REAL(lockf)(fd, F_TLOCK, length); }, plain);
}
SAME(lockf64, lockf);

// Every command has at most one argument, an int or a pointer.
EXPORT int fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  if (__builtin_expect(!in_wire() && !attention, 1) ||
      !enter(AT_fcntl, __builtin_return_address(0)))
    return REAL(fcntl)(fd, command, argument);
  return control(fd, command, argument);
}
SAME(fcntl64, fcntl);
SAME(__fcntl, fcntl);
