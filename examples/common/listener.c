#define _GNU_SOURCE /* accept4 */
#include "listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long accepting rests when there are no descriptors left. Somebody has to close one first. */
#define OUT_OF_RESOURCES_PAUSE_MSEC 100

/* Returns a listening descriptor, or -1 with errno. */
static int open_one(const struct addrinfo *info) {
  const int on = 1, off = 0;
  int fd =
      socket(info->ai_family, info->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, info->ai_protocol);

  if (fd < 0)
    return -1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
      (info->ai_family != AF_INET6 ||
       setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0) &&
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
      bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
    return fd;

  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int listener_open(struct listener *listener, const char *address, const char *port) {
  const struct addrinfo hints = {
      .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
  struct addrinfo *found;
  int fd = -1;

  const int error = getaddrinfo(address, port, &hints, &found);
  if (error != 0) {
    fprintf(stderr, "cannot resolve %s port %s: %s\n", address, port,
            error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    return -1;
  }
  for (const struct addrinfo *info = found; info != NULL && fd < 0; info = info->ai_next)
    fd = open_one(info);
  if (fd < 0)
    fprintf(stderr, "cannot listen on %s port %s: %s\n", address, port, strerror(errno));
  freeaddrinfo(found);
  if (fd < 0)
    return -1;

  wire_fd_mode_init(&listener->fd_state, fd);
  wire_wait_init(&listener->stop);
  listener->stopped = false;
  return 0;
}

int listener_port(const struct listener *listener) {
  struct sockaddr_storage address;
  socklen_t length = sizeof(address);

  if (getsockname(listener->fd_state.fd, (struct sockaddr *)&address, &length) != 0)
    return -1;
  if (address.ss_family == AF_INET6)
    return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
  return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

/* Waits until a connection may be there or the listener is stopped. Returns 0, or -1 with errno. */
static int wait_for_connection(struct listener *listener) {
  wire_wait_list_t waits;

  if (wire_fd_mode_read(&listener->fd_state) != 0)
    return -1;
  wire_wait_list_init(&waits);
  wire_wait_chain(&waits, &listener->stop);
  wire_fd_wait_list_chain(&waits, &listener->fd_state);
  wire_list_wait(&waits);
  /* The list is on this stack: nothing may stay chained to it, or triggered, behind our back. */
  wire_wait_stop(&listener->stop);
  wire_wait_unchain(&listener->stop);
  wire_wait_stop(&listener->fd_state.wait);
  wire_wait_unchain(&listener->fd_state.wait);
  return 0;
}

int listener_accept(struct listener *listener) {
  while (!listener->stopped) {
    const int fd = accept4(listener->fd_state.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
      return fd;

    switch (errno) {
    case EAGAIN:
      if (wait_for_connection(listener) != 0)
        return -1;
      break;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      /* The connection stays in the backlog and the socket readable: waiting for it would spin. */
      if (wire_fd_mode_none(&listener->fd_state) != 0)
        return -1;
      wire_fd_wait_msec(OUT_OF_RESOURCES_PAUSE_MSEC);
      break;
    case EBADF:
    case EFAULT:
    case EINVAL:
    case ENOTSOCK:
      return -1;
    default:
      /* The connection broke before we took it (accept(2): "Error handling"). Take the next. */
      break;
    }
  }
  wire_fd_mode_none(&listener->fd_state); /* or wire_thread_run would go on watching */
  errno = ECANCELED;
  return -1;
}

void listener_stop(struct listener *listener) {
  listener->stopped = true;
  wire_wait_resume(&listener->stop);
}

void listener_close(struct listener *listener) {
  wire_fd_mode_none(&listener->fd_state);
  close(listener->fd_state.fd);
}
