// recv and its kin: MSG_DONTWAIT, then waiting for readiness.
#include "memory.hpp"
#include "patience.hpp"

using namespace libwire::interpose;

namespace {

// The call never blocks: errors and urgent data are there or not.
constexpr int kNeverBlocks = MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB;

// `attempt` gets the flags to use; `moved` bytes are there already.
template <typename Attempt>
ssize_t receive(Symbol symbol, int fd, int flags, size_t count, Attempt attempt) {
  if (flags & kNeverBlocks)
    return attempt(flags, 0);
  Errno saved;
  auto plain = [&] { return attempt(flags, 0); };
  // Peeking until all is there cannot be put together from several calls.
  if ((flags & MSG_WAITALL) && (flags & MSG_PEEK))
    return offload(symbol, Takes::unbounded, plain);
  Patience patience(symbol, fd, POLLIN, SO_RCVTIMEO);
  size_t moved = 0;
  for (;;) {
    ssize_t got = attempt(flags | MSG_DONTWAIT, moved);
    if (got >= 0) {
      moved += size_t(got);
      if (got == 0 || !(flags & MSG_WAITALL) || moved >= count || socket_type(fd) != SOCK_STREAM)
        return saved.keep(ssize_t(moved));
      continue;
    }
    if (errno != EAGAIN)
      return moved ? saved.keep(ssize_t(moved)) : -1;
    auto next = patience.next();
    if (next == Patience::stop)
      return moved ? saved.keep(ssize_t(moved)) : -1;
    if (next == Patience::plain) {
      errno = saved.saved();
      got = offload(symbol, Takes::unbounded, [&] { return attempt(flags, moved); });
      return got < 0 && moved ? saved.keep(ssize_t(moved)) : got < 0 ? -1 : got + ssize_t(moved);
    }
  }
}

ssize_t receive_buffer(Symbol symbol, int fd, void *buffer, size_t count, int flags) {
  return receive(symbol, fd, flags, count, [&](int flags, size_t moved) {
    return REAL(recv)(fd, static_cast<char *>(buffer) + moved, count - moved, flags);
  });
}

ssize_t receive_from(Symbol symbol, int fd, void *buffer, size_t count, int flags,
                     sockaddr *address, socklen_t *length) {
  return receive(symbol, fd, flags, count, [&](int flags, size_t moved) {
    return REAL(recvfrom)(fd, static_cast<char *>(buffer) + moved, count - moved, flags, address,
                          length);
  });
}

ssize_t receive_message(Symbol symbol, int fd, msghdr *message, int flags) {
  // Ancillary data ends what one call takes: only the kernel knows where.
  if ((flags & MSG_WAITALL) && !(flags & kNeverBlocks))
    return offload(symbol, Takes::unbounded, [&] { return REAL(recvmsg)(fd, message, flags); });
  return receive(symbol, fd, flags, 0,
                 [&](int flags, size_t) { return REAL(recvmsg)(fd, message, flags); });
}

constexpr long kSecond = 1'000'000'000; // ns

} // namespace

SERVE(ssize_t, recv, (int fd, void *buffer, size_t count, int flags), (fd, buffer, count, flags)) {
  return receive_buffer(AT_recv, fd, buffer, count, flags);
}

SERVE(ssize_t, __recv_chk, (int fd, void *buffer, size_t count, size_t size, int flags),
      (fd, buffer, count, size, flags)) {
  if (count > size)
    __chk_fail();
  return receive_buffer(AT___recv_chk, fd, buffer, count, flags);
}

SERVE(ssize_t, recvfrom,
      (int fd, void *buffer, size_t count, int flags, sockaddr *address, socklen_t *length),
      (fd, buffer, count, flags, address, length)) {
  return receive_from(AT_recvfrom, fd, buffer, count, flags, address, length);
}

SERVE(ssize_t, __recvfrom_chk,
      (int fd, void *buffer, size_t count, size_t size, int flags, sockaddr *address,
       socklen_t *length),
      (fd, buffer, count, size, flags, address, length)) {
  if (count > size)
    __chk_fail();
  return receive_from(AT___recvfrom_chk, fd, buffer, count, flags, address, length);
}

SERVE(ssize_t, recvmsg, (int fd, msghdr *message, int flags), (fd, message, flags)) {
  return receive_message(AT_recvmsg, fd, message, flags);
}

SERVE(int, recvmmsg, (int fd, mmsghdr *messages, unsigned count, int flags, timespec *timeout),
      (fd, messages, count, flags, timeout)) {
  bool valid = !timeout || (can_read(timeout) && timeout->tv_sec >= 0 && timeout->tv_nsec >= 0 &&
                            timeout->tv_nsec < kSecond);
  if ((flags & kNeverBlocks) || !valid || count == 0)
    return REAL(recvmmsg)(fd, messages, count, flags, timeout);
  Errno saved;
  // The time counts when a message has come: it does not end the wait for one.
  uint64_t deadline = timeout ? deadline_in(*timeout) : kNever;
  unsigned received = 0;
  while (received < count) {
    ssize_t got =
        receive_message(AT_recvmmsg, fd, &messages[received].msg_hdr, flags & ~MSG_WAITFORONE);
    if (got < 0)
      break;
    messages[received++].msg_len = unsigned(got);
    if (flags & MSG_WAITFORONE)
      flags |= MSG_DONTWAIT;
    if (deadline != kNever && now() >= deadline)
      break;
  }
  if (!received)
    return -1;
  if (deadline != kNever && !store(timeout, time_left(deadline))) {
    errno = EFAULT;
    return -1;
  }
  return saved.keep(int(received));
}
