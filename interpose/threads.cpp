// Waiting for threads, barriers and initialisations.
#include "delegate.hpp"

using namespace libwire::interpose;

namespace {

template <typename Plain> int join(Symbol symbol, pthread_t thread, void **value, Plain plain) {
  int got = REAL(pthread_tryjoin_np)(thread, value);
  if (got != EBUSY || ::pthread_equal(thread, ::pthread_self()))
    return got == EBUSY ? plain() : got;
  return offload(symbol, Takes::unbounded, plain);
}

} // namespace

SERVE(int, pthread_join, (pthread_t thread, void **value), (thread, value)) {
  return join(AT_pthread_join, thread, value, [&] { return REAL(pthread_join)(thread, value); });
}

SERVE(int, pthread_timedjoin_np, (pthread_t thread, void **value, const timespec *time),
      (thread, value, time)) {
  return join(AT_pthread_timedjoin_np, thread, value,
              [&] { return REAL(pthread_timedjoin_np)(thread, value, time); });
}

SERVE(int, pthread_clockjoin_np,
      (pthread_t thread, void **value, clockid_t clock, const timespec *time),
      (thread, value, clock, time)) {
  return join(AT_pthread_clockjoin_np, thread, value,
              [&] { return REAL(pthread_clockjoin_np)(thread, value, clock, time); });
}

SERVE(int, thrd_join, (thrd_t thread, int *result), (thread, result)) {
  auto plain = [&] { return REAL(thrd_join)(thread, result); };
  if (::pthread_equal(thread, ::pthread_self()))
    return plain();
  return offload(AT_thrd_join, Takes::unbounded, plain);
}

UNBOUNDED(int, pthread_barrier_wait, (pthread_barrier_t * barrier), (barrier))

// A wire must not be suspended in the initialisation: the next one of its thread would wait for it
// in libc.
SERVE(int, pthread_once, (pthread_once_t * once, void (*initialise)()), (once, initialise)) {
  InsideInitialiser inside;
  return REAL(pthread_once)(once, initialise);
}

SERVE(void, call_once, (once_flag * once, void (*initialise)()), (once, initialise)) {
  InsideInitialiser inside;
  REAL(call_once)(once, initialise);
}
