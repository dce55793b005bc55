/* wire_timeout.h: a time after which a wait is triggered. No test says how fast anything is; the
 * lower bound "never early" is exact. */
#include "common.h"
#include "descriptors.h"
#include "wire_timeout.h"

#include <pthread.h>

static wire_timeout_t timeout;
static wire_wait_t event; /* what is waited for beside the timeout */

static int new_timeout(void **unused) {
  (void)unused;
  start_afresh();
  take_trace();
  assert_int_equal(wire_timeout_init(&timeout), 0);
  wire_wait_init(&event);
  return 0;
}

static int64_t now_in_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Lets time pass without a switch, so that the library cannot look at its timers. */
static void busy_for(int milliseconds) {
  int64_t until = now_in_nanoseconds() + (int64_t)milliseconds * 1000000;
  while (now_in_nanoseconds() < until) {
  }
}

static void reset(int milliseconds) { check(wire_timeout_reset(&timeout, milliseconds) == 0); }

static int wait_for_event(void) { return wire_timeout_wait(&event, &timeout); }

static void waits(void *unused) {
  (void)unused;
  mark("%d ", wait_for_event());
}

static void triggers_event_after(void *milliseconds) {
  check(wire_fd_wait_msec(*(int *)milliseconds) == 0);
  mark("event ");
  wire_wait_resume(&event);
}

static int zero = 0, short_time = 5, hour = 3600 * 1000;

/* Runs a wire and compares what it marks. */
#define assert_wire_marks(entry, expected)                                                         \
  do {                                                                                             \
    spawn(entry, NULL);                                                                            \
    wire_thread_run();                                                                             \
    assert_trace(expected);                                                                        \
  } while (0)

/* --- expiry --------------------------------------------------------------------------------- */

static void expires_in_turn(void *unused) {
  (void)unused;
  for (int milliseconds = 1; milliseconds <= 20; milliseconds += 3) {
    int64_t begin = now_in_nanoseconds();
    reset(milliseconds);
    mark("%d", wait_for_event());
    check(now_in_nanoseconds() - begin >= (int64_t)milliseconds * 1000000);
  }
}

static void it_expires_and_never_early(void **unused) {
  (void)unused;
  assert_wire_marks(expires_in_turn, "2222222");
}

static void waits_three_times(void *unused) {
  (void)unused;
  reset(1);
  for (int i = 0; i < 3; i++)
    mark("%d", wait_for_event());
  reset(1);
  mark("%d", wait_for_event());
}

static void expired_it_stays_so_for_every_further_wait(void **unused) {
  (void)unused;
  assert_wire_marks(waits_three_times, "2222");
}

static void waits_after_the_time(void *unused) {
  (void)unused;
  reset(1);
  check(wire_fd_wait_msec(5) == 0);
  mark("%d", wait_for_event());
}

static void an_expiry_before_the_wait_is_not_missed(void **unused) {
  (void)unused;
  assert_wire_marks(waits_after_the_time, "2");
}

static void the_event_comes_first(void **unused) {
  (void)unused;
  reset(hour);
  spawn(waits, NULL);
  spawn(triggers_event_after, &short_time);
  while (strchr(common_trace, '1') == NULL)
    wire_yield();
  assert_trace("event 1 ");
  wire_timeout_stop(&timeout);
  wire_thread_run();
}

static void waits_until_both_are_triggered(void *unused) {
  (void)unused;
  reset(1);
  mark("%d ", wait_for_event());
}

static void triggers_event_late(void *unused) {
  (void)unused;
  wire_yield();
  busy_for(5); /* the time is over, and the waiting wire could not run */
  wire_wait_resume(&event);
}

static void an_event_counts_more_than_an_expiry_at_the_same_time(void **unused) {
  (void)unused;
  spawn(waits_until_both_are_triggered, NULL);
  spawn(triggers_event_late, NULL);
  wire_thread_run();
  assert_trace("1 ");
}

/* --- reset, stop, start --------------------------------------------------------------------- */

static void resets_to_a_later_time(void *unused) {
  (void)unused;
  int64_t begin = now_in_nanoseconds();
  reset(1);
  reset(20);
  mark("%d", wait_for_event());
  check(now_in_nanoseconds() - begin >= 20 * 1000000);
}

static void resets_to_an_earlier_time(void *unused) {
  (void)unused;
  reset(hour);
  reset(1);
  mark("%d", wait_for_event());
}

static void reset_replaces_the_time(void **unused) {
  (void)unused;
  assert_wire_marks(resets_to_a_later_time, "2");
  assert_wire_marks(resets_to_an_earlier_time, "2");
}

static void resets_while_another_waits(void *unused) {
  (void)unused;
  mark("reset ");
  reset(1);
}

