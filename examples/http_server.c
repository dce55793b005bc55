/*
 * http_server: an HTTP/1.1 server for the files of a folder, on one thread.
 *
 * Shows how a server of some size looks with wires: each connection is plain sequential code
 * (http_server/connection.c) in a wire of its own, with time limits, a fixed amount of memory and
 * an orderly stop. Accepting, the pool and the stop are in common/service.c; the parser is
 * http_parser.
 *
 * It knows GET and HEAD, keep-alive, pipelining, single ranges and If-Modified-Since. A folder's
 * page is its index.html; there are no listings.
 *
 * Run:  ./http_server --root /usr/share/doc --port 8080
 *       curl http://127.0.0.1:8080/bash/README
 *
 * The line on stdout says where it listens, also after --port 0. SIGINT or SIGTERM stop it: answers
 * that are on their way are completed; a second signal, or the time of --grace, cuts them off.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/options.h"
#include "common/service.h"
#include "http_server/connection.h"
#include "http_server/request.h"
#include "wire.h"
#include "wire_fd.h"
#include "wire_stack.h"

/* Paths are the largest things on it. Pages that are not touched cost nothing. */
#define STACK_SIZE (64 * 1024)

static const char usage[] =
    "usage: http_server [OPTION...]\n"
    "  --root FOLDER             what to serve (default .)\n"
    "  --address ADDRESS         where to listen (default 127.0.0.1; :: is everywhere)\n"
    "  --port PORT               0 for a free one (default 8080)\n"
    "  --connections NUMBER      at most so many at a time (default 1000)\n"
    "  --idle-timeout SECONDS    between two requests (default 60)\n"
    "  --request-timeout SECONDS for a whole request to arrive (default 10)\n"
    "  --send-timeout SECONDS    for the peer to take a part of an answer (default 30)\n"
    "  --grace SECONDS           for answers under way after SIGTERM (default 10)\n"
    "A timeout of 0 is no limit.\n";

int main(int argc, char **argv) {
  struct http_server server = {
      .idle_timeout_msec = 60000, .request_timeout_msec = 10000, .send_timeout_msec = 30000};
  struct service_config config = {.address = "127.0.0.1",
                                  .port = "8080",
                                  .stack_size = STACK_SIZE,
                                  .connection_memory = http_connection_memory(),
                                  .grace_msec = 10000,
                                  .end_idle_when_full = true,
                                  .serve = serve_http,
                                  .context = &server};
  const char *root = ".";
  long connections = 1000;
  const struct known_option options[] = {
      {"root", 0, OPTION_TEXT, &root, 0, 0},
      {"address", 0, OPTION_TEXT, &config.address, 0, 0},
      {"port", 0, OPTION_PORT, &config.port, 0, 0},
      {"connections", 0, OPTION_NUMBER, &connections, 1, 100000},
      {"idle-timeout", 0, OPTION_SECONDS, &server.idle_timeout_msec, 0, 0},
      {"request-timeout", 0, OPTION_SECONDS, &server.request_timeout_msec, 0, 0},
      {"send-timeout", 0, OPTION_SECONDS, &server.send_timeout_msec, 0, 0},
      {"grace", 0, OPTION_SECONDS, &config.grace_msec, 0, 0},
      {NULL, 0, 0, NULL, 0, 0},
  };
  struct service service;

  if (options_parse(argc, argv, options, usage) != argc) {
    fputs(usage, stderr);
    return 2;
  }
  config.max_connections = (unsigned)connections;
  if (site_open_root(&server.site, root) != 0) {
    fprintf(stderr, "http_server: cannot open %s: %s\n", root, strerror(errno));
    return 1;
  }
  request_setup();
  wire_thread_init();
  wire_fd_init();
  wire_stack_fault_detector_install();
  if (service_init(&service, &config) != 0)
    return 1;

  /* An IPv6 address needs brackets in a URL. */
  const int is_ipv6 = strchr(config.address, ':') != NULL;
  printf("listening on http://%s%s%s:%d/\n", is_ipv6 ? "[" : "", config.address, is_ipv6 ? "]" : "",
         service_port(&service));
  if (fflush(stdout) != 0) {
    fprintf(stderr, "http_server: cannot write to stdout: %s\n", strerror(errno));
    return 1;
  }
  return service_run(&service) == 0 ? 0 : 1;
}
