/* wire_semaphore.h. In the traces `N+` says that the wire named N got a unit. */
#include "common.h"
#include "marking.h"

#include <limits.h>

#include "wire_semaphore.h"

static wire_sem_t sem;

static void prepare(int count) {
  start_afresh();
  wire_sem_init(&sem, count);
  take_trace();
}

static void take(void *name) {
  wire_sem_take(&sem);
  mark("%s+ ", (const char *)name);
}

static const char *const names[] = {"0", "1", "2", "3", "4", "5"};

static void assert_idle(int count) {
  assert_int_equal(sem.count, count);
  assert_true(list_empty(&sem.waiters));
}

static void init_sets_the_count(void **UNUSED(state)) {
  start_afresh();
  static const int counts[] = {0, 1, 1000, INT_MAX};
  for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
    memset(&sem, 0xa5, sizeof sem);
    wire_sem_init(&sem, counts[i]);
    assert_idle(counts[i]);
  }
}

static void free_units_are_taken_without_a_switch_also_outside_wires(void **UNUSED(state)) {
  prepare(2);
  spawn(marking, "other");
  wire_sem_take(&sem);
  assert_idle(1);
  wire_sem_take(&sem);
  assert_idle(0);
  wire_sem_release(&sem);
  assert_idle(1);
  assert_trace("");
}

static void release_adds_a_unit_beyond_the_first_count(void **UNUSED(state)) {
  prepare(1);
  for (int i = 2; i < 10; i++) {
    wire_sem_release(&sem);
    assert_idle(i);
  }
}

static void as_many_wires_get_a_unit_as_there_are(void **UNUSED(state)) {
  prepare(3);
  for (int i = 0; i < 6; i++)
    spawn(take, (void *)names[i]);
  wire_thread_run();
  assert_trace("0+ 1+ 2+ ");
  assert_int_equal(sem.count, 0);
}

static void waiters_are_served_first_come_first_served(void **UNUSED(state)) {
  prepare(0);
  for (int i = 0; i < 6; i++)
    spawn(take, (void *)names[i]);
  wire_thread_run();
  assert_trace("");
  for (int i = 0; i < 4; i++) {
    wire_sem_release(&sem);
    wire_thread_run();
  }
  assert_trace("0+ 1+ 2+ 3+ ");
  wire_sem_release(&sem);
  wire_sem_release(&sem);
  wire_thread_run();
  assert_trace("4+ 5+ ");
  assert_idle(0);
}

static void a_release_with_waiters_passes_the_unit_and_leaves_the_count(void **UNUSED(state)) {
  prepare(0);
  spawn(take, "0");
  wire_thread_run();
  wire_sem_release(&sem);
  assert_idle(0);
  wire_sem_release(&sem);
  assert_idle(1);
  wire_thread_run();
  assert_trace("0+ ");
  assert_idle(1);
}

static void nobody_overtakes_a_waiter_that_was_given_a_unit(void **UNUSED(state)) {
  prepare(0);
  spawn(take, "0");
  wire_thread_run();
  spawn(take, "1"); /* runs before 0 does */
  wire_sem_release(&sem);
  wire_thread_run();
  assert_trace("0+ ");
  wire_sem_release(&sem);
  wire_thread_run();
  assert_trace("1+ ");
}

static void release_and_take_again(void *UNUSED(argument)) {
  wire_sem_release(&sem);
  mark("0- ");
  take("0");
}

static void a_releaser_cannot_overtake_a_waiter(void **UNUSED(state)) {
  prepare(0);
  spawn(take, "1");
  spawn(release_and_take_again, NULL);
  wire_thread_run();
  assert_trace("0- 1+ ");
}

static void a_served_waiter_runs_behind_the_wires_that_were_ready(void **UNUSED(state)) {
  prepare(0);
  spawn(take, "0");
  wire_thread_run();
  spawn(marking, "before");
  wire_sem_release(&sem);
  spawn(marking, "after");
  wire_thread_run();
  assert_trace("before 0+ after ");
}

static void resume_gives_nobody_a_unit(void **UNUSED(state)) {
  prepare(0);
  wire_t *waiters[] = {spawn(take, "0"), spawn(take, "1")};
  for (int i = 0; i < 3; i++) {
    wire_thread_run();
    wire_resume(waiters[0]);
    wire_resume(waiters[1]);
  }
  assert_trace("");
  wire_sem_release(&sem);
  wire_resume(waiters[0]);
  wire_thread_run();
  assert_trace("0+ ");
}

static void a_cancelled_waiter_loses_its_place(void **UNUSED(state)) {
  for (int which = 0; which < 3; which++) {
    prepare(0);
    static const char *const expected[] = {"1+ 2+ ", "0+ 2+ ", "0+ 1+ "};
    wire_t *waiters[3];
    for (int i = 0; i < 3; i++)
      waiters[i] = spawn(take, (void *)names[i]);
    wire_thread_run();
    wire_cancel(waiters[which]);
    for (int i = 0; i < 3; i++)
      wire_sem_release(&sem);
    wire_thread_run();
    assert_trace(expected[which]);
    assert_idle(1);
  }
}

