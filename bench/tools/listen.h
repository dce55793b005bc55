/* A listening socket of this host for the echo servers, and the line that tells its port. */
#ifndef BENCH_LISTEN_H
#define BENCH_LISTEN_H

#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "harness.h"

static inline int listen_and_tell(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  struct rlimit limit;
  signal(SIGPIPE, SIG_IGN);
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bench_must(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                 listen(fd, 4096) == 0 &&
                 getsockname(fd, (struct sockaddr *)&address, &length) == 0,
             "listen");
  printf("{\"port\": %d}\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

#endif
