// Reading and writing. In this order: RWF_NOWAIT (or MSG_DONTWAIT), which serves what is there at
// once; waiting for readiness; a thread.
//
// Results are those of the plain calls. Reads of streams give what is there, writes to streams go
// on until they are complete or fail. A call on a file is either complete after the first attempt
// or made anew as a whole, by a thread: its own answer, short or not, is the result, and nobody
// else gets between its parts. Nothing here looks at the caller's parts before the kernel has.
#include "io.hpp"

#include "defer.hpp"
#include "fd.hpp"
#include "io_ready.hpp"
#include "io_ring.hpp"
#include "io_terminal.hpp"
#include "reactor.hpp"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

namespace libwire::io {

namespace {

struct Transfer {
  Direction direction;
  int fd;
  const iovec *parts;
  int count;
  off_t offset;
  bool own_part;           // `parts` is one of this file's
  bool by_message = false; // a socket's: RWF_NOWAIT was refused (Linux before 6.4) or cannot do it
  bool has_begun = false;  // a write that goes on has no SIGPIPE to raise

  bool reads() const { return direction == Direction::in; }
  bool uses_position() const { return offset == os::kPosition; }

  ssize_t plain() const {
    if (!own_part)
      return plain(parts, count, offset);
    return reads() ? os::read_at(fd, parts->iov_base, parts->iov_len, offset)
                   : os::write_at(fd, parts->iov_base, parts->iov_len, offset);
  }
  ssize_t plain(const iovec *some, int number, off_t at) const {
    return reads() ? os::readv_at(fd, some, number, at) : os::writev_at(fd, some, number, at);
  }
  ssize_t nowait() const { return nowait(parts, count, offset); }
  ssize_t nowait(const iovec *some, int number, off_t at) const {
    if (by_message)
      return reads() ? os::receive_parts(fd, some, number)
                     : os::send_parts(fd, some, number, has_begun ? MSG_NOSIGNAL : 0);
    return reads() ? os::readv_nowait(fd, some, number, at)
                   : os::writev_nowait(fd, some, number, at);
  }
  ssize_t receive() const { return os::receive(fd, parts->iov_base, parts->iov_len, MSG_DONTWAIT); }

  // Once the kernel has accepted the parts.
  std::size_t size() const {
    constexpr std::size_t kMost = 0x7ffff000; // what the kernel moves in one call
    std::size_t size = 0;
    for (int i = 0; i < count; ++i)
      size += parts[i].iov_len;
    return size < kMost ? size : kMost;
  }
  bool is_complete(ssize_t got) const { return got >= 0 && std::size_t(got) == size(); }

  Hint &hint() const { return scheduler.reactor->hints.of(fd); }
};

// What is left of a write that has begun.
class Rest {
public:
  explicit Rest(const Transfer &transfer)
      : transfer_(transfer), parts_(transfer.parts), count_(transfer.count) {}

  std::size_t moved() const { return moved_; }

  // False when nothing is left.
  bool advance(std::size_t bytes) {
    moved_ += bytes;
    while (count_ && bytes >= parts_->iov_len - within_) {
      bytes -= parts_->iov_len - within_;
      within_ = 0;
      ++parts_;
      --count_;
    }
    within_ += bytes;
    return count_ != 0;
  }

  // One attempt with all that is left, or with the rest of a buffer that is partly done.
  template <typename Attempt> ssize_t attempt(Attempt call) const {
    off_t at = transfer_.uses_position() ? transfer_.offset : transfer_.offset + off_t(moved_);
    if (!within_)
      return call(parts_, count_, at);
    iovec rest{static_cast<char *>(parts_->iov_base) + within_, parts_->iov_len - within_};
    return call(&rest, 1, at);
  }

  ssize_t nowait() const {
    return attempt([&](auto... what) { return transfer_.nowait(what...); });
  }

  ssize_t plain() const {
    return attempt([&](auto... what) { return transfer_.plain(what...); });
  }

