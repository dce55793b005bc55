// Calls that can be tried, and that otherwise a worker makes. A worker's call is interrupted when a
// handler has run, but not after a handler with SA_RESTART, which ends some calls as well, and not
// if it is only about to wait (signals.hpp). So while the program has handlers that would interrupt
// it, the wire itself tries again and again, at intervals of at most 4 ms, and is interrupted in
// between.
#pragma once

#include "lockwait.hpp"
#include "signals.hpp"

namespace libwire::interpose {

enum class Restarts { as_set, never }; // after a handler with SA_RESTART

// try_now() gives -1 and an errno of which would_wait(errno) is true when it is too early; it was
// called once already. wait_on_worker() makes the whole call.
template <typename Try, typename WouldWait>
auto retry_in_wire(Symbol symbol, Restarts restarts, Try try_now, WouldWait would_wait)
    -> decltype(try_now()) {
  Errno saved;
  for (Pauses pauses;;) {
    Parked end = sleep_until(symbol, pauses.next(kNever));
    if (end == Parked::interrupted || (end == Parked::restart && restarts == Restarts::never)) {
      errno = EINTR;
      return -1;
    }
    errno = saved.saved();
    auto got = try_now();
    if (got != -1 || !would_wait(errno))
      return got;
  }
}

template <typename Try, typename WouldWait, typename Wait>
auto retry(Symbol symbol, Restarts restarts, Try try_now, WouldWait would_wait, Wait wait_on_worker)
    -> decltype(try_now()) {
  Errno saved;
  bool in_the_wire = may_wait() && signals_interrupt(restarts == Restarts::never);
  errno = saved.saved();
  if (!in_the_wire)
    return wait_on_worker();
  return retry_in_wire(symbol, restarts, try_now, would_wait);
}

} // namespace libwire::interpose
