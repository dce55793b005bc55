#include "parse.h"

#include <errno.h>
#include <stdlib.h>

int parse_number(const char *text, long min, long max, long *value) {
  char *end;

  errno = 0;
  const long number = strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || number < min || number > max)
    return -1;
  *value = number;
  return 0;
}

int parse_seconds(const char *text, int *msec) {
  const double a_day = 24.0 * 60 * 60;
  char *end;

  const double seconds = strtod(text, &end);
  if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= a_day))
    return -1;
  *msec = (int)(seconds * 1000 + 0.5);
  return 0;
}
