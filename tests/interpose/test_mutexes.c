/* pthread's mutexes used by wires: those of one OS thread exclude each other without stopping it,
 * and wait for other threads as well. */
#include "both.h"
#include "locks.h"

static void holds_for_a_while(void *name) {
  check(pthread_mutex_lock(&mutex) == 0);
  mark("%s+ ", (char *)name);
  for (int i = 0; i < 5; i++)
    wire_yield();
  mark("%s- ", (char *)name);
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void wires_of_a_thread_exclude_each_other(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    start_afresh();
    make_mutex(kinds[i]);
    spawn_named("a", holds_for_a_while, "a");
    spawn_named("b", holds_for_a_while, "b");
    spawn_named("c", holds_for_a_while, "c");
    wire_thread_run();
    assert_trace("a+ a- b+ b- c+ c- ");
    assert_int_equal(pthread_mutex_trylock(&mutex), 0); /* nobody has it */
    pthread_mutex_unlock(&mutex);
    assert_int_equal(pthread_mutex_destroy(&mutex), 0);
    free_stacks();
  }
}

static void holds_asleep(void *name) {
  check(pthread_mutex_lock(&mutex) == 0);
  mark("%s+ ", (char *)name);
  check(usleep(2000) == 0);
  mark("%s- ", (char *)name);
  check(pthread_mutex_unlock(&mutex) == 0);
}

/* Two of them: which one of several is next while the thread sleeps is nobody's promise. */
static void test_a_mutex_excludes_wires_of_one_thread(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    start_afresh();
    make_mutex(kinds[i]);
    spawn(holds_asleep, "a");
    spawn(holds_asleep, "b");
    wire_thread_run();
    assert_trace("a+ a- b+ b- ");
  }
}

static void sleeps_with_it(void *UNUSED(argument)) {
  check(pthread_mutex_lock(&mutex) == 0);
  while (!stop)
    check(usleep(1000) == 0);
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void tries(void *is_checked) {
  struct timespec time;
  check(pthread_mutex_trylock(&mutex) == EBUSY);
  time = in_milliseconds(CLOCK_REALTIME, 0);
  check(pthread_mutex_timedlock(&mutex, &time) == ETIMEDOUT);
  time = in_milliseconds(CLOCK_MONOTONIC, 1);
  check(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &time) == ETIMEDOUT);
  time.tv_nsec = -1;
  check(pthread_mutex_timedlock(&mutex, &time) == EINVAL);
  if (is_checked)
    check(pthread_mutex_unlock(&mutex) == EPERM);
  mark("in vain ");
  stop = 1;
}

static void test_other_wires_are_not_the_owner(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    int is_checked = kinds[i] == PTHREAD_MUTEX_RECURSIVE || kinds[i] == PTHREAD_MUTEX_ERRORCHECK;
    start_afresh();
    make_mutex(kinds[i]);
    stop = 0;
    spawn(sleeps_with_it, NULL);
    spawn(tries, is_checked ? &mutex : NULL);
    wire_thread_run();
    assert_trace("in vain ");
  }
}

static void relocks(void) {
  make_mutex(PTHREAD_MUTEX_RECURSIVE);
  CALL(pthread_mutex_lock(&mutex));
  CALL(pthread_mutex_lock(&mutex));
  CALL(pthread_mutex_trylock(&mutex));
  CALL(pthread_mutex_unlock(&mutex));
  CALL(pthread_mutex_unlock(&mutex));
  CALL(pthread_mutex_unlock(&mutex));
  CALL(pthread_mutex_unlock(&mutex));
  make_mutex(PTHREAD_MUTEX_ERRORCHECK);
  CALL(pthread_mutex_unlock(&mutex));
  CALL(pthread_mutex_lock(&mutex));
  CALL(pthread_mutex_lock(&mutex));
  CALL(pthread_mutex_trylock(&mutex));
  CALL(pthread_mutex_unlock(&mutex));
  CALL(pthread_mutex_unlock(&mutex));
}

SAME(relocks)

