#include "patience.hpp"

namespace libwire::interpose {

Patience::Next Patience::next() {
  if (is_nonblocking(fd_)) {
    errno = EAGAIN;
    return stop;
  }
  return wait();
}

Patience::Next Patience::wait() {
  if (!may_wait() || ++futile_ > kMostFutile)
    return plain;
  if (!waited_ && option_)
    deadline_ = socket_deadline(fd_, option_);
  waited_ = true;
  switch (park(symbol_, fd_, events_, deadline_)) {
  case Parked::ready:
    return again;
  case Parked::timeout:
    errno = EAGAIN;
    return stop;
  case Parked::closed:
    errno = EBADF;
    return stop;
  case Parked::interrupted:
    errno = EINTR;
    return stop;
  case Parked::restart:
    futile_ = 0;
    if (deadline_ == kNever)
      return again;
    errno = EINTR; // a call with a time limit is never restarted
    return stop;
  case Parked::impossible:
    break;
  }
  return plain;
}

int socket_type(int fd) {
  Errno saved;
  int type = -1;
  socklen_t length = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0)
    type = -1;
  return saved.keep(type);
}

size_t size_of(const iovec *parts, size_t count) {
  size_t size = 0;
  for (size_t i = 0; i < count; ++i)
    size += parts[i].iov_len;
  return size;
}

} // namespace libwire::interpose
