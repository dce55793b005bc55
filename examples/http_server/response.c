#define _GNU_SOURCE /* CLOCK_REALTIME_COARSE */
#include "response.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "range.h"

/* The longest head there can be: one with a location. */
enum { HEAD_MAX = 1024 + SITE_PATH_MAX };

/* Every head begins with this, so that nothing is cut off. */
static int make_room(struct output *output) {
  return output_space(output) < HEAD_MAX ? output_flush(output) : 0;
}

/* A date as HTTP writes it. */
static void format_date(time_t when, char text[static 32]) {
  struct tm date;

  if (gmtime_r(&when, &date) == NULL || strftime(text, 32, "%a, %d %b %Y %H:%M:%S GMT", &date) == 0)
    strcpy(text, "Thu, 01 Jan 1970 00:00:00 GMT");
}

/* The present time; formatted once a second at most. */
static const char *date_now(void) {
  static time_t formatted_for = -1;
  static char text[32];
  struct timespec now;

  if (clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 && now.tv_sec != formatted_for) {
    format_date(now.tv_sec, text);
    formatted_for = now.tv_sec;
  }
  return text;
}

/* The beginning of a head; more fields and an empty line have to follow. */
static void put_status(struct output *output, const struct request *request, int status) {
  const char *connection = "";

  if (!request->keep_alive)
    connection = "Connection: close\r\n";
  else if (request->parser.http_minor == 0)
    connection = "Connection: keep-alive\r\n";
  output_printf(output, "HTTP/1.1 %d %s\r\nDate: %s\r\n%s", status,
                http_status_str((enum http_status)status), date_now(), connection);
}

int respond_status(struct output *output, const struct request *request, int status,
                   const char *location) {
  const char *reason = http_status_str((enum http_status)status);

  if (make_room(output) != 0)
    return -1;
  put_status(output, request, status);
  if (location != NULL)
    output_printf(output, "Location: %s\r\n", location);
  if (status == HTTP_STATUS_METHOD_NOT_ALLOWED)
    output_printf(output, "Allow: GET, HEAD\r\n");
  if (status == HTTP_STATUS_SERVICE_UNAVAILABLE)
    output_printf(output, "Retry-After: 1\r\n");
  output_printf(output, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n\r\n",
                strlen(reason) + 5);
  if (!request_is_head(request))
    output_printf(output, "%d %s\n", status, reason);
  return 0;
}

int respond_file(struct output *output, const struct request *request,
                 const struct site_file *file) {
  char modified[32];
  off_t first = 0, length = file->size;
  int status = HTTP_STATUS_OK;

  if (request->range[0] != '\0' && !request_is_head(request)) {
    switch (range_parse(request->range, file->size, &first, &length)) {
    case RANGE_IGNORED:
      break;
    case RANGE_PART:
      status = HTTP_STATUS_PARTIAL_CONTENT;
      break;
    case RANGE_OUTSIDE:
      status = HTTP_STATUS_RANGE_NOT_SATISFIABLE;
      length = 0;
      break;
    }
  }
  if (request->if_modified_since >= 0 && file->modified <= request->if_modified_since) {
    status = HTTP_STATUS_NOT_MODIFIED;
    length = 0;
  }

  if (make_room(output) != 0)
    return -1;
  const size_t head = output->used;
  format_date(file->modified, modified);
  put_status(output, request, status);
  output_printf(output, "Last-Modified: %s\r\n", modified);
  if (status == HTTP_STATUS_NOT_MODIFIED) {
    output_printf(output, "\r\n");
    return 0;
  }
  if (status == HTTP_STATUS_PARTIAL_CONTENT)
    output_printf(output, "Content-Range: bytes %jd-%jd/%jd\r\n", (intmax_t)first,
                  (intmax_t)(first + length - 1), (intmax_t)file->size);
  else if (status == HTTP_STATUS_RANGE_NOT_SATISFIABLE)
    output_printf(output, "Content-Range: bytes */%jd\r\n", (intmax_t)file->size);
  output_printf(output, "Content-Type: %s\r\nContent-Length: %jd\r\nAccept-Ranges: bytes\r\n\r\n",
                file->type, (intmax_t)length);
  if (request_is_head(request))
    return 0;
  if (length > (off_t)output_space(output))
    return output_send_file(output, file->fd, first, length);
  if (output_copy_file(output, file->fd, first, (size_t)length) != 0) {
    /* Nothing of this answer has left yet, so there can be another one. */
    output->used = head;
    return respond_status(output, request, HTTP_STATUS_INTERNAL_SERVER_ERROR, NULL);
  }
  return 0;
}
