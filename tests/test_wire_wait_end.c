/* wire_wait.h: what becomes of waits whose wire is cancelled or ends, and what misuse gives. */
#include "common.h"
#include "waits.h"

#include "wire_defer.h"
#include "wire_pool.h"

static void at_the_end(struct wire_defer_list *UNUSED(node)) { mark("end "); }

/* Each way to wait, with a block that runs when the wire is cancelled. */
static void wait_in_a_list(void *UNUSED(argument)) {
  struct wire_defer_list node;
  wire_defer_push(&node, at_the_end);
  wire_wait_list_t local;
  wire_wait_list_init(&local);
  wire_wait_chain(&local, &a);
  wire_wait_chain(&local, &b);
  wire_list_wait(&local);
  mark("went on ");
}

static void wait_for_one(void *UNUSED(argument)) {
  struct wire_defer_list node;
  wire_defer_push(&node, at_the_end);
  wire_wait_single(&a);
  mark("went on ");
}

static void wait_for_two(void *UNUSED(argument)) {
  struct wire_defer_list node;
  wire_defer_push(&node, at_the_end);
  wire_wait_two(&a, &b);
  mark("went on ");
}

static void wait_for_nothing(void *UNUSED(argument)) {
  struct wire_defer_list node;
  wire_defer_push(&node, at_the_end);
  wire_wait_list_t local;
  wire_wait_list_init(&local);
  wire_list_wait(&local);
  mark("went on ");
}

static void (*const ways[])(void *) = {wait_in_a_list, wait_for_one, wait_for_two};

static void a_wire_cancelled_while_it_waits_only_ends(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
    prepare();
    wire_t *wire = spawn_named("waiting", ways[i], NULL);
    wire_thread_run();
    wire_cancel(wire);
    wire_thread_run();
    assert_trace("end ");
    wire_wait_resume(&a);
    wire_resume(wire);
    wire_thread_run();
    assert_trace("");
  }
}

static void a_wire_cancelled_after_its_wait_was_triggered_only_ends(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
    prepare();
    wire_t *wire = spawn_named("waiting", ways[i], NULL);
    wire_thread_run();
    assert_int_equal(wire_wait_resume(&a), 1);
    wire_cancel(wire);
    wire_thread_run();
    assert_trace("end ");
  }
}

static void a_list_without_waits_waits_until_the_wire_is_cancelled(void **UNUSED(state)) {
  prepare();
  wire_t *wire = spawn(wait_for_nothing, NULL);
  wire_thread_run();
  wire_resume(wire);
  wire_thread_run();
  assert_trace("");
  wire_cancel(wire);
  wire_thread_run();
  assert_trace("end ");
}

static void the_waits_of_a_cancelled_wire_are_in_no_list(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
    prepare();
    static wire_t wire;
    static char stack[65536] __attribute__((aligned(16)));
    assert_non_null(wire_init(&wire, "waiting", ways[i], NULL, stack, sizeof stack));
    wire_thread_run();
    wire_cancel(&wire);
    wire_thread_run();
    take_trace();
    static char before[sizeof stack];
    memset(stack, 0x5a, sizeof stack);
    memcpy(before, stack, sizeof stack);
    wire_wait_unchain(&a);
    wire_wait_unchain(&b);
    assert_memory_equal(stack, before, sizeof stack);
  }
}

static void suspend_and_note(void *UNUSED(argument)) {
  wire_suspend();
  mark("resumed ");
}

/* An old wait must not disturb whoever has the memory of its wire now. */
static void the_waits_of_a_cancelled_wire_wake_no_other_wire(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
    prepare();
    wire_pool_t pool;
    assert_int_equal(wire_pool_init(&pool, NULL, 1, COMMON_STACK), 0);
    wire_t *wire = wire_pool_alloc(&pool, "waiting", ways[i], NULL);
    wire_thread_run();
    wire_cancel(wire);
    wire_thread_run();
    assert_ptr_equal(wire_pool_alloc(&pool, "other", suspend_and_note, NULL), wire);
    wire_thread_run();
    assert_trace("end ");
    wire_wait_resume(&a);
    wire_wait_resume(&b);
    wire_thread_run();
    assert_trace("");
    wire_stack_free(pool.entries[0].stack, COMMON_STACK);
    free(pool.entries);
  }
}

