#include "range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Reads digits and moves *text behind them. Numbers past any file size become that size. */
static bool read_number(const char **text, off_t file_size, off_t *number) {
  const char *start = *text;

  *number = 0;
  for (; **text >= '0' && **text <= '9'; ++*text) {
    const int digit = **text - '0';
    *number = *number > (file_size - digit) / 10 ? file_size : *number * 10 + digit;
  }
  return *text > start;
}

enum range range_parse(const char *text, off_t file_size, off_t *first, off_t *length) {
  off_t from, to;

  if (strncasecmp(text, "bytes=", 6) != 0)
    return RANGE_IGNORED;
  text += 6;
  const bool has_from = read_number(&text, file_size, &from);
  if (*text++ != '-')
    return RANGE_IGNORED;
  const bool has_to = read_number(&text, file_size, &to);
  if (*text != '\0' || (!has_from && !has_to) || (has_from && has_to && to < from))
    return RANGE_IGNORED;

  if (!has_from) { /* the last so many bytes */
    from = to < file_size ? file_size - to : 0;
    to = file_size;
  }
  if (!has_to || to >= file_size)
    to = file_size - 1;
  if (from > to)
    return RANGE_OUTSIDE;
  *first = from;
  *length = to - from + 1;
  return RANGE_PART;
}
