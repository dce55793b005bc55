/* wire_timeout.h: a timeout begins with a wire_fd_state_t, and programs give that to the functions
 * of wire_fd.h; or they use the memory of the one for the other, without having ended it. */
#include "common.h"
#include "descriptors.h"
#include "timeouts.h"

static void waits_as_for_a_descriptor(void *UNUSED(argument)) {
  int64_t begin = milliseconds_now();
  reset(short_time);
  wire_fd_wait(&timeout.fd_state);
  check(milliseconds_now() - begin >= short_time);
  wire_fd_wait(&timeout.fd_state); /* expired it stays so */
  mark("waited ");
}

static void it_is_waited_for_as_a_descriptor(void **UNUSED(state)) {
  assert_wire_marks(waits_as_for_a_descriptor, "waited ");
}

static void chains_as_a_descriptor(void *UNUSED(argument)) {
  wire_wait_list_t list;
  wire_wait_list_init(&list);
  int64_t begin = milliseconds_now();
  reset(short_time);
  wire_fd_wait_list_chain(&list, &timeout.fd_state);
  check(wire_list_wait(&list) == wire_timeout_wait_get(&timeout));
  check(milliseconds_now() - begin >= short_time);
  wire_wait_unchain(wire_timeout_wait_get(&timeout));
  mark("listed ");
}

static void it_is_chained_as_a_descriptor(void **UNUSED(state)) {
  assert_wire_marks(chains_as_a_descriptor, "listed ");
}

/* Disarmed it is waited for without end, so the wire never goes on. */
static void waits_for_what_is_disarmed(void *UNUSED(argument)) {
  reset(short_time);
  reset(0);
  wire_fd_wait(&timeout.fd_state);
  mark("expired ");
}

static void disarmed_it_does_not_end_the_wait(void **UNUSED(state)) {
  assert_wire_marks(waits_for_what_is_disarmed, "");
}

static void ends_the_watch(void *UNUSED(argument)) {
  reset(hour);
  check(wire_fd_mode_none(&timeout.fd_state) == 0);
  wire_timeout_wait_start(&timeout);
  check(wire_fd_mode_none(&timeout.fd_state) == 0);
  mark("ended ");
}

static void its_watch_is_ended_as_that_of_a_descriptor(void **UNUSED(state)) {
  assert_wire_marks(ends_the_watch, "ended "); /* nobody waits for an hour */
}

/* The same memory, as a compiler lays out the variables of two blocks. */
static union {
  wire_timeout_t timeout;
  wire_fd_state_t state;
} memory;

static void watches_where_a_timeout_was(void *UNUSED(argument)) {
  int ends[2];
  make_pair(ends);
  check(wire_timeout_init(&memory.timeout) == 0);
  check(wire_timeout_reset(&memory.timeout, hour) == 0);
  wire_fd_mode_init(&memory.state, ends[0]);
  check(wire_fd_mode_read(&memory.state) == 0);
  put(ends[1], "x");
  wire_fd_wait(&memory.state);
  check(wire_fd_mode_none(&memory.state) == 0);
  mark("readable ");
  close(ends[0]);
  close(ends[1]);
}

static void its_memory_becomes_that_of_a_watch(void **UNUSED(state)) {
  assert_wire_marks(watches_where_a_timeout_was, "readable ");
}

static void expires_where_a_watch_was(void *UNUSED(argument)) {
  int ends[2];
  make_pair(ends);
  wire_fd_mode_init(&memory.state, ends[0]);
  check(wire_fd_mode_read(&memory.state) == 0);
  put(ends[1], "x");
  int64_t begin = milliseconds_now();
  check(wire_timeout_init(&memory.timeout) == 0);
  check(wire_timeout_reset(&memory.timeout, short_time) == 0);
  wire_wait_single(wire_timeout_wait_get(&memory.timeout));
  check(milliseconds_now() - begin >= short_time);
  wire_timeout_stop(&memory.timeout);
  mark("expired ");
  close(ends[0]);
  close(ends[1]);
}

static void the_memory_of_a_watch_becomes_that_of_a_timeout(void **UNUSED(state)) {
  assert_wire_marks(expires_where_a_watch_was, "expired ");
}

int main(void) {
#define T(test) TIMEOUT(test)
  const struct CMUnitTest tests[] = {
      T(it_is_waited_for_as_a_descriptor),   T(it_is_chained_as_a_descriptor),
      T(disarmed_it_does_not_end_the_wait),  T(its_watch_is_ended_as_that_of_a_descriptor),
      T(its_memory_becomes_that_of_a_watch), T(the_memory_of_a_watch_becomes_that_of_a_timeout),
  };
  return cmocka_run_group_tests_name("wire_timeout, as a descriptor", tests, NULL, NULL);
}
