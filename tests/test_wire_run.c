/* wire.h, on the thread's side: what wire_thread_run waits for, and wire_yield outside wires. */
#include "common.h"
#include "marking.h"

#include "wire_fd.h"

static void long_yielding(void *count) {
  for (int i = 0; i < 1000; i++) {
    ++*(int *)count;
    wire_yield();
  }
}

static void run_returns_at_once_without_wires(void **UNUSED(state)) {
  start_afresh();
  wire_thread_run();
  wire_thread_run();
}

static void run_leaves_suspended_wires_and_can_be_called_again(void **UNUSED(state)) {
  start_afresh();
  wire_t *a = spawn(suspending, "a");
  spawn(suspending, "forever");
  wire_thread_run();
  wire_thread_run();
  assert_trace("a1 forever1 ");
  wire_resume(a);
  wire_thread_run();
  assert_trace("a2 ");
  spawn(marking, "new");
  wire_thread_run();
  assert_trace("new ");
}

static void sleeping(void *milliseconds) {
  int64_t begun = milliseconds_now();
  check(wire_fd_wait_msec(*(int *)milliseconds) == 0);
  check(milliseconds_now() - begun >= *(int *)milliseconds);
  mark("slept ");
}

static void run_waits_for_a_sleeping_wire(void **UNUSED(state)) {
  start_afresh();
  int milliseconds = 30;
  spawn(sleeping, &milliseconds);
  wire_thread_run();
  assert_trace("slept ");
}

static void waits_for_input(void *fd) {
  wire_fd_state_t watched;
  wire_fd_mode_init(&watched, *(int *)fd);
  check(wire_fd_mode_read(&watched) == 0);
  wire_fd_wait(&watched);
  mark("readable ");
  check(wire_fd_mode_none(&watched) == 0);
}

static void writes_later(void *fd) {
  check(wire_fd_wait_msec(20) == 0);
  mark("writes ");
  check(write(*(int *)fd, "x", 1) == 1);
}

static void run_waits_for_a_watched_descriptor(void **UNUSED(state)) {
  start_afresh();
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  spawn(waits_for_input, &ends[0]);
  spawn(writes_later, &ends[1]);
  wire_thread_run();
  assert_trace("writes readable ");
  close(ends[0]);
  close(ends[1]);
}

/* The watch is kept by a wire that is suspended for good: it still counts, until its end. */
static void watches_and_suspends(void *fd) {
  wire_fd_state_t watched;
  wire_fd_mode_init(&watched, *(int *)fd);
  check(wire_fd_mode_read(&watched) == 0);
  mark("suspends ");
  wire_suspend();
  mark("never ");
}

static void cancels_after_a_while(void *wire) {
  check(wire_fd_wait_msec(20) == 0);
  mark("cancels ");
  wire_cancel(wire);
}

static void run_waits_while_a_descriptor_is_watched(void **UNUSED(state)) {
  start_afresh();
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  wire_t *watcher = spawn(watches_and_suspends, &ends[0]);
  spawn(cancels_after_a_while, watcher);
  wire_thread_run();
  assert_trace("suspends cancels ");
  close(ends[0]);
  close(ends[1]);
}

static void yield_outside_wires_lets_each_ready_wire_run_once(void **UNUSED(state)) {
  start_afresh();
  wire_yield();
  spawn(yielding, "a");
  spawn(suspending, "b");
  spawn(marking, "c");
  wire_yield();
  assert_trace("a1 b1 c ");
  assert_int_equal(wire_in_wire(), 0);
  wire_yield();
  assert_trace("a2 ");
  wire_thread_run();
  assert_trace("a3 ");
  wire_yield();
  assert_trace("");
}

static void yield_outside_wires_comes_back_any_number_of_times(void **UNUSED(state)) {
  start_afresh();
  int count = 0;
  spawn(long_yielding, &count);
  for (int i = 1; i <= 1000; i++) {
    wire_yield();
    assert_int_equal(count, i);
  }
  wire_yield();
  wire_yield();
  assert_int_equal(wire_is_only_one(), 1);
}

/* Timers are served by yielding alone, without wire_thread_run. */
static void yield_outside_wires_serves_timers(void **UNUSED(state)) {
  start_afresh();
  int milliseconds = 10;
  spawn(sleeping, &milliseconds);
  while (strcmp(common_trace, "slept ") != 0)
    wire_yield();
  take_trace();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(run_returns_at_once_without_wires),
      cmocka_unit_test(run_leaves_suspended_wires_and_can_be_called_again),
      cmocka_unit_test(run_waits_for_a_sleeping_wire),
      cmocka_unit_test(run_waits_for_a_watched_descriptor),
      cmocka_unit_test(run_waits_while_a_descriptor_is_watched),
      cmocka_unit_test(yield_outside_wires_lets_each_ready_wire_run_once),
      cmocka_unit_test(yield_outside_wires_comes_back_any_number_of_times),
      cmocka_unit_test(yield_outside_wires_serves_timers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
