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
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"
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

struct options {
  const char *root;
  struct service_config service;
};

static int parse_options(int argc, char **argv, struct options *options,
                         struct http_server *server) {
  enum { ROOT, ADDRESS, PORT, CONNECTIONS, IDLE, REQUEST, SEND, GRACE, HELP };
  static const struct option known[] = {
      {"root", required_argument, NULL, ROOT},
      {"address", required_argument, NULL, ADDRESS},
      {"port", required_argument, NULL, PORT},
      {"connections", required_argument, NULL, CONNECTIONS},
      {"idle-timeout", required_argument, NULL, IDLE},
      {"request-timeout", required_argument, NULL, REQUEST},
      {"send-timeout", required_argument, NULL, SEND},
      {"grace", required_argument, NULL, GRACE},
      {"help", no_argument, NULL, HELP},
      {NULL, 0, NULL, 0},
  };
  long number = 0;
  int option, bad = 0;

  while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
    switch (option) {
    case ROOT:
      options->root = optarg;
      break;
    case ADDRESS:
      options->service.address = optarg;
      break;
    case PORT:
      options->service.port = optarg;
      bad |= parse_number(optarg, 0, 65535, &number);
      break;
    case CONNECTIONS:
      bad |= parse_number(optarg, 1, 100000, &number);
      options->service.max_connections = (unsigned)number;
      break;
    case IDLE:
      bad |= parse_seconds(optarg, &server->idle_timeout_msec);
      break;
    case REQUEST:
      bad |= parse_seconds(optarg, &server->request_timeout_msec);
      break;
    case SEND:
      bad |= parse_seconds(optarg, &server->send_timeout_msec);
      break;
    case GRACE:
      bad |= parse_seconds(optarg, &options->service.grace_msec);
      break;
    case HELP:
      fputs(usage, stdout);
      exit(fflush(stdout) == 0 ? 0 : 1);
    default:
      return -1;
    }
    if (bad) {
      fprintf(stderr, "http_server: %s is no good value\n", optarg);
      return -1;
    }
  }
  return optind == argc ? 0 : -1;
}

int main(int argc, char **argv) {
  struct http_server server = {
      .idle_timeout_msec = 60000, .request_timeout_msec = 10000, .send_timeout_msec = 30000};
  struct options options = {
      .root = ".",
      .service = {.address = "127.0.0.1",
                  .port = "8080",
                  .max_connections = 1000,
                  .stack_size = STACK_SIZE,
                  .connection_memory = http_connection_memory(),
                  .grace_msec = 10000,
                  .end_idle_when_full = true,
                  .serve = serve_http,
                  .context = &server},
  };
  struct service service;

  if (parse_options(argc, argv, &options, &server) != 0) {
    fputs(usage, stderr);
    return 2;
  }
  if (site_open_root(&server.site, options.root) != 0) {
    fprintf(stderr, "http_server: cannot open %s: %s\n", options.root, strerror(errno));
    return 1;
  }
  request_setup();
  wire_thread_init();
  wire_fd_init();
  wire_stack_fault_detector_install();
  if (service_init(&service, &options.service) != 0)
    return 1;

  /* An IPv6 address needs brackets in a URL. */
  const int is_ipv6 = strchr(options.service.address, ':') != NULL;
  printf("listening on http://%s%s%s:%d/\n", is_ipv6 ? "[" : "", options.service.address,
         is_ipv6 ? "]" : "", service_port(&service));
  if (fflush(stdout) != 0) {
    fprintf(stderr, "http_server: cannot write to stdout: %s\n", strerror(errno));
    return 1;
  }
  return service_run(&service) == 0 ? 0 : 1;
}
