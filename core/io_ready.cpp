#include "io_ready.hpp"

#include "fd.hpp"
#include "io.hpp"
#include "timeout.hpp"

#include <cerrno>
#include <climits>
#include <fcntl.h>

namespace libwire::io {

namespace {

FdMode mode_of(Direction direction) {
  return direction == Direction::in ? FdMode::read : FdMode::write;
}

// Milliseconds to the deadline, rounded up; 0 when it has passed.
int left_until(std::uint64_t deadline) {
  std::uint64_t now = os::now();
  if (now >= deadline)
    return 0;
  std::uint64_t milliseconds = (deadline - now - 1) / 1'000'000 + 1;
  return milliseconds > INT_MAX ? INT_MAX : int(milliseconds);
}

bool wait_in_time(FdState &state, std::uint64_t deadline) {
  Timeout timeout{};
  timeout_init(timeout);
  int first = 2;
  while (first == 2) {
    int milliseconds = left_until(deadline);
    if (!milliseconds) {
      errno = EAGAIN;
      break;
    }
    first = timeout_reset(timeout, milliseconds) ? timeout_wait(state.wait, timeout, "wio") : -1;
  }
  int error = errno;
  timeout_stop(timeout);
  errno = error;
  return first == 1;
}

bool wait_on(FdState &state, std::uint64_t deadline) {
  if (deadline != kNoDeadline)
    return wait_in_time(state, deadline);
  fd_wait(state, "wio");
  return true;
}

} // namespace

bool wait_until(Direction direction, int fd, std::uint64_t deadline) {
  FdState state{};
  fd_init(state, fd);
  if (!fd_watch(state, mode_of(direction)))
    return false;
  bool ready = wait_on(state, deadline);
  fd_unwatch(state);
  return ready;
}

bool wait_trusting(Direction direction, int fd) {
  FdState state{};
  fd_init(state, fd);
  if (!fd_watch_trusting(state, mode_of(direction)))
    return false;
  fd_wait(state, "wio");
  fd_rest(state);
  return true;
}

bool Patience::wait() {
  int flags = os::get_flags(fd_);
  if (flags < 0)
    return false;
  if (flags & O_NONBLOCK) {
    fd_distrust(fd_);
    errno = EAGAIN;
    return false;
  }
  if (!asked_ && is_socket_) {
    std::uint64_t limit =
        os::socket_timeout(fd_, direction_ == Direction::in ? SO_RCVTIMEO : SO_SNDTIMEO);
    deadline_ = limit ? os::now() + limit : kNoDeadline;
  }
  asked_ = true;
  FdState state{};
  fd_init(state, fd_);
  if (!fd_watch(state, mode_of(direction_)))
    return false;
  bool ready = wait_on(state, deadline_);
  fd_rest(state);
  if (deadline_ == kNoDeadline)
    fd_vouch(fd_, is_socket_);
  else
    fd_distrust(fd_);
  return ready;
}

bool wait_readable(int fd, std::uint64_t nanoseconds) {
  return wait_until(Direction::in, fd, nanoseconds ? os::now() + nanoseconds : kNoDeadline);
}

bool wait_writable(int fd, std::uint64_t nanoseconds) {
  return wait_until(Direction::out, fd, nanoseconds ? os::now() + nanoseconds : kNoDeadline);
}

} // namespace libwire::io
