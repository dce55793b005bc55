/* What the tests of wire_net share: `net` on one end of a connected pair of sockets, both new in
 * each test made with NET(), and wires that use it. */
#ifndef TESTS_NET_PAIR_H
#define TESTS_NET_PAIR_H

#include "common.h"
#include "descriptors.h"
#include "wire_net.h"

static int ends[2];
static wire_net_t net; /* on ends[0] */
static size_t moved;

HELPER int new_net(void **UNUSED(state)) {
  start_afresh();
  take_trace();
  make_pair(ends);
  wire_net_init(&net, ends[0]);
  moved = 4711;
  return 0;
}

HELPER int close_net(void **UNUSED(state)) {
  wire_net_close(&net);
  close(ends[1]);
  return 0;
}

#define NET(test) cmocka_unit_test_setup_teardown(test, new_net, close_net)

/* The socket outlives its wire, and would keep the thread running. */
HELPER void stops_watching_in_the_end(void *entry) {
  (*(void (**)(void *))entry)(NULL);
  wire_timeout_stop(&net.tout);
  check(wire_fd_mode_none(&net.fd_state) == 0);
}

/* Runs a wire, and with it what it spawns. */
HELPER void run(void (*entry)(void *), const char *expected) {
  spawn_named("main", stops_watching_in_the_end, &entry);
  wire_thread_run();
  assert_trace(expected);
}

HELPER void sends_in_pieces(void *text) {
  for (const char *c = text; *c != '\0'; c++) {
    check(write(ends[1], c, 1) == 1);
    check(wire_fd_wait_msec(1) == 0);
  }
}

#endif
