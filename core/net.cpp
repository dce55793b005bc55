#include "net.hpp"

#include "defer.hpp"
#include "errno_guard.hpp"
#include "io.hpp"
#include "os.hpp"
#include "scheduler.hpp"

#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>

namespace libwire {

namespace {

// Waits for one direction of the socket, or the timeout.
bool wait_ready(Net &net, FdMode mode, const char *function) {
  require_wire(function);
  FdMode mode_of_program = net.fd_state.mode;
  if (!fd_watch(net.fd_state, mode, false))
    return false;
  int first = timeout_wait(net.fd_state.wait, net.timeout, function);
  if (mode_of_program == FdMode::none)
    fd_park(net.fd_state); // between two calls nothing is watched
  else if (mode_of_program != mode)
    fd_watch(net.fd_state, mode_of_program, false);
  if (first == 2)
    errno = ETIMEDOUT;
  return first == 1;
}

// One attempt that does not block the thread. Descriptors other than sockets are served too, as far
// as their kind can be asked not to block.
ssize_t try_read(int fd, void *buffer, std::size_t count, bool is_ready) {
  ssize_t got = os::receive(fd, buffer, count, MSG_DONTWAIT);
  if (got >= 0 || errno != ENOTSOCK)
    return got;
  got = os::read_nowait(fd, buffer, count);
  if (got >= 0 || errno != EOPNOTSUPP)
    return got;
  if (is_ready)
    return os::read(fd, buffer, count);
  errno = EAGAIN;
  return -1;
}

ssize_t try_write(int fd, const void *buffer, std::size_t count, bool is_ready) {
  ssize_t put = os::send(fd, buffer, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put >= 0 || errno != ENOTSOCK)
    return put;
  put = os::write_nowait(fd, buffer, count);
  if (put >= 0 || errno != EOPNOTSUPP)
    return put;
  if (is_ready)
    return os::write(fd, buffer, count);
  errno = EAGAIN;
  return -1;
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

// A Unix socket whose queue is full says EAGAIN, for which there is no readiness to wait for: tries
// now and then. True when the answer is another one.
bool retry_full_queue(Net &net, const sockaddr *address, socklen_t length, int &result,
                      const char *function) {
  for (int pause = 1; errno == EAGAIN; pause = pause < 16 ? pause * 2 : pause) {
    if (timeout_expired(net.timeout)) {
      errno = ETIMEDOUT;
      return false;
    }
    if (!sleep_for(pause, function))
      return false;
    result = os::connect(net.fd_state.fd, address, length);
    if (result == 0)
      return true;
  }
  return true;
}

// Connects a socket that is in non-blocking mode.
bool connect_nonblocking(Net &net, const sockaddr *address, socklen_t length,
                         const char *function) {
  int socket = net.fd_state.fd;
  int result = os::connect(socket, address, length);
  if (result != 0 && errno == EAGAIN && address->sa_family == AF_UNIX &&
      !retry_full_queue(net, address, length, result, function))
    return false;
  if (result == 0)
    return true;
  // Interrupted, the attempt goes on as if it had just been started.
  if (errno != EINPROGRESS && errno != EINTR)
    return false;
  if (!wait_ready(net, FdMode::write, function))
    return false;
  int error = os::socket_error(socket);
  if (error)
    errno = error;
  return error == 0;
}

int errno_of_resolver(int code, int system_error) {
  switch (code) {
  case EAI_SYSTEM:
    return system_error;
  case EAI_MEMORY:
    return ENOMEM;
  case EAI_AGAIN:
    return EAGAIN;
  case EAI_NONAME:
#ifdef EAI_NODATA
  case EAI_NODATA:
#endif
    return ENOENT;
  default:
    return EINVAL;
  }
}

bool resolve(const char *host, const char *service, addrinfo *&found) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  int code = io::offload<io::Takes::unbounded>(
      EAI_SYSTEM, [&] { return ::getaddrinfo(host, service, &hints, &found); });
  if (code != 0)
    errno = errno_of_resolver(code, errno);
  return code == 0;
}

// One address, in at most `milliseconds` (0: no limit).
bool try_address(Net &net, const addrinfo &address, int milliseconds) {
  int socket = os::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                          address.ai_protocol);
  if (socket < 0)
    return false;
  net_init(net, socket);
  if (timeout_reset(net.timeout, milliseconds) &&
      connect_nonblocking(net, address.ai_addr, address.ai_addrlen,
                          "wire_net_init_tcp_connected")) {
    timeout_stop(net.timeout);
    return true;
  }
  net_close(net);
  return false;
}

// Milliseconds for the next of `left` addresses: 0 without a limit, -1 when no time is left.
int share_of_time(int milliseconds, std::uint64_t deadline, int left) {
  if (milliseconds <= 0)
    return 0;
  std::uint64_t now = os::now();
  if (now >= deadline)
    return -1;
  return int((deadline - now) / 1'000'000 / std::uint64_t(left)) + 1;
}

int count_addresses(const addrinfo *address) {
  int count = 0;
  for (; address; address = address->ai_next)
    ++count;
  return count;
}

} // namespace

