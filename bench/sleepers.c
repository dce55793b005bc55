/* Many wires asleep at once, each for a random time of 1 to 1000 ms, on 4096-byte stacks with guard
 * pages.
 *
 *   sleepers [WIRES]      1000000 unless told otherwise
 *
 * Checks that none wakes early, and prints CPU seconds and resident bytes for each wire. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "wire.h"
#include "wire_fd.h"
#include "wire_stack.h"

enum { STACK = 4096 };

static long early, awake;

static void sleeps(void *milliseconds) {
  double begin = wall_ns();
  int time = (int)(intptr_t)milliseconds;
  if (wire_fd_wait_msec(time) != 0)
    abort();
  if (wall_ns() - begin < time * 1e6)
    early++;
  awake++;
}

static long resident_bytes(void) {
  long pages = 0, resident = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  if (!statm || fscanf(statm, "%ld %ld", &pages, &resident) != 2)
    resident = 0;
  if (statm)
    fclose(statm);
  return resident * sysconf(_SC_PAGESIZE);
}

static long page_table_bytes(void) {
  long kilobytes = 0;
  char line[256];
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (sscanf(line, "VmPTE: %ld", &kilobytes) == 1)
      break;
  if (status)
    fclose(status);
  return kilobytes * 1024;
}

static long all_asleep; /* resident bytes when the last wire has gone to sleep */

static void looks(void *wires) {
  all_asleep = resident_bytes() + page_table_bytes();
  printf("%ld wires asleep: %.0f bytes resident each\n", *(long *)wires,
         (double)all_asleep / (double)*(long *)wires);
}

int main(int argc, char **argv) {
  long wires = argc > 1 ? atol(argv[1]) : 1000000;
  wire_t *all = calloc((size_t)wires, sizeof *all);
  if (wires < 1 || !all)
    return 2;
  srand(1);
  for (long i = 0; i < wires; i++) {
    void *stack = wire_stack_alloc(STACK);
    if (!stack) {
      perror("wire_stack_alloc");
      return 1;
    }
    wire_init(&all[i], "sleeps", sleeps, (void *)(intptr_t)(1 + rand() % 1000), stack, STACK);
  }
  static wire_t looker;
  wire_init(&looker, "looks", looks, &wires, WIRE_STACK_ALLOC(65536));
  wire_thread_run();
  printf("%ld woke, %ld early, %.2f CPU seconds\n", awake, early,
         clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9);
  return early == 0 && awake == wires ? 0 : 1;
}
