// read, write and their kin. RWF_NOWAIT first, which serves what is there at once; then waiting for
// readiness; files, and what refuses RWF_NOWAIT, through the wio_ functions.
//
// Reads of streams give what is there. Reads of files and all writes go on until they are complete,
// fail or reach the end; a failure after some progress is that progress.
#include "file_type.hpp"
#include "memory.hpp"
#include "patience.hpp"

#include "wire_io.h"

#include <climits>
#include <string.h>

using namespace libwire::interpose;

namespace {

constexpr off_t kPosition = -1; // the file's own
constexpr int kMostParts = 1024;

enum class Direction { in, out };

enum class Kind { file, socket, stream };

Kind kind_of(int fd) {
  Errno saved;
  struct stat status;
  if (!describe(fd, status))
    return saved.keep(Kind::stream);
  switch (status.st_mode & S_IFMT) {
  case S_IFREG:
  case S_IFBLK:
  case S_IFDIR:
    return Kind::file;
  case S_IFSOCK:
    return Kind::socket;
  default:
    return Kind::stream;
  }
}

// What nobody can read, or write, for which both RWF_NOWAIT and the plain call give EINVAL: it
// would be waited for in vain. Older kernels give EINVAL for RWF_NOWAIT, whatever it is.
bool is_impossible(int fd, Direction direction) {
  constexpr const char *kKinds[] = {"eventpoll", "pidfd", "signalfd", "timerfd", "inotify"};
  constexpr int kUnreadable = 2; // of them
  char path[32], name[64] = "";
  ::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  Errno saved;
  ::syscall(SYS_readlinkat, AT_FDCWD, path, name, sizeof name - 1);
  saved.keep(0);
  if (::strncmp(name, "anon_inode:", 11) != 0 && ::strncmp(name, "pidfd:", 6) != 0)
    return false;
  int kinds = direction == Direction::in ? kUnreadable : int(sizeof kKinds / sizeof *kKinds);
  for (int i = 0; i < kinds; ++i)
    if (::strstr(name, kKinds[i]))
      return true;
  return false;
}

struct Transfer {
  Symbol symbol;
  Direction direction;
  int fd;
  off_t offset;
  int flags; // RWF_*

  ssize_t call(const iovec *parts, int count, size_t moved, int more) const {
    off_t at = offset == kPosition ? offset : offset + off_t(moved);
    long number = direction == Direction::in ? SYS_preadv2 : SYS_pwritev2;
    return ::syscall(number, fd, parts, count, at, at >> 63, flags | more);
  }

  ssize_t nowait(const iovec *parts, int count, size_t moved) const {
    ssize_t got = call(parts, count, moved, RWF_NOWAIT);
    if (got < 0 && (errno == ENOSYS || errno == EPERM)) [[unlikely]]
      name_refusal();
    return got;
  }

  // Old kernels and the filters of containers refuse calls they do not know with ENOSYS or EPERM;
  // the latter may also be about the file, so ask about none.
  [[gnu::cold]] void name_refusal() const {
    int error = errno;
    if (error == EPERM) {
      Transfer{symbol, direction, -1, kPosition, 0}.call(nullptr, 0, 0, RWF_NOWAIT);
      error = errno == EPERM ? ENOSYS : EPERM;
    }
    errno = error == ENOSYS ? EOPNOTSUPP : error;
  }

  // The whole call, as the program wrote it or what is left of it.
  ssize_t plain(const iovec *parts, int count, size_t moved) const {
    if (flags) {
      ssize_t got = call(parts, count, moved, 0);
      if (got < 0 && errno == ENOSYS)
        errno = ENOTSUP; // as libc says it
      return got;
    }
    if (offset == kPosition)
      return direction == Direction::in ? ::syscall(SYS_readv, fd, parts, count)
                                        : ::syscall(SYS_writev, fd, parts, count);
    off_t at = offset + off_t(moved);
    return direction == Direction::in ? ::syscall(SYS_preadv, fd, parts, count, at, 0L)
                                      : ::syscall(SYS_pwritev, fd, parts, count, at, 0L);
  }

  // Through libwire, which knows which files are in memory and what else a descriptor can be.
  ssize_t wio(const iovec *parts, int count, size_t moved) const {
    auto whole = [&] { return plain(parts, count, moved); };
    if (flags)
      return offload(symbol, Takes::bounded, whole);
    return through_wio(
        symbol,
        [&] {
          if (offset == kPosition)
            return direction == Direction::in ? wio_readv(fd, parts, count)
                                              : wio_writev(fd, parts, count);
          off_t at = offset + off_t(moved);
          return direction == Direction::in ? wio_preadv(fd, parts, count, at)
                                            : wio_pwritev(fd, parts, count, at);
        },
        whole);
  }

