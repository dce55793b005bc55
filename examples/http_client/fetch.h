/*
 * fetch: gets one URL after the other over HTTP/1.1, keeping the connection while the next URL is
 * on the same server.
 */
#ifndef HTTP_CLIENT_FETCH_H
#define HTTP_CLIENT_FETCH_H

#include <http_parser.h>
#include <stdbool.h>
#include <stdint.h>

#include "store.h"
#include "url.h"
#include "wire_net.h"

struct fetch_limits {
  int progress_msec; /* the longest time without a byte, also while connecting; 0: none */
  int total_msec;    /* for a whole URL; 0: none */
};

struct fetcher {
  const struct fetch_limits *limits;
  struct store store;
  struct url url;
  struct url connected_to; /* only host and port are looked at */
  wire_net_t net;
  bool connected;
  bool reused;      /* the connection served an earlier URL */
  int64_t deadline; /* of the URL, in milliseconds of the monotonic clock */

  http_parser parser;
  bool complete;         /* the whole answer is here */
  bool any_byte;         /* at least one byte of it is */
  const char *problem;   /* why the answer is refused */
  char explanation[128]; /* what fetch() returns may be in here */
  char buffer[32 * 1024];
};

void fetcher_init(struct fetcher *fetcher, const struct fetch_limits *limits, int output_root,
                  unsigned number);

/*
 * Fetches a URL. Only the status 200 counts; redirections are not followed. Returns NULL, and then
 * `hex` is the body's SHA-256 and fetcher->store.size its size; or what went wrong, in words. Only
 * inside a wire, and always the same.
 */
const char *fetch(struct fetcher *fetcher, const char *text, char hex[STORE_HEX_SIZE]);

/* Closes the connection that may be left. */
void fetcher_close(struct fetcher *fetcher);

#endif
