#define _GNU_SOURCE
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.h"
#include "wire_stack.h"
#include "wire_timeout.h"

#define HELPER_STACK_SIZE (32 * 1024)

void connection_idle(struct connection *connection) {
  list_move_tail(&connection->link, &connection->service->idle);
  if (connection->service->stopping)
    shutdown(connection->net.fd_state.fd, SHUT_RD);
}

void connection_busy(struct connection *connection) {
  connection->heard = true;
  list_move_tail(&connection->link, &connection->service->busy);
}

/* Shuts down a connection of one of the lists; its wire notices, ends and gives it back. */
static void shut_down(struct list_head *link, int how) {
  struct connection *connection = list_entry(link, struct connection, link);
  /* Fails when the peer is gone already, and then the wire notices that. */
  shutdown(connection->net.fd_state.fd, how);
}

static void shut_down_all(struct list_head *connections, int how) {
  for (struct list_head *link = connections->next; link != connections; link = link->next)
    shut_down(link, how);
}

/* The first part of every connection's wire and the last: between them, serve(). */
static void run_connection(void *arg) {
  struct connection *connection = arg;
  struct service *service = connection->service;

  service->config.serve(connection);
  wire_net_close(&connection->net);
  list_move_head(&connection->link, &service->unused);
  service->num_used--;
  if (service->stopping && service->num_used == 0)
    wire_wait_resume(&service->wake);
}

/* Makes room for a new peer, but not at the cost of one that is new itself. */
static void end_longest_idle(struct service *service) {
  struct list_head *idle = &service->idle;

  for (struct list_head *link = idle->next; link != idle; link = link->next) {
    if (list_entry(link, struct connection, link)->heard) {
      shut_down(link, SHUT_RD);
      /* To the end of the list: when even more peers come, it is the next one's turn. */
      list_move_tail(link, idle);
      return;
    }
  }
}

static void accept_connections(void *arg) {
  struct service *service = arg;

  for (;;) {
    const int fd = listener_accept(&service->listener);
    if (fd < 0)
      break;

    /* There is one more of these than there are wires: for the connection that waits for a wire. */
    struct list_head *link = list_head(&service->unused);
    struct connection *connection = list_entry(link, struct connection, link);
    list_move_tail(link, &service->busy);
    service->num_used++;
    wire_net_init(&connection->net, fd);

    connection->heard = false;
    if (service->num_used > service->config.max_connections && service->config.end_idle_when_full)
      end_longest_idle(service);
    if (wire_pool_alloc_block(&service->pool, "connection", run_connection, connection) == NULL) {
      const int error = errno;
      wire_net_close(&connection->net);
      list_move_head(link, &service->unused);
      service->num_used--;
      errno = error;
      break;
    }
  }
  if (!service->listener.stopped) {
    service->error = errno;
    wire_wait_resume(&service->wake);
  }
}

/* Waits for the first signal, or for the end of accepting. */
static void wait_for_stop(struct service *service, wire_wait_list_t *waits) {
  struct signalfd_siginfo info;

  if (wire_fd_mode_read(&service->signals) != 0) {
    service->error = errno;
    return;
  }
  wire_fd_wait_list_chain(waits, &service->signals);
  if (wire_list_wait(waits) == &service->signals.wait &&
      read(service->signals.fd, &info, sizeof(info)) != sizeof(info))
    service->error = errno;
}

/* Waits for the end of the last connection, a second signal, or the time that a stop may take. */
static void wait_for_connections(struct service *service, wire_wait_list_t *waits) {
  wire_timeout_t grace;

  if (service->num_used == 0 || service->config.grace_msec == 0 || wire_timeout_init(&grace) != 0)
    return;
  wire_wait_reset(&service->wake);
  wire_wait_reset(&service->signals.wait);
  wire_wait_chain(waits, wire_timeout_wait_get(&grace));
  if (wire_timeout_reset(&grace, service->config.grace_msec) == 0)
    wire_list_wait(waits);
  wire_timeout_stop(&grace);
  wire_wait_unchain(wire_timeout_wait_get(&grace));
}

