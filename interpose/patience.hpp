// What follows when a descriptor has said EAGAIN: whether to wait, how long, and what then.
#pragma once

#include "park.hpp"

namespace libwire::interpose {

class Patience {
public:
  // `events`: POLLIN or POLLOUT. `option`: SO_RCVTIMEO or SO_SNDTIMEO of a socket, 0 for others.
  Patience(Symbol symbol, int fd, short events, int option = 0)
      : symbol_(symbol), fd_(fd), events_(events), option_(option) {}

  enum Next {
    again, // try again
    stop,  // the call fails, with errno as it is now
    plain  // only the real call can wait
  };
  // The last try gave EAGAIN.
  Next next();
  // The same when there was no try: waits also with O_NONBLOCK.
  Next wait();

private:
  // Ready so often without being ready: somebody else is always faster, or readiness means
  // something else for this kind of descriptor.
  static constexpr int kMostFutile = 8;

  Symbol symbol_;
  int fd_;
  short events_;
  int option_;
  int futile_ = 0;
  bool waited_ = false;
  uint64_t deadline_ = kNever;
};

// The SO_TYPE of a socket, -1 for what is none.
int socket_type(int fd);

// What is left of a transfer through several buffers.
class Rest {
public:
  Rest(const iovec *parts, size_t count, size_t moved) : parts_(parts), count_(count) {
    advance(moved);
  }
  bool at_end() const { return count_ == 0; }
  // The rest of the first buffer that is not done.
  iovec part() const {
    return {static_cast<char *>(parts_->iov_base) + within_, parts_->iov_len - within_};
  }
  void advance(size_t bytes) {
    while (count_ && bytes >= parts_->iov_len - within_) {
      bytes -= parts_->iov_len - within_;
      within_ = 0;
      ++parts_;
      --count_;
    }
    within_ += bytes;
  }

private:
  const iovec *parts_;
  size_t count_;
  size_t within_ = 0;
};

size_t size_of(const iovec *parts, size_t count);

// Sends until everything is sent, as a blocking send of a stream does; `moved` bytes of the message
// are sent already. Gives the bytes of the whole message or, when there are none, -1 with errno.
ssize_t send_rest(Symbol symbol, int fd, const char *buffer, size_t count, int flags, size_t moved,
                  Patience &patience);

} // namespace libwire::interpose
