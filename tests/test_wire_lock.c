/* wire_lock.h. The traces are those of locks.h; `N-` says that the wire named N has released the
 * lock. Cancelling is in test_wire_lock_cancel.c. */
#include "common.h"
#include "locks.h"
#include "marking.h"

/* Holds the lock over two switches. */
static void use(void *name) {
  wire_lock_take(&lock);
  mark("%s+ ", (const char *)name);
  check(lock.num_users > 0);
  wire_yield();
  wire_yield();
  mark("%s- ", (const char *)name);
  wire_lock_release(&lock);
}

static void a_new_lock_is_free(void **UNUSED(state)) {
  start_afresh();
  memset(&lock, 0xa5, sizeof lock);
  wire_lock_init(&lock);
  assert_free();
}

static void an_uncontended_lock_is_taken_without_a_switch_also_outside_wires(void **UNUSED(state)) {
  prepare();
  spawn(marking, "other");
  for (int i = 0; i < 3; i++) {
    wire_lock_take(&lock);
    assert_int_equal(lock.num_users, 1);
    wire_lock_release(&lock);
    assert_free();
  }
  assert_trace("");
  wire_lock_wait_clear(&lock);
  assert_trace("");
}

static void the_lock_excludes(void **UNUSED(state)) {
  prepare();
  spawn(use, "1");
  spawn(use, "2");
  wire_thread_run();
  assert_trace("1+ 1- 2+ 2- ");
  assert_free();
}

static void the_lock_goes_to_whoever_waited_longest(void **UNUSED(state)) {
  prepare();
  static const char *const names[] = {"1", "2", "3", "4", "5"};
  for (int i = 0; i < 5; i++)
    spawn(use, (void *)names[i]);
  wire_thread_run();
  assert_trace("1+ 1- 2+ 2- 3+ 3- 4+ 4- 5+ 5- ");
  assert_free();
}

static void num_users_counts_the_holder_and_the_waiters(void **UNUSED(state)) {
  prepare();
  for (unsigned i = 1; i <= 4; i++) {
    spawn(take, "");
    wire_thread_run();
    assert_int_equal(lock.num_users, i);
  }
  for (unsigned i = 4; i > 0; i--) {
    wire_lock_release(&lock);
    assert_int_equal(lock.num_users, i - 1);
  }
  wire_thread_run();
  assert_free();
}

static void release_and_take_again(void *UNUSED(argument)) {
  wire_lock_take(&lock);
  wire_yield();
  wire_lock_release(&lock);
  mark("1- ");
  take("1");
}

static void a_releaser_cannot_overtake_the_waiter_it_released_to(void **UNUSED(state)) {
  prepare();
  spawn(release_and_take_again, NULL);
  spawn(take, "2");
  wire_thread_run();
  assert_trace("1- 2+ ");
  wire_lock_release(&lock);
  wire_thread_run();
  assert_trace("1+ ");
}

static void release_does_not_switch(void **UNUSED(state)) {
  prepare();
  wire_lock_take(&lock);
  spawn(take, "1");
  wire_thread_run();
  wire_lock_release(&lock);
  assert_trace("");
  assert_int_equal(lock.num_users, 1);
  wire_thread_run();
  assert_trace("1+ ");
}

static void the_next_holder_runs_behind_the_wires_that_were_ready(void **UNUSED(state)) {
  prepare();
  wire_lock_take(&lock);
  spawn(take, "1");
  wire_thread_run();
  spawn(marking, "before");
  wire_lock_release(&lock);
  spawn(marking, "after");
  wire_thread_run();
  assert_trace("before 1+ after ");
}

static void any_wire_may_release(void **UNUSED(state)) {
  prepare();
  spawn(take, "1");
  wire_thread_run();
  wire_lock_release(&lock);
  assert_free();
}

static void resume_gives_nobody_the_lock(void **UNUSED(state)) {
  prepare();
  wire_lock_take(&lock);
  wire_t *waiters[] = {spawn(take, "1"), spawn(take, "2"), spawn(wait_clear, "3")};
  for (int i = 0; i < 3; i++) {
    wire_thread_run();
    for (size_t j = 0; j < ARRAY_SIZE(waiters); j++)
      wire_resume(waiters[j]);
  }
  assert_trace("");
  assert_int_equal(lock.num_users, 3);
  wire_lock_release(&lock);
  wire_thread_run();
  assert_trace("1+ ");
}

