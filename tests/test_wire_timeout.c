/* wire_timeout.h: a time after which a wait is triggered. No test says how fast anything is; the
 * lower bound "never early" is exact. Lists and the end of wires are in test_wire_timeout_end.c. */
#include "common.h"
#include "timeouts.h"

static void triggers_event_after(void *milliseconds) {
  check(wire_fd_wait_msec(*(int *)milliseconds) == 0);
  mark("event ");
  wire_wait_resume(&event);
}

static int zero;

/* --- expiry --------------------------------------------------------------------------------- */

static void expires_in_turn(void *UNUSED(argument)) {
  for (int milliseconds = 1; milliseconds <= 20; milliseconds += 3) {
    int64_t begin = nanoseconds_now();
    reset(milliseconds);
    mark("%d", wait_for_event());
    check(nanoseconds_now() - begin >= (int64_t)milliseconds * 1000000);
  }
}

static void it_expires_and_never_early(void **UNUSED(state)) {
  assert_wire_marks(expires_in_turn, "2222222");
}

static void expired_it_stays_so_for_every_further_wait(void **UNUSED(state)) {
  assert_wire_marks(waits_three_times, "2222");
}

static void waits_after_the_time(void *UNUSED(argument)) {
  reset(1);
  check(wire_fd_wait_msec(5) == 0);
  mark("%d", wait_for_event());
}

static void an_expiry_before_the_wait_is_not_missed(void **UNUSED(state)) {
  assert_wire_marks(waits_after_the_time, "2");
}

static void the_event_comes_first(void **UNUSED(state)) {
  reset(hour);
  spawn(waits, NULL);
  spawn(triggers_event_after, &short_time);
  while (strchr(common_trace, '1') == NULL)
    wire_yield();
  assert_trace("event 1 ");
  wire_timeout_stop(&timeout);
  wire_thread_run();
}

static void waits_until_both_are_triggered(void *UNUSED(argument)) {
  reset(1);
  mark("%d ", wait_for_event());
}

static void triggers_event_late(void *UNUSED(argument)) {
  wire_yield();
  spin(5000000); /* the time is over, and the waiting wire could not run */
  wire_wait_resume(&event);
}

static void an_event_counts_more_than_an_expiry_at_the_same_time(void **UNUSED(state)) {
  spawn(waits_until_both_are_triggered, NULL);
  spawn(triggers_event_late, NULL);
  wire_thread_run();
  assert_trace("1 ");
}

/* --- reset, stop, start --------------------------------------------------------------------- */

static void resets_to_a_later_time(void *UNUSED(argument)) {
  int64_t begin = nanoseconds_now();
  reset(1);
  reset(20);
  mark("%d", wait_for_event());
  check(nanoseconds_now() - begin >= 20 * 1000000);
}

static void resets_to_an_earlier_time(void *UNUSED(argument)) {
  reset(hour);
  reset(1);
  mark("%d", wait_for_event());
}

static void reset_replaces_the_time(void **UNUSED(state)) {
  assert_wire_marks(resets_to_a_later_time, "2");
  assert_wire_marks(resets_to_an_earlier_time, "2");
}

static void resets_while_another_waits(void *UNUSED(argument)) {
  mark("reset ");
  reset(1);
}

static void reset_reaches_a_wire_that_waits_already(void **UNUSED(state)) {
  reset(hour);
  spawn(waits, NULL);
  spawn(resets_while_another_waits, NULL);
  wire_thread_run();
  assert_trace("reset 2 ");
}

static void zero_disarms(void **UNUSED(state)) {
  reset(1);
  reset(0);
  spawn(waits, NULL);
  spawn(triggers_event_after, &short_time);
  wire_thread_run();
  assert_trace("event 1 ");
}

static void expires_and_disarms(void *UNUSED(argument)) {
  reset(1);
  mark("%d ", wait_for_event());
  reset(0);
  waits(NULL);
}

static void zero_forgets_an_expiry(void **UNUSED(state)) {
  spawn(expires_and_disarms, NULL);
  while (*common_trace == '\0')
    wire_yield();
  spawn(triggers_event_after, &zero);
  wire_thread_run();
  assert_trace("2 event 1 ");
}

