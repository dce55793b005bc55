/* pthread's and C11's locks used by wires: those of one OS thread wait for each other without
 * stopping it, and for other threads as well. */
#include "../common.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <threads.h>
#include <time.h>

static pthread_mutex_t mutex;
static pthread_cond_t condition;

static void make_mutex(int kind) {
  pthread_mutexattr_t attributes;
  check(pthread_mutexattr_init(&attributes) == 0);
  check(pthread_mutexattr_settype(&attributes, kind) == 0);
  check(pthread_mutex_init(&mutex, &attributes) == 0);
  check(pthread_mutexattr_destroy(&attributes) == 0);
}

static struct timespec in_milliseconds(clockid_t clock, long milliseconds) {
  struct timespec time;
  check(clock_gettime(clock, &time) == 0);
  time.tv_nsec += milliseconds * 1000000;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}

static const int kinds[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK,
                            PTHREAD_MUTEX_ADAPTIVE_NP};
#define KINDS (sizeof kinds / sizeof *kinds)

static void holds_for_a_while(void *name) {
  check(pthread_mutex_lock(&mutex) == 0);
  mark("%s+ ", (char *)name);
  for (int i = 0; i < 5; i++)
    wire_yield();
  mark("%s- ", (char *)name);
  check(pthread_mutex_unlock(&mutex) == 0);
}

static void wires_of_a_thread_exclude_each_other(void **UNUSED(state)) {
  for (size_t i = 0; i < KINDS; i++) {
    start_afresh();
    make_mutex(kinds[i]);
    spawn_named("a", holds_for_a_while, "a");
    spawn_named("b", holds_for_a_while, "b");
    spawn_named("c", holds_for_a_while, "c");
    wire_thread_run();
    assert_string_equal(take_trace(), "a+ a- b+ b- c+ c- ");
    assert_int_equal(pthread_mutex_trylock(&mutex), 0); /* nobody has it */
    pthread_mutex_unlock(&mutex);
    assert_int_equal(pthread_mutex_destroy(&mutex), 0);
    free_stacks();
  }
}

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
  assert_string_equal(take_trace(), "once twice taken ");
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
  assert_string_equal(take_trace(), "told ");
  free_stacks();
}

static volatile int stop, thread_has_it;
static volatile long ticks, ticks_needed;

/* Counts while others wait, so that a test can tell that the thread goes on. */
static void ticker(void *UNUSED(argument)) {
  while (!stop) {
    ticks++;
    wire_yield();
  }
}

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
  for (size_t i = 0; i < KINDS; i++) {
    start_afresh();
    make_mutex(kinds[i]);
    stop = 0;
    spawn_named("waits", waits_for_the_thread, NULL);
    spawn_named("ticker", ticker, NULL);
    wire_thread_run();
    assert_string_equal(take_trace(), "got it ");
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
  assert_string_equal(take_trace(), "late ");
  free_stacks();
}

static int items, produced;

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
  for (size_t i = 0; i < KINDS; i++) {
    start_afresh();
    make_mutex(kinds[i]);
    check(pthread_cond_init(&condition, NULL) == 0);
    spawn_named("consumer", consumes, NULL);
    spawn_named("producer", produces, NULL);
    wire_thread_run();
    assert_string_equal(take_trace(), "0 1 2 3 4 5 6 7 8 9 ");
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
  assert_string_equal(take_trace(), "0 1 2 3 4 5 6 7 8 9 ");
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
    assert_string_equal(take_trace(), "late ");
    free_stacks();
  }
}

static sem_t semaphore;

static void takes_units(void *UNUSED(argument)) {
  for (int i = 0; i < 3; i++) {
    check(sem_wait(&semaphore) == 0);
    mark("%d ", i);
  }
  struct timespec until = in_milliseconds(CLOCK_REALTIME, 20);
  check(sem_timedwait(&semaphore, &until) == -1 && errno == ETIMEDOUT);
  mark("late ");
}

static void *posts_in_a_thread(void *UNUSED(argument)) {
  for (int i = 0; i < 3; i++) {
    sched_yield();
    check(sem_post(&semaphore) == 0);
  }
  return NULL;
}

