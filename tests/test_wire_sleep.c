/* wire_fd_wait_msec: sleeping. Lower bounds are exact (never early); how late a wire wakes is up to
 * the machine and not tested, but the order is, as far as the times are known to differ. */
#include "common.h"
#include "descriptors.h"

#include <limits.h>
#include <pthread.h>

static int64_t nanoseconds(int milliseconds) { return (int64_t)milliseconds * 1000000; }

static void sleep_exactly(int milliseconds) {
  int64_t begin = nanoseconds_now();
  check(wire_fd_wait_msec(milliseconds) == 0);
  check(nanoseconds_now() - begin >= nanoseconds(milliseconds));
}

/* --- one sleeper ---------------------------------------------------------------------------- */

static void sleeps_for_all_sorts_of_times(void *UNUSED(argument)) {
  static const int times[] = {1, 2, 3, 5, 17, 1, 64, 63, 65, 130, 1};
  for (size_t i = 0; i < ARRAY_SIZE(times); i++)
    sleep_exactly(times[i]);
  mark("done");
}

static void a_sleep_is_never_too_short(void **UNUSED(state)) {
  spawn(sleeps_for_all_sorts_of_times, NULL);
  wire_thread_run();
  assert_trace("done");
}

static void does_not_sleep(void *UNUSED(argument)) {
  errno = 4711;
  check(wire_fd_wait_msec(0) == 0);
  check(wire_fd_wait_msec(-1) == 0);
  check(wire_fd_wait_msec(INT_MIN) == 0);
  check(errno == 4711);
  mark("a ");
}

static void marks(void *text) { mark("%s ", (const char *)text); }

static void zero_and_less_return_at_once_without_a_switch(void **UNUSED(state)) {
  spawn(does_not_sleep, NULL);
  spawn(marks, "b");
  wire_thread_run();
  assert_trace("a b ");
  /* Outside wires too. */
  assert_int_equal(wire_fd_wait_msec(0), 0);
  assert_int_equal(wire_fd_wait_msec(-5), 0);
}

static void sleeps(void *milliseconds) {
  sleep_exactly(*(int *)milliseconds);
  mark("%d ", *(int *)milliseconds);
}

static void others_run_while_a_wire_sleeps(void **UNUSED(state)) {
  int time = 5;
  spawn(sleeps, &time);
  spawn(marks, "b");
  wire_thread_run();
  assert_trace("b 5 ");
}

static void sleeps_outside_wires(void *UNUSED(argument)) { wire_fd_wait_msec(1); }

static void sleeping_outside_wires_aborts(void **UNUSED(state)) {
  expect_abort(run_child(sleeps_outside_wires, NULL), "wire_fd_wait_msec", NULL);
}

static void keeps_errno(void *UNUSED(argument)) {
  errno = 4711;
  check(wire_fd_wait_msec(2) == 0);
  check(errno == 4711);
}

static void sets_errno(void *UNUSED(argument)) {
  errno = 1;
  check(wire_fd_wait_msec(1) == 0);
  errno = 2;
  check(wire_fd_wait_msec(3) == 0);
  check(errno == 2);
}

static void sleeping_leaves_errno_alone(void **UNUSED(state)) {
  spawn(keeps_errno, NULL);
  spawn(sets_errno, NULL);
  wire_thread_run();
}

/* --- what could wake a sleeper too early ----------------------------------------------------- */

static void resumes_for_a_while(void *sleeper) {
  for (int i = 0; i < 1000; i++) {
    wire_resume(sleeper);
    wire_yield();
  }
}

static void resuming_a_sleeper_does_not_wake_it(void **UNUSED(state)) {
  int time = 20;
  wire_t *sleeper = spawn(sleeps, &time);
  spawn(resumes_for_a_while, sleeper);
  wire_thread_run();
  assert_trace("20 ");
}

static volatile sig_atomic_t signals;

static void count_signal(int UNUSED(number)) { signals++; }

