// Calls on files that need more than one attempt: what is tried first, and what only a thread can
// do.
#include "io.hpp"

#include "defer.hpp"
#include "errno_guard.hpp"
#include "os.hpp"

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace libwire::io {

namespace {

// A reference to a file of a local disk whose name is in the kernel's cache, so that nothing has to
// be waited for. -1 when there is none; ENOENT and ENOTDIR are certain then.
int find_cached(const char *path, int follow) {
  int fd = os::open_cached(path, O_PATH | O_CLOEXEC | follow);
  os::Description what;
  if (fd < 0 || (os::describe(fd, what) && what.on_device &&
                 (what.type == S_IFREG || what.type == S_IFDIR || what.type == S_IFLNK)))
    return fd;
  os::close(fd);
  errno = EAGAIN;
  return -1;
}

bool is_certain(int error) { return error == ENOENT || error == ENOTDIR; }

// O_NONBLOCK: somebody may hold a lease on the file, which takes its time.
int open_at_once(const char *path, int flags) {
  constexpr int kHarmless = O_ACCMODE | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY | O_NONBLOCK |
                            O_APPEND | O_NOATIME | O_DIRECT | O_SYNC | O_NOCTTY;
  if (flags & ~kHarmless) {
    errno = EAGAIN;
    return -1;
  }
  int found = find_cached(path, flags & O_NOFOLLOW);
  if (found < 0)
    return -1;
  os::close(found);
  int fd = os::open_cached(path, flags | O_NONBLOCK);
  if (fd >= 0 && !(flags & O_NONBLOCK))
    os::set_flags(fd, os::get_flags(fd) & ~O_NONBLOCK);
  return fd;
}

// True when `result` is what (l)stat gives; errno is changed by a failure only.
bool stat_at_once(const char *path, struct stat *status, int follow, int &result) {
  if (!cooperative())
    return false;
  int saved_errno = errno;
  int fd = find_cached(path, follow);
  result = -1;
  if (fd >= 0) {
    result = ::fstat(fd, status);
    os::close(fd);
  } else if (is_certain(errno)) {
    return true;
  }
  if (result == 0 || fd < 0)
    errno = saved_errno;
  return fd >= 0;
}

} // namespace

int stat(const char *path, struct stat *status) {
  int result;
  if (stat_at_once(path, status, 0, result))
    return result;
  return offload<Takes::bounded>(-1, [&] { return ::stat(path, status); });
}

int lstat(const char *path, struct stat *status) {
  int result;
  if (stat_at_once(path, status, O_NOFOLLOW, result))
    return result;
  return offload<Takes::bounded>(-1, [&] { return ::lstat(path, status); });
}

// Opening a named pipe waits for its other end, opening a device for whatever it likes.
int open(const char *path, int flags, mode_t mode) {
  if (!cooperative())
    return ::open(path, flags, mode);
  int saved_errno = errno;
  int at_once = open_at_once(path, flags);
  if (at_once < 0 && is_certain(errno))
    return -1;
  errno = saved_errno;
  if (at_once >= 0)
    return at_once;
  bool may_block_for_ever = false;
  auto try_to_open = [&] {
    struct stat status;
    int saved_errno = errno;
    if (!(flags & (O_NONBLOCK | O_PATH)) && ::stat(path, &status) == 0 &&
        !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
      may_block_for_ever = true;
      return -1;
    }
    errno = saved_errno;
    return ::open(path, flags, mode);
  };
  int fd = offload<Takes::bounded>(-1, try_to_open, close);
  if (!may_block_for_ever)
    return fd;
  return offload<Takes::unbounded>(
      -1, [&] { return ::open(path, flags, mode); }, close);
}

// The last close of a file may have to free it, or to send it to a server; a socket may linger.
int close(int fd) {
  os::Description what;
  bool at_once = !cooperative() || fd < 0;
  if (!at_once) {
    ErrnoGuard guard;
    at_once = !os::describe(fd, what) || what.type == S_IFIFO || what.type == 0 ||
              ((what.type == S_IFREG || what.type == S_IFDIR) && what.on_device && what.has_link);
  }
  if (at_once)
    return os::close(fd);
  return offload<Takes::bounded_certain>(-1, [&] { return os::close(fd); });
}

// What is open is in memory, unless a server has to be asked.
int fstat(int fd, struct stat *status) {
  os::Description what;
  bool at_once = !cooperative();
  if (!at_once) {
    ErrnoGuard guard;
    at_once = !os::describe(fd, what) || what.on_device ||
              (what.type != S_IFREG && what.type != S_IFDIR && what.type != S_IFLNK);
  }
  if (at_once)
    return ::fstat(fd, status);
  return offload<Takes::bounded>(-1, [&] { return ::fstat(fd, status); });
}

int lockf(int fd, int command, off_t length) {
  if (command != F_LOCK || !cooperative())
    return ::lockf(fd, command, length);
  int saved_errno = errno;
  if (::lockf(fd, F_TLOCK, length) == 0)
    return 0;
  if (errno != EAGAIN && errno != EACCES)
    return -1;
  errno = saved_errno;
  return offload<Takes::unbounded>(-1, [&] { return ::lockf(fd, F_LOCK, length); });
}

// Looking for holes and data reads the file's map from the disk.
off_t lseek(int fd, off_t offset, int whence) {
  if (whence == SEEK_SET || whence == SEEK_CUR)
    return ::lseek(fd, offset, whence);
  return offload<Takes::bounded>(off_t(-1), [&] { return ::lseek(fd, offset, whence); });
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
    return ::ioctl(fd, request, argument);
  return offload<Takes::unbounded_once>(
      -1, [&] { return interruptible([&] { return os::ioctl(fd, request, argument); }); });
}

// Setting up a mapping is quick, filling it is not.
void *mmap(void *address, std::size_t length, int protection, int flags, int fd, off_t offset) {
  if (!(flags & (MAP_POPULATE | MAP_LOCKED)))
    return ::mmap(address, length, protection, flags, fd, offset);
  return offload<Takes::bounded>(
      MAP_FAILED, [&] { return ::mmap(address, length, protection, flags, fd, offset); });
}

namespace {

// Whether `size` characters, or a whole line, are in the stream's buffer. Nobody may be using the
// stream.
bool is_buffered(FILE *stream, std::size_t size) {
#ifdef __GLIBC__
  auto available = std::size_t(stream->_IO_read_end - stream->_IO_read_ptr);
  return available >= size || (available && std::memchr(stream->_IO_read_ptr, '\n', available));
#else
  (void)stream, (void)size;
  return false;
#endif
}

// What the buffer holds needs no thread. The lock of a stream belongs to the OS thread that uses
// it.
template <typename Result, typename Call>
Result from_stream(FILE *stream, std::size_t size, Result failure, Call call) {
  if (cooperative() && ::ftrylockfile(stream) == 0) {
    bool at_once = is_buffered(stream, size);
    Result result = at_once ? call() : failure;
    ::funlockfile(stream);
    if (at_once)
      return result;
  }
  return offload<Takes::unbounded_once>(failure, call);
}

} // namespace

int fgetc(FILE *stream) {
  return from_stream(stream, 1, EOF, [&] { return ::fgetc(stream); });
}

char *fgets(char *buffer, int size, FILE *stream) {
  return from_stream(stream, size > 1 ? std::size_t(size) - 1 : 0, static_cast<char *>(nullptr),
                     [&] { return ::fgets(buffer, size, stream); });
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
    Deferred closing([&] { close(fd); });
    while (total < size && got > 0) {
      iovec part{buffer + total, size - total};
      got = read(fd, &part, 1, os::kPosition);
      if (got > 0)
        total += std::size_t(got);
    }
    error = errno;
  }
  errno = error;
  return guard.result(got >= 0) ? int(total) : -1;
}

} // namespace libwire::io
