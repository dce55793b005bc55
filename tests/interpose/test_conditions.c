/* pthread's conditions used by wires, signalled by wires of the same thread and by other threads;
 * C11's mutexes and conditions. */
#include "both.h"
#include "locks.h"

#include <threads.h>

static pthread_cond_t condition;
static int items, produced, ready;

static void consumes(void *UNUSED(argument)) {
  check(pthread_mutex_lock(&mutex) == 0);
  for (int i = 0; i < 10; i++) {
    while (items == 0)
      check(pthread_cond_wait(&condition, &mutex) == 0);
    items--;
    mark("%d ", i);
  }
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void *produces_in_a_thread(void *UNUSED(argument)) {
  for (produced = 0; produced < 10; produced++) {
    check(pthread_mutex_lock(&mutex) == 0);
    items++;
    check(pthread_cond_signal(&condition) == 0);
    check(pthread_mutex_unlock(&mutex) == 0);
    sched_yield();
  }
  return NULL;
}

static void produces(void *unused) { (void)produces_in_a_thread(unused); }

static void a_condition_is_signalled_by_a_wire_of_the_same_thread(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    start_afresh();
    make_mutex(kinds[i]);
    check(pthread_cond_init(&condition, NULL) == 0);
    spawn_named("consumer", consumes, NULL);
    spawn_named("producer", produces, NULL);
    wire_thread_run();
    assert_trace("0 1 2 3 4 5 6 7 8 9 ");
    free_stacks();
  }
}

static void a_condition_is_signalled_by_another_thread(void **UNUSED(state)) {
  pthread_t thread;
  start_afresh();
  make_mutex(PTHREAD_MUTEX_NORMAL);
  check(pthread_cond_init(&condition, NULL) == 0);
  spawn_named("consumer", consumes, NULL);
  wire_yield();
  assert_int_equal(pthread_create(&thread, NULL, produces_in_a_thread, NULL), 0);
  wire_thread_run();
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_trace("0 1 2 3 4 5 6 7 8 9 ");
  free_stacks();
}

static void waits_in_vain(void *clock_argument) {
  clockid_t clock = *(clockid_t *)clock_argument;
  struct timespec until = in_milliseconds(clock, 20);
  int result = 0;
  check(pthread_mutex_lock(&mutex) == 0);
  while (result == 0) /* it may return without reason */
    result = pthread_cond_timedwait(&condition, &mutex, &until);
  check(result == ETIMEDOUT);
  struct timespec after;
  check(clock_gettime(clock, &after) == 0);
  check(after.tv_sec > until.tv_sec ||
        (after.tv_sec == until.tv_sec && after.tv_nsec >= until.tv_nsec));
  check(pthread_mutex_trylock(&mutex) == EBUSY); /* it has the mutex again */
  check(pthread_mutex_unlock(&mutex) == 0);
  mark("late ");
}

static void a_deadline_ends_the_wait_for_a_condition(void **UNUSED(state)) {
  static clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
  for (int i = 0; i < 2; i++) {
    pthread_condattr_t attributes;
    start_afresh();
    make_mutex(PTHREAD_MUTEX_NORMAL);
    check(pthread_condattr_init(&attributes) == 0);
    check(pthread_condattr_setclock(&attributes, clocks[i]) == 0);
    check(pthread_cond_init(&condition, &attributes) == 0);
    spawn_named("waits", waits_in_vain, &clocks[i]);
    wire_thread_run();
    assert_trace("late ");
    free_stacks();
  }
}

static void wait_for_ready(void *type) {
  check(pthread_mutex_lock(&mutex) == 0);
  while (!ready)
    check(pthread_cond_wait(&condition, &mutex) == 0);
  check((intptr_t)type == PTHREAD_MUTEX_NORMAL || pthread_mutex_trylock(&mutex) != EPERM);
  mark("ready ");
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void make_ready(void *UNUSED(argument)) {
  check(pthread_mutex_lock(&mutex) == 0);
  ready = 1;
  mark("signal ");
  check(pthread_cond_broadcast(&condition) == 0);
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void test_a_condition_between_wires(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    if (kinds[i] == PTHREAD_MUTEX_RECURSIVE)
      continue; /* trylock above would take it once more */
    start_afresh();
    make_mutex(kinds[i]);
    check(pthread_cond_init(&condition, NULL) == 0);
    ready = 0;
    spawn(wait_for_ready, (void *)(intptr_t)kinds[i]);
    spawn(wait_for_ready, (void *)(intptr_t)kinds[i]);
    spawn(make_ready, NULL);
    wire_thread_run();
    assert_trace("signal ready ready ");
  }
}

static void *make_ready_in_thread(void *UNUSED(argument)) {
  until_blocked();
  check(pthread_mutex_lock(&mutex) == 0);
  ready = 1;
  check(pthread_cond_signal(&condition) == 0);
  check(pthread_mutex_unlock(&mutex) == 0);
  return NULL;
}

static void test_a_condition_signalled_by_a_thread(void **UNUSED(state)) {
  scenario_thread = (pid_t)syscall(SYS_gettid);
  start_afresh();
  make_mutex(PTHREAD_MUTEX_NORMAL);
  check(pthread_cond_init(&condition, NULL) == 0);
  ready = 0;
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, make_ready_in_thread, NULL), 0);
  spawn(wait_for_ready, NULL);
  wire_thread_run();
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_trace("ready ");
}

