#define _GNU_SOURCE /* strptime, timegm */
#include "request.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Ends the request: it is answered with `status`, and the connection is closed after that. */
static int reject(struct request *request, int status) {
  request->error = status;
  request->complete = true;
  request->keep_alive = false;
  return -1; /* what a callback returns to stop the parser */
}

/* Appends what fits; a field that is cut off is longer than anything that is looked for. */
static void append(char *buffer, size_t size, size_t *used, const char *data, size_t length) {
  const size_t space = size - 1 - *used;
  const size_t taken = length < space ? length : space;

  memcpy(buffer + *used, data, taken);
  *used += taken;
  buffer[*used] = '\0';
}

/* Looks at a header field that is complete. */
static void end_field(struct request *request) {
  const char *name = request->name, *value = request->value;

  if (!request->in_value || request->in_trailer)
    return;
  while (request->value_length > 0 && strchr(" \t", value[request->value_length - 1]) != NULL)
    request->value[--request->value_length] = '\0';
  if (strcasecmp(name, "host") == 0) {
    request->num_hosts++;
  } else if (strcasecmp(name, "range") == 0) {
    memcpy(request->range, value, request->value_length + 1);
  } else if (strcasecmp(name, "if-range") == 0) {
    request->has_if_range = true;
  } else if (strcasecmp(name, "expect") == 0) {
    request->expects_continue = true;
  } else if (strcasecmp(name, "if-modified-since") == 0) {
    struct tm date = {0};
    const char *end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &date);
    if (end != NULL && *end == '\0')
      request->if_modified_since = timegm(&date);
  }
}

static int on_message_begin(http_parser *parser) {
  struct request *request = parser->data;
  request->started = true;
  return 0;
}

static int on_url(http_parser *parser, const char *data, size_t length) {
  struct request *request = parser->data;

  if (length > REQUEST_TARGET_MAX - request->target_length)
    return reject(request, HTTP_STATUS_URI_TOO_LONG);
  append(request->target, sizeof(request->target), &request->target_length, data, length);
  return 0;
}

static int on_header_field(http_parser *parser, const char *data, size_t length) {
  struct request *request = parser->data;

  if (request->in_value) {
    end_field(request);
    request->in_value = false;
    request->name_length = 0;
  }
  append(request->name, sizeof(request->name), &request->name_length, data, length);
  return 0;
}

static int on_header_value(http_parser *parser, const char *data, size_t length) {
  struct request *request = parser->data;

  /* The parser lets it pass. */
  if (memchr(data, '\0', length) != NULL)
    return reject(request, HTTP_STATUS_BAD_REQUEST);
  if (!request->in_value) {
    request->in_value = true;
    request->value_length = 0;
  }
  append(request->value, sizeof(request->value), &request->value_length, data, length);
  return 0;
}

static int on_headers_complete(http_parser *parser) {
  struct request *request = parser->data;
  const bool chunked = (parser->flags & F_CHUNKED) != 0;
  const uint64_t body = parser->content_length == UINT64_MAX ? 0 : parser->content_length;

  end_field(request);
  request->in_trailer = true;
  request->keep_alive = http_should_keep_alive(parser);

  if (parser->http_major != 1)
    return reject(request, HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED);
  if (request->num_hosts > 1 || (request->num_hosts == 0 && parser->http_minor > 0))
    return reject(request, HTTP_STATUS_BAD_REQUEST);
  if (body > REQUEST_BODY_MAX)
    return reject(request, HTTP_STATUS_PAYLOAD_TOO_LARGE);
  /* What a range means with If-Range depends on a validator; the whole file is always right. */
  if (request->has_if_range)
    request->range[0] = '\0';
  if (parser->method == HTTP_CONNECT)
    return reject(request, HTTP_STATUS_METHOD_NOT_ALLOWED);
  if (parser->method != HTTP_GET && parser->method != HTTP_HEAD)
    request->error = HTTP_STATUS_METHOD_NOT_ALLOWED;
  if ((body > 0 || chunked) && request->expects_continue) {
    /* The peer waits for leave to send a body that nobody needs. The answer is its leave not to. */
    request->complete = true;
    request->keep_alive = false;
    return -1;
  }
  return 0;
}

static int on_body(http_parser *parser, const char *data, size_t length) {
  struct request *request = parser->data;

  (void)data;
  request->body_length += length;
  if (request->body_length > REQUEST_BODY_MAX)
    return reject(request, HTTP_STATUS_PAYLOAD_TOO_LARGE);
  return 0;
}

static int on_message_complete(http_parser *parser) {
  struct request *request = parser->data;

  request->complete = true;
  /* The bytes behind are the next request's: stop here. */
  http_parser_pause(parser, 1);
  return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* 501 for a method that we do not know, 400 for what is no method at all. */
static int unknown_method(const char *data, size_t length) {
  size_t i = 0;

  while (i < length && (data[i] == '\r' || data[i] == '\n'))
    i++;
  const size_t start = i;
  while (i < length && (isalnum((unsigned char)data[i]) ||
                        (data[i] != '\0' && strchr("!#$%&'*+-.^_`|~", data[i]) != NULL)))
    i++;
  if (i > start && (i == length || data[i] == ' '))
    return HTTP_STATUS_NOT_IMPLEMENTED;
  return HTTP_STATUS_BAD_REQUEST;
}

void request_setup(void) { http_parser_set_max_header_size(REQUEST_HEAD_MAX); }

void request_begin(struct request *request) {
  http_parser_init(&request->parser, HTTP_REQUEST);
  request->parser.data = request;
  request->started = request->complete = request->keep_alive = false;
  request->error = 0;
  request->target[0] = request->range[0] = request->name[0] = request->value[0] = '\0';
  request->target_length = request->name_length = request->value_length = 0;
  request->body_length = 0;
  request->in_value = request->in_trailer = false;
  request->num_hosts = 0;
  request->expects_continue = request->has_if_range = false;
  request->if_modified_since = -1;
}

size_t request_parse(struct request *request, const char *data, size_t length) {
  const size_t parsed = http_parser_execute(&request->parser, &settings, data, length);

  if (request->complete)
    return parsed;
  switch (HTTP_PARSER_ERRNO(&request->parser)) {
  case HPE_OK:
    break;
  case HPE_HEADER_OVERFLOW:
    reject(request, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE);
    break;
  case HPE_INVALID_METHOD:
    reject(request, unknown_method(data, length));
    break;
  default:
    reject(request, HTTP_STATUS_BAD_REQUEST);
    break;
  }
  return parsed;
}

bool request_is_head(const struct request *request) { return request->parser.method == HTTP_HEAD; }
