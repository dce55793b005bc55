/* wire.h: the order in which wires run, suspending and resuming, and who is running. What
 * wire_thread_run waits for: test_wire_run.c. Arguments, names and starting afresh:
 * test_wire_init.c. Cancelling: test_wire_cancel.c. What a wire keeps over a switch:
 * test_context.c. What aborts: test_crash.c. */
#include "common.h"
#include "marking.h"

static char memory[16384];

static void new_wires_run_in_the_order_of_their_init(void **UNUSED(state)) {
  start_afresh();
  spawn(marking, "a");
  spawn(marking, "b");
  spawn(marking, "c");
  mark("main ");
  wire_thread_run();
  assert_trace("main a b c ");
}

static void yielding_wires_take_turns(void **UNUSED(state)) {
  start_afresh();
  spawn(yielding, "a");
  spawn(yielding, "b");
  spawn(yielding, "c");
  wire_thread_run();
  assert_trace("a1 b1 c1 a2 b2 c2 a3 b3 c3 ");
}

static void makes_another(void *name) {
  mark("%s ", (const char *)name);
  spawn(marking, "child");
  mark("goes-on ");
  wire_yield();
  mark("after-yield ");
}

static void wire_init_in_a_wire_leaves_the_caller_running(void **UNUSED(state)) {
  start_afresh();
  spawn(makes_another, "parent");
  spawn(marking, "other");
  wire_thread_run();
  assert_trace("parent goes-on other child after-yield ");
}

static void long_yielding(void *count) {
  for (int i = 0; i < 1000; i++) {
    ++*(int *)count;
    wire_yield();
  }
}

struct pair {
  int *mine, *other;
};

/* Two that yield to each other stay level, also over the slow path that asks the poller. */
static void stays_level(void *argument) {
  struct pair *pair = argument;
  for (int i = 0; i < 100000; i++) {
    ++*pair->mine;
    int lead = *pair->mine - *pair->other;
    check(lead >= 0 && lead <= 1);
    wire_yield();
  }
}

static void stays_behind(void *argument) {
  struct pair *pair = argument;
  for (int i = 0; i < 100000; i++) {
    ++*pair->mine;
    int lead = *pair->mine - *pair->other;
    check(lead == 0);
    wire_yield();
  }
}

static void the_order_holds_over_any_number_of_switches(void **UNUSED(state)) {
  start_afresh();
  int counts[2] = {0, 0};
  struct pair pairs[2] = {{&counts[0], &counts[1]}, {&counts[1], &counts[0]}};
  spawn(stays_level, &pairs[0]);
  spawn(stays_behind, &pairs[1]);
  wire_thread_run();
  assert_int_equal(counts[0], 100000);
  assert_int_equal(counts[1], 100000);
}

static void a_lone_wire_may_yield(void **UNUSED(state)) {
  start_afresh();
  int count = 0;
  spawn(long_yielding, &count);
  wire_thread_run();
  assert_int_equal(count, 1000);
}

static void resumed_wires_run_in_the_order_of_resume(void **UNUSED(state)) {
  start_afresh();
  wire_t *a = spawn(suspending, "a");
  wire_t *b = spawn(suspending, "b");
  wire_t *c = spawn(suspending, "c");
  wire_thread_run();
  assert_trace("a1 b1 c1 ");
  wire_resume(c);
  wire_resume(a);
  wire_resume(b);
  assert_trace("");
  wire_thread_run();
  assert_trace("c2 a2 b2 ");
}

static void resume_of_a_ready_wire_moves_it_to_the_tail(void **UNUSED(state)) {
  start_afresh();
  wire_t *a = spawn(suspending, "a");
  spawn(suspending, "b");
  wire_resume(a); /* has never run */
  wire_thread_run();
  assert_trace("b1 a1 ");

  start_afresh();
  a = spawn(suspending, "a");
  wire_t *b = spawn(suspending, "b");
  wire_thread_run();
  take_trace();
  wire_resume(a);
  wire_resume(b);
  wire_resume(a);
  wire_resume(a);
  wire_thread_run();
  assert_trace("b2 a2 ");
}

static void resumes_itself(void *name) {
  wire_resume(wire_get_current());
  mark("%s1 ", (const char *)name);
  wire_suspend();
  mark("%s2 ", (const char *)name);
}

static void a_wire_that_resumes_itself_is_not_resumed_later(void **UNUSED(state)) {
  start_afresh();
  spawn(resumes_itself, "a");
  spawn(marking, "b");
  wire_thread_run();
  assert_trace("a1 b ");
}

static void resume_of_an_ended_wire_is_ignored(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(marking, "a");
  wire_thread_run();
  wire_resume(wire);
  wire_resume(wire);
  assert_int_equal(wire_is_only_one(), 1);
  wire_thread_run();
  assert_trace("a ");
}

