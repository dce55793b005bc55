/* wire_timeout.h: timeouts in lists, the end of wires that use them, misuse, very many. */
#include "common.h"
#include "descriptors.h"
#include "timeouts.h"

#include <pthread.h>

/* --- lists ---------------------------------------------------------------------------------- */

static void waits_in_a_list(void *UNUSED(argument)) {
  wire_timeout_t later;
  check(wire_timeout_init(&later) == 0);
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  check(wire_timeout_reset(&later, hour) == 0);
  reset(1);
  wire_wait_chain(&list, wire_timeout_wait_get(&later));
  wire_wait_chain(&list, wire_timeout_wait_get(&timeout));
  for (int i = 0; i < 2; i++)
    mark(wire_list_wait(&list) == wire_timeout_wait_get(&timeout) ? "short " : "long ");
  wire_timeout_stop(&timeout);
  check(wire_timeout_reset(&later, 1) == 0);
  mark(wire_list_wait(&list) == wire_timeout_wait_get(&timeout) ? "short " : "long ");
  wire_timeout_stop(&later);
}

static void its_wait_can_be_chained_into_a_list(void **UNUSED(state)) {
  assert_wire_marks(waits_in_a_list, "short short long ");
}

static void begins_and_ends(void *UNUSED(argument)) {
  reset(hour);
  wire_yield();
}

static void takes_it_over(void *UNUSED(argument)) {
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  reset(5);
  wire_yield();
  wire_yield(); /* the wire that armed it first ends */
  wire_wait_chain(&list, wire_timeout_wait_get(&timeout));
  check(wire_list_wait(&list) == wire_timeout_wait_get(&timeout));
  mark("expired");
}

static void arms_and_ends(void *UNUSED(argument)) { reset(5); }

static void waits_in_a_list_without_reset(void *UNUSED(argument)) {
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  wire_wait_chain(&list, wire_timeout_wait_get(&timeout));
  check(wire_list_wait(&list) == wire_timeout_wait_get(&timeout));
  mark("expired");
}

/* The timeout is nobody's stack. */
static void it_outlives_the_wire_that_armed_it(void **UNUSED(state)) {
  spawn(arms_and_ends, NULL);
  spawn(waits_in_a_list_without_reset, NULL);
  wire_thread_run();
  assert_trace("expired");
}

static void it_belongs_to_the_wire_that_reset_it_last(void **UNUSED(state)) {
  spawn(begins_and_ends, NULL);
  spawn(takes_it_over, NULL);
  wire_thread_run();
  assert_trace("expired");
}

/* --- the end of wires ----------------------------------------------------------------------- */

static void leaves_armed(void *milliseconds) {
  wire_timeout_t own[8];
  for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
    check(wire_timeout_init(&own[i]) == 0);
    check(wire_timeout_reset(&own[i], *(int *)milliseconds) == 0);
  }
}

static void leaves_expired(void *UNUSED(argument)) {
  wire_timeout_t own;
  check(wire_timeout_init(&own) == 0);
  check(wire_timeout_reset(&own, 1) == 0);
  mark("%d ", wire_timeout_wait(&event, &own));
}

static void a_wire_that_ends_leaves_no_armed_timeout_behind(void **UNUSED(state)) {
  spawn(leaves_armed, &hour);
  wire_thread_run();
  for (int i = 0; i < 10; i++)
    spawn(leaves_armed, &short_time);
  wire_thread_run();
}

static void a_wire_that_ends_leaves_no_expired_timeout_behind(void **UNUSED(state)) {
  assert_wire_marks(leaves_expired, "2 ");
  assert_wire_marks(leaves_expired, "2 ");
}

static void waits_for_an_hour(void *UNUSED(argument)) {
  reset(hour);
  wait_for_event();
  mark("never ");
}

static void cancels(void *wire) {
  check(wire_fd_wait_msec(1) == 0);
  wire_cancel(wire);
  mark("cancelled ");
}

static void a_cancelled_wire_ends_in_its_wait_and_its_timeout_with_it(void **UNUSED(state)) {
  wire_t *wire = spawn(waits_for_an_hour, NULL);
  spawn(cancels, wire);
  wire_thread_run();
  assert_trace("cancelled ");
  /* The timeout can be used by another wire. */
  assert_wire_marks(waits_three_times, "2222");
}

/* --- arguments ------------------------------------------------------------------------------ */

