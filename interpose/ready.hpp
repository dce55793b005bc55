// Waiting for any of several descriptors, for poll and select.
#pragma once

#include "park.hpp"

namespace libwire::interpose {

// The descriptors a call waits for, in the form its caller gave them.
class Interest {
public:
  using Visit = void (*)(void *context, int fd, short events);
  // Visits each descriptor and the events it is waited for.
  void (*each)(const Interest &, Visit, void *context);

  template <typename Function> void for_each(Function function) const {
    each(
        *this, [](void *f, int fd, short events) { (*static_cast<Function *>(f))(fd, events); },
        &function);
  }
};

// Suspends until one may be ready, the time is over or one was closed. To be called after
// may_wait() only.
Parked park(Symbol symbol, const Interest &interest, uint64_t deadline);

// Calls try_now() until it gives something, waiting in between; wait_on_thread() makes the whole
// call if need be.
template <typename Try, typename Plain>
int wait_for_any(Symbol symbol, const Interest &interest, uint64_t deadline, Try try_now,
                 Plain wait_on_thread) {
  constexpr int kMostFutile = 16;
  Errno saved;
  for (int futile = 0; futile < kMostFutile; ++futile) {
    Parked end = park(symbol, interest, deadline);
    if (end == Parked::impossible)
      break;
    if (end == Parked::interrupted || end == Parked::restart) {
      errno = EINTR;
      return -1;
    }
    errno = saved.saved();
    int got = try_now();
    if (got != 0 || end == Parked::timeout)
      return got;
  }
  errno = saved.saved();
  return offload(symbol, Takes::unbounded, wait_on_thread);
}

// Whether the signal mask of a call is the thread's anyway, so that there is nothing to do for it.
bool is_current_mask(const sigset_t *mask);

// Milliseconds as poll and epoll_wait count them: < 0 for ever.
inline uint64_t deadline_in_ms(int milliseconds) {
  return milliseconds < 0 ? kNever : deadline_in(uint64_t(milliseconds) * 1'000'000);
}

} // namespace libwire::interpose
