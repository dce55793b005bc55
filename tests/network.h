/* What the tests of wire_net share: listening sockets on the loopback interface, and one that never
 * answers. Include common.h and descriptors.h first. */
#ifndef TESTS_NETWORK_H
#define TESTS_NETWORK_H

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <sys/un.h>

#include "wire_net.h"

/* A listening socket and where it is. */
struct listener {
  int fd;
  struct sockaddr_storage address;
  socklen_t length;
  char port[8];
  int victims[64]; /* connections that fill the queue of one that never answers */
  int victim_count;
};

HELPER struct sockaddr *address_of(struct listener *listener) {
  return (struct sockaddr *)&listener->address;
}

/* The loopback address of a family with a port, 0 for any. Gives its length. */
HELPER socklen_t loopback(int family, int port, struct sockaddr_storage *address) {
  memset(address, 0, sizeof *address);
  address->ss_family = (sa_family_t)family;
  if (family == AF_INET) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v4->sin_port = htons((uint16_t)port);
    return sizeof *v4;
  }
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
  v6->sin6_addr = in6addr_loopback;
  v6->sin6_port = htons((uint16_t)port);
  return sizeof *v6;
}

HELPER int port_of(const struct listener *listener) { return atoi(listener->port); }

/* Binds to a port of the loopback interface, 0 for any. 0, or -1 where that is not possible. */
HELPER int bind_loopback(struct listener *listener, int family, int port) {
  memset(listener, 0, sizeof *listener);
  listener->length = loopback(family, port, &listener->address);
  listener->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener->fd < 0)
    return -1;
  int on = 1;
  if (family == AF_INET6)
    setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(listener->fd, address_of(listener), listener->length) != 0 ||
      getsockname(listener->fd, address_of(listener), &listener->length) != 0) {
    close(listener->fd);
    return -1;
  }
  snprintf(listener->port, sizeof listener->port, "%d",
           ntohs(family == AF_INET ? ((struct sockaddr_in *)address_of(listener))->sin_port
                                   : ((struct sockaddr_in6 *)address_of(listener))->sin6_port));
  return 0;
}

HELPER int listen_at(struct listener *listener, int family, int port) {
  if (bind_loopback(listener, family, port) != 0)
    return -1;
  check(listen(listener->fd, 64) == 0);
  return 0;
}

/* Listens, but its queue is full: a connection that is begun is neither made nor refused. */
HELPER int listen_deaf(struct listener *listener, int family, int port) {
  if (bind_loopback(listener, family, port) != 0)
    return -1;
  check(listen(listener->fd, 0) == 0);
  for (;;) {
    check(listener->victim_count < (int)ARRAY_SIZE(listener->victims));
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    check(fd >= 0);
    check(connect(fd, address_of(listener), listener->length) == 0 || errno == EINPROGRESS);
    listener->victims[listener->victim_count++] = fd;
    struct pollfd one = {fd, POLLOUT, 0};
    int64_t end = milliseconds_now() + 100;
    while (poll(&one, 1, 1) <= 0 && milliseconds_now() < end) {
    }
    if (one.revents == 0)
      return 0; /* this one found the queue full, as the next will */
  }
}

HELPER void close_listener(struct listener *listener) {
  close(listener->fd);
  for (int i = 0; i < listener->victim_count; i++)
    close(listener->victims[i]);
}

/* The next connection, waited for as by any wire. */
HELPER int accept_one(struct listener *listener) {
  wire_fd_state_t state;
  wire_fd_mode_init(&state, listener->fd);
  check(wire_fd_mode_read(&state) == 0);
  int fd;
  while ((fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) < 0) {
    check(errno == EAGAIN);
    wire_fd_wait(&state);
  }
  check(wire_fd_mode_none(&state) == 0);
  return fd;
}

/* A port on which nobody listens: bound, so that nobody else gets it. */
HELPER int refuse_at(struct listener *listener, int family, int port) {
  return bind_loopback(listener, family, port);
}

/* A connection ends with a reset instead of an end of file. */
HELPER void close_with_reset(int fd) {
  struct linger at_once = {1, 0};
  check(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  close(fd);
}

#endif
