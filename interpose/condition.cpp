// Condition variables: a worker waits in the wire's place, so that signals from any thread reach it
// as ever. It gives up and takes the mutex, which only a mutex without an owner allows; with others
// the wire gives up the mutex itself and looks again after a while, as spurious wake-ups do.
#include "mutex.hpp"

using namespace libwire::interpose;

namespace {

constexpr uint64_t kLook = 2'000'000; // ns

int wait_by_looking(Symbol symbol, pthread_mutex_t *mutex, Limit limit) {
  if (!limit.valid())
    return EINVAL;
  int got = mutex_unlock(mutex);
  if (got != 0)
    return got;
  uint64_t until = now() + kLook, deadline = limit.deadline();
  wait_for_release(symbol, &until, deadline != kNever && deadline < until ? deadline : until);
  bool over = limit.over();
  got = mutex_lock(symbol, mutex, {});
  return got ? got : over ? ETIMEDOUT : 0;
}

template <typename Plain>
int wait_on(Symbol symbol, pthread_mutex_t *mutex, Limit limit, Plain plain) {
  if (!may_wait())
    return plain();
  if (!mutex_is_plain(mutex))
    return wait_by_looking(symbol, mutex, limit);
  tell_release(mutex);
  return offload(symbol, Takes::unbounded, plain);
}

} // namespace

SERVE(int, pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t *mutex),
      (condition, mutex)) {
  return wait_on(AT_pthread_cond_wait, mutex, {},
                 [&] { return REAL(pthread_cond_wait)(condition, mutex); });
}

SERVE(int, pthread_cond_timedwait,
      (pthread_cond_t * condition, pthread_mutex_t *mutex, const timespec *time),
      (condition, mutex, time)) {
  // The clock is the condition variable's: the second bit of what follows its counters.
  clockid_t clock = condition->__data.__wrefs & 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
  return wait_on(AT_pthread_cond_timedwait, mutex, {clock, time},
                 [&] { return REAL(pthread_cond_timedwait)(condition, mutex, time); });
}

SERVE(int, pthread_cond_clockwait,
      (pthread_cond_t * condition, pthread_mutex_t *mutex, clockid_t clock, const timespec *time),
      (condition, mutex, clock, time)) {
  auto plain = [&] { return REAL(pthread_cond_clockwait)(condition, mutex, clock, time); };
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
    return plain();
  return wait_on(AT_pthread_cond_clockwait, mutex, {clock, time}, plain);
}