  ssize_t run(const iovec *parts, int count) const;
  ssize_t finish(Kind kind, const iovec *parts, int count, size_t moved, int error) const;
  ssize_t once(Kind kind, Patience &patience, const iovec *parts, int count, size_t moved,
               int error) const;
};

// Moves something more: -1, or how much. `error`: what RWF_NOWAIT has said last, 0 if not asked.
ssize_t Transfer::once(Kind kind, Patience &patience, const iovec *parts, int count, size_t moved,
                       int error) const {
  if (kind == Kind::file)
    return wio(parts, count, moved);
  for (;;) {
    if (!error) {
      ssize_t got = nowait(parts, count, moved);
      if (got >= 0)
        return got;
      error = errno;
    }
    if (error != EAGAIN && error != EOPNOTSUPP && error != EINVAL)
      return errno = error, -1;
    if (error == EINVAL && is_impossible(fd, direction))
      return plain(parts, count, moved);
    if (error != EAGAIN && (flags || is_nonblocking(fd)))
      return plain(parts, count, moved);
    auto next = patience.next();
    if (next == Patience::stop)
      return -1;
    if (next == Patience::plain)
      return offload(symbol, Takes::unbounded, [&] { return plain(parts, count, moved); });
    if (error != EAGAIN)
      return wio(parts, count, moved);
    error = 0;
  }
}

ssize_t Transfer::finish(Kind kind, const iovec *parts, int count, size_t moved, int error) const {
  Errno saved;
  bool input = direction == Direction::in;
  Patience patience(symbol, fd, input ? POLLIN : POLLOUT,
                    kind != Kind::socket ? 0
                    : input              ? SO_RCVTIMEO
                                         : SO_SNDTIMEO);
  // Whole messages and what pipes take in one piece must not be taken apart.
  if (moved == 0) {
    ssize_t got = once(kind, patience, parts, count, moved, error);
    if (got <= 0)
      return got == 0 ? saved.keep(got) : got;
    moved = size_t(got);
    if (input && kind != Kind::file)
      return saved.keep(ssize_t(moved));
  }
  for (Rest rest(parts, size_t(count), moved); !rest.at_end();) {
    iovec part = rest.part();
    ssize_t got;
    if (kind == Kind::socket) {
      ssize_t total = send_rest(symbol, fd, static_cast<char *>(part.iov_base), part.iov_len, 0,
                                moved, patience);
      got = total - ssize_t(moved);
    } else {
      got = once(kind, patience, &part, 1, moved, 0);
    }
    if (got <= 0)
      break;
    moved += size_t(got);
    rest.advance(size_t(got));
    if (kind == Kind::socket && size_t(got) < part.iov_len)
      break;
  }
  return saved.keep(ssize_t(moved));
}

ssize_t Transfer::run(const iovec *parts, int count) const {
  // What the kernel will not accept it must say itself; an offset of -1 would mean something else.
  if (fd < 0 || count <= 0 || count > kMostParts || offset < kPosition || (flags & RWF_NOWAIT))
    return plain(parts, count, 0);
  Errno saved;
  ssize_t got = nowait(parts, count, 0);
  int error = got < 0 ? errno : 0;
  if (got == 0 || (error && error != EAGAIN && error != EOPNOTSUPP && error != EINVAL))
    return got;
  errno = saved.saved();
  // The kernel has been able to read them, unless it has refused the call as such.
  if (error == EOPNOTSUPP && !can_read(parts, size_t(count) * sizeof *parts))
    return plain(parts, count, 0);
  size_t size = size_of(parts, size_t(count));
  if (!error && got == ssize_t(size))
    return got;
  if (size == 0 || size > SSIZE_MAX)
    return plain(parts, count, 0);
  Kind kind = kind_of(fd);
  if (got > 0 && direction == Direction::in && kind != Kind::file)
    return got;
  return finish(kind, parts, count, got > 0 ? size_t(got) : 0, error);
}

// No process has such a buffer; and what needs none each kind of file answers in its own way.
bool is_odd(const void *buffer, size_t count) {
#if defined(__x86_64__)
  constexpr int kAddressBits = 47;
#else
  constexpr int kAddressBits = 52;
#endif
  uintptr_t end;
  return count == 0 || __builtin_add_overflow(reinterpret_cast<uintptr_t>(buffer), count, &end) ||
         end >> kAddressBits;
}

ssize_t read_buffer(Symbol symbol, int fd, void *buffer, size_t count, off_t offset = kPosition) {
  if (is_odd(buffer, count))
    return offset == kPosition ? ::syscall(SYS_read, fd, buffer, count)
                               : ::syscall(SYS_pread64, fd, buffer, count, offset);
  iovec part{buffer, count};
  return Transfer{symbol, Direction::in, fd, offset, 0}.run(&part, 1);
}

ssize_t write_buffer(Symbol symbol, int fd, const void *buffer, size_t count,
                     off_t offset = kPosition) {
  if (is_odd(buffer, count))
    return offset == kPosition ? ::syscall(SYS_write, fd, buffer, count)
                               : ::syscall(SYS_pwrite64, fd, buffer, count, offset);
  iovec part{const_cast<void *>(buffer), count};
  return Transfer{symbol, Direction::out, fd, offset, 0}.run(&part, 1);
}

} // namespace

