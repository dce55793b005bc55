#include "connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "output.h"
#include "request.h"
#include "response.h"

enum { INPUT_SIZE = 16 * 1024, LINGER_MSEC = 2000, LINGER_MAX = 1024 * 1024 };

struct http_connection {
  struct request request;
  struct output output;
  size_t input_used, input_end; /* the bytes between them have come and are not parsed yet */
  char input[INPUT_SIZE];
};

size_t http_connection_memory(void) { return sizeof(struct http_connection); }

/* Gets more bytes when all are parsed. Returns 0, or -1 with errno (ENODATA: end of the file). */
static int fill_input(struct http_connection *http, wire_net_t *net) {
  http->input_used = http->input_end = 0;
  return wire_net_read_any(net, http->input, sizeof(http->input), &http->input_end);
}

/*
 * Reads the next request. Answers that are still in the output buffer leave before it waits.
 * Returns 0 when there is something to answer, -1 when the connection is at its end.
 */
static int read_request(struct http_connection *http, struct connection *connection) {
  const struct http_server *server = connection->service->config.context;
  struct request *request = &http->request;
  wire_net_t *net = &connection->net;

  bool limited = false;

  request_begin(request);
  while (!request->complete) {
    if (http->input_used == http->input_end) {
      int result;

      if (output_flush(&http->output) != 0)
        return -1;
      if (!request->started) {
        if (wire_timeout_reset(&net->tout, server->idle_timeout_msec) != 0)
          return -1;
        connection_idle(connection);
        result = fill_input(http, net);
        connection_busy(connection);
      } else {
        /* One time limit for the rest of the request, however small the pieces it comes in. */
        if (!limited && wire_timeout_reset(&net->tout, server->request_timeout_msec) != 0)
          return -1;
        limited = true;
        result = fill_input(http, net);
      }
      if (result != 0) {
        /* Only who began a request and did not end it in time is owed an answer. */
        if (errno != ETIMEDOUT || !request->started)
          return -1;
        request->error = HTTP_STATUS_REQUEST_TIMEOUT;
        request->keep_alive = false;
        return 0;
      }
    }
    http->input_used +=
        request_parse(request, http->input + http->input_used, http->input_end - http->input_used);
  }
  return 0;
}

static int answer(struct http_connection *http, const struct http_server *server) {
  const struct request *request = &http->request;
  char location[SITE_PATH_MAX];
  struct site_file file;
  int status = request->error;

  if (status == 0)
    status = site_open_file(&server->site, request->target, &file, location);
  if (status != 0)
    return respond_status(&http->output, request, status,
                          status == HTTP_STATUS_MOVED_PERMANENTLY ? location : NULL);
  const int result = respond_file(&http->output, request, &file);
  close(file.fd);
  return result;
}

/*
 * Closing a socket with unread input makes the kernel send a reset, which can destroy an answer
 * that is still on its way. So the peer is told that no more will come, and what it still sends is
 * read for a while.
 */
static void linger(struct http_connection *http, wire_net_t *net) {
  size_t total = 0;

  if (shutdown(net->fd_state.fd, SHUT_WR) != 0 || wire_timeout_reset(&net->tout, LINGER_MSEC) != 0)
    return;
  while (total < LINGER_MAX && fill_input(http, net) == 0)
    total += http->input_end;
}

void serve_http(struct connection *connection) {
  const struct http_server *server = connection->service->config.context;
  struct http_connection *http = connection->memory;

  output_init(&http->output, &connection->net, server->send_timeout_msec);
  http->input_used = http->input_end = 0;

  while (read_request(http, connection) == 0) {
    if (connection->service->stopping)
      http->request.keep_alive = false;
    if (answer(http, server) != 0)
      return;
    if (!http->request.keep_alive) {
      /* A peer that asked for the end itself, and was answered in full, sends nothing more. */
      const bool more_may_come = http->request.error != 0 || connection->service->stopping ||
                                 http->input_used < http->input_end;
      if (output_flush(&http->output) == 0 && more_may_come)
        linger(http, &connection->net);
      return;
    }
  }
}
