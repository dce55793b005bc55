/* What tests need where signals come, also those of scripts/storm. Include common.h first. For
 * calls that a signal ends with EINTR there is TEMP_FAILURE_RETRY. */
#ifndef TESTS_SIGNALS_H
#define TESTS_SIGNALS_H

/* ThreadSanitizer keeps a signal back until the program calls a function that it watches. */
HELPER void let_signals_in(void) {
  if (TESTS_WITH_TSAN)
    usleep(0);
}

/* Blocks the thread, whatever signals come. */
HELPER void sleep_milliseconds(long duration) {
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_nsec += duration % 1000 * 1000000;
  end.tv_sec += duration / 1000 + end.tv_nsec / 1000000000;
  end.tv_nsec %= 1000000000;
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR) {
  }
}

#endif
