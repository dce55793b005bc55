// poll and ppoll: exact results by a real call that does not wait, before and after waiting.
#include "memory.hpp"
#include "ready.hpp"

using namespace libwire::interpose;

namespace {

constexpr long kSecond = 1'000'000'000; // ns

struct Polled : Interest {
  const pollfd *fds;
  nfds_t count;
};

int wait_for(Symbol symbol, pollfd *fds, nfds_t count, uint64_t deadline) {
  Polled polled;
  polled.each = [](const Interest &interest, Interest::Visit visit, void *context) {
    auto &self = static_cast<const Polled &>(interest);
    for (nfds_t i = 0; i < self.count; ++i)
      if (self.fds[i].fd >= 0)
        visit(context, self.fds[i].fd, self.fds[i].events);
  };
  polled.fds = fds;
  polled.count = count;
  return wait_for_any(
      symbol, polled, deadline, [&] { return REAL(poll)(fds, count, 0); },
      [&] {
        timespec left = deadline == kNever ? timespec{} : time_left(deadline);
        return REAL(ppoll)(fds, count, deadline == kNever ? nullptr : &left, nullptr);
      });
}

int poll_ms(Symbol symbol, pollfd *fds, nfds_t count, int timeout) {
  Errno saved;
  int got = REAL(poll)(fds, count, 0);
  if (got != 0 || timeout == 0)
    return got;
  if (!may_wait())
    return REAL(poll)(fds, count, timeout);
  return saved.result(wait_for(symbol, fds, count, deadline_in_ms(timeout)));
}

int poll_ns(Symbol symbol, pollfd *fds, nfds_t count, const timespec *timeout,
            const sigset_t *mask) {
  bool valid = !timeout || (can_read(timeout) && timeout->tv_sec >= 0 && timeout->tv_nsec >= 0 &&
                            timeout->tv_nsec < kSecond);
  bool at_once = valid && timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0;
  // Changing the mask and waiting must be one step: that is the thread's.
  if (!valid || at_once || (mask && !is_current_mask(mask)))
    return REAL(ppoll)(fds, count, timeout, mask);
  Errno saved;
  int got = REAL(poll)(fds, count, 0);
  if (got != 0)
    return got;
  if (!may_wait())
    return REAL(ppoll)(fds, count, timeout, mask);
  uint64_t deadline = timeout ? deadline_in(*timeout) : kNever;
  return saved.result(wait_for(symbol, fds, count, deadline));
}

} // namespace

SERVE(int, poll, (pollfd * fds, nfds_t count, int timeout), (fds, count, timeout)) {
  return poll_ms(AT_poll, fds, count, timeout);
}
SAME(__poll, poll);

SERVE(int, __poll_chk, (pollfd * fds, nfds_t count, int timeout, size_t size),
      (fds, count, timeout, size)) {
  if (size / sizeof *fds < count)
    __chk_fail();
  return poll_ms(AT___poll_chk, fds, count, timeout);
}

SERVE(int, ppoll, (pollfd * fds, nfds_t count, const timespec *timeout, const sigset_t *mask),
      (fds, count, timeout, mask)) {
  return poll_ns(AT_ppoll, fds, count, timeout, mask);
}

SERVE(int, __ppoll_chk,
      (pollfd * fds, nfds_t count, const timespec *timeout, const sigset_t *mask, size_t size),
      (fds, count, timeout, mask, size)) {
  if (size / sizeof *fds < count)
    __chk_fail();
  return poll_ns(AT___ppoll_chk, fds, count, timeout, mask);
}
