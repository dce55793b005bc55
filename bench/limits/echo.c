/* The limit of measures/echo.h: a loop around epoll_wait, written by hand, that reads and writes in
 * place. A socket that does not take an answer at once ends its connection: with one small message
 * under way for each, that does not happen. */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/listen.h"

enum { MESSAGE = 4096, EVENTS = 256 };

static void accept_all(int poller, int listener) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
    bench_must(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
  }
  bench_must(errno == EAGAIN, "accept4");
}

static void serve(int fd) {
  static char buffer[MESSAGE];
  ssize_t received = recv(fd, buffer, MESSAGE, 0);
  if (received < 0 && errno == EAGAIN)
    return;
  if (received <= 0 || send(fd, buffer, (size_t)received, MSG_NOSIGNAL) != received)
    close(fd);
}

int main(void) {
  int listener = listen_and_tell();
  int poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = listener}};
  bench_must(poller >= 0 && epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) == 0, "epoll");
  for (;;) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poller, events, EVENTS, -1);
    for (int i = 0; i < ready; i++)
      if (events[i].data.fd == listener)
        accept_all(poller, listener);
      else
        serve(events[i].data.fd);
  }
}
