/* wire_net.h: closing, and wires that are cancelled while they read or write. */
#include "net_pair.h"

static int is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

/* --- close ---------------------------------------------------------------------------------- */

static void a_new_one_has_the_descriptor_and_no_timeout(void **UNUSED(state)) {
  wire_net_t other;
  memset(&other, 0xa5, sizeof other);
  wire_net_init(&other, ends[0]);
  assert_int_equal(other.fd_state.fd, ends[0]);
  assert_int_equal(other.fd_state.state, FD_MODE_NONE);
  wire_thread_run();
  memset(&other, 0xa5, sizeof other);
  wire_net_init(&other, -1);
  wire_net_close(&other);
}

static void close_without_io_closes_and_keeps_errno(void **UNUSED(state)) {
  errno = 4711;
  wire_net_close(&net);
  assert_int_equal(errno, 4711);
  assert_false(is_open(ends[0]));
  assert_string_equal(take(ends[1]), "");
}

static void a_second_close_does_nothing(void **UNUSED(state)) {
  wire_net_close(&net);
  int again = dup(ends[1]); /* most likely with the same number */
  wire_net_close(&net);
  assert_true(is_open(again));
  close(again);
}

static void reads_one(void *UNUSED(argument)) {
  char byte;
  check(wire_net_read_full(&net, &byte, 1, &moved) == 0);
  check(wire_timeout_reset(&net.tout, 3600 * 1000) == 0);
  wire_net_close(&net);
}

static void close_ends_watch_and_timeout(void **UNUSED(state)) {
  spawn(reads_one, NULL);
  wire_yield();
  put(ends[1], "x");
  wire_thread_run();
  assert_false(is_open(ends[0]));
}

static void stops_without_io(void *UNUSED(argument)) {
  wire_timeout_stop(&net.tout);
  check(wire_timeout_reset(&net.tout, 1) == 0);
  wire_timeout_stop(&net.tout);
  wire_net_close(&net);
}

static void stop_and_close_work_without_io(void **UNUSED(state)) {
  spawn(stops_without_io, NULL);
  wire_thread_run();
  wire_net_t other;
  wire_net_init(&other, dup(ends[1]));
  wire_timeout_stop(&other.tout);
  wire_net_close(&other);
}

/* --- cancel --------------------------------------------------------------------------------- */

static char buffer[1 << 20];

static void reads_for_good(void *UNUSED(argument)) {
  check(wire_timeout_reset(&net.tout, 3600 * 1000) == 0);
  wire_net_read_full(&net, buffer, sizeof buffer, &moved);
  mark("never ");
}

static void writes_for_good(void *UNUSED(argument)) {
  check(wire_timeout_reset(&net.tout, 3600 * 1000) == 0);
  wire_net_write(&net, buffer, sizeof buffer, &moved);
  mark("never ");
}

static void cancels_later(void *wire) {
  check(wire_fd_wait_msec(3) == 0);
  wire_cancel(wire);
  mark("cancel ");
}

static void uses_the_socket_again(void *UNUSED(argument)) {
  empty(ends[1]);
  wire_net_init(&net, ends[0]);
  check(wire_net_write(&net, "ping", 4, &moved) == 0);
  check(strcmp(take(ends[1]), "ping") == 0);
  put(ends[1], "pong");
  char answer[4];
  check(wire_net_read_full(&net, answer, 4, &moved) == 0);
  check(memcmp(answer, "pong", 4) == 0);
  wire_net_close(&net);
  mark("used ");
}

static void cancelled_in(void (*entry)(void *)) {
  wire_t *wire = spawn_named("cancelled", entry, NULL);
  spawn(cancels_later, wire);
  wire_thread_run(); /* neither the socket nor the timeout is watched any more */
  assert_trace("cancel ");
  spawn(uses_the_socket_again, NULL);
  wire_thread_run();
  assert_trace("used ");
}

static void a_wire_can_be_cancelled_while_it_reads(void **UNUSED(state)) {
  cancelled_in(reads_for_good);
  for (size_t i = 0; i < 16; i++)
    assert_int_equal(buffer[i], 0);
}

static void a_wire_can_be_cancelled_while_it_writes(void **UNUSED(state)) {
  cancelled_in(writes_for_good);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      NET(a_new_one_has_the_descriptor_and_no_timeout),
      NET(close_without_io_closes_and_keeps_errno),
      NET(a_second_close_does_nothing),
      NET(close_ends_watch_and_timeout),
      NET(stop_and_close_work_without_io),
      NET(a_wire_can_be_cancelled_while_it_reads),
      NET(a_wire_can_be_cancelled_while_it_writes),
  };
  return cmocka_run_group_tests_name("wire_net, the end", tests, NULL, NULL);
}
