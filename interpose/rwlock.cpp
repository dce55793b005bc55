// Read-write and spin locks: tried, then waited for without blocking the thread.
#include "lockwait.hpp"

using namespace libwire::interpose;

namespace {

template <typename Try, typename Plain>
int lock(Symbol symbol, const void *what, Limit limit, Try try_now, Plain plain) {
  int got = try_now();
  if (got != EBUSY)
    return got;
  return may_wait() ? try_until(symbol, what, limit, try_now) : plain();
}

bool is_usual(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC; }

Limit at_time(const timespec *time) { return {CLOCK_REALTIME, time}; }

} // namespace

#define LOCK(name, try_name, limit, parameters, arguments)                                         \
  SERVE(int, name, parameters, arguments) {                                                        \
    return lock(                                                                                   \
        AT_##name, rwlock, limit, [&] { return REAL(try_name)(rwlock); },                          \
        [&] { return REAL(name) arguments; });                                                     \
  }

LOCK(pthread_rwlock_rdlock, pthread_rwlock_tryrdlock, Limit{}, (pthread_rwlock_t * rwlock),
     (rwlock))
SAME(__pthread_rwlock_rdlock, pthread_rwlock_rdlock);
LOCK(pthread_rwlock_wrlock, pthread_rwlock_trywrlock, Limit{}, (pthread_rwlock_t * rwlock),
     (rwlock))
SAME(__pthread_rwlock_wrlock, pthread_rwlock_wrlock);
LOCK(pthread_rwlock_timedrdlock, pthread_rwlock_tryrdlock, at_time(time),
     (pthread_rwlock_t * rwlock, const timespec *time), (rwlock, time))
LOCK(pthread_rwlock_timedwrlock, pthread_rwlock_trywrlock, at_time(time),
     (pthread_rwlock_t * rwlock, const timespec *time), (rwlock, time))

SERVE(int, pthread_rwlock_clockrdlock,
      (pthread_rwlock_t * rwlock, clockid_t clock, const timespec *time), (rwlock, clock, time)) {
  auto plain = [&] { return REAL(pthread_rwlock_clockrdlock)(rwlock, clock, time); };
  return !is_usual(clock) ? plain()
                          : lock(
                                AT_pthread_rwlock_clockrdlock, rwlock, {clock, time},
                                [&] { return REAL(pthread_rwlock_tryrdlock)(rwlock); }, plain);
}

SERVE(int, pthread_rwlock_clockwrlock,
      (pthread_rwlock_t * rwlock, clockid_t clock, const timespec *time), (rwlock, clock, time)) {
  auto plain = [&] { return REAL(pthread_rwlock_clockwrlock)(rwlock, clock, time); };
  return !is_usual(clock) ? plain()
                          : lock(
                                AT_pthread_rwlock_clockwrlock, rwlock, {clock, time},
                                [&] { return REAL(pthread_rwlock_trywrlock)(rwlock); }, plain);
}

RELEASE(pthread_rwlock_unlock, (pthread_rwlock_t * rwlock), (rwlock), rwlock) {
  int got = REAL(pthread_rwlock_unlock)(rwlock);
  if (got == 0)
    tell_release(rwlock);
  return got;
}
SAME(__pthread_rwlock_unlock, pthread_rwlock_unlock);

SERVE(int, pthread_spin_lock, (pthread_spinlock_t * spin), (spin)) {
  const void *what = const_cast<const int *>(spin);
  return lock(
      AT_pthread_spin_lock, what, {}, [&] { return REAL(pthread_spin_trylock)(spin); },
      [&] { return REAL(pthread_spin_lock)(spin); });
}

SERVE(int, pthread_spin_unlock, (pthread_spinlock_t * spin), (spin)) {
  int got = REAL(pthread_spin_unlock)(spin);
  tell_release(const_cast<const int *>(spin));
  return got;
}
