// Reading and writing with RWF_NOWAIT. Kernels, the filters of containers and kinds of files refuse
// it each in their own way; the caller sees one refusal, EOPNOTSUPP, whoever it comes from.
#include "os.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

namespace libwire::os {

namespace {

// Linux 4.6 to 4.12 know the call, and say EINVAL for the flag: also for a pipe, of which nothing
// else is invalid. Asked once; every thread may find out by itself.
bool knows_flag() {
  enum Answer : int { unknown, yes, no };
  static constinit int answer = unknown;
  int known = __atomic_load_n(&answer, __ATOMIC_RELAXED);
  if (known != unknown)
    return known == yes;
  int ends[2];
  if (::syscall(SYS_pipe2, ends, O_CLOEXEC) != 0)
    return false; // for this time: the plain call is right in any case
  char byte;
  iovec part{&byte, 1};
  long got = ::syscall(SYS_preadv2, ends[0], &part, 1, -1L, -1L, RWF_NOWAIT);
  known = got < 0 && errno == EINVAL ? no : yes;
  close(ends[0]);
  close(ends[1]);
  __atomic_store_n(&answer, known, __ATOMIC_RELAXED);
  return known == yes;
}

// What a call with RWF_NOWAIT failed with. Old kernels and the filters of containers refuse calls
// they do not know with ENOSYS or EPERM; the latter may also be about the file, so ask about none.
[[gnu::cold, gnu::noinline]] void name_refusal(long call) {
  int error = errno;
  if (error == EPERM) {
    ::syscall(call, -1, nullptr, 0, 0L, 0L, RWF_NOWAIT);
    error = errno == EPERM ? ENOSYS : EPERM;
  } else if (error == EINVAL) {
    error = knows_flag() ? EINVAL : ENOSYS;
  }
  errno = error == ENOSYS ? EOPNOTSUPP : error;
}

// An offset of -1 means the file position; it takes both halves of the argument.
ssize_t transfer_nowait(long call, int fd, const iovec *parts, int count, off_t offset) {
  ssize_t got = ::syscall(call, fd, parts, count, offset, offset >> 63, RWF_NOWAIT);
  if (got < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL)) [[unlikely]]
    name_refusal(call);
  return got;
}

} // namespace

ssize_t read_nowait(int fd, void *buffer, std::size_t count) {
  iovec part{buffer, count};
  return readv_nowait(fd, &part, 1, kPosition);
}

ssize_t write_nowait(int fd, const void *buffer, std::size_t count) {
  iovec part{const_cast<void *>(buffer), count};
  return writev_nowait(fd, &part, 1, kPosition);
}

ssize_t readv_nowait(int fd, const iovec *parts, int count, off_t offset) {
  return transfer_nowait(SYS_preadv2, fd, parts, count, offset);
}

ssize_t writev_nowait(int fd, const iovec *parts, int count, off_t offset) {
  return transfer_nowait(SYS_pwritev2, fd, parts, count, offset);
}

} // namespace libwire::os