SERVE(ssize_t, read, (int fd, void *buffer, size_t count), (fd, buffer, count)) {
  return read_buffer(AT_read, fd, buffer, count);
}
SAME(__read, read);

SERVE(ssize_t, __read_chk, (int fd, void *buffer, size_t count, size_t size),
      (fd, buffer, count, size)) {
  if (count > size)
    __chk_fail();
  return read_buffer(AT___read_chk, fd, buffer, count);
}

SERVE(ssize_t, write, (int fd, const void *buffer, size_t count), (fd, buffer, count)) {
  return write_buffer(AT_write, fd, buffer, count);
}
SAME(__write, write);

SERVE(ssize_t, readv, (int fd, const iovec *parts, int count), (fd, parts, count)) {
  return Transfer{AT_readv, Direction::in, fd, kPosition, 0}.run(parts, count);
}

SERVE(ssize_t, writev, (int fd, const iovec *parts, int count), (fd, parts, count)) {
  return Transfer{AT_writev, Direction::out, fd, kPosition, 0}.run(parts, count);
}

SERVE(ssize_t, pread, (int fd, void *buffer, size_t count, off_t offset),
      (fd, buffer, count, offset)) {
  if (offset < 0)
    return REAL(pread)(fd, buffer, count, offset);
  return read_buffer(AT_pread, fd, buffer, count, offset);
}
SAME(pread64, pread);
SAME(__pread64, pread);

SERVE(ssize_t, __pread_chk, (int fd, void *buffer, size_t count, off_t offset, size_t size),
      (fd, buffer, count, offset, size)) {
  if (count > size)
    __chk_fail();
  if (offset < 0)
    return REAL(__pread_chk)(fd, buffer, count, offset, size);
  return read_buffer(AT___pread_chk, fd, buffer, count, offset);
}
SAME(__pread64_chk, __pread_chk);

SERVE(ssize_t, pwrite, (int fd, const void *buffer, size_t count, off_t offset),
      (fd, buffer, count, offset)) {
  if (offset < 0)
    return REAL(pwrite)(fd, buffer, count, offset);
  return write_buffer(AT_pwrite, fd, buffer, count, offset);
}
SAME(pwrite64, pwrite);
SAME(__pwrite64, pwrite);

SERVE(ssize_t, preadv, (int fd, const iovec *parts, int count, off_t offset),
      (fd, parts, count, offset)) {
  if (offset < 0)
    return REAL(preadv)(fd, parts, count, offset);
  return Transfer{AT_preadv, Direction::in, fd, offset, 0}.run(parts, count);
}
SAME(preadv64, preadv);

SERVE(ssize_t, pwritev, (int fd, const iovec *parts, int count, off_t offset),
      (fd, parts, count, offset)) {
  if (offset < 0)
    return REAL(pwritev)(fd, parts, count, offset);
  return Transfer{AT_pwritev, Direction::out, fd, offset, 0}.run(parts, count);
}
SAME(pwritev64, pwritev);

SERVE(ssize_t, preadv2, (int fd, const iovec *parts, int count, off_t offset, int flags),
      (fd, parts, count, offset, flags)) {
  if (offset < kPosition)
    return REAL(preadv2)(fd, parts, count, offset, flags);
  return Transfer{AT_preadv2, Direction::in, fd, offset, flags}.run(parts, count);
}
SAME(preadv64v2, preadv2);

SERVE(ssize_t, pwritev2, (int fd, const iovec *parts, int count, off_t offset, int flags),
      (fd, parts, count, offset, flags)) {
  if (offset < kPosition)
    return REAL(pwritev2)(fd, parts, count, offset, flags);
  return Transfer{AT_pwritev2, Direction::out, fd, offset, flags}.run(parts, count);
}
SAME(pwritev64v2, pwritev2);