void net_init(Net &net, int socket) {
  fd_init(net.fd_state, socket);
  timeout_init(net.timeout);
}

bool net_read(Net &net, void *buffer, std::size_t count, std::size_t minimum, std::size_t &received,
              const char *function) {
  ErrnoGuard guard;
  char *bytes = static_cast<char *>(buffer);
  Wait &wait = net.fd_state.wait;
  received = 0;
  bool is_ready = false;
  // With no minimum one attempt is made, which may find nothing.
  bool look = count > 0 && minimum == 0;
  while (received < minimum || look) {
    // After a read that emptied the socket another one would most likely be in vain: wait first.
    if (look || !wait.drained || !in_wire() || timeout_expired(net.timeout)) {
      ssize_t got = try_read(net.fd_state.fd, bytes + received, count - received, is_ready);
      is_ready = false;
      if (got > 0) {
        received += std::size_t(got);
        wait.drained = received < count;
        look = false;
        continue;
      }
      if (got == 0) {
        errno = ENODATA;
        return guard.result(false);
      }
      if (errno == EINTR)
        continue;
      if (!would_block())
        return guard.result(false);
      if (look)
        break;
    }
    wait.drained = 0;
    if (!wait_ready(net, FdMode::read, function))
      return guard.result(false);
    is_ready = true;
  }
  return true;
}

bool net_write(Net &net, const void *buffer, std::size_t count, std::size_t &sent) {
  ErrnoGuard guard;
  const char *bytes = static_cast<const char *>(buffer);
  sent = 0;
  bool is_ready = false;
  while (sent < count) {
    ssize_t put = try_write(net.fd_state.fd, bytes + sent, count - sent, is_ready);
    is_ready = false;
    if (put >= 0) {
      sent += std::size_t(put);
      continue;
    }
    if (errno == EINTR)
      continue;
    if (!would_block() || !wait_ready(net, FdMode::write, "wire_net_write"))
      return guard.result(false);
    is_ready = true;
  }
  return true;
}

bool net_connect(Net &net, const sockaddr *address, socklen_t length, const char *function) {
  ErrnoGuard guard;
  int socket = net.fd_state.fd;
  int flags = os::get_flags(socket);
  if (flags < 0)
    return guard.result(false);
  if (flags & O_NONBLOCK)
    return guard.result(connect_nonblocking(net, address, length, function));
  // There is no way to ask for a single connect that does not block.
  if (os::set_flags(socket, flags | O_NONBLOCK) < 0)
    return guard.result(false);
  bool connected;
  int error;
  {
    Deferred restore([&] { os::set_flags(socket, flags); });
    connected = connect_nonblocking(net, address, length, function);
    error = errno;
  }
  errno = error;
  return guard.result(connected);
}

bool net_connect_name(Net &net, const char *host, const char *service, int milliseconds,
                      sockaddr *address, socklen_t *length) {
  require_wire("wire_net_init_tcp_connected");
  ErrnoGuard guard;
  net_init(net, -1); // so that the program may close it whatever fails
  std::uint64_t deadline =
      os::now() + std::uint64_t(milliseconds > 0 ? milliseconds : 0) * 1'000'000;
  addrinfo *found = nullptr;
  bool connected = false;
  int error = 0;
  {
    // The program does not know of the list and the socket yet: when the wire is cancelled they go
    // here.
    Deferred release([&] {
      if (found)
        ::freeaddrinfo(found);
      if (!connected)
        net_close(net);
    });
    if (!resolve(host, service, found))
      error = errno;
    int left = count_addresses(found);
    for (addrinfo *one = found; one && !connected; one = one->ai_next, --left) {
      int share = share_of_time(milliseconds, deadline, left);
      if (share < 0) {
        error = ETIMEDOUT;
        break;
      }
      connected = try_address(net, *one, share);
      error = errno;
      if (connected && address && length) {
        bool fits = *length >= one->ai_addrlen;
        if (fits)
          std::memcpy(address, one->ai_addr, one->ai_addrlen);
        *length = fits ? one->ai_addrlen : 0;
      }
    }
  }
  errno = error;
  return guard.result(connected);
}

void net_close(Net &net) {
  int saved_errno = errno;
  timeout_stop(net.timeout);
  fd_unwatch(net.fd_state);
  if (net.fd_state.fd >= 0)
    os::close(net.fd_state.fd);
  net.fd_state.fd = -1;
  errno = saved_errno;
}

} // namespace libwire
