/* wire_fd.h: waiting for descriptors. How watches end is in test_wire_fd_end.c, closed descriptors
 * are in test_wire_fd_close.c, several states and wires in test_wire_fd_several.c, being served
 * while others never pause in test_wire_fd_starvation.c, sleeping in test_wire_sleep.c. */
#include "fd_pair.h"

/* --- a wire waits, another one makes the descriptor ready ----------------------------------- */

static void the_state_tells_descriptor_and_direction(void **UNUSED(state)) {
  wire_fd_state_t state;
  memset(&state, 0xa5, sizeof state);
  wire_fd_mode_init(&state, ends[0]);
  assert_int_equal(state.fd, ends[0]);
  assert_int_equal(state.state, FD_MODE_NONE);
  assert_int_equal(wire_fd_mode_read(&state), 0);
  assert_int_equal(state.state, FD_MODE_READ);
  assert_int_equal(wire_fd_mode_write(&state), 0);
  assert_int_equal(state.state, FD_MODE_WRITE);
  assert_int_equal(wire_fd_mode_none(&state), 0);
  assert_int_equal(state.state, FD_MODE_NONE);
  assert_int_equal(state.fd, ends[0]);
}

static void waiting_to_read_ends_when_data_arrives(void **UNUSED(state)) {
  spawn(reader, "r");
  spawn(sends_after_a_while, "x");
  wire_thread_run();
  assert_trace("r waits send r ready ");
}

static void hangs_up_after_a_while(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(5) == 0);
  mark("hang up ");
  check(shutdown(ends[1], SHUT_RDWR) == 0);
}

static void end_of_file_is_something_to_read(void **UNUSED(state)) {
  spawn(reader, "r");
  spawn(hangs_up_after_a_while, NULL);
  wire_thread_run();
  assert_trace("r waits hang up r ready ");
}

static void a_hang_up_is_reported_in_both_directions(void **UNUSED(state)) {
  fill(ends[0]);
  spawn(reader, "r");
  spawn(writer, "w");
  spawn(hangs_up_after_a_while, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  assert_ptr_equal(strstr(trace, "r waits w waits hang up "), trace);
  assert_non_null(strstr(trace, "r ready"));
  assert_non_null(strstr(trace, "w ready"));
}

static void waiting_to_write_ends_at_once_when_there_is_room(void **UNUSED(state)) {
  spawn(writer, "w");
  wire_thread_run();
  assert_trace("w waits w ready ");
}

static void empties_after_a_while(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(5) == 0);
  mark("empty ");
  empty(ends[1]);
}

static void waiting_to_write_ends_when_there_is_room_again(void **UNUSED(state)) {
  fill(ends[0]);
  spawn(writer, "w");
  spawn(empties_after_a_while, NULL);
  wire_thread_run();
  assert_trace("w waits empty w ready ");
}

/* The reader gets time to be woken by mistake. */
static void writes_and_has_itself_written_to(void *text) {
  writer("w");
  check(wire_fd_wait_msec(5) == 0);
  mark("send ");
  put(ends[1], text);
}

static void room_to_write_does_not_wake_a_reader(void **UNUSED(state)) {
  fill(ends[0]);
  spawn(reader, "r");
  spawn(writes_and_has_itself_written_to, "x");
  spawn(empties_after_a_while, NULL);
  wire_thread_run();
  assert_trace("r waits w waits empty w ready send r ready ");
}

static void reads_nothing_three_times(void *UNUSED(argument)) {
  wire_fd_state_t state;
  watch_reading(&state, ends[0]);
  for (int i = 0; i < 3; i++) {
    wire_fd_wait(&state);
    mark("%d ", i);
  }
  mark("%s", take(ends[0]));
}

static void every_wait_returns_while_data_is_unread(void **UNUSED(state)) {
  spawn(reads_nothing_three_times, NULL);
  put(ends[1], "data");
  wire_thread_run();
  assert_trace("0 1 2 data");
}

/* The original stopped watching what became ready while nobody waited. */
static void is_busy_while_data_arrives(void *milliseconds) {
  wire_fd_state_t state;
  watch_reading(&state, ends[0]);
  for (int round = 0; round < 3; round++) {
    put(ends[1], "x");
    for (int i = 0; i < *(int *)milliseconds; i++)
      check(wire_fd_wait_msec(1) == 0); /* the poller sees the data again and again */
    wire_fd_wait(&state);
    mark("%s ", take(ends[0]));
  }
}

static void data_that_came_while_the_wire_was_busy_is_not_missed(void **UNUSED(state)) {
  for (int milliseconds = 0; milliseconds <= 5; milliseconds++) {
    spawn(is_busy_while_data_arrives, &milliseconds);
    wire_thread_run();
    assert_trace("x x x ");
  }
}

static void resumes_the_reader(void *wire) {
  for (int i = 0; i < 10; i++) {
    wire_resume(wire);
    wire_yield();
  }
  mark("resumed ");
  put(ends[1], "x");
}

static void resuming_the_wire_does_not_end_its_wait(void **UNUSED(state)) {
  wire_t *wire = spawn(reader, "r");
  spawn(resumes_the_reader, wire);
  wire_thread_run();
  assert_trace("r waits resumed r ready ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      PAIR(the_state_tells_descriptor_and_direction),
      PAIR(waiting_to_read_ends_when_data_arrives),
      PAIR(end_of_file_is_something_to_read),
      PAIR(a_hang_up_is_reported_in_both_directions),
      PAIR(waiting_to_write_ends_at_once_when_there_is_room),
      PAIR(waiting_to_write_ends_when_there_is_room_again),
      PAIR(room_to_write_does_not_wake_a_reader),
      PAIR(every_wait_returns_while_data_is_unread),
      PAIR(data_that_came_while_the_wire_was_busy_is_not_missed),
      PAIR(resuming_the_wire_does_not_end_its_wait),
  };
  return cmocka_run_group_tests_name("wire_fd", tests, NULL, NULL);
}
