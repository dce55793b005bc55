// Reading and writing. In this order: RWF_NOWAIT (or MSG_DONTWAIT), which serves what is there at
// once; waiting for readiness; a thread.
//
// Results are those of the plain calls. Reads of streams give what is there, writes to streams go
// on until they are complete or fail. A call on a file is either complete after the first attempt
// or made anew as a whole, by a thread: its own answer, short or not, is the result, and nobody
// else gets between its parts. Nothing here looks at the caller's parts before the kernel has.
#include "io_transfer.hpp"

#include "fd.hpp"

#include <cerrno>

namespace libwire::io {

namespace {

bool is_file(const os::Description &what) {
  return what.type == S_IFREG || what.type == S_IFBLK || what.type == S_IFDIR;
}

// The kernel says itself that there is no such descriptor; any other failure is the call's.
ssize_t unknown_descriptor(const Transfer &t) { return errno == EBADF ? t.plain() : -1; }

// Nothing is to be moved. For sockets of messages even that is a message, and may have to wait.
ssize_t transfer_nothing(Transfer t) {
  os::Description what;
  if (t.reads())
    return t.plain();
  if (!os::describe(t.fd, what))
    return unknown_descriptor(t);
  if (what.type != S_IFSOCK || !t.uses_position())
    return t.plain();
  t.by_message = true;
  return transfer_stream(t, what, t.nowait());
}

// After an attempt that was not complete.
[[gnu::noinline]] ssize_t go_on(const Transfer &t, ssize_t got) {
  if (got < 0 && errno == EAGAIN && t.uses_position() && wait_trusting(t.direction, t.fd)) {
    got = t.nowait();
    if (t.is_complete(got))
      return got;
  }
  if (got < 0 && errno != EAGAIN && errno != EOPNOTSUPP)
    return got;
  if (got == 0 && t.size() == 0)
    return transfer_nothing(t);
  int error = errno;
  os::Description what;
  if (!os::describe(t.fd, what))
    return unknown_descriptor(t);
  if (got < 0 && error == EOPNOTSUPP)
    note_refusal(t.hint(), t.fd, t.direction, what);
  if (is_file(what)) {
    fd_distrust(t.fd); // its number was a stream's
    return transfer_file(t, what, got);
  }
  errno = error;
  return transfer_stream(t, what, got);
}

// Where an attempt would be in vain, or cannot be made before it is known what this is.
[[gnu::noinline]] ssize_t begin_unasked(const Transfer &t, Way way) {
  if (t.own_part && t.parts->iov_len == 0)
    return transfer_nothing(t);
  os::Description what;
  if (!os::describe(t.fd, what))
    return unknown_descriptor(t);
  if (is_file(what))
    return transfer_file(t, what, -1);
  // The kernel has to look at parts of others before anything is waited for.
  errno = EOPNOTSUPP;
  ssize_t got = way == Way::thread && t.own_part ? -1 : t.nowait();
  return transfer_stream(t, what, got);
}

ssize_t transfer(const Transfer &t);

ssize_t receive(const Transfer &t) {
  if (t.parts->iov_len == 0)
    return t.plain();
  ssize_t got = t.receive();
  if (got < 0 && errno == EAGAIN && wait_trusting(t.direction, t.fd))
    got = t.receive();
  if (got < 0 && errno == EAGAIN) {
    Patience patience(t.direction, t.fd, true);
    while (got < 0 && errno == EAGAIN && patience.wait())
      got = t.receive();
  }
  if (got < 0 && errno == ENOTSOCK) {
    t.hint().forget();
    return transfer(t);
  }
  return got;
}

ssize_t transfer(const Transfer &t) {
  // What the kernel will not accept it must say itself; an offset of -1 would mean something else
  // here.
  constexpr int kMostParts = 1024;
  if (!cooperative() || t.fd < 0 || t.count <= 0 || t.count > kMostParts ||
      t.offset < os::kPosition || (t.own_part && ssize_t(t.parts->iov_len) < 0))
    return t.plain();
  Hint &hint = t.hint();
  if (!hint.serves(t.fd) && !look_at(t.fd, hint))
    return unknown_descriptor(t);
  int saved_errno = errno;
  Way way = hint.way[int(t.direction)];
  bool others_may_hold_position =
      t.uses_position() && scheduler.reactor->hints.position_is_in_use(t.fd);
  ssize_t got;
  if ((way == Way::ask && !others_may_hold_position) || (way == Way::ask_at && !t.uses_position()))
      [[likely]] {
    got = t.nowait();
    if (got > 0 && t.is_complete(got)) [[likely]]
      return got;
    got = go_on(t, got);
  } else if (way == Way::receive && t.own_part && t.uses_position()) {
    got = receive(t);
  } else {
    got = begin_unasked(t, way);
  }
  if (got >= 0)
    errno = saved_errno;
  return got;
}

} // namespace

ssize_t read(int fd, void *buffer, std::size_t size, off_t offset) {
  iovec part{buffer, size};
  return transfer({Direction::in, fd, &part, 1, offset, true});
}

ssize_t write(int fd, const void *buffer, std::size_t size, off_t offset) {
  iovec part{const_cast<void *>(buffer), size};
  return transfer({Direction::out, fd, &part, 1, offset, true});
}

ssize_t read(int fd, const iovec *parts, int count, off_t offset) {
  return transfer({Direction::in, fd, parts, count, offset, false});
}

ssize_t write(int fd, const iovec *parts, int count, off_t offset) {
  return transfer({Direction::out, fd, parts, count, offset, false});
}

} // namespace libwire::io
