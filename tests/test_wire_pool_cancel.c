/* wire_pool.h: an entry comes back when its wire has ended, however it ended, and goes to the next
 * in line when whoever was to have it is cancelled. */
#include "common.h"
#include "pools.h"

#include "wire_defer.h"
#include "wire_fd.h"

static void cancels_itself(void *how) {
  wire_cancel(wire_get_current());
  if (how != NULL)
    wire_yield();
}

static void yields_for_ever(void *UNUSED(argument)) {
  for (;;)
    wire_yield();
}

static void sleeps_for_long(void *UNUSED(argument)) { wire_fd_wait_msec(3600 * 1000); }

/* With waiters or without, all at once, the entries come back. */
static void a_cancelled_wire_gives_its_entry_back(void **UNUSED(state)) {
  void (*const bodies[])(void *) = {suspending, yields_for_ever, sleeps_for_long};
  for (unsigned waiters = 0; waiters < 3; waiters++) {
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
      for (int has_run = 0; has_run < 2; has_run++) {
        make_pool(1);
        wire_t *wire = take(bodies[i], "");
        for (unsigned w = 0; w < waiters; w++)
          spawn(waiter, "w");
        for (int turns = 0; turns < 3 * has_run; turns++)
          wire_yield();
        if (!has_run && waiters > 0)
          wire_resume(wire); /* behind the waiters */
        take_trace();
        wire_cancel(wire);
        wire_thread_run();
        static const char *const expected[] = {"", "(by w) w ", "(by w) w (by w) w "};
        assert_trace(expected[waiters]);
        assert_all_free(1);
      }
    }
  }
}

static void a_wire_that_cancels_itself_gives_its_entry_back_once(void **UNUSED(state)) {
  for (int suspends = 0; suspends < 2; suspends++) {
    make_pool(2);
    take(cancels_itself, suspends ? &pool : NULL);
    wire_thread_run();
    assert_all_free(2);
    take(cancels_itself, suspends ? &pool : NULL);
    take(cancels_itself, suspends ? &pool : NULL);
    spawn(waiter, "a");
    wire_thread_run();
    assert_trace("(by a) a ");
    assert_all_free(2);
  }
}

static void cancels(void *wire) { wire_cancel(wire); }

static void one_wire_cancels_all(void *UNUSED(argument)) {
  for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
    wire_cancel(&entries[i].task);
}

static void many_cancelled_before_they_ran_serve_as_many_waiters(void **UNUSED(state)) {
  make_pool(4);
  for (int i = 0; i < 6; i++)
    spawn(waiter, "w");
  for (int i = 0; i < 4; i++)
    take(never, NULL);
  one_wire_cancels_all(NULL);
  wire_thread_run();
  assert_trace("(by w) (by w) (by w) (by w) w w w w (by w) (by w) w w ");
  assert_all_free(4);
}

static void a_cancelled_waiter_loses_its_place(void **UNUSED(state)) {
  make_pool(1);
  wire_t *busy = take(suspending, "busy");
  wire_t *first = spawn(waiter, "never");
  spawn(waiter, "second");
  wire_t *third = spawn(waiter, "never");
  wire_thread_run();
  wire_cancel(first);
  wire_cancel(third);
  wire_thread_run();
  wire_resume(busy);
  wire_thread_run();
  assert_trace("busy1 busy2 (by second) second ");
  assert_all_free(1);
}

/* The entry is the first waiter's when that is cancelled before it runs. */
static void an_entry_given_to_a_cancelled_waiter_goes_to_the_next(void **UNUSED(state)) {
  for (int has_next = 0; has_next < 2; has_next++) {
    make_pool(1);
    wire_t *busy = take(suspending, "busy");
    wire_t *first = spawn(waiter, "never");
    if (has_next)
      spawn(waiter, "second");
    wire_thread_run();
    wire_resume(busy);
    spawn(cancels, first); /* runs after busy ends, before first goes on */
    wire_thread_run();
    assert_trace(has_next ? "busy1 busy2 (by second) second " : "busy1 busy2 ");
    assert_all_free(1);
  }
}

static void cancelled_before_it_waits(void *name) {
  wire_cancel(wire_get_current());
  wire_pool_alloc_block(&pool, name, marking, name);
  mark("went-on ");
  wire_yield();
  mark("never ");
}

static void a_waiter_that_cancelled_itself_ends_where_it_would_wait(void **UNUSED(state)) {
  make_pool(1);
  wire_t *busy = take(suspending, "busy");
  wire_yield();
  spawn(cancelled_before_it_waits, "no-wait");
  wire_thread_run();
  wire_resume(busy);
  wire_thread_run();
  assert_trace("busy1 busy2 ");
  spawn(cancelled_before_it_waits, "no-wait");
  wire_thread_run();
  assert_trace("went-on no-wait ");
  assert_all_free(1);
}

static void block_sleeps(struct wire_defer_list *UNUSED(node)) {
  mark("block1 ");
  check(wire_fd_wait_msec(2) == 0);
  mark("block2 ");
}

static void has_a_block(void *UNUSED(argument)) {
  struct wire_defer_list node;
  wire_defer_push(&node, block_sleeps);
  wire_suspend();
}

static void the_entry_is_free_only_after_the_defer_blocks(void **UNUSED(state)) {
  make_pool(1);
  wire_t *wire = take(has_a_block, NULL);
  spawn(waiter, "a");
  wire_thread_run();
  wire_cancel(wire);
  wire_yield();
  assert_null(take(never, NULL));
  wire_thread_run();
  assert_trace("block1 block2 (by a) a ");
}

static void resumes_itself_and_ends(void *UNUSED(argument)) {
  wire_resume(wire_get_current());
  mark("ends ");
}

static void a_resume_of_the_former_wire_does_not_start_the_next_early(void **UNUSED(state)) {
  make_pool(1);
  wire_t *wire = take(resumes_itself_and_ends, NULL);
  spawn(waiter, "a");
  spawn(waiter, "b");
  wire_resume(wire);
  wire_resume(wire);
  wire_thread_run();
  assert_trace("ends (by a) a (by b) b ");
  wire_resume(wire);
  wire_cancel(wire);
  assert_int_equal(wire_is_only_one(), 1);
  assert_all_free(1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cancelled_wire_gives_its_entry_back),
      cmocka_unit_test(a_wire_that_cancels_itself_gives_its_entry_back_once),
      cmocka_unit_test(many_cancelled_before_they_ran_serve_as_many_waiters),
      cmocka_unit_test(a_cancelled_waiter_loses_its_place),
      cmocka_unit_test(an_entry_given_to_a_cancelled_waiter_goes_to_the_next),
      cmocka_unit_test(a_waiter_that_cancelled_itself_ends_where_it_would_wait),
      cmocka_unit_test(the_entry_is_free_only_after_the_defer_blocks),
      cmocka_unit_test(a_resume_of_the_former_wire_does_not_start_the_next_early),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
