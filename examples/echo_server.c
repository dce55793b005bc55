/*
 * echo_server: sends back what it gets, to many peers at once, on one thread.
 *
 * Shows how little a server's own part is: serve() below is the life of one connection, written as
 * if there were no other. common/service.c has the rest: accepting, the pool of wires, the stop.
 *
 * Run:  ./echo_server --port 7007              (or --address ::1)
 *       nc 127.0.0.1 7007
 *
 * The line on stdout says where it listens, also after --port 0. SIGINT and SIGTERM stop it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/options.h"
#include "common/service.h"
#include "wire.h"
#include "wire_fd.h"
#include "wire_net.h"
#include "wire_stack.h"
#include "wire_timeout.h"

#define STACK_SIZE (16 * 1024)
#define BUFFER_SIZE (64 * 1024)

static const char usage[] =
    "usage: echo_server [OPTION...]\n"
    "  --address ADDRESS     where to listen (default 127.0.0.1; :: is everywhere)\n"
    "  --port PORT           0 for a free one (default 7007)\n"
    "  --connections NUMBER  at most so many at a time (default 1000)\n"
    "  --timeout SECONDS     a peer that sends or takes nothing for so long is dropped\n"
    "                        (default 300; 0 for no limit)\n";

struct echo {
  int timeout_msec;
};

static void serve(struct connection *connection) {
  const struct echo *echo = connection->service->config.context;
  wire_net_t *net = &connection->net;
  size_t received, sent;

  for (;;) {
    if (wire_timeout_reset(&net->tout, echo->timeout_msec) != 0)
      return;
    connection_idle(connection);
    /* ENODATA is the end of the file; whatever else it is, this connection is over. */
    if (wire_net_read_any(net, connection->memory, BUFFER_SIZE, &received) != 0)
      return;
    connection_busy(connection);
    /* Writes all of it, however few bytes the socket takes at a time. */
    if (wire_timeout_reset(&net->tout, echo->timeout_msec) != 0 ||
        wire_net_write(net, connection->memory, received, &sent) != 0)
      return;
  }
}

int main(int argc, char **argv) {
  struct echo echo = {.timeout_msec = 300000};
  struct service_config config = {.address = "127.0.0.1",
                                  .port = "7007",
                                  .stack_size = STACK_SIZE,
                                  .connection_memory = BUFFER_SIZE,
                                  .grace_msec = 5000,
                                  .serve = serve,
                                  .context = &echo};
  long connections = 1000;
  const struct known_option options[] = {
      {"address", 0, OPTION_TEXT, &config.address, 0, 0},
      {"port", 0, OPTION_PORT, &config.port, 0, 0},
      {"connections", 0, OPTION_NUMBER, &connections, 1, 100000},
      {"timeout", 0, OPTION_SECONDS, &echo.timeout_msec, 0, 0},
      {NULL, 0, 0, NULL, 0, 0},
  };
  struct service service;

  if (options_parse(argc, argv, options, usage) != argc) {
    fputs(usage, stderr);
    return 2;
  }
  config.max_connections = (unsigned)connections;
  wire_thread_init();
  wire_fd_init();
  wire_stack_fault_detector_install();
  if (service_init(&service, &config) != 0)
    return 1;
  printf("listening on %s port %d\n", config.address, service_port(&service));
  if (fflush(stdout) != 0) {
    fprintf(stderr, "echo_server: cannot write to stdout: %s\n", strerror(errno));
    return 1;
  }
  return service_run(&service) == 0 ? 0 : 1;
}
