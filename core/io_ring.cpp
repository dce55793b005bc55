#include "io_ring.hpp"

#include "io.hpp"
#include "reactor.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace libwire::io {

namespace {

using Kind = os::RingCall::Kind;

bool run(const os::RingCall &call, ssize_t &result) {
  return scheduler.reactor->ring.run(call, result);
}

// The device of the last file that was looked at, if its reads may be made in two parts.
constinit std::uint64_t divisible = 0;

// The kernel does what it can at once and the rest later. That would show where the plain call is
// done as a whole or not at all, as others see it.
bool read_may_be_divided(int fd, const os::Description &what) {
  if (__atomic_load_n(&divisible, __ATOMIC_RELAXED) == what.device)
    return true;
  if (os::reads_see_whole_writes(fd))
    return false;
  __atomic_store_n(&divisible, what.device, __ATOMIC_RELAXED);
  return true;
}

// A file system that has refused RWF_NOWAIT does no part of a write at once.
bool write_stays_whole(int fd) {
  const Hint &hint = scheduler.reactor->hints.of(fd);
  return hint.fd == fd && hint.way[int(Direction::out)] == Way::thread;
}

// Exceeding the limit of a file's size raises a signal, in whatever thread writes.
bool may_write(int fd, bool direct, bool appends) {
  return !appends && (direct || write_stays_whole(fd)) && !os::file_size_is_limited();
}

int sync(Kind kind, int fd, int (*plain)(int)) {
  if (!cooperative())
    return plain(fd);
  int saved_errno = errno;
  os::Description what;
  bool local =
      os::describe(fd, what) && what.on_device && (what.type == S_IFREG || what.type == S_IFDIR);
  errno = saved_errno;
  ssize_t result;
  if (local && run({.kind = kind, .fd = fd, .blocks = true}, result))
    return int(result);
  return offload<Takes::bounded>(-1, [&] { return plain(fd); });
}

} // namespace

bool ring_transfer(Direction direction, int fd, const iovec *parts, int count, off_t offset,
                   const os::Description &what, ssize_t &result) {
  if (offset == os::kPosition || what.type != S_IFREG || !what.on_device)
    return false;
  int flags = os::get_flags(fd);
  bool direct = flags & O_DIRECT, reads = direction == Direction::in;
  if (reads ? !direct && !read_may_be_divided(fd, what) : !may_write(fd, direct, flags & O_APPEND))
    return false;
  return run({.kind = reads ? Kind::read : Kind::write,
              .fd = fd,
              .parts = parts,
              .count = unsigned(count),
              .offset = offset,
              .blocks = !reads && !direct},
             result);
}

int fsync(int fd) { return sync(Kind::sync, fd, ::fsync); }

int fdatasync(int fd) { return sync(Kind::sync_data, fd, ::fdatasync); }

} // namespace libwire::io