  // The same by a thread, for as long as it takes. What it has written must not be written again.
  ssize_t on_thread() const {
    auto call = [&] {
      return under_job_control([&] { return interruptible([&] { return plain(); }); });
    };
    return transfer_.reads() ? offload<Takes::unbounded>(ssize_t(-1), call, "read")
                             : offload<Takes::unbounded_once>(ssize_t(-1), call, "write");
  }

private:
  const Transfer &transfer_;
  const iovec *parts_;
  int count_;
  std::size_t within_ = 0;
  std::size_t moved_ = 0;
};

// A read that ended where the file ends: AT_STATX_DONT_SYNC is exact on local disks only.
bool ends_with_file(const Transfer &t, const os::Description &what, ssize_t got) {
  if (what.type != S_IFREG || !what.on_device)
    return false;
  off_t end = t.uses_position() ? os::lseek(t.fd, 0, SEEK_CUR) : t.offset + got;
  return end >= 0 && std::uint64_t(end) >= what.size;
}

// What was appended would be appended again. Rare: a hint knew of another file, or of no O_APPEND.
ssize_t append_rest(const Transfer &t, std::size_t moved) {
  Rest rest(t);
  for (ssize_t got = ssize_t(moved); got > 0 && rest.advance(std::size_t(got));)
    got = offload<Takes::bounded>(ssize_t(-1), [&] { return rest.plain(); });
  return ssize_t(rest.moved());
}

// `got` is what an attempt gave, -1 without one.
ssize_t transfer_file(const Transfer &t, const os::Description &what, ssize_t got) {
  if (t.reads() && got >= 0 && ends_with_file(t, what, got))
    return got;
  if (got > 0 && t.uses_position())
    os::lseek(t.fd, -off_t(got), SEEK_CUR);
  if (!t.reads() && got > 0 && (os::get_flags(t.fd) & O_APPEND))
    return append_rest(t, std::size_t(got));
  auto storage = what.type == S_IFREG ? storage_of(t.fd, what) : os::Storage::other;
  if (storage == os::Storage::memory)
    return t.plain(); // a thread would only make it slower
  if (ssize_t result; ring_transfer(t.direction, t.fd, t.parts, t.count, t.offset, what, result))
    return result;
  PositionCall call{};
  if (t.uses_position())
    scheduler.reactor->hints.begin(call, t.fd, what);
  Deferred done([&] { list_remove(call); });
  if (storage == os::Storage::kernel) // may wait for something to happen
    return Rest(t).on_thread();
  return offload<Takes::bounded>(
      ssize_t(-1), [&] { return t.plain(); }, t.reads() ? "read" : "write");
}

// What refuses RWF_NOWAIT: terminals, named pipes, devices, inotify, ... Somebody else may take
// what made it ready, so a thread makes the call. But only the thread that they are for reads
// signals.
ssize_t transfer_refusing(const Transfer &t, const os::Description &what, const Rest &rest) {
  int flags = os::get_flags(t.fd);
  bool possible = (flags & O_ACCMODE) != (t.reads() ? O_WRONLY : O_RDONLY) &&
                  (t.uses_position() || os::lseek(t.fd, 0, SEEK_CUR) >= 0);
  bool at_once = (flags & O_NONBLOCK) || !possible; // says at once that it cannot
  // Readers of eventfds, timerfds and signalfds with less room than this fail at once; those of
  // others may have to wait.
  constexpr std::size_t kSmallestEvent = sizeof(std::uint64_t);
  bool fails = t.reads() && t.own_part && what.type == 0 && t.size() < kSmallestEvent;
  while (!at_once && !fails && wait_until(t.direction, t.fd, kNoDeadline)) {
    if (os::is_ready(t.fd, t.reads() ? POLLIN : POLLOUT)) { // still, for the first that looks
      at_once = what.type == 0 && os::is_signalfd(t.fd);
      break;
    }
  }
  return at_once ? rest.plain() : rest.on_thread();
}

ssize_t transfer_stream(Transfer t, const os::Description &what, ssize_t got) {
  if (!t.uses_position() && (what.type == S_IFSOCK || what.type == S_IFIFO))
    return t.plain(); // says at once that there are no offsets
  Patience patience(t.direction, t.fd, what.type == S_IFSOCK);
  Rest rest(t);
  for (;; got = rest.nowait()) {
    if (got >= 0) {
      if (t.reads())
        return got;
      if (!rest.advance(std::size_t(got)) || got == 0)
        return ssize_t(rest.moved());
      if (what.type == S_IFSOCK)
        t.by_message = t.has_begun = true;
      continue;
    }
    bool refusal = errno == EOPNOTSUPP;
    if (refusal && what.type == S_IFSOCK && !t.by_message) {
      t.by_message = true;
      continue;
    }
    if (errno == EAGAIN) {
      if (patience.wait())
        continue;
      refusal = errno == EPERM; // nobody can wait for it
    }
    if (refusal)
      got = transfer_refusing(t, what, rest);
    if (got >= 0)
      return ssize_t(rest.moved()) + got;
    return rest.moved() ? ssize_t(rest.moved()) : -1;
  }
}

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