static void stop_service(void *arg) {
  struct service *service = arg;
  wire_wait_list_t waits;

  wire_wait_list_init(&waits);
  wire_wait_chain(&waits, &service->wake);
  wait_for_stop(service, &waits);

  service->stopping = true;
  listener_stop(&service->listener);
  shut_down_all(&service->idle, SHUT_RD);
  wait_for_connections(service, &waits);
  /* What is left is cut off: reads end at once and writes fail. */
  shut_down_all(&service->busy, SHUT_RDWR);
  shut_down_all(&service->idle, SHUT_RDWR);

  wire_wait_stop(&service->wake);
  wire_wait_unchain(&service->wake);
  wire_fd_mode_none(&service->signals);
}

/* From now on SIGINT and SIGTERM are read from a descriptor, and writing to a closed connection
 * is an error instead of the end of the process. */
static int take_signals(wire_fd_state_t *signals) {
  sigset_t set;

  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
    return -1;
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0)
    return -1;
  wire_fd_mode_init(signals, fd);
  return 0;
}

static int allocate(struct service *service) {
  const struct service_config *config = &service->config;
  const unsigned count = config->max_connections + 1;

  service->connections = calloc(count, sizeof(*service->connections));
  service->memory = calloc(count, config->connection_memory);
  service->pool_entries = calloc(config->max_connections, sizeof(*service->pool_entries));
  if (service->connections == NULL || service->memory == NULL || service->pool_entries == NULL ||
      wire_pool_init(&service->pool, service->pool_entries, config->max_connections,
                     config->stack_size) != 0)
    return -1;
  for (unsigned i = 0; i < count; i++) {
    struct connection *connection = &service->connections[i];
    connection->service = service;
    connection->memory = service->memory + i * config->connection_memory;
    list_add_tail(&connection->link, &service->unused);
  }
  return 0;
}

/* The stacks of a pool are the program's for good. */
static void release(struct service *service) {
  free(service->connections);
  free(service->memory);
  free(service->pool_entries);
  listener_close(&service->listener);
  close(service->signals.fd);
}

static int start_helper(wire_t *wire, const char *name, void (*entry_point)(void *),
                        struct service *service) {
  void *stack = wire_stack_alloc(HELPER_STACK_SIZE);

  if (stack == NULL ||
      wire_init(wire, name, entry_point, service, stack, HELPER_STACK_SIZE) == NULL)
    return -1;
  return 0;
}

int service_init(struct service *service, const struct service_config *config) {
  memset(service, 0, sizeof(*service));
  service->config = *config;
  list_head_init(&service->unused);
  list_head_init(&service->busy);
  list_head_init(&service->idle);
  wire_wait_init(&service->wake);

  /* For each connection one, and another one for what it is to read or write. With too few,
   * accepting waits until one is closed. */
  descriptors_allow(2 * (unsigned long)config->max_connections + 64);
  if (take_signals(&service->signals) != 0) {
    fprintf(stderr, "cannot set up the signals: %s\n", strerror(errno));
    return -1;
  }
  if (listener_open(&service->listener, config->address, config->port) != 0) {
    close(service->signals.fd);
    return -1;
  }

  /* The stopper is first to run, so that it already waits when accepting fails. */
  if (allocate(service) != 0 ||
      start_helper(&service->stopper, "stopper", stop_service, service) != 0 ||
      start_helper(&service->acceptor, "acceptor", accept_connections, service) != 0) {
    fprintf(stderr, "cannot set up %u connections: %s\n", config->max_connections, strerror(errno));
    release(service);
    return -1;
  }
  return 0;
}

int service_port(const struct service *service) { return listener_port(&service->listener); }

int service_run(struct service *service) {
  wire_thread_run();
  release(service);
  if (service->error != 0) {
    fprintf(stderr, "cannot go on: %s\n", strerror(service->error));
    return -1;
  }
  return 0;
}
