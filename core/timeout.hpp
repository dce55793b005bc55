// Sleeping, and the program's Timeout: a timer that a wire can wait for together with something
// else.
//
// The timer itself is in the watch table, so that nothing refers to a Timeout whose wire has ended.
// A Timeout is in one of four states, which its fields tell apart:
//   idle     no deadline
//   running  in the timing wheel
//   expired  watched, its deadline has passed; stays so until it is reset or stopped
//   paused   has a deadline, but is not watched
#pragma once

#include "fd.hpp"
#include "timers.hpp"

namespace libwire {

struct Timeout {
  FdState fd_state;       // only its wait is used; its mode says whether the timer is watched
  std::uint64_t deadline; // CLOCK_MONOTONIC, ns; 0 for none
  std::uint64_t unused[3];

  bool watched() const { return fd_state.mode != FdMode::none; }
};
static_assert(sizeof(Timeout) == 72);

void timeout_init(Timeout &timeout);

// (Re)starts, or disarms with 0. False and errno ENOMEM when it cannot be registered.
bool timeout_reset(Timeout &timeout, int milliseconds);
// The same with a time of CLOCK_MONOTONIC, ns.
bool timeout_reset_until(Timeout &timeout, std::uint64_t deadline);
void timeout_stop(Timeout &timeout);
bool timeout_expired(Timeout &timeout);
bool timeout_watch(Timeout &timeout);
void timeout_unwatch(Timeout &timeout);

// 1 when `wait` was triggered (or both), 2 when the time ran out first; -1 and errno ENOMEM.
int timeout_wait(Wait &wait, Timeout &timeout, const char *function);

// Suspends the running wire for a time. False and errno ENOMEM.
bool sleep_for(int milliseconds, const char *function);

} // namespace libwire
