#define _GNU_SOURCE
#include "fetch.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static int64_t now_msec(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How long the next step may take: 0 for ever, -1 with ETIMEDOUT when the time is over. */
static int step_msec(const struct fetcher *fetcher) {
  const int progress = fetcher->limits->progress_msec;

  if (fetcher->limits->total_msec == 0)
    return progress;
  const int64_t left = fetcher->deadline - now_msec();
  if (left <= 0) {
    errno = ETIMEDOUT;
    return -1;
  }
  return progress > 0 && progress < left ? progress : (int)left;
}

static const char *explain(struct fetcher *fetcher, const char *what, const char *why) {
  snprintf(fetcher->explanation, sizeof(fetcher->explanation), "%s: %s", what, why);
  return fetcher->explanation;
}

static int on_headers_complete(http_parser *parser) {
  struct fetcher *fetcher = parser->data;

  if (parser->status_code >= 100 && parser->status_code < 200)
    return 0; /* the real answer follows */
  if (parser->status_code != HTTP_STATUS_OK) {
    snprintf(fetcher->explanation, sizeof(fetcher->explanation), "the server answers %u",
             (unsigned)parser->status_code);
    fetcher->problem = fetcher->explanation;
  }
  return 0;
}

static int on_body(http_parser *parser, const char *data, size_t length) {
  struct fetcher *fetcher = parser->data;

  /* The body of a refused answer is read to its end, so that the connection can be used again. */
  if (fetcher->problem != NULL || store_write(&fetcher->store, data, length) == 0)
    return 0;
  fetcher->problem = explain(fetcher, "cannot write the file", strerror(errno));
  return -1;
}

static int on_message_complete(http_parser *parser) {
  struct fetcher *fetcher = parser->data;

  if (parser->status_code >= 200) {
    fetcher->complete = true;
    http_parser_pause(parser, 1);
  }
  return 0;
}

static const http_parser_settings settings = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

void fetcher_init(struct fetcher *fetcher, const struct fetch_limits *limits, int output_root,
                  unsigned number) {
  memset(fetcher, 0, sizeof(*fetcher));
  fetcher->limits = limits;
  store_init(&fetcher->store, output_root, number);
}

void fetcher_close(struct fetcher *fetcher) {
  if (fetcher->connected)
    wire_net_close(&fetcher->net);
  fetcher->connected = false;
}

/* Returns 0, or -1 with errno. */
static int ensure_connected(struct fetcher *fetcher) {
  const struct url *url = &fetcher->url;
  const int on = 1;

  if (fetcher->connected && (strcmp(url->host, fetcher->connected_to.host) != 0 ||
                             strcmp(url->port, fetcher->connected_to.port) != 0))
    fetcher_close(fetcher);
  fetcher->reused = fetcher->connected;
  if (fetcher->connected)
    return 0;

  const int msec = step_msec(fetcher);
  if (msec < 0 ||
      wire_net_init_tcp_connected(&fetcher->net, url->host, url->port, msec, NULL, NULL) != 0) {
    const int error = errno;
    fetcher->problem =
        explain(fetcher, "cannot connect", error == ENOENT ? "unknown host name" : strerror(error));
    return -1;
  }
  fetcher->connected = true;
  fetcher->connected_to = *url;
  /* A request is one small write that should leave at once. Without it things work too. */
  setsockopt(fetcher->net.fd_state.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return 0;
}

static int send_request(struct fetcher *fetcher) {
  size_t sent;
  const int length = snprintf(fetcher->buffer, sizeof(fetcher->buffer),
                              "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: http_client\r\n"
                              "Accept: */*\r\n\r\n",
                              fetcher->url.target, fetcher->url.authority);
  const int msec = step_msec(fetcher);

  if (msec < 0 || wire_timeout_reset(&fetcher->net.tout, msec) != 0)
    return -1;
  return wire_net_write(&fetcher->net, fetcher->buffer, (size_t)length, &sent);
}

/* Returns 0 with the answer parsed, or -1: `problem` says why, or errno if that is NULL. */
static int read_answer(struct fetcher *fetcher) {
  size_t received = 0, parsed = 0;

  while (!fetcher->complete) {
    const int msec = step_msec(fetcher);
    if (msec < 0 || wire_timeout_reset(&fetcher->net.tout, msec) != 0)
      return -1;
    if (wire_net_read_any(&fetcher->net, fetcher->buffer, sizeof(fetcher->buffer), &received) !=
        0) {
      if (errno != ENODATA || !fetcher->any_byte)
        return -1;
      received = 0; /* for the parser: an answer without a length ends with the connection */
    }
    fetcher->any_byte |= received > 0;
    parsed = http_parser_execute(&fetcher->parser, &settings, fetcher->buffer, received);
    if (fetcher->complete)
      break;
    if (fetcher->problem == NULL && HTTP_PARSER_ERRNO(&fetcher->parser) != HPE_OK)
      fetcher->problem = received == 0 ? "the connection ended in the middle of the answer"
                                       : "the answer is not HTTP";
    if (HTTP_PARSER_ERRNO(&fetcher->parser) != HPE_OK || received == 0)
      return -1;
  }
  /* Bytes behind the answer: this server is not to be trusted with another request. */
  if (parsed < received || !http_should_keep_alive(&fetcher->parser))
    fetcher_close(fetcher);
  return fetcher->problem == NULL ? 0 : -1;
}

/* Returns 0, or -1 as read_answer() does. */
static int try_once(struct fetcher *fetcher) {
  http_parser_init(&fetcher->parser, HTTP_RESPONSE);
  fetcher->parser.data = fetcher;
  fetcher->complete = fetcher->any_byte = false;
  fetcher->problem = NULL;
  if (ensure_connected(fetcher) == 0 && send_request(fetcher) == 0 && read_answer(fetcher) == 0)
    return 0;
  if (!fetcher->complete) {
    const int error = errno;
    fetcher_close(fetcher);
    errno = error;
  }
  return -1;
}

const char *fetch(struct fetcher *fetcher, const char *text, char hex[STORE_HEX_SIZE]) {
  const char *bad_url = url_parse(text, &fetcher->url);

  if (bad_url != NULL)
    return bad_url;
  if (fetcher->limits->total_msec > 0)
    fetcher->deadline = now_msec() + fetcher->limits->total_msec;
  fetcher->problem = NULL;
  if (store_begin(&fetcher->store, &fetcher->url) != 0)
    return explain(fetcher, "cannot create the file", strerror(errno));

  int result = try_once(fetcher);
  /* A server may close a kept connection at any time, also just when the next request is sent. */
  if (result != 0 && fetcher->reused && !fetcher->any_byte && errno != ETIMEDOUT)
    result = try_once(fetcher);
  if (result == 0) {
    if (store_finish(&fetcher->store, hex) == 0)
      return NULL;
    return explain(fetcher, "cannot complete the file", strerror(errno));
  }

  const int error = errno;
  store_drop(&fetcher->store);
  if (fetcher->problem != NULL)
    return fetcher->problem;
  if (error == ENODATA)
    return "the server closed the connection without an answer";
  return explain(fetcher, fetcher->any_byte ? "in the middle of the answer" : "no answer",
                 strerror(error));
}
