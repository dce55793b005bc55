#include "io_ring.hpp"

#include "errno_guard.hpp"
#include "io.hpp"
#include "reactor.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

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
bool may_be_divided(int fd, const os::Description &what) {
  if (__atomic_load_n(&divisible, __ATOMIC_RELAXED) == what.device)
    return true;
  if (os::reads_see_whole_writes(fd))
    return false;
  __atomic_store_n(&divisible, what.device, __ATOMIC_RELAXED);
  return true;
}

// Without RWF_NOWAIT a thread of the kernel's would have to wait for the disk.
bool may_read(int fd, int flags, const os::Description &what) {
  return !refuses_nowait(Direction::in, what) && ((flags & O_DIRECT) || may_be_divided(fd, what));
}

// A file system that refuses RWF_NOWAIT does no part of a write at once: a thread of the kernel's
// does all of it. Such threads write to a file one after the other, which leaves more for each
// fsync to do at once. Direct writes, which they do at the same time, gain nothing.
//
// Exceeding the limit of a file's size raises a signal, in whatever thread writes.
bool may_write(int flags, const os::Description &what) {
  return !(flags & (O_APPEND | O_DIRECT)) && refuses_nowait(Direction::out, what) &&
         !os::file_size_is_limited();
}

} // namespace

bool ring_transfer(Direction direction, int fd, const iovec *parts, int count, off_t offset,
                   const os::Description &what, ssize_t &result) {
  if (offset == os::kPosition || what.type != S_IFREG || !what.on_device)
    return false;
  int flags = os::get_flags(fd);
  bool reads = direction == Direction::in;
  if (reads ? !may_read(fd, flags, what) : !may_write(flags, what))
    return false;
  return run({.kind = reads ? Kind::read : Kind::write,
              .fd = fd,
              .parts = parts,
              .count = unsigned(count),
              .offset = offset,
              .blocks = !reads},
             result);
}

bool ring_sync(int fd, bool data_only, int &result) {
  if (!cooperative())
    return false;
  ErrnoGuard guard;
  os::Description what;
  if (!os::describe(fd, what) || !what.on_device || (what.type != S_IFREG && what.type != S_IFDIR))
    return false;
  ssize_t answer;
  Kind kind = data_only ? Kind::sync_data : Kind::sync;
  if (!run({.kind = kind, .fd = fd, .blocks = true}, answer))
    return false;
  result = int(answer);
  guard.result(result == 0);
  return true;
}

} // namespace libwire::io
