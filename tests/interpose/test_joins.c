/* Waiting until others have come so far, in wires: joining a thread, barriers, pthread_once. */
#include "both.h"
#include "locks.h"

static int result_of_thread; /* by its address */

static void *waits_for_ticks(void *result) {
  while (ticks < ticks_needed)
    sched_yield();
  return result;
}

static void joins_beside_others(void *UNUSED(argument)) {
  pthread_t thread;
  void *result = NULL;
  ticks = 0;
  ticks_needed = 1000;
  check(pthread_join(pthread_self(), NULL) == EDEADLK);
  check(pthread_create(&thread, NULL, waits_for_ticks, &result_of_thread) == 0);
  check(pthread_join(thread, &result) == 0 && result == &result_of_thread);
  stop = 1;
  mark("joined ");
}

static void a_thread_is_joined_by_the_wire_only(void **UNUSED(state)) {
  start_afresh();
  stop = 0;
  spawn(joins_beside_others, NULL);
  spawn(ticker, NULL);
  wire_thread_run();
  assert_trace("joined ");
  free_stacks();
}

static void *ends_when_blocked(void *value) {
  until_blocked();
  return value;
}

static void joins(void) {
  pthread_t thread;
  void *value;
  check(pthread_create(&thread, NULL, ends_when_blocked, &result_of_thread) == 0);
  CALL(pthread_join(thread, &value));
  note("%d\n", value == &result_of_thread);
  CALL(pthread_join(pthread_self(), NULL));
}

SAME(joins)

static pthread_barrier_t barrier;

static void meets(void *UNUSED(argument)) {
  mark("comes ");
  int result = pthread_barrier_wait(&barrier);
  check(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
  mark(result == 0 ? "goes " : "GOES ");
}

static void wires_meet_at_a_barrier(void **UNUSED(state)) {
  start_afresh();
  check(pthread_barrier_init(&barrier, NULL, 3) == 0);
  for (int i = 0; i < 3; i++)
    spawn_named("meets", meets, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  assert_true(strncmp(trace, "comes comes comes ", 18) == 0);
  assert_int_equal(strlen(trace), 18 + 3 * 5);
  assert_non_null(strstr(trace, "GOES"));
  free_stacks();
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void first_time(void) {
  mark("begins ");
  struct timespec moment = {0, 1000000};
  check(nanosleep(&moment, NULL) == 0 && usleep(1000) == 0); /* no wire runs meanwhile */
  mark("ends ");
}

static void calls_once(void *UNUSED(argument)) {
  check(pthread_once(&once, first_time) == 0);
  mark("after ");
}

static void once_is_done_before_anybody_goes_on(void **UNUSED(state)) {
  start_afresh();
  spawn_named("a", calls_once, NULL);
  spawn_named("b", calls_once, NULL);
  wire_thread_run();
  assert_trace("begins ends after after ");
  free_stacks();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_thread_is_joined_by_the_wire_only),
      cmocka_unit_test(test_joins),
      cmocka_unit_test(wires_meet_at_a_barrier),
      cmocka_unit_test(once_is_done_before_anybody_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