static void a_waiter_cancelled_after_it_was_given_a_unit_passes_it_on(void **UNUSED(state)) {
  prepare(0);
  wire_t *cancelled = spawn(take, "0");
  spawn(take, "1");
  wire_thread_run();
  wire_sem_release(&sem);
  wire_cancel(cancelled);
  wire_thread_run();
  assert_trace("1+ ");
  assert_idle(0);
}

static void a_waiter_cancelled_after_it_was_given_a_unit_gives_it_back(void **UNUSED(state)) {
  prepare(0);
  wire_t *waiters[6];
  for (int i = 0; i < 6; i++)
    waiters[i] = spawn(take, (void *)names[i]);
  wire_thread_run();
  for (int i = 0; i < 6; i++)
    wire_sem_release(&sem);
  for (int i = 5; i >= 0; i--)
    wire_cancel(waiters[i]);
  assert_idle(6);
  wire_thread_run();
  assert_trace("");
  assert_idle(6);
}

static void cancel_me_and_take(void *name) {
  wire_cancel(wire_get_current());
  take(name);
  wire_yield();
  mark("went on ");
}

static void a_wire_that_cancelled_itself_ends_in_the_queue(void **UNUSED(state)) {
  prepare(0);
  spawn(cancel_me_and_take, "0");
  wire_thread_run();
  assert_idle(0);
  wire_sem_release(&sem);
  wire_thread_run();
  assert_trace("");
  assert_idle(1);
}

static void a_wire_that_cancelled_itself_may_still_take_a_free_unit(void **UNUSED(state)) {
  prepare(1);
  spawn(cancel_me_and_take, "0");
  wire_thread_run();
  assert_trace("0+ ");
  assert_idle(0);
}

static void contend_with_errno(void *UNUSED(argument)) {
  errno = E2BIG;
  for (int i = 0; i < 3; i++) {
    wire_sem_take(&sem);
    wire_yield();
    wire_sem_release(&sem);
  }
  check(errno == E2BIG);
}

static void success_leaves_errno_alone(void **UNUSED(state)) {
  prepare(1);
  spawn(contend_with_errno, NULL);
  spawn(contend_with_errno, NULL);
  wire_thread_run();
  assert_idle(1);
}

static void init_null(void *UNUSED(argument)) { wire_sem_init(NULL, 1); }
static void init_negative(void *UNUSED(argument)) { wire_sem_init(&sem, -1); }
static void take_null(void *UNUSED(argument)) { wire_sem_take(NULL); }
static void release_null(void *UNUSED(argument)) { wire_sem_release(NULL); }
static void take_outside(void *UNUSED(argument)) { wire_sem_take(&sem); }

static void release_too_often(void *UNUSED(argument)) {
  wire_sem_init(&sem, INT_MAX);
  wire_sem_release(&sem);
}

static void init_in_a_wire(void *UNUSED(argument)) {
  spawn_named("culprit", init_negative, NULL);
  wire_thread_run();
}

static void misuse_aborts_with_a_line_that_names_it(void **UNUSED(state)) {
  prepare(0);
  static const struct {
    void (*body)(void *);
    const char *function, *other;
  } cases[] = {
      {init_null, "wire_sem_init", "NULL"},
      {init_negative, "wire_sem_init", "negative"},
      {init_in_a_wire, "wire_sem_init", "culprit"},
      {take_null, "wire_sem_take", "NULL"},
      {release_null, "wire_sem_release", "NULL"},
      {release_too_often, "wire_sem_release", "too many"},
      {take_outside, "wire_sem_take", "outside"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
    expect_abort(run_child(cases[i].body, NULL), cases[i].function, cases[i].other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(init_sets_the_count),
      cmocka_unit_test(free_units_are_taken_without_a_switch_also_outside_wires),
      cmocka_unit_test(release_adds_a_unit_beyond_the_first_count),
      cmocka_unit_test(as_many_wires_get_a_unit_as_there_are),
      cmocka_unit_test(waiters_are_served_first_come_first_served),
      cmocka_unit_test(a_release_with_waiters_passes_the_unit_and_leaves_the_count),
      cmocka_unit_test(nobody_overtakes_a_waiter_that_was_given_a_unit),
      cmocka_unit_test(a_releaser_cannot_overtake_a_waiter),
      cmocka_unit_test(a_served_waiter_runs_behind_the_wires_that_were_ready),
      cmocka_unit_test(resume_gives_nobody_a_unit),
      cmocka_unit_test(a_cancelled_waiter_loses_its_place),
      cmocka_unit_test(a_waiter_cancelled_after_it_was_given_a_unit_passes_it_on),
      cmocka_unit_test(a_waiter_cancelled_after_it_was_given_a_unit_gives_it_back),
      cmocka_unit_test(a_wire_that_cancelled_itself_ends_in_the_queue),
      cmocka_unit_test(a_wire_that_cancelled_itself_may_still_take_a_free_unit),
      cmocka_unit_test(success_leaves_errno_alone),
      cmocka_unit_test(misuse_aborts_with_a_line_that_names_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
