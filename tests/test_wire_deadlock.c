/* WIRE_DEADLOCK=report: the list of wire_dump when wire_thread_run returns while wires wait.
 * Whether it is asked for is looked up once in a process: each test is in a child. */
#include "common.h"

#include "wire_lock.h"
#include "wire_log.h"

static wire_lock_t lock;

static void takes_lock(void *UNUSED(argument)) {
  wire_lock_take(&lock);
  wire_suspend();
}

static void yields(void *UNUSED(argument)) { wire_yield(); }

static void deadlocks(void *with_log) {
  start_afresh();
  wire_lock_init(&lock);
  if (with_log != NULL)
    wire_log_init_stderr();
  spawn(takes_lock, NULL);
  spawn_named("second", takes_lock, NULL);
  wire_thread_run();
}

static void all_end(void *UNUSED(argument)) {
  start_afresh();
  wire_log_init_stderr();
  spawn(yields, NULL);
  wire_thread_run();
}

static void a_deadlock_is_reported_on_request(void **UNUSED(state)) {
  setenv("WIRE_DEADLOCK", "report", 1);
  for (int log = 0; log < 2; log++) {
    const struct child *child = run_child(deadlocks, log ? &log : NULL);
    expect_success(child);
    expect_said(child, "libwire: wire_thread_run returns while 2 wires wait for what will never "
                       "happen\nlibwire: thread ");
    expect_said(child, " 'takes_lock', stack ");
    expect_said(child, ": waits for lock 0x");
  }
  const struct child *child = run_child(all_end, NULL);
  expect_success(child);
  assert_string_equal(child->errors, "");
  unsetenv("WIRE_DEADLOCK");
}

static void nothing_is_reported_unasked(void **UNUSED(state)) {
  unsetenv("WIRE_DEADLOCK");
  const struct child *child = run_child(deadlocks, NULL);
  expect_success(child);
  assert_string_equal(child->errors, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_deadlock_is_reported_on_request),
      cmocka_unit_test(nothing_is_reported_unasked),
  };
  return cmocka_run_group_tests_name("wire_deadlock", tests, NULL, NULL);
}
