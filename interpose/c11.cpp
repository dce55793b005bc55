// The locks of <threads.h>, which are those of <pthread.h> with other results.
#include "mutex.hpp"

using namespace libwire::interpose;

namespace {

int to_c11(int error) {
  switch (error) {
  case 0:
    return thrd_success;
  case EBUSY:
    return thrd_busy;
  case ETIMEDOUT:
    return thrd_timedout;
  case ENOMEM:
    return thrd_nomem;
  default:
    return thrd_error;
  }
}

pthread_mutex_t *posix(mtx_t *mutex) { return reinterpret_cast<pthread_mutex_t *>(mutex); }

template <typename Plain> int wait_on(Symbol symbol, mtx_t *mutex, Plain plain) {
  if (!may_wait())
    return plain();
  if (mutex_is_plain(posix(mutex))) {
    tell_release(mutex);
    return offload(symbol, Takes::unbounded, plain);
  }
  // As in condition.cpp: a spurious wake-up after a while.
  int got = mutex_unlock(posix(mutex));
  if (got != 0)
    return to_c11(got);
  wait_for_release(symbol, &got, now() + 2'000'000);
  return to_c11(mutex_lock(symbol, posix(mutex), {}));
}

} // namespace

SERVE(int, mtx_lock, (mtx_t * mutex), (mutex)) {
  return to_c11(mutex_lock(AT_mtx_lock, posix(mutex), {}));
}

SERVE(int, mtx_trylock, (mtx_t * mutex), (mutex)) { return to_c11(mutex_trylock(posix(mutex))); }

SERVE(int, mtx_timedlock, (mtx_t * mutex, const timespec *time), (mutex, time)) {
  return to_c11(mutex_lock(AT_mtx_timedlock, posix(mutex), {CLOCK_REALTIME, time}));
}

SERVE(int, mtx_unlock, (mtx_t * mutex), (mutex)) { return to_c11(mutex_unlock(posix(mutex))); }

SERVE(int, cnd_wait, (cnd_t * condition, mtx_t *mutex), (condition, mutex)) {
  return wait_on(AT_cnd_wait, mutex, [&] { return REAL(cnd_wait)(condition, mutex); });
}

SERVE(int, cnd_timedwait, (cnd_t * condition, mtx_t *mutex, const timespec *time),
      (condition, mutex, time)) {
  if (mutex_is_plain(posix(mutex)) || !Limit{CLOCK_REALTIME, time}.over())
    return wait_on(AT_cnd_timedwait, mutex,
                   [&] { return REAL(cnd_timedwait)(condition, mutex, time); });
  return thrd_timedout;
}
