// accept: it cannot be told for one call not to block, and the flag of the descriptor is not ours
// to change. So a worker takes a connection that is there; it may be gone then, if another process
// was faster. Of the wires of a thread one at a time does that with a listener, so that one
// connection never occupies several workers.
#include "park.hpp"

using namespace libwire::interpose;

namespace libwire::interpose {

namespace {

// The listeners at which it is some wire's turn.
class Turn : wire_defer_list {
public:
  explicit Turn(int fd);
  ~Turn() {
    wire_defer_pop(this);
    leave(this);
  }
  Turn(const Turn &) = delete;
  Turn &operator=(const Turn &) = delete;

  static bool is_taken(int fd);

private:
  static void leave(wire_defer_list *);
  int fd_;
  Turn *next_, **link_;
  friend void libwire::interpose::forget_turns();
};

__thread Turn *turns;

Turn::Turn(int fd) : wire_defer_list(), fd_(fd), next_(turns), link_(&turns) {
  if (next_)
    next_->link_ = &next_;
  turns = this;
  wire_defer_push(this, leave);
}

void Turn::leave(wire_defer_list *node) {
  auto &self = *static_cast<Turn *>(node);
  *self.link_ = self.next_;
  if (self.next_)
    self.next_->link_ = self.link_;
  tell_turn(self.fd_);
}

bool Turn::is_taken(int fd) {
  for (Turn *turn = turns; turn; turn = turn->next_)
    if (turn->fd_ == fd)
      return true;
  return false;
}

// Gives 0 when it is this wire's turn, and something to accept.
int await_connection(Symbol symbol, int fd) {
  uint64_t deadline = socket_deadline(fd, SO_RCVTIMEO);
  for (;;) {
    bool taken = Turn::is_taken(fd);
    if (!taken && is_ready(fd, POLLIN))
      return 0;
    switch (taken ? park_for_turn(symbol, fd, deadline) : park(symbol, fd, POLLIN, deadline)) {
    case Parked::ready:
      break;
    case Parked::timeout:
      return EAGAIN;
    case Parked::closed:
      return EBADF;
    case Parked::interrupted:
      return EINTR;
    case Parked::restart:
      if (deadline != kNever)
        return EINTR; // a call with a time limit is never restarted
      break;
    case Parked::impossible:
      return 0; // accept() tells what is wrong, or waits in its thread
    }
  }
}

// Anything else fails, which a worker finds out.
bool is_listener(int fd) {
  int listens = 0;
  socklen_t length = sizeof listens;
  Errno saved;
  return saved.keep(::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens);
}

template <typename Accept> int accept_one(Symbol symbol, int fd, Accept accept) {
  if (is_nonblocking(fd) || !may_wait())
    return accept();
  Errno saved;
  if (!is_listener(fd))
    return offload(symbol, Takes::unbounded, accept);
  if (int error = await_connection(symbol, fd)) {
    errno = error;
    return -1;
  }
  Turn turn(fd);
  errno = saved.saved();
  return offload(symbol, Takes::unbounded, accept);
}

} // namespace

void forget_turns() { turns = nullptr; }

} // namespace libwire::interpose

SERVE(int, accept, (int fd, sockaddr *address, socklen_t *length), (fd, address, length)) {
  return accept_one(AT_accept, fd, [&] { return REAL(accept)(fd, address, length); });
}

SERVE(int, accept4, (int fd, sockaddr *address, socklen_t *length, int flags),
      (fd, address, length, flags)) {
  if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
    return REAL(accept4)(fd, address, length, flags);
  return accept_one(AT_accept4, fd, [&] { return REAL(accept4)(fd, address, length, flags); });
}
