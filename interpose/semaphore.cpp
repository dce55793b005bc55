// Semaphores: tried, then the wire waits to be told. For one of several processes a worker waits.
#include "lockwait.hpp"
#include "signals.hpp"

#include <string.h>

using namespace libwire::interpose;

namespace {

// Those of several processes may be posted elsewhere: the second word of libc's says so.
bool is_shared(const sem_t *semaphore) {
  int words[4];
  ::memcpy(words, semaphore, sizeof words);
  return words[2] != 0;
}

template <typename Plain> int wait_on(Symbol symbol, sem_t *semaphore, Limit limit, Plain plain) {
  Errno saved;
  if (!limit.valid())
    return plain();
  if (REAL(sem_trywait)(semaphore) == 0)
    return 0;
  if (errno != EAGAIN) {
    errno = saved.saved();
    return plain();
  }
  bool waits_here = !is_shared(semaphore) && may_be_told();
  errno = saved.saved();
  if (!waits_here)
    return offload(symbol, Takes::unbounded, plain);
  count(symbol, Served::waited);
  for (SignalMark before = signals_mark();;) {
    LockWaiter self(semaphore, true);
    if (REAL(sem_trywait)(semaphore) == 0)
      return saved.keep(0);
    if (interrupted_since(before)) {
      errno = EINTR;
      return -1;
    }
    if (limit.over()) {
      errno = ETIMEDOUT;
      return -1;
    }
    self.wait(limit.deadline());
  }
}

} // namespace

SERVE(int, sem_wait, (sem_t * semaphore), (semaphore)) {
  return wait_on(AT_sem_wait, semaphore, {}, [&] { return REAL(sem_wait)(semaphore); });
}

SERVE(int, sem_timedwait, (sem_t * semaphore, const timespec *time), (semaphore, time)) {
  return wait_on(AT_sem_timedwait, semaphore, {CLOCK_REALTIME, time},
                 [&] { return REAL(sem_timedwait)(semaphore, time); });
}

SERVE(int, sem_clockwait, (sem_t * semaphore, clockid_t clock, const timespec *time),
      (semaphore, clock, time)) {
  auto plain = [&] { return REAL(sem_clockwait)(semaphore, clock, time); };
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
    return plain();
  return wait_on(AT_sem_clockwait, semaphore, {clock, time}, plain);
}

// The unit is there before the wires are looked for that wait for one, and they look for it when
// they can be found.
EXPORT int sem_post(sem_t *semaphore) {
  if (attention)
    enter(AT_sem_post, __builtin_return_address(0));
  int got = REAL(sem_post)(semaphore);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (got == 0)
    tell_release(semaphore);
  return got;
}
