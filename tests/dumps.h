/* What the tests of wire_dump share: the list that it writes, and the lines in it. Include common.h
 * first. */
#ifndef TESTS_DUMPS_H
#define TESTS_DUMPS_H

#include <sys/mman.h>

#include "wire_dump.h"

/* What wire_dump writes now. Valid until the next call. */
HELPER const char *dumped(void) {
  static char text[65536];
  int file = memfd_create("dump", MFD_CLOEXEC);
  check(file >= 0);
  wire_dump(file);
  ssize_t length = pread(file, text, sizeof text - 1, 0);
  check(length > 0 && length < (ssize_t)sizeof text - 1);
  text[length] = '\0';
  close(file);
  return text;
}

/* The line of a wire in a list, without its end; empty when there is none. */
HELPER const char *line_of(const char *list, const char *name) {
  static char line[512];
  char quoted[64];
  snprintf(quoted, sizeof quoted, " '%s', ", name);
  line[0] = '\0';
  const char *found = strstr(list, quoted);
  if (found == NULL)
    return line;
  while (found > list && found[-1] != '\n')
    found--;
  size_t length = strcspn(found, "\n");
  check(length < sizeof line);
  memcpy(line, found, length);
  line[length] = '\0';
  return line;
}

/* What its line says behind the numbers. */
HELPER const char *state_of(const char *name) {
  const char *line = line_of(dumped(), name), *colon = strstr(line, ": ");
  colon = colon != NULL ? strstr(colon + 1, ": ") : NULL;
  return colon != NULL ? colon + 2 : "";
}

#endif