static void conditions_in_time(void) {
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    make_mutex(kinds[i]);
    check(pthread_cond_init(&condition, NULL) == 0);
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    CALL(pthread_mutex_lock(&mutex));
    CALL(pthread_cond_timedwait(&condition, &mutex, &time));
    int64_t begin = milliseconds_now();
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += time.tv_nsec >= 980000000;
    time.tv_nsec = (time.tv_nsec + 20000000) % 1000000000;
    int got;
    while ((got = pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &time)) == 0)
      continue; /* spurious */
    note("%d %d\n", got, milliseconds_now() - begin >= 19);
    time.tv_nsec = 1000000000;
    CALL(pthread_cond_timedwait(&condition, &mutex, &time));
    CALL(pthread_mutex_unlock(&mutex));
  }
}

SAME(conditions_in_time)

static mtx_t c11_mutex;
static cnd_t c11_condition;

static void c11_consumes(void *UNUSED(argument)) {
  check(mtx_lock(&c11_mutex) == thrd_success);
  while (items == 0)
    check(cnd_wait(&c11_condition, &c11_mutex) == thrd_success);
  items--;
  mark("taken ");
  check(mtx_unlock(&c11_mutex) == thrd_success);
}

static void c11_produces(void *UNUSED(argument)) {
  check(mtx_lock(&c11_mutex) == thrd_success);
  items++;
  check(cnd_signal(&c11_condition) == thrd_success);
  wire_yield();
  check(mtx_unlock(&c11_mutex) == thrd_success);
}

static void c11_locks_work_alike(void **UNUSED(state)) {
  start_afresh();
  check(mtx_init(&c11_mutex, mtx_plain) == thrd_success);
  check(cnd_init(&c11_condition) == thrd_success);
  spawn_named("consumer", c11_consumes, NULL);
  spawn_named("producer", c11_produces, NULL);
  wire_thread_run();
  assert_trace("taken ");
  free_stacks();
}

static void c11_wait(void *UNUSED(argument)) {
  check(mtx_lock(&c11_mutex) == thrd_success);
  while (!ready)
    check(cnd_wait(&c11_condition, &c11_mutex) == thrd_success);
  mark("ready ");
  check(mtx_unlock(&c11_mutex) == thrd_success);
}

static void c11_signal(void *UNUSED(argument)) {
  check(mtx_lock(&c11_mutex) == thrd_success);
  usleep(1000);
  ready = 1;
  mark("signal ");
  check(cnd_broadcast(&c11_condition) == thrd_success);
  check(mtx_unlock(&c11_mutex) == thrd_success);
}

static void test_c11_locks_between_wires(void **UNUSED(state)) {
  for (int type = mtx_plain; type <= mtx_recursive; type += mtx_recursive) {
    start_afresh();
    ready = 0;
    check(mtx_init(&c11_mutex, type) == thrd_success && cnd_init(&c11_condition) == thrd_success);
    spawn(c11_wait, NULL);
    spawn(c11_signal, NULL);
    spawn(c11_wait, NULL);
    wire_thread_run();
    assert_trace("signal ready ready ");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_condition_is_signalled_by_a_wire_of_the_same_thread),
      cmocka_unit_test(a_condition_is_signalled_by_another_thread),
      cmocka_unit_test(a_deadline_ends_the_wait_for_a_condition),
      cmocka_unit_test(test_a_condition_between_wires),
      cmocka_unit_test(test_a_condition_signalled_by_a_thread),
      cmocka_unit_test(test_conditions_in_time),
      cmocka_unit_test(c11_locks_work_alike),
      cmocka_unit_test(test_c11_locks_between_wires),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