static void wait_clear_returns_when_nobody_holds_or_waits(void **UNUSED(state)) {
  prepare();
  wire_lock_take(&lock);
  spawn(wait_clear, "c");
  spawn(take, "1");
  spawn(wait_clear, "d");
  spawn(take, "2");
  wire_thread_run();
  wire_lock_release(&lock);
  wire_thread_run();
  wire_lock_release(&lock);
  wire_thread_run();
  assert_trace("1+ 2+ ");
  assert_int_equal(lock.num_users, 1);
  wire_lock_release(&lock);
  wire_thread_run();
  assert_trace("c. d. ");
  assert_free();
}

static void wait_clear_goes_on_waiting_when_somebody_is_faster(void **UNUSED(state)) {
  prepare();
  wire_lock_take(&lock);
  spawn(wait_clear, "c");
  wire_thread_run();
  wire_lock_release(&lock);
  wire_lock_take(&lock);
  wire_thread_run();
  assert_trace("");
  wire_lock_release(&lock);
  wire_thread_run();
  assert_trace("c. ");
  assert_free();
}

static void wait_clear_does_not_count_as_a_user(void **UNUSED(state)) {
  prepare();
  wire_lock_take(&lock);
  spawn(wait_clear, "c");
  wire_thread_run();
  assert_int_equal(lock.num_users, 1);
  wire_lock_release(&lock);
  assert_int_equal(lock.num_users, 0);
  wire_thread_run();
  assert_trace("c. ");
}

static void contend_with_errno(void *UNUSED(argument)) {
  errno = E2BIG;
  for (int i = 0; i < 3; i++) {
    wire_lock_take(&lock);
    wire_yield();
    wire_lock_release(&lock);
  }
  wire_lock_wait_clear(&lock);
  check(errno == E2BIG);
}

static void success_leaves_errno_alone(void **UNUSED(state)) {
  prepare();
  spawn(contend_with_errno, NULL);
  spawn(contend_with_errno, NULL);
  wire_thread_run();
  assert_free();
}

static void init_null(void *UNUSED(argument)) { wire_lock_init(NULL); }
static void take_null(void *UNUSED(argument)) { wire_lock_take(NULL); }
static void release_null(void *UNUSED(argument)) { wire_lock_release(NULL); }
static void clear_null(void *UNUSED(argument)) { wire_lock_wait_clear(NULL); }
static void release_free(void *UNUSED(argument)) { wire_lock_release(&lock); }

static void release_twice(void *UNUSED(argument)) {
  wire_lock_take(&lock);
  wire_lock_release(&lock);
  wire_lock_release(&lock);
}

static void take_held(void *UNUSED(argument)) {
  wire_lock_take(&lock);
  wire_lock_take(&lock);
}

static void clear_held(void *UNUSED(argument)) {
  wire_lock_take(&lock);
  wire_lock_wait_clear(&lock);
}

static void release_in_a_wire(void *UNUSED(argument)) {
  spawn_named("culprit", release_free, NULL);
  wire_thread_run();
}

static void misuse_aborts_with_a_line_that_names_it(void **UNUSED(state)) {
  prepare();
  static const struct {
    void (*body)(void *);
    const char *function, *other;
  } cases[] = {{init_null, "wire_lock_init", "NULL"},
               {take_null, "wire_lock_take", "NULL"},
               {release_null, "wire_lock_release", "NULL"},
               {clear_null, "wire_lock_wait_clear", "NULL"},
               {release_free, "wire_lock_release", "nobody holds"},
               {release_twice, "wire_lock_release", "nobody holds"},
               {release_in_a_wire, "wire_lock_release", "culprit"},
               {take_held, "wire_lock_take", "outside"},
               {clear_held, "wire_lock_wait_clear", "outside"}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
    expect_abort(run_child(cases[i].body, NULL), cases[i].function, cases[i].other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_lock_is_free),
      cmocka_unit_test(an_uncontended_lock_is_taken_without_a_switch_also_outside_wires),
      cmocka_unit_test(the_lock_excludes),
      cmocka_unit_test(the_lock_goes_to_whoever_waited_longest),
      cmocka_unit_test(num_users_counts_the_holder_and_the_waiters),
      cmocka_unit_test(a_releaser_cannot_overtake_the_waiter_it_released_to),
      cmocka_unit_test(release_does_not_switch),
      cmocka_unit_test(the_next_holder_runs_behind_the_wires_that_were_ready),
      cmocka_unit_test(any_wire_may_release),
      cmocka_unit_test(resume_gives_nobody_the_lock),
      cmocka_unit_test(wait_clear_returns_when_nobody_holds_or_waits),
      cmocka_unit_test(wait_clear_goes_on_waiting_when_somebody_is_faster),
      cmocka_unit_test(wait_clear_does_not_count_as_a_user),
      cmocka_unit_test(success_leaves_errno_alone),
      cmocka_unit_test(misuse_aborts_with_a_line_that_names_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
