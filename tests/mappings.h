/* How much address space and memory the process has. Include common.h first. */
#ifndef TESTS_MAPPINGS_H
#define TESTS_MAPPINGS_H

#include <fcntl.h>

HELPER int count_mappings(void) {
  int fd = open("/proc/self/maps", O_RDONLY), lines = 0;
  char part[4096];
  check(fd >= 0);
  for (ssize_t got; (got = read(fd, part, sizeof part)) > 0;)
    for (ssize_t i = 0; i < got; i++)
      lines += part[i] == '\n';
  close(fd);
  return lines;
}

HELPER size_t memory_bytes(int resident) {
  FILE *file = fopen("/proc/self/statm", "r");
  unsigned long pages[2];
  check(file != NULL && fscanf(file, "%lu %lu", &pages[0], &pages[1]) == 2);
  fclose(file);
  return pages[resident] * (size_t)sysconf(_SC_PAGESIZE);
}

HELPER size_t address_space(void) { return memory_bytes(0); }
HELPER size_t resident_bytes(void) { return memory_bytes(1); }

#endif