static void signals_do_not_wake_a_sleeper(void **UNUSED(state)) {
  struct sigaction action = {.sa_handler = count_signal}, before;
  assert_int_equal(sigaction(SIGPROF, &action, &before), 0);
  /* Real time, so that it also comes while the thread sleeps. */
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGPROF};
  assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  struct itimerspec often = {.it_interval = {0, 700000}, .it_value = {0, 700000}};
  signals = 0;
  assert_int_equal(timer_settime(timer, 0, &often, NULL), 0);
  int times[] = {20, 30};
  spawn(sleeps, &times[0]);
  spawn(sleeps, &times[1]);
  wire_thread_run();
  timer_delete(timer);
  sigaction(SIGPROF, &before, NULL);
  assert_trace("20 30 ");
  assert_true(signals > 0);
}

/* --- order ---------------------------------------------------------------------------------- */

#define SLEEPERS 40

static struct sleeper {
  int milliseconds;
  int64_t latest_begin;   /* when the next one began: no later than that did this one */
  int64_t earliest_begin; /* before the call */
} sleepers[SLEEPERS];

static int wake_order[SLEEPERS], woken;

static void sleeps_in_order(void *argument) {
  struct sleeper *self = argument;
  self->earliest_begin = nanoseconds_now();
  if (self > sleepers)
    self[-1].latest_begin = self->earliest_begin;
  sleep_exactly(self->milliseconds);
  wake_order[woken++] = (int)(self - sleepers);
}

/* Whether `a` was due before `b` began to be, whatever the machine did in between. */
static int surely_before(const struct sleeper *a, const struct sleeper *b) {
  return a->latest_begin + nanoseconds(a->milliseconds) <
         b->earliest_begin + nanoseconds(b->milliseconds);
}

static void notes_the_last_begin(void *UNUSED(argument)) {
  sleepers[SLEEPERS - 1].latest_begin = nanoseconds_now();
}

static void sleepers_wake_in_the_order_of_their_times(void **UNUSED(state)) {
  woken = 0;
  for (int i = 0; i < SLEEPERS; i++) {
    /* Mixed, some equal, over several digits of whatever the timers count in. */
    sleepers[i].milliseconds = 1 + i * 37 % SLEEPERS * (i % 3 == 0 ? 1 : 7) % 150;
    spawn(sleeps_in_order, &sleepers[i]);
  }
  spawn(notes_the_last_begin, NULL);
  wire_thread_run();
  assert_int_equal(woken, SLEEPERS);
  for (int i = 0; i < SLEEPERS; i++)
    for (int later = i + 1; later < SLEEPERS; later++)
      assert_false(surely_before(&sleepers[wake_order[later]], &sleepers[wake_order[i]]));
}

/* --- very many ------------------------------------------------------------------------------ */

#define MANY 20000
#define MANY_STACK 8192

static int descriptors_before;
static int awake;

static void one_of_many(void *number) {
  int index = (int)(intptr_t)number;
  sleep_exactly(20 + index % 100);
  awake++;
}

static void looks_at_descriptors(void *UNUSED(argument)) {
  check(awake < MANY);
  /* A poller may have opened one or two. */
  check(open_descriptors() <= descriptors_before + 2);
  mark("looked");
}

static void twenty_thousand_sleepers_use_no_descriptors(void **UNUSED(state)) {
  if (TESTS_WITH_TSAN)
    skip(); /* takes 8000 wires at most */
  wire_t *wires = calloc(MANY, sizeof *wires);
  void **stacks = calloc(MANY, sizeof *stacks);
  assert_non_null(wires);
  assert_non_null(stacks);
  for (int i = 0; i < MANY; i++) {
    stacks[i] = wire_stack_alloc(MANY_STACK);
    assert_non_null(stacks[i]);
    assert_non_null(
        wire_init(&wires[i], "sleeper", one_of_many, (void *)(intptr_t)i, stacks[i], MANY_STACK));
  }
  awake = 0;
  descriptors_before = open_descriptors();
  spawn(looks_at_descriptors, NULL);
  wire_thread_run();
  assert_int_equal(awake, MANY);
  assert_trace("looked");
  for (int i = 0; i < MANY; i++)
    wire_stack_free(stacks[i], MANY_STACK);
  free(stacks);
  free(wires);
}

/* --- cancelling ----------------------------------------------------------------------------- */

static void sleeps_for_an_hour(void *UNUSED(argument)) {
  wire_fd_wait_msec(3600 * 1000);
  mark("never ");
}

