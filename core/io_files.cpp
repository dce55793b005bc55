// Calls on open files that need more than one attempt: what is tried first, and what only a thread
// can do. io_open.cpp has those on names.
#include "io.hpp"

#include "defer.hpp"
#include "errno_guard.hpp"
#include "fd.hpp"
#include "io_hints.hpp"
#include "io_terminal.hpp"
#include "reactor.hpp"

#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace libwire::io {

namespace {

enum class Closing { at_once, on_worker, for_long };

// The last close of a file may have to free it, or to send it to a server; a socket may linger.
Closing closing_of(int fd) {
  ErrnoGuard guard;
  os::Description what;
  if (!os::describe(fd, what) || what.type == S_IFIFO || what.type == 0)
    return Closing::at_once;
  if (what.type == S_IFSOCK)
    return os::lingers(fd) ? Closing::for_long : Closing::at_once;
  bool stays = (what.type == S_IFREG || what.type == S_IFDIR) && what.on_device && what.has_link;
  return stays ? Closing::at_once : Closing::on_worker;
}

} // namespace

int close(int fd) {
  if (!cooperative() || fd < 0)
    return os::close(fd);
  scheduler.reactor->hints.of(fd).forget();
  fd_expect_close(fd);
  auto really_close = [&] { return os::close(fd); };
  switch (closing_of(fd)) {
  case Closing::at_once:
    return really_close();
  case Closing::on_worker:
    return offload<Takes::bounded_certain>(-1, really_close);
  case Closing::for_long:
    return offload<Takes::unbounded_certain>(-1, really_close);
  }
  __builtin_unreachable();
}

// What is open is in memory, unless a server has to be asked.
int fstat(int fd, struct stat *status) {
  if (!cooperative() || !status)
    return os::fstat(fd, status);
  os::Description what;
  if (!os::describe(fd, what, status))
    return -1;
  if (what.on_device || (what.type != S_IFREG && what.type != S_IFDIR && what.type != S_IFLNK))
    return 0;
  return offload<Takes::bounded>(-1, [&] { return os::fstat(fd, status); });
}

int lockf(int fd, int command, off_t length) {
  if (command != F_LOCK || !cooperative())
    return os::lockf(fd, command, length);
  int saved_errno = errno;
  if (os::lockf(fd, F_TLOCK, length) == 0)
    return 0;
  if (errno != EAGAIN && errno != EACCES)
    return -1;
  errno = saved_errno;
  return offload<Takes::unbounded>(
      -1, [&] { return interruptible([&] { return os::lockf(fd, F_LOCK, length); }); });
}

namespace {

// Looking for holes and data reads the file's map from the disk, and a server may have to be asked
// where the end is.
bool seeks_at_once(int fd, int whence) {
  ErrnoGuard guard;
  os::Description what;
  if (whence == SEEK_END)
    return os::describe(fd, what) && ((what.type == S_IFREG && what.on_device) ||
                                      what.type == S_IFIFO || what.type == S_IFSOCK);
  return whence == SEEK_SET || whence == SEEK_CUR;
}

} // namespace

// The kernel makes whatever uses the position of a file wait for the thread that does.
off_t lseek(int fd, off_t offset, int whence) {
  if (!cooperative() || fd < 0 ||
      (seeks_at_once(fd, whence) && !scheduler.reactor->hints.position_is_in_use(fd)))
    return os::lseek(fd, offset, whence);
  return offload<Takes::bounded>(off_t(-1), [&] { return os::lseek(fd, offset, whence); });
}

namespace {

// Terminal, descriptor and socket requests that only read or set something in memory.
bool is_instant(unsigned long request) {
  switch (request) {
  case TCGETS:
  case TCSETS:
  case TIOCGWINSZ:
  case TIOCSWINSZ:
  case TIOCGPGRP:
  case TIOCSPGRP:
  case TIOCSCTTY:
  case TIOCNOTTY:
  case TIOCOUTQ:
  case FIONREAD:
  case FIONBIO:
  case FIOASYNC:
  case FIOCLEX:
  case FIONCLEX:
  case SIOCOUTQNSD:
    return true;
  default:
    return false;
  }
}

} // namespace

int ioctl(int fd, unsigned long request, void *argument) {
  if (is_instant(request))
    return os::ioctl(fd, request, argument);
  auto call = [&] { return os::ioctl(fd, request, argument); };
  return offload<Takes::unbounded_once>(
      -1, [&] { return interruptible([&] { return under_job_control(call); }); });
}

// Setting up a mapping is quick, filling it is not.
void *mmap(void *address, std::size_t length, int protection, int flags, int fd, off_t offset) {
  if (!(flags & (MAP_POPULATE | MAP_LOCKED)))
    return ::mmap(address, length, protection, flags, fd, offset);
  return offload<Takes::bounded>(
      MAP_FAILED, [&] { return ::mmap(address, length, protection, flags, fd, offset); });
}

int read_file(const char *path, char *buffer, std::size_t size) {
  ErrnoGuard guard;
  int fd = open(path, O_RDONLY | O_CLOEXEC, 0);
  if (!guard.result(fd >= 0))
    return -1;
  if (size > INT_MAX)
    size = INT_MAX;
  std::size_t total = 0;
  ssize_t got = 1;
  int error = 0;
  {
    Deferred closing([&] { close(fd); }); // a wire that is cancelled here alone knows it
    while (total < size && got > 0) {
      got = read(fd, buffer + total, size - total, os::kPosition);
      if (got > 0)
        total += std::size_t(got);
    }
    error = errno;
  }
  errno = error;
  return guard.result(got >= 0) ? int(total) : -1;
}

} // namespace libwire::io
