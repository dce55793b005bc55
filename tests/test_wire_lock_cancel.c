/* What wire_cancel does to a wire that waits for a lock, has been given it, or holds it. */
#include "common.h"
#include "locks.h"

#include "wire_defer.h"

static void a_cancelled_waiter_loses_its_place(void **UNUSED(state)) {
  for (int which = 0; which < 3; which++) {
    prepare();
    static const char *const names[] = {"0", "1", "2"};
    static const char *const expected[] = {"1+ 2+ ", "0+ 2+ ", "0+ 1+ "};
    wire_lock_take(&lock);
    wire_t *waiters[3];
    for (int i = 0; i < 3; i++)
      waiters[i] = spawn(take, (void *)names[i]);
    wire_thread_run();
    wire_cancel(waiters[which]);
    assert_int_equal(lock.num_users, 3);
    for (int i = 0; i < 3; i++) {
      wire_lock_release(&lock);
      wire_thread_run();
    }
    assert_trace(expected[which]);
    assert_free();
  }
}

static void a_waiter_cancelled_after_it_was_given_the_lock_passes_it_on(void **UNUSED(state)) {
  prepare();
  wire_lock_take(&lock);
  wire_t *cancelled = spawn(take, "1");
  spawn(take, "2");
  wire_thread_run();
  wire_lock_release(&lock);
  wire_cancel(cancelled);
  assert_int_equal(lock.num_users, 1);
  wire_thread_run();
  assert_trace("2+ ");
}

static void a_waiter_cancelled_after_it_was_given_the_lock_leaves_it_free(void **UNUSED(state)) {
  prepare();
  wire_lock_take(&lock);
  wire_t *cancelled = spawn(take, "1");
  spawn(wait_clear, "c");
  wire_thread_run();
  wire_lock_release(&lock);
  wire_cancel(cancelled);
  assert_free();
  wire_thread_run();
  assert_trace("c. ");
}

static void all_waiters_cancelled_one_after_the_other_leave_it_free(void **UNUSED(state)) {
  prepare();
  wire_lock_take(&lock);
  wire_t *waiters[10];
  for (int i = 0; i < 10; i++)
    waiters[i] = spawn(take, "1");
  wire_thread_run();
  wire_lock_release(&lock);
  for (int i = 0; i < 10; i++)
    wire_cancel(waiters[i]);
  assert_free();
  wire_thread_run();
  assert_trace("");
}

static void a_cancelled_wire_in_wait_clear_is_forgotten(void **UNUSED(state)) {
  for (int late = 0; late < 2; late++) {
    prepare();
    wire_lock_take(&lock);
    spawn(wait_clear, "b");
    wire_t *cancelled = spawn(wait_clear, "c");
    spawn(wait_clear, "d");
    wire_thread_run();
    if (late)
      wire_lock_release(&lock);
    wire_cancel(cancelled);
    if (!late)
      wire_lock_release(&lock);
    wire_thread_run();
    assert_trace("b. d. ");
    assert_free();
  }
}

static void cancel_me_and_take(void *name) {
  wire_cancel(wire_get_current());
  take(name);
  wire_yield();
}

static void a_wire_that_cancelled_itself_ends_in_the_queue(void **UNUSED(state)) {
  prepare();
  wire_lock_take(&lock);
  spawn(cancel_me_and_take, "1");
  wire_thread_run();
  assert_int_equal(lock.num_users, 1);
  spawn(take, "2");
  wire_thread_run();
  wire_lock_release(&lock);
  wire_thread_run();
  assert_trace("2+ ");
}

static void release_at_the_end(struct wire_defer_list *UNUSED(node)) {
  mark("released ");
  wire_lock_release(&lock);
}

static void hold_for_ever(void *UNUSED(argument)) {
  wire_lock_take(&lock);
  struct wire_defer_list node;
  wire_defer_push(&node, release_at_the_end);
  wire_suspend();
  mark("went on ");
}

static void a_cancelled_holder_may_release_at_its_end(void **UNUSED(state)) {
  prepare();
  wire_t *holder = spawn(hold_for_ever, NULL);
  spawn(take, "2");
  wire_thread_run();
  wire_cancel(holder);
  wire_thread_run();
  assert_trace("released 2+ ");
}

static void take_and_yield(void *name) {
  take(name);
  wire_yield();
  mark("went on ");
}

static void a_cancelled_holder_without_a_block_keeps_it(void **UNUSED(state)) {
  prepare();
  wire_t *holder = spawn(take_and_yield, "1");
  wire_yield();
  wire_cancel(holder);
  wire_thread_run();
  assert_trace("1+ ");
  assert_int_equal(lock.num_users, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cancelled_waiter_loses_its_place),
      cmocka_unit_test(a_waiter_cancelled_after_it_was_given_the_lock_passes_it_on),
      cmocka_unit_test(a_waiter_cancelled_after_it_was_given_the_lock_leaves_it_free),
      cmocka_unit_test(all_waiters_cancelled_one_after_the_other_leave_it_free),
      cmocka_unit_test(a_cancelled_wire_in_wait_clear_is_forgotten),
      cmocka_unit_test(a_wire_that_cancelled_itself_ends_in_the_queue),
      cmocka_unit_test(a_cancelled_holder_may_release_at_its_end),
      cmocka_unit_test(a_cancelled_holder_without_a_block_keeps_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
