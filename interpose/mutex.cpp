#include "mutex.hpp"

#include "owners.hpp"

namespace libwire::interpose {

namespace {

enum Kind { kRecursive = PTHREAD_MUTEX_RECURSIVE_NP, kErrorcheck = PTHREAD_MUTEX_ERRORCHECK_NP };

int kind_of(const pthread_mutex_t *mutex) { return mutex->__data.__kind & 3; }

bool looks_at_owner(const pthread_mutex_t *mutex) {
  return kind_of(mutex) == kRecursive || kind_of(mutex) == kErrorcheck;
}

int try_owned(pthread_mutex_t *mutex) {
  const wire_t *owner = owner_of(mutex);
  if (owner && owner != running_wire())
    return EBUSY;
  int got = REAL(pthread_mutex_trylock)(mutex);
  if (got == 0 && !owner && mutex->__data.__count <= 1)
    if (Owners *table = thread_owners())
      table->add(mutex, running_wire());
  return got;
}

} // namespace

bool mutex_is_plain(const pthread_mutex_t *mutex) {
  constexpr int kProtocols = 0x70; // robust, priority inheritance and protection
  return !looks_at_owner(mutex) && !(mutex->__data.__kind & kProtocols);
}

int mutex_trylock(pthread_mutex_t *mutex) {
  return looks_at_owner(mutex) ? try_owned(mutex) : REAL(pthread_mutex_trylock)(mutex);
}

int mutex_lock(Symbol symbol, pthread_mutex_t *mutex, Limit limit) {
  bool owned = looks_at_owner(mutex);
  if (owned && owner_of(mutex) == running_wire())
    return REAL(pthread_mutex_lock)(mutex); // once more, or an error
  int got = mutex_trylock(mutex);
  if (got != EBUSY)
    return got;
  if (!may_wait())
    return limit.time ? REAL(pthread_mutex_clocklock)(mutex, limit.clock, limit.time)
                      : REAL(pthread_mutex_lock)(mutex);
  return try_until(symbol, mutex, limit, [&] { return mutex_trylock(mutex); });
}

int mutex_unlock(pthread_mutex_t *mutex) {
  Owners::Entry *entry =
      looks_at_owner(mutex) && existing_owners() ? existing_owners()->find(mutex) : nullptr;
  if (entry && entry->wire != running_wire())
    return EPERM;
  bool last = kind_of(mutex) != kRecursive || mutex->__data.__count <= 1;
  int got = REAL(pthread_mutex_unlock)(mutex);
  if (got != 0 || !last)
    return got;
  if (entry)
    existing_owners()->remove(entry);
  tell_release(mutex);
  return got;
}

} // namespace libwire::interpose

using namespace libwire::interpose;

SERVE(int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex)) {
  return mutex_lock(AT_pthread_mutex_lock, mutex, {});
}
SAME(__pthread_mutex_lock, pthread_mutex_lock);

SERVE(int, pthread_mutex_trylock, (pthread_mutex_t * mutex), (mutex)) {
  return mutex_trylock(mutex);
}
SAME(__pthread_mutex_trylock, pthread_mutex_trylock);

SERVE(int, pthread_mutex_timedlock, (pthread_mutex_t * mutex, const timespec *time),
      (mutex, time)) {
  return mutex_lock(AT_pthread_mutex_timedlock, mutex, {CLOCK_REALTIME, time});
}

SERVE(int, pthread_mutex_clocklock,
      (pthread_mutex_t * mutex, clockid_t clock, const timespec *time), (mutex, clock, time)) {
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
    return REAL(pthread_mutex_clocklock)(mutex, clock, time);
  return mutex_lock(AT_pthread_mutex_clocklock, mutex, {clock, time});
}

RELEASE(pthread_mutex_unlock, (pthread_mutex_t * mutex), (mutex), mutex) {
  return mutex_unlock(mutex);
}
SAME(__pthread_mutex_unlock, pthread_mutex_unlock);