static void chain_and_end(void *UNUSED(argument)) { wire_wait_chain(&list, &a); }

static void triggering_a_wait_whose_wire_has_ended_is_harmless(void **UNUSED(state)) {
  prepare();
  spawn(chain_and_end, NULL);
  wire_thread_run();
  assert_int_equal(wire_wait_resume(&a), 1);
  wire_thread_run();
  assert_ptr_equal(wire_list_wait(&list), &a);
}

static void null_arguments_of_what_returns_something_give_einval(void **UNUSED(state)) {
  prepare();
  errno = 0;
  assert_null(wire_list_wait(NULL));
  assert_int_equal(errno, EINVAL);
  errno = 0;
  assert_int_equal(wire_wait_resume(NULL), -1);
  assert_int_equal(errno, EINVAL);
  wire_wait_t *const pairs[][2] = {{NULL, &a}, {&a, NULL}, {NULL, NULL}, {&a, &a}};
  for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
    errno = 0;
    assert_int_equal(wire_wait_two(pairs[i][0], pairs[i][1]), -1);
    assert_int_equal(errno, EINVAL);
  }
}

static void list_init_null(void *UNUSED(argument)) { wire_wait_list_init(NULL); }
static void init_null(void *UNUSED(argument)) { wire_wait_init(NULL); }
static void chain_null(void *UNUSED(argument)) { wire_wait_chain(&list, NULL); }
static void chain_in_null(void *UNUSED(argument)) { wire_wait_chain(NULL, &a); }
static void unchain_null(void *UNUSED(argument)) { wire_wait_unchain(NULL); }
static void reset_null(void *UNUSED(argument)) { wire_wait_reset(NULL); }
static void stop_null(void *UNUSED(argument)) { wire_wait_stop(NULL); }
static void single_null(void *UNUSED(argument)) { wire_wait_single(NULL); }

static void in_a_wire(void *body) {
  void (**function)(void *) = body;
  spawn_named("culprit", *function, NULL);
  wire_thread_run();
}

static void null_arguments_of_what_returns_nothing_abort(void **UNUSED(state)) {
  prepare();
  static struct {
    void (*body)(void *);
    const char *name;
  } cases[] = {{list_init_null, "wire_wait_list_init"}, {init_null, "wire_wait_init"},
               {chain_null, "wire_wait_chain"},         {chain_in_null, "wire_wait_chain"},
               {unchain_null, "wire_wait_unchain"},     {reset_null, "wire_wait_reset"},
               {stop_null, "wire_wait_stop"},           {single_null, "wire_wait_single"}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    expect_abort(run_child(cases[i].body, NULL), cases[i].name, "NULL");
    expect_abort(run_child(in_a_wire, &cases[i].body), cases[i].name, "culprit");
  }
}

static void list_wait_outside(void *UNUSED(argument)) {
  wire_wait_chain(&list, &a);
  wire_list_wait(&list);
}

static void single_outside(void *UNUSED(argument)) { wire_wait_single(&a); }
static void two_outside(void *UNUSED(argument)) { wire_wait_two(&a, &b); }

static void waiting_outside_a_wire_aborts(void **UNUSED(state)) {
  prepare();
  expect_abort(run_child(list_wait_outside, NULL), "wire_list_wait", "outside");
  expect_abort(run_child(single_outside, NULL), "wire_wait_single", "outside");
  expect_abort(run_child(two_outside, NULL), "wire_wait_two", "outside");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wire_cancelled_while_it_waits_only_ends),
      cmocka_unit_test(a_wire_cancelled_after_its_wait_was_triggered_only_ends),
      cmocka_unit_test(a_list_without_waits_waits_until_the_wire_is_cancelled),
      cmocka_unit_test(the_waits_of_a_cancelled_wire_are_in_no_list),
      cmocka_unit_test(the_waits_of_a_cancelled_wire_wake_no_other_wire),
      cmocka_unit_test(triggering_a_wait_whose_wire_has_ended_is_harmless),
      cmocka_unit_test(null_arguments_of_what_returns_something_give_einval),
      cmocka_unit_test(null_arguments_of_what_returns_nothing_abort),
      cmocka_unit_test(waiting_outside_a_wire_aborts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
