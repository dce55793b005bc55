/*
 * listener: a listening TCP socket, IPv4 or IPv6, that a wire accepts connections from.
 *
 * One wire accepts; any wire of the same thread may stop it. Nothing here allocates after
 * listener_open().
 */
#ifndef EXAMPLES_LISTENER_H
#define EXAMPLES_LISTENER_H

#include <stdbool.h>

#include "wire_fd.h"
#include "wire_wait.h"

struct listener {
  wire_fd_state_t fd_state;
  wire_wait_t stop; /* what listener_stop() triggers */
  bool stopped;
};

/*
 * Listens on a numeric address or host name ("127.0.0.1", "::1", "localhost"; "::" stands for every
 * IPv6 and IPv4 address of the machine) and a port or service name ("0": a free port). Resolving a
 * name may block the thread. Accepted connections inherit TCP_NODELAY. Returns 0, or -1 after a
 * line on stderr.
 */
int listener_open(struct listener *listener, const char *address, const char *port);

/* The port that is listened on, in host byte order, or -1 with errno. */
int listener_port(const struct listener *listener);

/*
 * Waits for a connection and returns its non-blocking descriptor. When the process or the system is
 * out of descriptors or memory, it tries again after a pause instead of spinning. Returns -1 with
 * errno when the listener cannot go on: ECANCELED after listener_stop(). Only inside a wire.
 */
int listener_accept(struct listener *listener);

/* Ends listener_accept(), now or at its next call. */
void listener_stop(struct listener *listener);

void listener_close(struct listener *listener);

#endif