static void sleeps_for_the_longest_time(void *UNUSED(argument)) {
  wire_fd_wait_msec(INT_MAX);
  mark("never ");
}

static void cancels(void *wires) {
  wire_t **sleeper = wires;
  check(wire_fd_wait_msec(1) == 0);
  for (int i = 0; i < 3; i++)
    wire_cancel(sleeper[i]);
  mark("cancelled ");
}

static void a_sleeper_that_is_cancelled_ends_at_once(void **UNUSED(state)) {
  wire_t *cancelled[3];
  cancelled[0] = spawn(sleeps_for_an_hour, NULL);
  cancelled[1] = spawn(sleeps_for_an_hour, NULL);
  cancelled[2] = spawn(sleeps_for_the_longest_time, NULL);
  spawn(cancels, cancelled);
  int time = 5;
  spawn(sleeps, &time); /* its timer is between theirs and stays */
  wire_thread_run();
  assert_trace("cancelled 5 ");
}

/* Cancelled and woken in the same moment, by chance in one order or the other. */
static void cancels_what_is_due(void *wires) {
  wire_t **sleeper = wires;
  int64_t until = nanoseconds_now() + nanoseconds(3);
  while (nanoseconds_now() < until) {
  }
  for (int i = 0; i < 10; i++)
    wire_cancel(sleeper[i]);
}

static void yields_and_cancels_what_is_due(void *wires) {
  for (int i = 0; i < 300; i++)
    wire_yield();
  cancels_what_is_due(wires);
}

static void sleeps_briefly(void *UNUSED(argument)) { check(wire_fd_wait_msec(1) == 0); }

static void a_sleeper_can_be_cancelled_when_its_time_is_over(void **UNUSED(state)) {
  void (*const cancellers[])(void *) = {cancels_what_is_due, yields_and_cancels_what_is_due};
  for (size_t round = 0; round < 20; round++) {
    start_afresh();
    wire_t *wires[10];
    for (int i = 0; i < 10; i++)
      wires[i] = spawn(sleeps_briefly, NULL);
    spawn(cancellers[round % 2], wires);
    wire_thread_run();
  }
}

/* --- afresh, threads ------------------------------------------------------------------------ */

/* Frames of a wire that never ended are still marked for the sanitizer. */
__attribute__((no_sanitize("address"))) static void overwrite(volatile char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    bytes[i] = 0x5a;
}

static void starting_afresh_forgets_sleepers(void **UNUSED(state)) {
  spawn(sleeps_for_an_hour, NULL);
  wire_yield();
  start_afresh();
  overwrite(common.stacks[0], COMMON_STACK); /* the sleeper's frame is gone */
  int time = 3;
  spawn(does_not_sleep, NULL);
  spawn(sleeps, &time);
  wire_thread_run();
  assert_trace("a 3 ");
}

static void *sleeps_in_a_thread(void *UNUSED(argument)) {
  int times[60];
  for (int round = 0; round < 5; round++) {
    start_afresh();
    for (int i = 0; i < 60; i++) {
      times[i] = 1 + i * 7 % 20;
      spawn(sleeps, &times[i]);
    }
    wire_thread_run();
  }
  free_stacks();
  return NULL;
}

static void threads_sleep_on_their_own(void **UNUSED(state)) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, sleeps_in_a_thread, NULL), 0);
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void) {
#define T(test) cmocka_unit_test_setup(test, afresh)
  const struct CMUnitTest tests[] = {
      T(a_sleep_is_never_too_short),
      T(zero_and_less_return_at_once_without_a_switch),
      T(others_run_while_a_wire_sleeps),
      T(sleeping_outside_wires_aborts),
      T(sleeping_leaves_errno_alone),
      T(resuming_a_sleeper_does_not_wake_it),
      T(signals_do_not_wake_a_sleeper),
      T(sleepers_wake_in_the_order_of_their_times),
      T(twenty_thousand_sleepers_use_no_descriptors),
      T(a_sleeper_that_is_cancelled_ends_at_once),
      T(a_sleeper_can_be_cancelled_when_its_time_is_over),
      T(starting_afresh_forgets_sleepers),
      T(threads_sleep_on_their_own),
  };
  return cmocka_run_group_tests_name("wire_fd_wait_msec", tests, NULL, NULL);
}
