#include "descriptors.hpp"

#include "gate.hpp"

#include <sys/resource.h>

namespace libwire::interpose {

namespace {

// The signal that an open file would send if it were asked to: of no use for an epoll object or an
// eventfd. Not one that libwire marks its own with.
int mark() { return SIGRTMAX - 4; }

} // namespace

int make_own(int fd) {
  if (fd < 0)
    return -1;
  if (::syscall(SYS_fcntl, fd, F_SETSIG, mark()) != 0) {
    ::syscall(SYS_close, fd);
    return -1;
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  long lowest = limit.rlim_cur > 4096 ? 4000 : long(limit.rlim_cur - limit.rlim_cur / 8);
  long high = ::syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, lowest);
  if (high < 0)
    return fd;
  ::syscall(SYS_close, fd);
  return int(high);
}

bool is_own(int fd) {
  Errno saved;
  return saved.keep(fd >= 0 && ::syscall(SYS_fcntl, fd, F_GETSIG) == mark());
}

void close_own(int fd) {
  if (is_own(fd))
    ::syscall(SYS_close, fd);
}

} // namespace libwire::interpose