static void resume_of_a_wire_whose_stack_is_gone_is_ignored(void **UNUSED(state)) {
  start_afresh();
  static wire_t wire;
  void *stack = wire_stack_alloc(1 << 20);
  assert_non_null(wire_init(&wire, "short", marking, "a", stack, 1 << 20));
  wire_thread_run();
  wire_stack_free(stack, 1 << 20);
  wire_resume(&wire);
  wire_cancel(&wire);
  wire_thread_run();
  assert_trace("a ");
}

static void resume_and_cancel_of_a_wire_that_never_was_are_ignored(void **UNUSED(state)) {
  start_afresh();
  static wire_t zero;
  wire_resume(&zero);
  wire_cancel(&zero);
  assert_int_equal(wire_is_only_one(), 1);
  wire_thread_run();
}

static void resumes_the_thread(void *thread) {
  wire_resume(thread);
  mark("resumed ");
  wire_yield();
  mark("end ");
}

static void resume_of_the_thread_does_nothing(void **UNUSED(state)) {
  start_afresh();
  wire_resume(wire_get_current());
  assert_int_equal(wire_is_only_one(), 1);
  spawn(resumes_the_thread, wire_get_current());
  wire_thread_run();
  assert_trace("resumed end ");
}

static void sees_itself(void *storage) {
  check(wire_get_current() == (wire_t *)storage);
  check(wire_in_wire() == 1);
  check(strcmp(wire_get_current()->name, "own name") == 0);
  wire_yield();
  check(wire_get_current() == (wire_t *)storage);
  check(wire_in_wire() == 1);
}

static void get_current_and_in_wire_tell_where_the_caller_runs(void **UNUSED(state)) {
  start_afresh();
  static wire_t wire, wire2;
  static char memory2[sizeof memory];
  wire_t *outside = wire_get_current();
  assert_non_null(outside);
  assert_int_equal(wire_in_wire(), 0);
  assert_non_null(wire_init(&wire, "own name", sees_itself, &wire, memory, sizeof memory));
  assert_non_null(wire_init(&wire2, "own name", sees_itself, &wire2, memory2, sizeof memory2));
  wire_thread_run();
  assert_ptr_equal(wire_get_current(), outside);
  assert_int_equal(wire_in_wire(), 0);
  assert_true(memchr(outside->name, '\0', sizeof outside->name) != NULL);
}

static void looks_for_company(void *expected) {
  check(wire_is_only_one() == *(int *)expected);
  mark("looked ");
}

static void is_only_one_tells_whether_another_wire_is_ready(void **UNUSED(state)) {
  start_afresh();
  int alone = 1, company = 0;
  assert_int_equal(wire_is_only_one(), 1);
  spawn(looks_for_company, &company);
  assert_int_equal(wire_is_only_one(), 0);
  spawn(looks_for_company, &alone);
  wire_thread_run();
  assert_int_equal(wire_is_only_one(), 1);
  /* A suspended wire is no company. */
  wire_t *asleep = spawn(suspending, "s");
  wire_thread_run();
  assert_int_equal(wire_is_only_one(), 1);
  spawn(looks_for_company, &alone);
  wire_thread_run();
  wire_resume(asleep);
  assert_int_equal(wire_is_only_one(), 0);
  wire_thread_run();
  assert_trace("looked looked s1 looked s2 ");
}

static void exits(void *status) {
  printf("unwritten");
  exit(*(int *)status);
}

static void runs_a_wire_that_exits(void *status) {
  spawn(suspending, "s");
  spawn(exits, status);
  wire_thread_run();
}

static void a_wire_may_exit_the_process(void **UNUSED(state)) {
  int status = 7;
  const struct child *child = run_child(runs_a_wire_that_exits, &status);
  assert_true(WIFEXITED(child->status));
  assert_int_equal(WEXITSTATUS(child->status), 7);
  assert_string_equal(child->output, "unwritten");
  assert_string_equal(child->errors, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(new_wires_run_in_the_order_of_their_init),
      cmocka_unit_test(yielding_wires_take_turns),
      cmocka_unit_test(wire_init_in_a_wire_leaves_the_caller_running),
      cmocka_unit_test(the_order_holds_over_any_number_of_switches),
      cmocka_unit_test(a_lone_wire_may_yield),
      cmocka_unit_test(resumed_wires_run_in_the_order_of_resume),
      cmocka_unit_test(resume_of_a_ready_wire_moves_it_to_the_tail),
      cmocka_unit_test(a_wire_that_resumes_itself_is_not_resumed_later),
      cmocka_unit_test(resume_of_an_ended_wire_is_ignored),
      cmocka_unit_test(resume_of_a_wire_whose_stack_is_gone_is_ignored),
      cmocka_unit_test(resume_and_cancel_of_a_wire_that_never_was_are_ignored),
      cmocka_unit_test(resume_of_the_thread_does_nothing),
      cmocka_unit_test(get_current_and_in_wire_tell_where_the_caller_runs),
      cmocka_unit_test(is_only_one_tells_whether_another_wire_is_ready),
      cmocka_unit_test(a_wire_may_exit_the_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
