// Waiting until a descriptor is ready, for the calls of io.
#pragma once

#include "io_hints.hpp"

namespace libwire::io {

constexpr std::uint64_t kNoDeadline = 0;

// Suspends the wire until the descriptor is ready, or `deadline` (CLOCK_MONOTONIC, ns). False with
// errno: EPERM when its kind cannot be waited for, EAGAIN when the time is over.
bool wait_until(Direction direction, int fd, std::uint64_t deadline);

// The same in the middle of a call that found nothing, trusting what the last wait for this
// descriptor has left behind: no system call. It may return early, for no reason. False when there
// is nothing to trust in, or the descriptor would not wait.
bool wait_trusting(Direction direction, int fd);

// Waits as the descriptor's mode and limits say, which it asks for. For the length of one call.
class Patience {
public:
  Patience(Direction direction, int fd, bool is_socket)
      : direction_(direction), fd_(fd), is_socket_(is_socket) {}

  // False with errno, EAGAIN when the call would not wait or not any longer.
  bool wait();

private:
  Direction direction_;
  int fd_;
  bool is_socket_;
  bool asked_ = false;
  std::uint64_t deadline_ = kNoDeadline;
};

} // namespace libwire::io
