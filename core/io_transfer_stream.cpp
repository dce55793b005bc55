// Reading and writing what can be waited for, and what refuses to say whether it can.
#include "io_transfer.hpp"

#include <cerrno>
#include <poll.h>

namespace libwire::io {

namespace {

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

} // namespace

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

} // namespace libwire::io
