// connect: it cannot be told for one call not to block, and the flag of the descriptor is not ours
// to change.
//
// TCP: sendto() has a flag for the one call, and can begin a connection (TCP Fast Open). With
// nothing to send, and without asking for a cookie, that is the plain handshake. The wire waits for
// its end and asks connect() for the result.
// Local sockets: connect() waits only while the listener's queue is full. It is tried with the
// shortest limit that the kernel has; if that does not do, a worker waits.
// Everything else is a worker's.
#include "park.hpp"
#include "signals.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

using namespace libwire::interpose;

namespace {

int option_of(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return ::getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

struct Target {
  int fd;
  const sockaddr *address;
  socklen_t length;

  int connect() const { return REAL(connect)(fd, address, length); }
  int connect_in_worker() const {
    return offload(AT_connect, Takes::unbounded, [this] { return connect(); });
  }
};

// A connection is under way: waits for its end. `late`: errno when the time is over.
int finish(const Target &target, int late) {
  uint64_t deadline = socket_deadline(target.fd, SO_SNDTIMEO);
  while (!is_ready(target.fd, POLLOUT)) {
    switch (park(AT_connect, target.fd, POLLOUT, deadline)) {
    case Parked::ready:
      continue;
    case Parked::timeout:
      errno = late;
      return -1;
    case Parked::closed:
      errno = EBADF;
      return -1;
    case Parked::interrupted:
      errno = EINTR;
      return -1;
    case Parked::restart:
      if (deadline == kNever)
        continue;
      errno = EINTR; // a call with a time limit is never restarted
      return -1;
    case Parked::impossible:
      return target.connect_in_worker();
    }
  }
  return target.connect();
}

// No request for a cookie meanwhile, which some networks drop. The option can be set only as long
// as there is no connection, and stays as it is, without a meaning, when there is one.
class NoCookie {
public:
  explicit NoCookie(int fd)
      : fd_(fd), before_(option_of(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE)),
        possible_(before_ >= 0 && (set(1) || errno == EINVAL)) {}
  ~NoCookie() {
    Errno saved;
    if (before_ == 0)
      set(0);
    saved.keep(0);
  }
  NoCookie(const NoCookie &) = delete;
  NoCookie &operator=(const NoCookie &) = delete;

  bool possible() const { return possible_; }

private:
  bool set(int value) const {
    return ::setsockopt(fd_, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &value, sizeof value) == 0;
  }
  int fd_, before_;
  bool possible_;
};

// 0, or an errno value.
int begin_tcp(const Target &target) {
  constexpr int kFlags = MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL;
  return REAL(sendto)(target.fd, "", 0, kFlags, target.address, target.length) < 0 ? errno : 0;
}

int connect_tcp(const Target &target, const Errno &saved) {
  NoCookie no_cookie(target.fd);
  bool usual = no_cookie.possible() && target.length >= sizeof(sockaddr_in) &&
               option_of(target.fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT) == 0;
  int error = usual ? begin_tcp(target) : EOPNOTSUPP;
  errno = saved.saved();
  switch (error) {
  case 0:
    return 0;
  case EINPROGRESS:
  case EALREADY:
    return saved.result(finish(target, error));
  case EOPNOTSUPP: // switched off in the system, not known, or no address
  case EINVAL:
  case ENOTCONN:
  case EPIPE:
  case EISCONN:
  case EPERM:
    return target.connect_in_worker();
  default:
    errno = error;
    return -1;
  }
}

int connect_local(const Target &target, const Errno &saved) {
  timeval limit{}, shortest{0, 1};
  socklen_t length = sizeof limit;
  sockaddr name;
  socklen_t name_length = sizeof name;
  bool fresh = ::getpeername(target.fd, &name, &name_length) != 0;
  if (!fresh || ::getsockopt(target.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &length) != 0 ||
      ::setsockopt(target.fd, SOL_SOCKET, SO_SNDTIMEO, &shortest, sizeof shortest) != 0) {
    errno = saved.saved();
    return target.connect_in_worker();
  }
  SignalMark before = signals_mark();
  int got = target.connect();
  int error = errno;
  ::setsockopt(target.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  // With a limit EINTR also follows a handler that restarts calls.
  bool restarts = error == EINTR && !interrupted_since(before);
  errno = got == 0 || error == EAGAIN || restarts ? saved.saved() : error;
  return got == 0 || (error != EAGAIN && !restarts) ? got : target.connect_in_worker();
}

} // namespace

SERVE(int, connect, (int fd, const sockaddr *address, socklen_t length), (fd, address, length)) {
  Errno saved;
  Target target = {fd, address, length};
  int type = option_of(fd, SOL_SOCKET, SO_TYPE);
  errno = saved.saved();
  // Of datagram sockets it only notes the address.
  if ((type != SOCK_STREAM && type != SOCK_SEQPACKET) || is_nonblocking(fd) || !may_wait())
    return target.connect();
  int protocol = option_of(fd, SOL_SOCKET, SO_PROTOCOL);
  int family = option_of(fd, SOL_SOCKET, SO_DOMAIN);
  errno = saved.saved();
  if (family == AF_UNIX)
    return connect_local(target, saved);
  return protocol == IPPROTO_TCP ? connect_tcp(target, saved) : target.connect_in_worker();
}
SAME(__connect, connect);
