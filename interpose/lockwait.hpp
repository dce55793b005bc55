// Waiting for something that another wire of this thread, or another thread, has to give up: the
// one who gives it up in a wire of this thread tells; of others a wire learns by trying again.
#pragma once

#include "park.hpp"

namespace libwire::interpose {

// Suspends until `lock` is told of or the time is over. To be called after may_wait() only.
void wait_for_release(Symbol symbol, const void *lock, uint64_t deadline);

// The wires of this thread that wait for it try again.
void tell_release(const void *lock);

// All wires of this thread are gone, or all but the running one.
void forget_lock_waiters();

// Ever longer pauses between tries.
class Pauses {
public:
  // When to try again, `deadline` at the latest.
  uint64_t next(uint64_t deadline) {
    uint64_t until = now() + pause_;
    pause_ = pause_ * 2 < kLongest ? pause_ * 2 : kLongest;
    return deadline != kNever && deadline < until ? deadline : until;
  }
  bool are_long() const { return pause_ > kLongest / 4; }

private:
  static constexpr uint64_t kShortest = 50'000, kLongest = 4'000'000; // ns
  uint64_t pause_ = kShortest;
};

// A limit in the time of some clock; null: none.
struct Limit {
  clockid_t clock;
  const timespec *time;

  bool valid() const { return !time || (time->tv_nsec >= 0 && time->tv_nsec < 1'000'000'000); }
  bool over() const { return time && left() == 0; }
  uint64_t left() const;
  uint64_t deadline() const { return time ? deadline_in(left()) : kNever; }
};

// Tries until the result is not EBUSY.
template <typename Try> int try_until(Symbol symbol, const void *lock, Limit limit, Try try_now) {
  Pauses pauses;
  for (;;) {
    int got = try_now();
    if (got != EBUSY)
      return got;
    if (!limit.valid())
      return EINVAL;
    if (limit.over())
      return ETIMEDOUT;
    wait_for_release(symbol, lock, pauses.next(limit.deadline()));
  }
}

} // namespace libwire::interpose
