/* The only code of these programs that knows of wires. */
#include "crowd.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "wire.h"
#include "wire_stack.h"

static bool (*member)(int number);
static int under_way, most_under_way, succeeded;

static void run_member(void *number) {
  if (++under_way > most_under_way)
    most_under_way = under_way;
  if (member((int)(intptr_t)number))
    succeeded++;
  under_way--;
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The workers that libwire-interpose.so has started are there until the process ends. */
static int os_threads(void) {
  int threads = 0;
  char line[128];
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (sscanf(line, "Threads: %d", &threads) == 1)
      break;
  if (status)
    fclose(status);
  return threads;
}

int crowd_size(const char *text) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  char *end;
  long count = strtol(text, &end, 10);
  return *end == '\0' && count > 0 && count <= 100000 ? (int)count : 0;
}

int crowd_run(const char *what, int count, unsigned stack_size, bool (*work)(int number)) {
  wire_t *wires = calloc((size_t)count, sizeof *wires);
  if (wires == NULL)
    return 1;
  member = work;
  for (int i = 0; i < count; i++) {
    void *stack = wire_stack_alloc(stack_size);
    if (stack == NULL || wire_init(&wires[i], "member", run_member, (void *)(intptr_t)i, stack,
                                   stack_size) == NULL) {
      perror("wire_init");
      return 1;
    }
  }
  double begin = seconds_now();
  wire_thread_run();
  printf("%d of %d %s in %.2f s, at most %d at once, OS threads: %d\n", succeeded, count, what,
         seconds_now() - begin, most_under_way, os_threads());
  return succeeded == count ? 0 : 1;
}
