/*
 * request: turns the bytes of a connection into requests, with http_parser.
 *
 * It keeps of a request what a file server needs, in memory of fixed size, and decides which error
 * a request deserves that cannot be answered with a file. It does no input or output.
 */
#ifndef HTTP_SERVER_REQUEST_H
#define HTTP_SERVER_REQUEST_H

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum {
  REQUEST_TARGET_MAX = 4096,    /* longer: 414 */
  REQUEST_HEAD_MAX = 16 * 1024, /* longer: 431 */
  REQUEST_BODY_MAX = 64 * 1024, /* longer: 413; shorter bodies are read and ignored */
  REQUEST_FIELD_MAX = 128       /* of the header fields that are looked at */
};

struct request {
  http_parser parser;
  bool started;    /* at least one byte has come */
  bool complete;   /* it can be answered */
  bool keep_alive; /* another request may follow */
  int error;       /* the status to answer with, 0 if the request is fine */

  char target[REQUEST_TARGET_MAX + 1];
  size_t target_length;
  char range[REQUEST_FIELD_MAX]; /* the Range field, empty if there is none to be honoured */
  time_t if_modified_since;      /* -1 if not given */

  /* Only for the parser's callbacks. */
  char name[32];
  char value[REQUEST_FIELD_MAX];
  size_t name_length, value_length, body_length;
  bool in_value, in_trailer;
  int num_hosts;
  bool expects_continue, has_if_range;
};

/* Once per process, before the first request. */
void request_setup(void);

void request_begin(struct request *request);

/*
 * Takes the next bytes of the connection and returns how many of them belong to this request; those
 * behind are of the next one. When `complete` is set, there is nothing more to parse.
 */
size_t request_parse(struct request *request, const char *data, size_t length);

/* True for a request that wants the head of the answer only. */
bool request_is_head(const struct request *request);

#endif