static void expires_and_stops(void *UNUSED(argument)) {
  reset(1);
  mark("%d ", wait_for_event());
  wire_timeout_stop(&timeout);
  waits(NULL);
}

static void stop_forgets_an_expiry(void **UNUSED(state)) {
  spawn(expires_and_stops, NULL);
  while (*common_trace == '\0')
    wire_yield();
  spawn(triggers_event_after, &zero);
  wire_thread_run();
  assert_trace("2 event 1 ");
}

static void stop_disarms(void **UNUSED(state)) {
  reset(hour);
  wire_timeout_stop(&timeout);
  wire_timeout_stop(&timeout);
  wire_thread_run(); /* returns, as no timer is watched */
}

static void a_new_timeout_is_not_armed(void **UNUSED(state)) {
  spawn(waits, NULL);
  spawn(triggers_event_after, &short_time);
  wire_thread_run();
  assert_trace("event 1 ");
}

static void stops_watching_and_starts_again(void *UNUSED(argument)) {
  int64_t begin = nanoseconds_now();
  reset(20);
  wire_timeout_wait_stop(&timeout);
  check(wire_fd_wait_msec(1) == 0);
  wire_timeout_wait_start(&timeout);
  mark("%d", wait_for_event());
  check(nanoseconds_now() - begin >= 20 * 1000000);
}

static void stops_watching_until_the_time_is_over(void *UNUSED(argument)) {
  reset(1);
  wire_timeout_wait_stop(&timeout);
  check(wire_fd_wait_msec(5) == 0);
  wire_timeout_wait_start(&timeout);
  mark("%d", wait_for_event());
}

static void it_goes_on_counting_while_it_is_not_watched(void **UNUSED(state)) {
  assert_wire_marks(stops_watching_and_starts_again, "2");
  assert_wire_marks(stops_watching_until_the_time_is_over, "2");
}

static void what_is_armed_but_not_watched_does_not_keep_the_thread_running(void **UNUSED(state)) {
  reset(hour);
  wire_timeout_wait_stop(&timeout);
  wire_thread_run();
  wire_timeout_wait_stop(&timeout);
  wire_thread_run();
}

static void clears_an_expiry(void *busy) {
  reset(2);
  if (busy)
    spin(5000000); /* nobody has seen that the time is over */
  else
    mark("%d ", wait_for_event());
  wire_timeout_wait_stop(&timeout);
  wire_timeout_wait_start(&timeout);
  waits(NULL);
}

static void to_stop_watching_forgets_an_expiry(void **UNUSED(state)) {
  spawn(clears_an_expiry, NULL);
  while (*common_trace == '\0')
    wire_yield();
  spawn(triggers_event_after, &short_time);
  wire_thread_run();
  assert_trace("2 event 1 ");
}

static void to_stop_watching_forgets_an_expiry_that_nobody_has_seen(void **UNUSED(state)) {
  spawn(clears_an_expiry, "busy");
  spawn(triggers_event_after, &short_time);
  wire_thread_run();
  assert_trace("event 1 ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TIMEOUT(it_expires_and_never_early),
      TIMEOUT(expired_it_stays_so_for_every_further_wait),
      TIMEOUT(an_expiry_before_the_wait_is_not_missed),
      TIMEOUT(the_event_comes_first),
      TIMEOUT(an_event_counts_more_than_an_expiry_at_the_same_time),
      TIMEOUT(reset_replaces_the_time),
      TIMEOUT(reset_reaches_a_wire_that_waits_already),
      TIMEOUT(zero_disarms),
      TIMEOUT(zero_forgets_an_expiry),
      TIMEOUT(stop_forgets_an_expiry),
      TIMEOUT(stop_disarms),
      TIMEOUT(a_new_timeout_is_not_armed),
      TIMEOUT(it_goes_on_counting_while_it_is_not_watched),
      TIMEOUT(what_is_armed_but_not_watched_does_not_keep_the_thread_running),
      TIMEOUT(to_stop_watching_forgets_an_expiry),
      TIMEOUT(to_stop_watching_forgets_an_expiry_that_nobody_has_seen),
  };
  return cmocka_run_group_tests_name("wire_timeout", tests, NULL, NULL);
}