static void bad_arguments_give_EINVAL_and_change_nothing(void **UNUSED(state)) {
  errno = 0;
  assert_int_equal(wire_timeout_init(NULL), -1);
  assert_int_equal(errno, EINVAL);
  errno = 0;
  assert_int_equal(wire_timeout_reset(NULL, 1), -1);
  assert_int_equal(errno, EINVAL);
  errno = 0;
  assert_int_equal(wire_timeout_reset(&timeout, -1), -1);
  assert_int_equal(errno, EINVAL);
  errno = 0;
  assert_int_equal(wire_timeout_wait(NULL, &timeout), -1);
  assert_int_equal(errno, EINVAL);
  errno = 0;
  assert_int_equal(wire_timeout_wait(&event, NULL), -1);
  assert_int_equal(errno, EINVAL);
  errno = 0;
  assert_int_equal(wire_timeout_wait(wire_timeout_wait_get(&timeout), &timeout), -1);
  assert_int_equal(errno, EINVAL);
  wire_thread_run();
}

static void a_negative_time_leaves_it_armed(void **UNUSED(state)) {
  reset(1);
  assert_int_equal(wire_timeout_reset(&timeout, -1), -1);
  assert_wire_marks(waits, "2 ");
}

static void misuses(void *which) {
  switch (*(int *)which) {
  case 0:
    wire_timeout_stop(NULL);
    break;
  case 1:
    wire_timeout_wait_start(NULL);
    break;
  case 2:
    wire_timeout_wait_stop(NULL);
    break;
  default:
    reset(hour);
    wire_timeout_wait(&event, &timeout);
  }
}

static void misuse_that_cannot_be_reported_aborts(void **UNUSED(state)) {
  static const char *const functions[] = {"wire_timeout_stop", "wire_timeout_wait_start",
                                          "wire_timeout_wait_stop", "wire_timeout_wait"};
  for (int i = 0; i < (int)ARRAY_SIZE(functions); i++)
    expect_abort(run_child(misuses, &i), functions[i], NULL);
}

static void succeeds_without_touching_errno(void *UNUSED(argument)) {
  errno = 4711;
  check(wire_timeout_init(&timeout) == 0);
  reset(1);
  wire_timeout_wait_stop(&timeout);
  wire_timeout_wait_start(&timeout);
  check(wait_for_event() == 2);
  wire_timeout_stop(&timeout);
  check(errno == 4711);
}

static void successful_calls_leave_errno_alone(void **UNUSED(state)) {
  assert_wire_marks(succeeds_without_touching_errno, "");
}

/* The memory holds what an earlier function left there. */
static void uses_memory_as_it_is(void *UNUSED(argument)) {
  for (int byte = 0; byte < 256; byte++) {
    wire_timeout_t own;
    memset(&own, byte, sizeof own);
    check(wire_timeout_init(&own) == 0);
    check(wire_timeout_reset(&own, 1) == 0);
    if (byte % 64 == 0)
      check(wire_timeout_wait(&event, &own) == 2);
    check(wire_timeout_init(&own) == 0); /* also ends what is armed */
  }
  mark("done");
}

static void init_does_not_look_at_the_former_content(void **UNUSED(state)) {
  assert_wire_marks(uses_memory_as_it_is, "done");
}

/* --- many, threads -------------------------------------------------------------------------- */

#define MANY 5000

static void *expires_many(void *UNUSED(argument)) {
  wire_timeout_t *many = calloc(MANY, sizeof *many);
  check(many != NULL);
  int before = open_descriptors();
  for (int i = 0; i < MANY; i++)
    check(wire_timeout_init(&many[i]) == 0 && wire_timeout_reset(&many[i], 1 + i % 50) == 0);
  check(open_descriptors() <= before + 2); /* the poller's, and that of another thread */
  for (int i = 0; i < MANY; i += 2)
    wire_timeout_stop(&many[i]);
  wire_thread_run();
  for (int i = 0; i < MANY; i++)
    check(wire_timeout_wait_get(&many[i])->triggered == 0); /* nobody waited */
  wire_thread_init();
  free(many);
  return NULL;
}

static void many_timeouts_in_two_threads_cost_no_descriptors(void **UNUSED(state)) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, expires_many, NULL), 0);
  for (int i = 0; i < 2; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TIMEOUT(its_wait_can_be_chained_into_a_list),
      TIMEOUT(it_outlives_the_wire_that_armed_it),
      TIMEOUT(it_belongs_to_the_wire_that_reset_it_last),
      TIMEOUT(a_wire_that_ends_leaves_no_armed_timeout_behind),
      TIMEOUT(a_wire_that_ends_leaves_no_expired_timeout_behind),
      TIMEOUT(a_cancelled_wire_ends_in_its_wait_and_its_timeout_with_it),
      TIMEOUT(bad_arguments_give_EINVAL_and_change_nothing),
      TIMEOUT(a_negative_time_leaves_it_armed),
      TIMEOUT(misuse_that_cannot_be_reported_aborts),
      TIMEOUT(successful_calls_leave_errno_alone),
      TIMEOUT(init_does_not_look_at_the_former_content),
      TIMEOUT(many_timeouts_in_two_threads_cost_no_descriptors),
  };
  return cmocka_run_group_tests_name("wire_timeout, the end", tests, NULL, NULL);
}
