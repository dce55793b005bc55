/* What the tests of wire_timeout share: a timeout, an event that is waited for beside it, and wires
 * that use the two. Include common.h first. */
#ifndef TESTS_TIMEOUTS_H
#define TESTS_TIMEOUTS_H

#include "wire_timeout.h"

static wire_timeout_t timeout;
static wire_wait_t event;

HELPER int new_timeout(void **UNUSED(state)) {
  start_afresh();
  take_trace();
  assert_int_equal(wire_timeout_init(&timeout), 0);
  wire_wait_init(&event);
  return 0;
}

#define TIMEOUT(test) cmocka_unit_test_setup(test, new_timeout)

static int short_time = 5, hour = 3600 * 1000; /* milliseconds */

HELPER void reset(int milliseconds) { check(wire_timeout_reset(&timeout, milliseconds) == 0); }

HELPER int wait_for_event(void) { return wire_timeout_wait(&event, &timeout); }

HELPER void waits(void *UNUSED(argument)) { mark("%d ", wait_for_event()); }

HELPER void waits_three_times(void *UNUSED(argument)) {
  reset(1);
  for (int i = 0; i < 3; i++)
    mark("%d", wait_for_event());
  reset(1);
  mark("%d", wait_for_event());
}

/* Runs a wire and compares what it marks. */
#define assert_wire_marks(entry, expected)                                                         \
  do {                                                                                             \
    spawn(entry, NULL);                                                                            \
    wire_thread_run();                                                                             \
    assert_trace(expected);                                                                        \
  } while (0)

#endif
