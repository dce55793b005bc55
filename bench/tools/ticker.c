/* The other end of the descriptor that measures/yield_idle.h and go/idle.go watch.
 *
 *   ticker COUNT
 *
 * Waits for a byte on standard input, a socket that keeps messages apart; then sends the time,
 * COUNT times, a millisecond apart. */
#include <unistd.h>

#include "harness.h"

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 0;
  char start;
  if (read(STDIN_FILENO, &start, 1) != 1)
    return 1;
  for (long i = 0; i < count; i++) {
    struct timespec pause = {0, 1000000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    double now = wall_ns();
    if (write(STDIN_FILENO, &now, sizeof now) != sizeof now)
      return 1;
  }
  return 0;
}