static void holds_twice(void *UNUSED(argument)) {
  check(pthread_mutex_lock(&mutex) == 0);
  check(pthread_mutex_lock(&mutex) == 0);
  wire_yield();
  check(pthread_mutex_unlock(&mutex) == 0);
  mark("once ");
  wire_yield();
  wire_yield();
  mark("twice ");
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void takes(void *UNUSED(argument)) {
  check(pthread_mutex_trylock(&mutex) == EBUSY);
  check(pthread_mutex_unlock(&mutex) == EPERM);
  check(pthread_mutex_lock(&mutex) == 0);
  mark("taken ");
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void a_recursive_mutex_belongs_to_the_wire(void **UNUSED(state)) {
  start_afresh();
  make_mutex(PTHREAD_MUTEX_RECURSIVE);
  spawn_named("holder", holds_twice, NULL);
  spawn_named("other", takes, NULL);
  wire_thread_run();
  assert_trace("once twice taken ");
  free_stacks();
}

static void locks_again(void *UNUSED(argument)) {
  check(pthread_mutex_lock(&mutex) == 0);
  check(pthread_mutex_lock(&mutex) == EDEADLK);
  wire_yield();
  check(pthread_mutex_unlock(&mutex) == 0);
  check(pthread_mutex_unlock(&mutex) == EPERM);
}

static void is_told_that_it_is_not_the_holder(void *UNUSED(argument)) {
  check(pthread_mutex_trylock(&mutex) == EBUSY);
  check(pthread_mutex_unlock(&mutex) == EPERM);
  mark("told ");
}

static void an_errorcheck_mutex_checks_the_wire(void **UNUSED(state)) {
  start_afresh();
  make_mutex(PTHREAD_MUTEX_ERRORCHECK);
  spawn_named("holder", locks_again, NULL);
  spawn_named("other", is_told_that_it_is_not_the_holder, NULL);
  wire_thread_run();
  assert_trace("told ");
  free_stacks();
}

static volatile int thread_has_it;

static void *thread_holds_until_ticks(void *UNUSED(argument)) {
  check(pthread_mutex_lock(&mutex) == 0);
  thread_has_it = 1;
  while (ticks < ticks_needed)
    sched_yield();
  check(pthread_mutex_unlock(&mutex) == 0);
  return NULL;
}

static void waits_for_the_thread(void *UNUSED(argument)) {
  pthread_t thread;
  thread_has_it = 0;
  ticks = 0;
  ticks_needed = 1000;
  check(pthread_create(&thread, NULL, thread_holds_until_ticks, NULL) == 0);
  while (!thread_has_it)
    sched_yield();
  check(pthread_mutex_lock(&mutex) == 0);
  check(ticks >= 1000);
  check(pthread_mutex_unlock(&mutex) == 0);
  check(pthread_join(thread, NULL) == 0);
  stop = 1;
  mark("got it ");
}

static void a_mutex_of_another_thread_is_waited_for_by_the_wire_only(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    start_afresh();
    make_mutex(kinds[i]);
    stop = 0;
    spawn_named("waits", waits_for_the_thread, NULL);
    spawn_named("ticker", ticker, NULL);
    wire_thread_run();
    assert_trace("got it ");
    free_stacks();
  }
}

static void holds_until_stop(void *UNUSED(argument)) {
  check(pthread_mutex_lock(&mutex) == 0);
  while (!stop)
    wire_yield();
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void has_no_time(void *UNUSED(argument)) {
  struct timespec until = in_milliseconds(CLOCK_REALTIME, 20);
  struct timespec wrong = {0, -1};
  check(pthread_mutex_timedlock(&mutex, &until) == ETIMEDOUT);
  until = in_milliseconds(CLOCK_MONOTONIC, 20);
  check(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until) == ETIMEDOUT);
  check(pthread_mutex_timedlock(&mutex, &wrong) == EINVAL);
  mark("late ");
  stop = 1;
}

static void a_deadline_ends_the_wait_for_a_mutex(void **UNUSED(state)) {
  start_afresh();
  make_mutex(PTHREAD_MUTEX_NORMAL);
  stop = 0;
  spawn_named("holder", holds_until_stop, NULL);
  spawn_named("late", has_no_time, NULL);
  wire_thread_run();
  assert_trace("late ");
  free_stacks();
}

static void a_cancelled_wire_waits_for_nothing(void **UNUSED(state)) {
  start_afresh();
  make_mutex(PTHREAD_MUTEX_RECURSIVE);
  stop = 0;
  spawn_named("holder", holds_until_stop, NULL);
  wire_t *victim = spawn_named("victim", holds_for_a_while, "victim");
  spawn_named("next", holds_for_a_while, "next");
  wire_yield();
  wire_cancel(victim);
  wire_yield();
  stop = 1;
  wire_thread_run();
  assert_trace("next+ next- ");
  free_stacks();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wires_of_a_thread_exclude_each_other),
      cmocka_unit_test(test_a_mutex_excludes_wires_of_one_thread),
      cmocka_unit_test(test_other_wires_are_not_the_owner),
      cmocka_unit_test(test_relocks),
      cmocka_unit_test(a_recursive_mutex_belongs_to_the_wire),
      cmocka_unit_test(an_errorcheck_mutex_checks_the_wire),
      cmocka_unit_test(a_mutex_of_another_thread_is_waited_for_by_the_wire_only),
      cmocka_unit_test(a_deadline_ends_the_wait_for_a_mutex),
      cmocka_unit_test(a_cancelled_wire_waits_for_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
