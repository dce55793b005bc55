/* What the tests of wire_net_init_tcp_connected share: a connection by name to a listener of the
 * test's own. */
#ifndef TESTS_NET_BY_NAME_H
#define TESTS_NET_BY_NAME_H

#include "common.h"
#include "descriptors.h"
#include "network.h"

static struct listener listener;
static wire_net_t net;

HELPER void run(void (*entry)(void *)) {
  spawn_named("main", entry, NULL);
  wire_thread_run();
}

HELPER int connect_by_name(const char *host) {
  return wire_net_init_tcp_connected(&net, host, listener.port, 10000, NULL, NULL);
}

/* The other side of `net` sends, and `net` gets it. */
HELPER void exchange(void) {
  int fd = accept_one(&listener);
  put(fd, "hello");
  char bytes[5];
  size_t moved;
  check(wire_net_read_full(&net, bytes, 5, &moved) == 0);
  check(memcmp(bytes, "hello", 5) == 0);
  close(fd);
}

#endif
