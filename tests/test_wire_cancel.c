/* wire_cancel: when and where a wire ends, and cancelling oneself. What becomes of its DEFER
 * blocks: test_wire_cancel_blocks.c. Cancelling what waits for something:
 * test_wire_cancel_waiting.c; wires of a pool: test_wire_pool_cancel.c. */
#include "common.h"
#include "marking.h"

#include "wire_defer.h"
#include "wire_fd.h"

static void suspends(void *name) {
  mark("%s ", (const char *)name);
  wire_suspend();
  mark("never ");
}

static void a_suspended_wire_ends_without_going_on(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(suspends, "s");
  wire_thread_run();
  wire_cancel(wire);
  assert_int_equal(wire_is_only_one(), 0);
  wire_thread_run();
  assert_trace("s ");
  wire_resume(wire);
  assert_int_equal(wire_is_only_one(), 1);
}

static void a_wire_that_never_ran_does_not_start(void **UNUSED(state)) {
  start_afresh();
  wire_cancel(spawn(never, NULL));
  wire_thread_run();
  wire_t *first = spawn(never, NULL);
  spawn(marking, "a");
  wire_t *second = spawn(never, NULL);
  wire_t *third = spawn(never, NULL);
  wire_cancel(first);
  wire_cancel(third);
  wire_cancel(second);
  wire_thread_run();
  assert_trace("a ");
  wire_resume(first);
  assert_int_equal(wire_is_only_one(), 1);
}

static void cancels(void *wire) {
  wire_cancel(wire);
  mark("cancelled ");
  wire_yield();
  mark("after ");
}

/* The switch meets a wire that must not start, with and without others behind it. */
static void a_wire_that_never_ran_is_passed_over_by_each_kind_of_switch(void **UNUSED(state)) {
  for (int others = 0; others < 3; others++) {
    start_afresh();
    static wire_t victim;
    static char stack[COMMON_STACK];
    spawn(cancels, &victim);
    wire_init(&victim, "victim", never, NULL, stack, sizeof stack);
    for (int i = 0; i < others; i++)
      spawn(marking, "other");
    wire_thread_run();
    static const char *const expected[] = {"cancelled after ", "cancelled other after ",
                                           "cancelled other other after "};
    assert_trace(expected[others]);
  }
}

static void yields(void *name) {
  mark("%s ", (const char *)name);
  wire_yield();
  mark("never ");
}

static void a_ready_wire_ends_at_its_turn(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(yields, "y");
  spawn(cancels, wire);
  wire_thread_run();
  assert_trace("y cancelled after ");
}

static void cancelling_twice_and_resuming_changes_nothing(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(suspends, "s");
  wire_thread_run();
  wire_cancel(wire);
  wire_cancel(wire);
  wire_resume(wire);
  wire_cancel(wire);
  wire_thread_run();
  wire_cancel(wire); /* has ended */
  assert_int_equal(wire_is_only_one(), 1);
  assert_trace("s ");
}

static void resume_of_a_cancelled_wire_moves_it_to_the_tail(void **UNUSED(state)) {
  start_afresh();
  wire_t *a = spawn(suspends, "s");
  wire_thread_run();
  wire_cancel(a);
  spawn(marking, "b");
  wire_resume(a);
  assert_int_equal(wire_is_only_one(), 0);
  wire_thread_run();
  assert_trace("s b ");
}

static void the_memory_of_a_cancelled_wire_may_be_used_again(void **UNUSED(state)) {
  start_afresh();
  static wire_t wire;
  static char stack[COMMON_STACK];
  for (int i = 0; i < 100; i++) {
    wire_init(&wire, "again", i % 2 ? suspends : never, "s", stack, sizeof stack);
    if (i % 2)
      wire_thread_run();
    wire_cancel(&wire);
    wire_thread_run();
    memset(&wire, 0, sizeof wire);
    memset(stack, 0xee, sizeof stack);
    assert_trace(i % 2 ? "s " : "");
  }
}

static void run_block(struct wire_defer_list *UNUSED(node)) { mark("block "); }

static void ends_at(void *suspension_point) {
  struct wire_defer_list block;
  wire_defer_push(&block, run_block);
  wire_cancel(wire_get_current());
  mark("goes-on ");
  ((void (*)(void))suspension_point)();
  mark("never ");
}

static void short_sleep(void) { wire_fd_wait_msec(1); }

static void long_sleep(void) { wire_fd_wait_msec(3600 * 1000); }

static void oneself_alone_and_in_company(void **UNUSED(state)) {
  void (*const points[])(void) = {wire_suspend, wire_yield, short_sleep, long_sleep};
  for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
    start_afresh();
    spawn(ends_at, (void *)points[i]);
    wire_thread_run();
    assert_trace("goes-on block ");
    spawn(ends_at, (void *)points[i]);
    spawn(marking, "company");
    wire_thread_run();
    assert_trace("goes-on block company ");
  }
}

static void returns_cancelled(void *UNUSED(argument)) {
  struct wire_defer_list block;
  wire_defer_push(&block, run_block);
  wire_cancel(wire_get_current());
  wire_defer_pop(&block);
  run_block(&block);
}

static void oneself_and_returning_runs_each_block_once(void **UNUSED(state)) {
  start_afresh();
  spawn(returns_cancelled, NULL);
  spawn(marking, "next");
  wire_thread_run();
  assert_trace("block next ");
}

/* The look at the poller that a wire's switches come to by and by must not hide the cancelling. */
static void ends_after_many_switches(void *count) {
  for (int i = 0; i < *(int *)count; i++)
    wire_yield();
  wire_cancel(wire_get_current());
  wire_yield();
  mark("never ");
}

static void oneself_after_any_number_of_switches(void **UNUSED(state)) {
  for (int count = 0; count < 300; count++) {
    start_afresh();
    spawn(ends_after_many_switches, &count);
    spawn(ends_after_many_switches, &count);
    wire_thread_run();
    assert_trace("");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_suspended_wire_ends_without_going_on),
      cmocka_unit_test(a_wire_that_never_ran_does_not_start),
      cmocka_unit_test(a_wire_that_never_ran_is_passed_over_by_each_kind_of_switch),
      cmocka_unit_test(a_ready_wire_ends_at_its_turn),
      cmocka_unit_test(cancelling_twice_and_resuming_changes_nothing),
      cmocka_unit_test(resume_of_a_cancelled_wire_moves_it_to_the_tail),
      cmocka_unit_test(the_memory_of_a_cancelled_wire_may_be_used_again),
      cmocka_unit_test(oneself_alone_and_in_company),
      cmocka_unit_test(oneself_and_returning_runs_each_block_once),
      cmocka_unit_test(oneself_after_any_number_of_switches),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
