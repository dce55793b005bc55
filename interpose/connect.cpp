// connect and accept. Neither can be told for one call not to block, and the flag of the
// descriptor is not ours to change: a worker makes the call. For accept it is given to one only
// when a connection is there; it may be gone then, if another process takes it.
#include "patience.hpp"

using namespace libwire::interpose;

namespace {

template <typename Accept> int accept_one(Symbol symbol, int fd, Accept accept) {
  if (is_nonblocking(fd))
    return accept();
  Errno saved;
  Patience patience(symbol, fd, POLLIN, SO_RCVTIMEO);
  if (patience.wait() == Patience::stop)
    return -1;
  errno = saved.saved();
  return offload(symbol, Takes::unbounded, accept);
}

} // namespace

SERVE(int, accept, (int fd, sockaddr *address, socklen_t *length), (fd, address, length)) {
  return accept_one(AT_accept, fd, [&] { return REAL(accept)(fd, address, length); });
}

SERVE(int, accept4, (int fd, sockaddr *address, socklen_t *length, int flags),
      (fd, address, length, flags)) {
  return accept_one(AT_accept4, fd, [&] { return REAL(accept4)(fd, address, length, flags); });
}

SERVE(int, connect, (int fd, const sockaddr *address, socklen_t length), (fd, address, length)) {
  // Of datagram sockets it only notes the address.
  int type = socket_type(fd);
  if ((type != SOCK_STREAM && type != SOCK_SEQPACKET) || is_nonblocking(fd))
    return REAL(connect)(fd, address, length);
  return offload(AT_connect, Takes::unbounded, [&] { return REAL(connect)(fd, address, length); });
}
SAME(__connect, connect);
