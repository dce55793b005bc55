// Semaphores: tried for a moment, as another wire of the thread may be about to post; then a worker
// waits.
#include "lockwait.hpp"

using namespace libwire::interpose;

namespace {

template <typename Plain> int wait_on(Symbol symbol, sem_t *semaphore, Limit limit, Plain plain) {
  Errno saved;
  if (REAL(sem_trywait)(semaphore) == 0)
    return 0;
  if (errno != EAGAIN || !limit.valid() || !may_wait()) {
    errno = saved.saved();
    return plain();
  }
  for (Pauses pauses; !pauses.are_long() && !limit.over();) {
    wait_for_release(symbol, semaphore, pauses.next(limit.deadline()));
    if (REAL(sem_trywait)(semaphore) == 0)
      return saved.keep(0);
  }
  errno = saved.saved();
  return offload(symbol, Takes::unbounded, plain);
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

SERVE(int, sem_post, (sem_t * semaphore), (semaphore)) {
  int got = REAL(sem_post)(semaphore);
  if (got == 0)
    tell_release(semaphore);
  return got;
}
