/* What the tests of wire_fd share: a pair of connected sockets, `ends`, that is new in each test
 * made with PAIR(), and wires that wait for ends[0] or send to it through ends[1]. */
#ifndef TESTS_FD_PAIR_H
#define TESTS_FD_PAIR_H

#include "common.h"
#include "descriptors.h"

static int ends[2];

HELPER int new_pair(void **UNUSED(state)) {
  start_afresh();
  take_trace();
  make_pair(ends);
  return 0;
}

HELPER int close_pair(void **UNUSED(state)) {
  close_both(ends);
  return 0;
}

#define PAIR(test) cmocka_unit_test_setup_teardown(test, new_pair, close_pair)

HELPER void watch_reading(wire_fd_state_t *state, int fd) {
  wire_fd_mode_init(state, fd);
  check(wire_fd_mode_read(state) == 0);
}

HELPER void watch_writing(wire_fd_state_t *state, int fd) {
  wire_fd_mode_init(state, fd);
  check(wire_fd_mode_write(state) == 0);
}

HELPER void wait_to_read(int fd) {
  wire_fd_state_t state;
  watch_reading(&state, fd);
  wire_fd_wait(&state);
  check(wire_fd_mode_none(&state) == 0);
}

HELPER void wait_to_write(int fd) {
  wire_fd_state_t state;
  watch_writing(&state, fd);
  wire_fd_wait(&state);
  check(wire_fd_mode_none(&state) == 0);
}

HELPER void reader(void *name) {
  mark("%s waits ", (const char *)name);
  wait_to_read(ends[0]);
  mark("%s ready ", (const char *)name);
}

HELPER void writer(void *name) {
  mark("%s waits ", (const char *)name);
  wait_to_write(ends[0]);
  mark("%s ready ", (const char *)name);
}

HELPER void sends_after_a_while(void *text) {
  check(wire_fd_wait_msec(5) == 0);
  mark("send ");
  put(ends[1], text);
}

HELPER void sends_x(void *fd) { put(*(int *)fd, "x"); }

/* A wire reads one byte from a socket pair of its own, with the poller in between: shows that
 * descriptors are served as ever. */
HELPER void everything_else_works(void) {
  int pair[2];
  make_pair(pair);
  spawn(sends_x, &pair[1]);
  wait_to_read(pair[0]);
  check(strcmp(take(pair[0]), "x") == 0);
  close_both(pair);
  mark("works ");
}

#endif
