#include "net.hpp"

#include "defer.hpp"
#include "errno_guard.hpp"
#include "io.hpp"
#include "os.hpp"
#include "scheduler.hpp"

#include <cerrno>
#include <climits>
#include <fcntl.h>

namespace libwire {

namespace {

// Waits for one direction of the socket, or the timeout. What the kernel does not watch because it
// is a file or device that is always ready is not waited for, and no longer `watchable`.
bool wait_ready(Net &net, FdMode mode, bool &watchable, const char *function) {
  require_wire(function);
  FdMode mode_of_program = net.fd_state.mode;
  if (!fd_watch(net.fd_state, mode, false)) {
    watchable = errno != EPERM;
    return !watchable;
  }
  int first = timeout_wait(net.fd_state.wait, net.timeout, function);
  if (mode_of_program == FdMode::none)
    fd_park(net.fd_state); // between two calls nothing is watched
  else if (mode_of_program != mode)
    fd_watch(net.fd_state, mode_of_program, false);
  if (first == 2)
    errno = ETIMEDOUT;
  return first == 1;
}

// One attempt that does not block the thread: as a socket; as something else that knows RWF_NOWAIT;
// or, when it is ready, as wio_read and wio_write would do it.
template <typename Socket, typename Nowait, typename Io>
ssize_t attempt(bool is_ready, Socket as_socket, Nowait nowait, Io io) {
  ssize_t moved = as_socket();
  if (moved >= 0 || errno != ENOTSOCK)
    return moved;
  moved = nowait();
  if (moved >= 0 || errno != EOPNOTSUPP)
    return moved;
  if (is_ready)
    return io();
  errno = EAGAIN;
  return -1;
}

ssize_t try_read(int fd, void *buffer, std::size_t count, bool is_ready) {
  return attempt(
      is_ready, [&] { return os::receive(fd, buffer, count, MSG_DONTWAIT); },
      [&] { return os::read_nowait(fd, buffer, count); },
      [&] {
        iovec part{buffer, count};
        return io::read(fd, &part, 1, os::kPosition);
      });
}

ssize_t try_write(int fd, const void *buffer, std::size_t count, bool is_ready) {
  return attempt(
      is_ready, [&] { return os::send(fd, buffer, count, MSG_DONTWAIT | MSG_NOSIGNAL); },
      [&] { return os::write_nowait(fd, buffer, count); },
      [&] {
        iovec part{const_cast<void *>(buffer), count < PIPE_BUF ? count : PIPE_BUF};
        return io::write(fd, &part, 1, os::kPosition);
      });
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
  bool watchable = true;
  if (!wait_ready(net, FdMode::write, watchable, function))
    return false;
  int error = os::socket_error(socket);
  if (error)
    errno = error;
  return error == 0;
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
  bool watchable = true;
  // With no minimum one attempt is made, which may find nothing.
  bool look = count > 0 && minimum == 0;
  while (received < minimum || look) {
    // After a read that emptied the socket another one would most likely be in vain: wait first.
    if (look || !wait.drained || !in_wire() || timeout_expired(net.timeout)) {
      ssize_t got = try_read(net.fd_state.fd, bytes + received, count - received, is_ready);
      is_ready = !watchable;
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
      if (!would_block() || !watchable)
        return guard.result(false);
      if (look)
        break;
    }
    wait.drained = 0;
    if (!wait_ready(net, FdMode::read, watchable, function))
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
  bool watchable = true;
  while (sent < count) {
    ssize_t put = try_write(net.fd_state.fd, bytes + sent, count - sent, is_ready);
    is_ready = !watchable;
    if (put >= 0) {
      sent += std::size_t(put);
      continue;
    }
    if (errno == EINTR)
      continue;
    if (!would_block() || !watchable ||
        !wait_ready(net, FdMode::write, watchable, "wire_net_write"))
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
