/*
 * connection: the life of one HTTP connection, in one wire.
 */
#ifndef HTTP_SERVER_CONNECTION_H
#define HTTP_SERVER_CONNECTION_H

#include <stddef.h>

#include "common/service.h"
#include "site.h"

/* What all connections share: the context of the service. */
struct http_server {
  struct site site;
  int idle_timeout_msec;    /* between two requests */
  int request_timeout_msec; /* from the first byte of a request to its last */
  int send_timeout_msec;    /* without any progress of an answer */
};

/* How much memory serve_http() needs for each connection. */
size_t http_connection_memory(void);

/* Answers requests until the peer or the server wants no more. For service_config.serve. */
void serve_http(struct connection *connection);

#endif
