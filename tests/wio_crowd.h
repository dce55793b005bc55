/* Several hundred wires, and the wires beside them that must go on: one that only ticks, one that
 * reads a file and looks at what it gets. Include wio.h first. */
#ifndef TESTS_WIO_CROWD_H
#define TESTS_WIO_CROWD_H

#include <sys/mman.h>

#define CROWD 300
#define CROWD_STACK (64u * 1024u)

static struct {
  wire_t wires[CROWD];
  char *stacks;
  int ended; /* counted by the wires themselves */
} crowd __attribute__((unused));

HELPER void start_crowd(unsigned count, void (*entry)(void *), void *argument) {
  check(count <= CROWD);
  if (crowd.stacks == NULL)
    crowd.stacks = mmap(NULL, (size_t)CROWD * CROWD_STACK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  check(crowd.stacks != MAP_FAILED);
  crowd.ended = 0;
  for (unsigned i = 0; i < count; i++)
    check(wire_init(&crowd.wires[i], "crowd", entry, argument,
                    crowd.stacks + (size_t)i * CROWD_STACK, CROWD_STACK));
}

/* The place of the wire in the crowd. */
HELPER unsigned crowd_number(void) { return (unsigned)(wire_get_current() - crowd.wires); }

/* --- those beside it ------------------------------------------------------------------------- */

/* Nothing may stop the thread. Generous, so that a busy machine does not count. */
#define LONGEST_GAP (TESTS_WITH_SANITIZER ? 20000 : 2000) /* ms */

static struct {
  int ticking;
  int ticks;
  int64_t longest;
} ticks __attribute__((unused));

HELPER void ticker(void *UNUSED(argument)) {
  int64_t last = milliseconds_now();
  while (ticks.ticking) {
    check(wire_fd_wait_msec(1) == 0);
    int64_t now = milliseconds_now();
    ticks.longest = now - last > ticks.longest ? now - last : ticks.longest;
    ticks.ticks++;
    last = now;
  }
}

HELPER void start_ticker(void) {
  ticks.ticking = 1;
  ticks.ticks = 0;
  ticks.longest = 0;
  spawn(ticker, NULL);
}

HELPER void stop_ticker(void) {
  ticks.ticking = 0;
  check(ticks.longest < LONGEST_GAP);
}

#define STEADY_ROUNDS 100

/* Reads that are in the page cache and reads that are not, and what only a worker can do. */
HELPER void steady_work(int file) {
  char buffer[4096];
  struct statfs status;
  for (int i = 0; i < STEADY_ROUNDS; i++) {
    size_t place = (size_t)i * 150;
    if (i % 5 == 0)
      posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    check(wio_pread(file, buffer, sizeof buffer, (off_t)place) == sizeof buffer);
    check_bytes(buffer, sizeof buffer, place);
    check(wio_fdatasync(file) == 0 && wio_fstatfs(file, &status) == 0);
  }
}

#define STEADY_FILE (STEADY_ROUNDS * 150 + 4096)

#endif