static void reset_reaches_a_wire_that_waits_already(void **unused) {
  (void)unused;
  reset(hour);
  spawn(waits, NULL);
  spawn(resets_while_another_waits, NULL);
  wire_thread_run();
  assert_trace("reset 2 ");
}

static void zero_disarms(void **unused) {
  (void)unused;
  reset(1);
  reset(0);
  spawn(waits, NULL);
  spawn(triggers_event_after, &short_time);
  wire_thread_run();
  assert_trace("event 1 ");
}

static void expires_and_disarms(void *unused) {
  (void)unused;
  reset(1);
  mark("%d ", wait_for_event());
  reset(0);
  waits(NULL);
}

static void zero_forgets_an_expiry(void **unused) {
  (void)unused;
  spawn(expires_and_disarms, NULL);
  while (*common_trace == '\0')
    wire_yield();
  spawn(triggers_event_after, &zero);
  wire_thread_run();
  assert_trace("2 event 1 ");
}

static void expires_and_stops(void *unused) {
  (void)unused;
  reset(1);
  mark("%d ", wait_for_event());
  wire_timeout_stop(&timeout);
  waits(NULL);
}

static void stop_forgets_an_expiry(void **unused) {
  (void)unused;
  spawn(expires_and_stops, NULL);
  while (*common_trace == '\0')
    wire_yield();
  spawn(triggers_event_after, &zero);
  wire_thread_run();
  assert_trace("2 event 1 ");
}

static void stop_disarms(void **unused) {
  (void)unused;
  reset(hour);
  wire_timeout_stop(&timeout);
  wire_timeout_stop(&timeout);
  wire_thread_run(); /* returns, as no timer is watched */
}

static void a_new_timeout_is_not_armed(void **unused) {
  (void)unused;
  spawn(waits, NULL);
  spawn(triggers_event_after, &short_time);
  wire_thread_run();
  assert_trace("event 1 ");
}

static void stops_watching_and_starts_again(void *unused) {
  (void)unused;
  int64_t begin = now_in_nanoseconds();
  reset(20);
  wire_timeout_wait_stop(&timeout);
  check(wire_fd_wait_msec(1) == 0);
  wire_timeout_wait_start(&timeout);
  mark("%d", wait_for_event());
  check(now_in_nanoseconds() - begin >= 20 * 1000000);
}

static void stops_watching_until_the_time_is_over(void *unused) {
  (void)unused;
  reset(1);
  wire_timeout_wait_stop(&timeout);
  check(wire_fd_wait_msec(5) == 0);
  wire_timeout_wait_start(&timeout);
  mark("%d", wait_for_event());
}

static void it_goes_on_counting_while_it_is_not_watched(void **unused) {
  (void)unused;
  assert_wire_marks(stops_watching_and_starts_again, "2");
  assert_wire_marks(stops_watching_until_the_time_is_over, "2");
}

static void what_is_armed_but_not_watched_does_not_keep_the_thread_running(void **unused) {
  (void)unused;
  reset(hour);
  wire_timeout_wait_stop(&timeout);
  wire_thread_run();
  wire_timeout_wait_stop(&timeout);
  wire_thread_run();
}

static void clears_an_expiry(void *busy) {
  reset(2);
  if (busy)
    busy_for(5); /* nobody has seen that the time is over */
  else
    mark("%d ", wait_for_event());
  wire_timeout_wait_stop(&timeout);
  wire_timeout_wait_start(&timeout);
  waits(NULL);
}

static void to_stop_watching_forgets_an_expiry(void **unused) {
  (void)unused;
  spawn(clears_an_expiry, NULL);
  while (*common_trace == '\0')
    wire_yield();
  spawn(triggers_event_after, &short_time);
  wire_thread_run();
  assert_trace("2 event 1 ");
}

static void to_stop_watching_forgets_an_expiry_that_nobody_has_seen(void **unused) {
  (void)unused;
  spawn(clears_an_expiry, "busy");
  spawn(triggers_event_after, &short_time);
  wire_thread_run();
  assert_trace("event 1 ");
}

/* --- lists ---------------------------------------------------------------------------------- */

static void waits_in_a_list(void *unused) {
  (void)unused;
  wire_timeout_t later;
  check(wire_timeout_init(&later) == 0);
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  check(wire_timeout_reset(&later, 20) == 0);
  reset(1);
  wire_wait_chain(&list, wire_timeout_wait_get(&later));
  wire_wait_chain(&list, wire_timeout_wait_get(&timeout));
  for (int i = 0; i < 2; i++)
    mark(wire_list_wait(&list) == wire_timeout_wait_get(&timeout) ? "short " : "long ");
  wire_timeout_stop(&timeout);
  mark(wire_list_wait(&list) == wire_timeout_wait_get(&timeout) ? "short " : "long ");
  wire_timeout_stop(&later);
}

