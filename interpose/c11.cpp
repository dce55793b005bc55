// The locks of <threads.h>, which are those of <pthread.h> with other results.
#include "condition.hpp"

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

pthread_cond_t *posix(cnd_t *condition) { return reinterpret_cast<pthread_cond_t *>(condition); }

template <typename Plain>
int wait_on(Symbol symbol, cnd_t *condition, mtx_t *mutex, Limit limit, Plain plain) {
  if (!may_be_told())
    return plain();
  return to_c11(condition_wait(symbol, posix(condition), posix(mutex), limit));
}

} // namespace

SERVE(int, mtx_lock, (mtx_t * mutex), (mutex)) {
  return to_c11(mutex_lock(AT_mtx_lock, posix(mutex), {}));
}

SERVE(int, mtx_trylock, (mtx_t * mutex), (mutex)) { return to_c11(mutex_trylock(posix(mutex))); }

SERVE(int, mtx_timedlock, (mtx_t * mutex, const timespec *time), (mutex, time)) {
  return to_c11(mutex_lock(AT_mtx_timedlock, posix(mutex), {CLOCK_REALTIME, time}));
}

RELEASE(mtx_unlock, (mtx_t * mutex), (mutex), mutex) { return to_c11(mutex_unlock(posix(mutex))); }

SERVE(int, cnd_wait, (cnd_t * condition, mtx_t *mutex), (condition, mutex)) {
  return wait_on(AT_cnd_wait, condition, mutex, {},
                 [&] { return REAL(cnd_wait)(condition, mutex); });
}

SERVE(int, cnd_timedwait, (cnd_t * condition, mtx_t *mutex, const timespec *time),
      (condition, mutex, time)) {
  return wait_on(AT_cnd_timedwait, condition, mutex, {CLOCK_REALTIME, time},
                 [&] { return REAL(cnd_timedwait)(condition, mutex, time); });
}
