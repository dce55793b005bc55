// send and its kin: MSG_DONTWAIT, then waiting for room, until everything is sent.
//
// A signal and an error that a plain call would not have reported, because it had sent something
// before, are not reported here either: after the first bytes MSG_NOSIGNAL is set.
#include "patience.hpp"

using namespace libwire::interpose;

namespace libwire::interpose {

ssize_t send_rest(Symbol symbol, int fd, const char *buffer, size_t count, int flags, size_t moved,
                  Patience &patience) {
  Errno saved;
  size_t sent = 0;
  while (sent < count) {
    int quiet = moved + sent ? MSG_NOSIGNAL : 0;
    ssize_t got = REAL(send)(fd, buffer + sent, count - sent, flags | MSG_DONTWAIT | quiet);
    if (got < 0 && errno == EAGAIN) {
      auto next = patience.next();
      if (next == Patience::again)
        continue;
      if (next == Patience::plain) {
        errno = saved.saved();
        got = offload(symbol, Takes::unbounded,
                      [&] { return REAL(send)(fd, buffer + sent, count - sent, flags | quiet); });
      }
    }
    if (got < 0) {
      moved += sent;
      return moved ? saved.keep(ssize_t(moved)) : -1;
    }
    sent += size_t(got);
  }
  return saved.keep(ssize_t(moved + sent));
}

} // namespace libwire::interpose

namespace {

// What cannot be put together from several calls: a connect that sends.
bool is_special(int flags) { return (flags & MSG_FASTOPEN) != 0; }

// Waits until attempt(flags) has sent something.
template <typename Attempt>
ssize_t send_first(Symbol symbol, int flags, Patience &patience, Attempt attempt) {
  Errno saved;
  if (is_special(flags))
    return offload(symbol, Takes::unbounded, [&] { return attempt(flags); });
  for (;;) {
    ssize_t got = attempt(flags | MSG_DONTWAIT);
    if (got >= 0)
      return saved.keep(got);
    if (errno != EAGAIN)
      return -1;
    auto next = patience.next();
    if (next == Patience::stop)
      return -1;
    if (next == Patience::plain) {
      errno = saved.saved();
      return offload(symbol, Takes::unbounded, [&] { return attempt(flags); });
    }
  }
}

ssize_t send_to(Symbol symbol, int fd, const void *buffer, size_t count, int flags,
                const sockaddr *address, socklen_t length) {
  Patience patience(symbol, fd, POLLOUT, SO_SNDTIMEO);
  ssize_t got = send_first(symbol, flags, patience, [&](int flags) {
    return REAL(sendto)(fd, buffer, count, flags, address, length);
  });
  if (got <= 0 || size_t(got) >= count || socket_type(fd) != SOCK_STREAM)
    return got;
  auto sent = size_t(got);
  return send_rest(symbol, fd, static_cast<const char *>(buffer) + sent, count - sent, flags, sent,
                   patience);
}

ssize_t send_message(Symbol symbol, int fd, const msghdr *message, int flags) {
  Patience patience(symbol, fd, POLLOUT, SO_SNDTIMEO);
  ssize_t got = send_first(symbol, flags, patience,
                           [&](int flags) { return REAL(sendmsg)(fd, message, flags); });
  if (got <= 0)
    return got;
  auto moved = size_t(got);
  if (moved >= size_of(message->msg_iov, message->msg_iovlen) || socket_type(fd) != SOCK_STREAM)
    return got;
  // The ancillary data went with the first byte.
  for (Rest rest(message->msg_iov, message->msg_iovlen, moved); !rest.at_end();) {
    iovec part = rest.part();
    ssize_t total = send_rest(symbol, fd, static_cast<char *>(part.iov_base), part.iov_len, flags,
                              moved, patience);
    auto sent = size_t(total) - moved;
    moved += sent;
    if (sent < part.iov_len)
      break;
    rest.advance(sent);
  }
  return ssize_t(moved);
}

} // namespace

SERVE(ssize_t, send, (int fd, const void *buffer, size_t count, int flags),
      (fd, buffer, count, flags)) {
  if (flags & MSG_DONTWAIT)
    return REAL(send)(fd, buffer, count, flags);
  return send_to(AT_send, fd, buffer, count, flags, nullptr, 0);
}
SAME(__send, send);

SERVE(ssize_t, sendto,
      (int fd, const void *buffer, size_t count, int flags, const sockaddr *address,
       socklen_t length),
      (fd, buffer, count, flags, address, length)) {
  if (flags & MSG_DONTWAIT)
    return REAL(sendto)(fd, buffer, count, flags, address, length);
  return send_to(AT_sendto, fd, buffer, count, flags, address, length);
}

SERVE(ssize_t, sendmsg, (int fd, const msghdr *message, int flags), (fd, message, flags)) {
  if (flags & MSG_DONTWAIT)
    return REAL(sendmsg)(fd, message, flags);
  return send_message(AT_sendmsg, fd, message, flags);
}

SERVE(int, sendmmsg, (int fd, mmsghdr *messages, unsigned count, int flags),
      (fd, messages, count, flags)) {
  if ((flags & MSG_DONTWAIT) || count == 0)
    return REAL(sendmmsg)(fd, messages, count, flags);
  Errno saved;
  unsigned sent = 0;
  while (sent < count) {
    msghdr &header = messages[sent].msg_hdr;
    ssize_t got = send_message(AT_sendmmsg, fd, &header, flags);
    if (got < 0)
      break;
    messages[sent++].msg_len = unsigned(got);
    if (size_t(got) < size_of(header.msg_iov, header.msg_iovlen))
      break;
  }
  return sent ? saved.keep(int(sent)) : -1;
}