static void its_wait_can_be_chained_into_a_list(void **unused) {
  (void)unused;
  assert_wire_marks(waits_in_a_list, "short short long ");
}

static void begins_and_ends(void *unused) {
  (void)unused;
  reset(hour);
  wire_yield();
}

static void takes_it_over(void *unused) {
  (void)unused;
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  reset(5);
  wire_yield();
  wire_yield(); /* the wire that armed it first ends */
  wire_wait_chain(&list, wire_timeout_wait_get(&timeout));
  check(wire_list_wait(&list) == wire_timeout_wait_get(&timeout));
  mark("expired");
}

static void arms_and_ends(void *unused) {
  (void)unused;
  reset(5);
}

static void waits_in_a_list_without_reset(void *unused) {
  (void)unused;
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  wire_wait_chain(&list, wire_timeout_wait_get(&timeout));
  check(wire_list_wait(&list) == wire_timeout_wait_get(&timeout));
  mark("expired");
}

/* The timeout is nobody's stack. */
static void it_outlives_the_wire_that_armed_it(void **unused) {
  (void)unused;
  spawn(arms_and_ends, NULL);
  spawn(waits_in_a_list_without_reset, NULL);
  wire_thread_run();
  assert_trace("expired");
}

static void it_belongs_to_the_wire_that_reset_it_last(void **unused) {
  (void)unused;
  spawn(begins_and_ends, NULL);
  spawn(takes_it_over, NULL);
  wire_thread_run();
  assert_trace("expired");
}

/* --- the end of wires ----------------------------------------------------------------------- */

static void leaves_armed(void *milliseconds) {
  wire_timeout_t own[8];
  for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
    check(wire_timeout_init(&own[i]) == 0);
    check(wire_timeout_reset(&own[i], *(int *)milliseconds) == 0);
  }
}

static void leaves_expired(void *unused) {
  (void)unused;
  wire_timeout_t own;
  check(wire_timeout_init(&own) == 0);
  check(wire_timeout_reset(&own, 1) == 0);
  mark("%d ", wire_timeout_wait(&event, &own));
}

static void a_wire_that_ends_leaves_no_armed_timeout_behind(void **unused) {
  (void)unused;
  spawn(leaves_armed, &hour);
  wire_thread_run();
  for (int i = 0; i < 10; i++)
    spawn(leaves_armed, &short_time);
  wire_thread_run();
}

static void a_wire_that_ends_leaves_no_expired_timeout_behind(void **unused) {
  (void)unused;
  assert_wire_marks(leaves_expired, "2 ");
  assert_wire_marks(leaves_expired, "2 ");
}

static void waits_for_an_hour(void *unused) {
  (void)unused;
  reset(hour);
  wait_for_event();
  mark("never ");
}

static void cancels(void *wire) {
  check(wire_fd_wait_msec(1) == 0);
  wire_cancel(wire);
  mark("cancelled ");
}

static void a_cancelled_wire_ends_in_its_wait_and_its_timeout_with_it(void **unused) {
  (void)unused;
  wire_t *wire = spawn(waits_for_an_hour, NULL);
  spawn(cancels, wire);
  wire_thread_run();
  assert_trace("cancelled ");
  /* The timeout can be used by another wire. */
  assert_wire_marks(waits_three_times, "2222");
}

/* --- arguments ------------------------------------------------------------------------------ */

static void bad_arguments_give_EINVAL_and_change_nothing(void **unused) {
  (void)unused;
  errno = 0;
  assert_int_equal(wire_timeout_init(NULL), -1);
  assert_int_equal(errno, EINVAL);
  errno = 0;
  assert_int_equal(wire_timeout_reset(NULL, 1), -1);
  assert_int_equal(errno, EINVAL);
  errno = 0;
  assert_int_equal(wire_timeout_reset(&timeout, -1), -1);
  assert_int_equal(errno, EINVAL);
  errno = 0;
  assert_int_equal(wire_timeout_wait(NULL, &timeout), -1);
  assert_int_equal(errno, EINVAL);
  errno = 0;
  assert_int_equal(wire_timeout_wait(&event, NULL), -1);
  assert_int_equal(errno, EINVAL);
  errno = 0;
  assert_int_equal(wire_timeout_wait(wire_timeout_wait_get(&timeout), &timeout), -1);
  assert_int_equal(errno, EINVAL);
  wire_thread_run();
}

static void a_negative_time_leaves_it_armed(void **unused) {
  (void)unused;
  reset(1);
  assert_int_equal(wire_timeout_reset(&timeout, -1), -1);
  assert_wire_marks(waits, "2 ");
}

