// epoll_wait and its kin: a real call that does not wait, before and after waiting for the epoll
// object, which is readable when one of its descriptors is ready.
#include "memory.hpp"
#include "patience.hpp"
#include "ready.hpp"

using namespace libwire::interpose;

namespace {

constexpr long kSecond = 1'000'000'000; // ns

template <typename Plain>
int wait_for(Symbol symbol, int epoll, epoll_event *events, int capacity, uint64_t deadline,
             Plain plain) {
  constexpr int kMostFutile = 16;
  Errno saved;
  bool over = false;
  for (int futile = 0;; ++futile) {
    int got = REAL(epoll_wait)(epoll, events, capacity, 0);
    if (got != 0 || over)
      return got;
    if (!may_wait())
      return plain();
    Parked end = Parked::impossible;
    if (futile < kMostFutile)
      end = park(symbol, epoll, POLLIN, deadline);
    if (end == Parked::impossible)
      break;
    if (end == Parked::interrupted || end == Parked::restart) {
      errno = EINTR;
      return -1;
    }
    over = end == Parked::timeout;
    errno = saved.saved();
  }
  errno = saved.saved();
  return offload(symbol, Takes::unbounded, plain);
}

} // namespace

SERVE(int, epoll_wait, (int epoll, epoll_event *events, int capacity, int timeout),
      (epoll, events, capacity, timeout)) {
  auto plain = [&] { return REAL(epoll_wait)(epoll, events, capacity, timeout); };
  if (timeout == 0)
    return plain();
  return wait_for(AT_epoll_wait, epoll, events, capacity, deadline_in_ms(timeout), plain);
}

SERVE(int, epoll_pwait,
      (int epoll, epoll_event *events, int capacity, int timeout, const sigset_t *mask),
      (epoll, events, capacity, timeout, mask)) {
  auto plain = [&] { return REAL(epoll_pwait)(epoll, events, capacity, timeout, mask); };
  // Changing the mask and waiting must be one step: that is the thread's.
  if (timeout == 0 || (mask && !is_current_mask(mask)))
    return plain();
  return wait_for(AT_epoll_pwait, epoll, events, capacity, deadline_in_ms(timeout), plain);
}

SERVE(int, epoll_pwait2,
      (int epoll, epoll_event *events, int capacity, const timespec *timeout, const sigset_t *mask),
      (epoll, events, capacity, timeout, mask)) {
  auto plain = [&] { return REAL(epoll_pwait2)(epoll, events, capacity, timeout, mask); };
  bool odd = timeout && (!can_read(timeout) || timeout->tv_sec < 0 || timeout->tv_nsec < 0 ||
                         timeout->tv_nsec >= kSecond);
  if (odd || (timeout && timeout->tv_sec == 0 && timeout->tv_nsec == 0) ||
      (mask && !is_current_mask(mask)))
    return plain();
  return wait_for(AT_epoll_pwait2, epoll, events, capacity,
                  timeout ? deadline_in(*timeout) : kNever, plain);
}