static void posts(void *unused) { (void)posts_in_a_thread(unused); }

static void a_semaphore_is_posted_by_wires_and_threads(void **UNUSED(state)) {
  pthread_t thread;
  start_afresh();
  check(sem_init(&semaphore, 0, 0) == 0);
  spawn_named("takes", takes_units, NULL);
  spawn_named("posts", posts, NULL);
  wire_thread_run();
  assert_string_equal(take_trace(), "0 1 2 late ");
  spawn_named("takes", takes_units, NULL);
  wire_yield();
  assert_int_equal(pthread_create(&thread, NULL, posts_in_a_thread, NULL), 0);
  wire_thread_run();
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_string_equal(take_trace(), "0 1 2 late ");
  free_stacks();
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void reads(void *name) {
  check(pthread_rwlock_rdlock(&rwlock) == 0);
  mark("r%s+ ", (char *)name);
  wire_yield();
  wire_yield();
  mark("r%s- ", (char *)name);
  check(pthread_rwlock_unlock(&rwlock) == 0);
}

static void writes(void *UNUSED(argument)) {
  check(pthread_rwlock_wrlock(&rwlock) == 0);
  mark("w+ ");
  wire_yield();
  mark("w- ");
  check(pthread_rwlock_unlock(&rwlock) == 0);
}

static void a_writer_waits_for_readers(void **UNUSED(state)) {
  start_afresh();
  spawn_named("a", reads, "a");
  spawn_named("b", reads, "b");
  spawn_named("w", writes, NULL);
  wire_thread_run();
  assert_string_equal(take_trace(), "ra+ rb+ ra- rb- w+ w- ");
  free_stacks();
}

static void *waits_for_ticks(void *result) {
  while (ticks < ticks_needed)
    sched_yield();
  return result;
}

static int stop_marker; /* what the thread returns */

static void joins(void *UNUSED(argument)) {
  pthread_t thread;
  void *result = NULL;
  ticks = 0;
  ticks_needed = 1000;
  check(pthread_join(pthread_self(), NULL) == EDEADLK);
  check(pthread_create(&thread, NULL, waits_for_ticks, &stop_marker) == 0);
  check(pthread_join(thread, &result) == 0 && result == &stop_marker);
  stop = 1;
  mark("joined ");
}

static void a_thread_is_joined_by_the_wire_only(void **UNUSED(state)) {
  start_afresh();
  stop = 0;
  spawn_named("joins", joins, NULL);
  spawn_named("ticker", ticker, NULL);
  wire_thread_run();
  assert_string_equal(take_trace(), "joined ");
  free_stacks();
}

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
  nanosleep(&moment, NULL); /* no wire runs meanwhile */
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
  assert_string_equal(take_trace(), "begins ends after after ");
  free_stacks();
}

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
  assert_string_equal(take_trace(), "taken ");
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
  assert_string_equal(take_trace(), "next+ next- ");
  free_stacks();
}

int main(void) {
  deadline(60);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wires_of_a_thread_exclude_each_other),
      cmocka_unit_test(a_recursive_mutex_belongs_to_the_wire),
      cmocka_unit_test(an_errorcheck_mutex_checks_the_wire),
      cmocka_unit_test(a_mutex_of_another_thread_is_waited_for_by_the_wire_only),
      cmocka_unit_test(a_deadline_ends_the_wait_for_a_mutex),
      cmocka_unit_test(a_condition_is_signalled_by_a_wire_of_the_same_thread),
      cmocka_unit_test(a_condition_is_signalled_by_another_thread),
      cmocka_unit_test(a_deadline_ends_the_wait_for_a_condition),
      cmocka_unit_test(a_semaphore_is_posted_by_wires_and_threads),
      cmocka_unit_test(a_writer_waits_for_readers),
      cmocka_unit_test(a_thread_is_joined_by_the_wire_only),
      cmocka_unit_test(wires_meet_at_a_barrier),
      cmocka_unit_test(once_is_done_before_anybody_goes_on),
      cmocka_unit_test(c11_locks_work_alike),
      cmocka_unit_test(a_cancelled_wire_waits_for_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
