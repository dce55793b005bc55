/* The two ends of a connection whose calls may fail: one sends and awaits its bytes, the other
 * sends back what comes. Include common.h first. */
#ifndef TESTS_PING_H
#define TESTS_PING_H

#include "wire_net.h"
#include "wire_timeout.h"

/* 0, or -1 with the errno of what failed. */
HELPER int ping(wire_net_t *net, int rounds, int milliseconds) {
  for (int i = 0; i < rounds; i++) {
    char answer[4];
    size_t moved = 99;
    if (wire_timeout_reset(&net->tout, milliseconds) != 0 ||
        wire_net_write(net, "ping", 4, &moved) != 0 ||
        wire_net_read_full(net, answer, sizeof answer, &moved) != 0) {
      check(moved <= 4 || moved == 99); /* not stored yet */
      return -1;
    }
    check(moved == 4 && memcmp(answer, "ping", 4) == 0);
  }
  return 0;
}

/* Until the other end has no more. 0, or -1 with the errno of what failed. */
HELPER int echo_to_the_end(wire_net_t *net) {
  char bytes[64];
  size_t moved;
  while (wire_net_read_any(net, bytes, sizeof bytes, &moved) == 0)
    if (wire_net_write(net, bytes, moved, &moved) != 0)
      return -1;
  return errno == ENODATA ? 0 : -1;
}

#endif
