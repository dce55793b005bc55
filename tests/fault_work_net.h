/* The connection of fault_work.h: one wire connects by name, another accepts and echoes. */
#ifndef TESTS_FAULT_WORK_NET_H
#define TESTS_FAULT_WORK_NET_H

static void connects(void *UNUSED(argument)) {
  wire_net_t net;
  char answer[4];
  size_t moved;
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
  for (int i = 0; i < 3; i++) {
    if (wire_timeout_reset(&net.tout, 20000) != 0 || wire_net_write(&net, "ping", 4, &moved) != 0 ||
        wire_net_read_full(&net, answer, sizeof answer, &moved) != 0) {
      failed();
      break;
    }
    check(moved == 4 && memcmp(answer, "ping", 4) == 0);
  }
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
  char request[16];
  size_t moved;
  for (;;) {
    if (wire_net_read_any(&net, request, sizeof request, &moved) != 0) {
      if (errno != ENODATA)
        failed();
      break;
    }
    if (wire_net_write(&net, request, moved, &moved) != 0) {
      failed();
      break;
    }
  }
  wire_net_close(&net);
  work.ended++;
}

#endif
