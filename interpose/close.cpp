// close and everything else that closes descriptors: wires of this thread that wait for one are
// told, with EBADF.
#include "park.hpp"

#include "wire_io.h"

#include <climits>

using namespace libwire::interpose;

namespace {

bool is_open(int fd) {
  Errno saved;
  return saved.keep(::syscall(SYS_fcntl, fd, F_GETFD) >= 0);
}

} // namespace

SERVE(int, close, (int fd), (fd)) {
  if (fd < 0)
    return REAL(close)(fd);
  Closing closing{unsigned(fd), unsigned(fd)};
  return through_wio(
      AT_close, [&] { return wio_close(fd); }, [&] { return REAL(close)(fd); });
}
SAME(__close, close);

// The number is taken over at once, so the thread waits should a file need long to be closed.
SERVE(int, dup2, (int from, int to), (from, to)) {
  if (from == to || to < 0 || !is_open(from))
    return REAL(dup2)(from, to);
  Closing closing{unsigned(to), unsigned(to)};
  return REAL(dup2)(from, to);
}
SAME(__dup2, dup2);

SERVE(int, dup3, (int from, int to, int flags), (from, to, flags)) {
  if (from == to || to < 0 || (flags & ~O_CLOEXEC) || !is_open(from))
    return REAL(dup3)(from, to, flags);
  Closing closing{unsigned(to), unsigned(to)};
  return REAL(dup3)(from, to, flags);
}

SERVE(int, close_range, (unsigned first, unsigned last, int flags), (first, last, flags)) {
  constexpr int kCloexec = 4; // CLOSE_RANGE_CLOEXEC: closes nothing
  if (first > last || (flags & kCloexec))
    return REAL(close_range)(first, last, flags);
  Closing closing(first, last);
  return REAL(close_range)(first, last, flags);
}

SERVE(void, closefrom, (int first), (first)) {
  Closing closing(first < 0 ? 0 : unsigned(first), UINT_MAX);
  REAL(closefrom)(first);
}
