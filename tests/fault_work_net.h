/* The connection of fault_work.h: one wire connects by name, another accepts and echoes. */
#ifndef TESTS_FAULT_WORK_NET_H
#define TESTS_FAULT_WORK_NET_H

#include "ping.h"

static void connects(void *UNUSED(argument)) {
  wire_net_t net;
  if (wire_net_init_tcp_connected(&net, "127.0.0.1", work.listener.port, 20000, NULL, NULL) != 0) {
    failed();
    /* The other side waits for somebody. */
    int fd;
    OWN_CALL(fd, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    check(fd >= 0);
    check(connect(fd, address_of(&work.listener), work.listener.length) == 0 ||
          errno == EINPROGRESS);
    while (!work.accepted)
      wire_yield();
    close(fd);
    work.ended++;
    return;
  }
  if (ping(&net, 3, 20000) != 0)
    failed();
  wire_net_close(&net);
  work.ended++;
}

static void accepts(void *UNUSED(argument)) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, work.listener.fd);
  int watched = wire_fd_mode_read(&state) == 0, fd;
  if (!watched)
    failed();
  for (;;) {
    OWN_CALL(fd, accept4(work.listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd >= 0)
      break;
    check(errno == EAGAIN);
    if (watched)
      wire_fd_wait(&state);
    else
      wire_yield();
  }
  check(wire_fd_mode_none(&state) == 0);
  work.accepted = 1;
  wire_net_t net;
  wire_net_init(&net, fd);
  if (echo_to_the_end(&net) != 0)
    failed();
  wire_net_close(&net);
  work.ended++;
}

#endif