static void misuses(void *which) {
  switch (*(int *)which) {
  case 0:
    wire_timeout_stop(NULL);
    break;
  case 1:
    wire_timeout_wait_start(NULL);
    break;
  case 2:
    wire_timeout_wait_stop(NULL);
    break;
  default:
    reset(hour);
    wire_timeout_wait(&event, &timeout);
  }
}

static void misuse_that_cannot_be_reported_aborts(void **unused) {
  (void)unused;
  static const char *const functions[] = {"wire_timeout_stop", "wire_timeout_wait_start",
                                          "wire_timeout_wait_stop", "wire_timeout_wait"};
  for (int i = 0; i < (int)ARRAY_SIZE(functions); i++)
    expect_abort(run_child(misuses, &i), functions[i], NULL);
}

static void succeeds_without_touching_errno(void *unused) {
  (void)unused;
  errno = 4711;
  check(wire_timeout_init(&timeout) == 0);
  reset(1);
  wire_timeout_wait_stop(&timeout);
  wire_timeout_wait_start(&timeout);
  check(wait_for_event() == 2);
  wire_timeout_stop(&timeout);
  check(errno == 4711);
}

static void successful_calls_leave_errno_alone(void **unused) {
  (void)unused;
  assert_wire_marks(succeeds_without_touching_errno, "");
}

/* The memory holds what an earlier function left there. */
static void uses_memory_as_it_is(void *unused) {
  (void)unused;
  for (int byte = 0; byte < 256; byte++) {
    wire_timeout_t own;
    memset(&own, byte, sizeof own);
    check(wire_timeout_init(&own) == 0);
    check(wire_timeout_reset(&own, 1) == 0);
    if (byte % 64 == 0)
      check(wire_timeout_wait(&event, &own) == 2);
    check(wire_timeout_init(&own) == 0); /* also ends what is armed */
  }
  mark("done");
}

static void init_does_not_look_at_the_former_content(void **unused) {
  (void)unused;
  assert_wire_marks(uses_memory_as_it_is, "done");
}

/* --- many, threads -------------------------------------------------------------------------- */

#define MANY 5000

static void *expires_many(void *unused) {
  (void)unused;
  wire_timeout_t *many = calloc(MANY, sizeof *many);
  check(many != NULL);
  int before = open_descriptors();
  for (int i = 0; i < MANY; i++)
    check(wire_timeout_init(&many[i]) == 0 && wire_timeout_reset(&many[i], 1 + i % 50) == 0);
  check(open_descriptors() <= before + 2); /* the poller's, and that of another thread */
  for (int i = 0; i < MANY; i += 2)
    wire_timeout_stop(&many[i]);
  wire_thread_run();
  for (int i = 0; i < MANY; i++)
    check(wire_timeout_wait_get(&many[i])->triggered == 0); /* nobody waited */
  wire_thread_init();
  free(many);
  return NULL;
}

static void many_timeouts_in_two_threads_cost_no_descriptors(void **unused) {
  (void)unused;
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, expires_many, NULL), 0);
  for (int i = 0; i < 2; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void) {
#define T(test) cmocka_unit_test_setup(test, new_timeout)
  const struct CMUnitTest tests[] = {
      T(it_expires_and_never_early),
      T(expired_it_stays_so_for_every_further_wait),
      T(an_expiry_before_the_wait_is_not_missed),
      T(the_event_comes_first),
      T(an_event_counts_more_than_an_expiry_at_the_same_time),
      T(reset_replaces_the_time),
      T(reset_reaches_a_wire_that_waits_already),
      T(zero_disarms),
      T(zero_forgets_an_expiry),
      T(stop_forgets_an_expiry),
      T(stop_disarms),
      T(a_new_timeout_is_not_armed),
      T(it_goes_on_counting_while_it_is_not_watched),
      T(what_is_armed_but_not_watched_does_not_keep_the_thread_running),
      T(to_stop_watching_forgets_an_expiry),
      T(to_stop_watching_forgets_an_expiry_that_nobody_has_seen),
      T(its_wait_can_be_chained_into_a_list),
      T(it_outlives_the_wire_that_armed_it),
      T(it_belongs_to_the_wire_that_reset_it_last),
      T(a_wire_that_ends_leaves_no_armed_timeout_behind),
      T(a_wire_that_ends_leaves_no_expired_timeout_behind),
      T(a_cancelled_wire_ends_in_its_wait_and_its_timeout_with_it),
      T(bad_arguments_give_EINVAL_and_change_nothing),
      T(a_negative_time_leaves_it_armed),
      T(misuse_that_cannot_be_reported_aborts),
      T(successful_calls_leave_errno_alone),
      T(init_does_not_look_at_the_former_content),
      T(many_timeouts_in_two_threads_cost_no_descriptors),
  };
  return cmocka_run_group_tests_name("wire_timeout", tests, NULL, NULL);
}
