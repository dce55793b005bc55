// Condition variables. A wire can be told of from before it gives up the mutex. Signals come from
// any thread; libc's own function is called as well, for threads that wait.
#include "condition.hpp"

#include "leaving.hpp"

namespace libwire::interpose {

namespace {

constexpr uint64_t kLook = 2'000'000; // ns

// A wire that is cancelled has the mutex again, as a thread would; one that leaves by longjmp does
// not.
class Relocking : wire_defer_list {
public:
  Relocking(Symbol symbol, pthread_mutex_t *mutex)
      : wire_defer_list(), symbol_(symbol), mutex_(mutex) {
    wire_defer_push(this, relock);
  }
  ~Relocking() { wire_defer_pop(this); }
  Relocking(const Relocking &) = delete;
  Relocking &operator=(const Relocking &) = delete;

private:
  static void relock(wire_defer_list *node) {
    auto &self = *static_cast<Relocking *>(node);
    if (!jumping)
      mutex_lock(self.symbol_, self.mutex_, {});
  }
  Symbol symbol_;
  pthread_mutex_t *mutex_;
};

constexpr unsigned kShared = 1, kMonotonic = 2; // of what follows libc's counters

} // namespace

bool is_shared(const pthread_cond_t *condition) { return condition->__data.__wrefs & kShared; }

int condition_wait(Symbol symbol, pthread_cond_t *condition, pthread_mutex_t *mutex, Limit limit) {
  if (!limit.valid())
    return EINVAL;
  count(symbol, Served::waited);
  Errno saved;
  bool told;
  {
    LockWaiter self(condition);
    int got = mutex_unlock(mutex);
    if (got != 0)
      return got;
    Relocking relocking(symbol, mutex);
    told = self.wait(limit.deadline());
  }
  bool over = !told && limit.over();
  int got = mutex_lock(symbol, mutex, {});
  return saved.keep(got ? got : over ? ETIMEDOUT : 0);
}

int condition_look(Symbol symbol, pthread_mutex_t *mutex, Limit limit) {
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

} // namespace libwire::interpose

using namespace libwire::interpose;

SERVE(int, pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t *mutex),
      (condition, mutex)) {
  return wait_on(AT_pthread_cond_wait, condition, mutex, {},
                 [&] { return REAL(pthread_cond_wait)(condition, mutex); });
}

SERVE(int, pthread_cond_timedwait,
      (pthread_cond_t * condition, pthread_mutex_t *mutex, const timespec *time),
      (condition, mutex, time)) {
  // The clock is the condition variable's.
  clockid_t clock = condition->__data.__wrefs & kMonotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME;
  return wait_on(AT_pthread_cond_timedwait, condition, mutex, {clock, time},
                 [&] { return REAL(pthread_cond_timedwait)(condition, mutex, time); });
}

SERVE(int, pthread_cond_clockwait,
      (pthread_cond_t * condition, pthread_mutex_t *mutex, clockid_t clock, const timespec *time),
      (condition, mutex, clock, time)) {
  auto plain = [&] { return REAL(pthread_cond_clockwait)(condition, mutex, clock, time); };
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
    return plain();
  return wait_on(AT_pthread_cond_clockwait, condition, mutex, {clock, time}, plain);
}

#define SIGNAL(type, name, whom)                                                                   \
  EXPORT int name(type *condition) {                                                               \
    if (attention)                                                                                 \
      enter(AT_##name, __builtin_return_address(0));                                               \
    if (any_lock_waits())                                                                          \
      tell_waiters(condition, whom);                                                               \
    return REAL(name)(condition);                                                                  \
  }
SIGNAL(pthread_cond_t, pthread_cond_signal, Tell::one)
SIGNAL(pthread_cond_t, pthread_cond_broadcast, Tell::all)
SIGNAL(cnd_t, cnd_signal, Tell::one)
SIGNAL(cnd_t, cnd_broadcast, Tell::all)
