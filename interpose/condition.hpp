// Waiting for condition variables, for those of <pthread.h> and of <threads.h>.
#pragma once

#include "mutex.hpp"

namespace libwire::interpose {

// plain() makes the whole call: for a condition variable of several processes, which may be
// signalled elsewhere, a worker does.
bool is_shared(const pthread_cond_t *condition);

// As pthread_cond_clockwait. To be called after may_be_told() only.
int condition_wait(Symbol symbol, pthread_cond_t *condition, pthread_mutex_t *mutex, Limit limit);
// With a mutex that a worker cannot give up: looks after a while, as spurious wake-ups do.
int condition_look(Symbol symbol, pthread_mutex_t *mutex, Limit limit);

template <typename Plain>
int wait_on(Symbol symbol, pthread_cond_t *condition, pthread_mutex_t *mutex, Limit limit,
            Plain plain) {
  if (!may_offload())
    return plain();
  if (may_be_told() && !is_shared(condition))
    return condition_wait(symbol, condition, mutex, limit);
  if (!mutex_is_plain(mutex))
    return condition_look(symbol, mutex, limit);
  tell_release(mutex);
  return offload(symbol, Takes::unbounded, plain);
}

} // namespace libwire::interpose
