/*
 * service: a TCP server in which every connection has a wire of its own.
 *
 * One wire accepts and gives each connection to a wire of a pool; when the pool is used up it
 * waits, and the kernel's backlog holds the rest. One wire waits for SIGINT and SIGTERM. All memory
 * is allocated by service_init(), so a server cannot grow beyond what it was given.
 *
 * A connection is idle while its peer owes it nothing, between two requests for example. Idle
 * connections are the ones that may be ended early: all when the server stops, and, if the server
 * wants that, the longest idle one from which something has come before, when a new peer finds all
 * wires in use. They are ended by shutting down their reading side: what has arrived by then is
 * still served, and then comes the end of the file.
 */
#ifndef EXAMPLES_SERVICE_H
#define EXAMPLES_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "list.h"
#include "listener.h"
#include "wire.h"
#include "wire_fd.h"
#include "wire_net.h"
#include "wire_pool.h"
#include "wire_wait.h"

struct service;

struct connection {
  struct list_head link; /* in one of the three lists of the service */
  struct service *service;
  wire_net_t net;
  bool heard;   /* something has come from the peer */
  void *memory; /* config.connection_memory bytes, zero at first, then as the last user left them */
};

struct service_config {
  const char *address; /* see listener_open() */
  const char *port;
  unsigned max_connections;
  unsigned stack_size;      /* of the wires that run serve() */
  size_t connection_memory; /* bytes for each connection, touched only when serve() does */
  int grace_msec;           /* a stop waits this long for connections that are not idle */
  bool end_idle_when_full;
  void (*serve)(struct connection *connection); /* runs in a wire; must not close connection->net */
  void *context;                                /* for serve() */
};

struct service {
  struct service_config config;
  struct listener listener;
  wire_fd_state_t signals;
  wire_pool_t pool;
  struct connection *connections;
  char *memory;
  wire_pool_entry_t *pool_entries;
  struct list_head unused, busy, idle; /* idle: longest idle first */
  unsigned num_used;
  bool stopping;
  int error;        /* errno of what made the server stop, 0 after a signal */
  wire_wait_t wake; /* the stopper waits for it: accepting failed, or the last connection ended */
  wire_t acceptor, stopper;
};

/*
 * Call once after wire_thread_init() and wire_fd_init(), before other threads exist. Blocks SIGINT
 * and SIGTERM and ignores SIGPIPE in the process. Returns 0, or -1 after a line on stderr.
 */
int service_init(struct service *service, const struct service_config *config);

/* The port that is listened on. */
int service_port(const struct service *service);

/* Serves until a signal and the end of the last connection, and then gives everything back. Returns
 * 0, or -1 after a line on stderr. */
int service_run(struct service *service);

/* For serve(): the peer owes us nothing from here on, until connection_busy(). */
void connection_idle(struct connection *connection);
void connection_busy(struct connection *connection);

#endif
