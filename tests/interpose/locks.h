/* What the tests of pthread's locks share: a mutex of each kind, points in time, and a wire that
 * counts while others wait. Include common.h or both.h first. */
#ifndef TESTS_INTERPOSE_LOCKS_H
#define TESTS_INTERPOSE_LOCKS_H

#include <pthread.h>
#include <sched.h>

static pthread_mutex_t mutex;
static const int kinds[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK,
                            PTHREAD_MUTEX_ADAPTIVE_NP};

HELPER void make_mutex(int kind) {
  pthread_mutexattr_t attributes;
  check(pthread_mutexattr_init(&attributes) == 0);
  check(pthread_mutexattr_settype(&attributes, kind) == 0);
  check(pthread_mutex_init(&mutex, &attributes) == 0);
  check(pthread_mutexattr_destroy(&attributes) == 0);
}

HELPER struct timespec in_milliseconds(clockid_t clock, long milliseconds) {
  struct timespec time;
  check(clock_gettime(clock, &time) == 0);
  time.tv_nsec += milliseconds * 1000000;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}

static volatile int stop;
static volatile long ticks, ticks_needed;

/* Counts while others wait, so that a test can tell that the thread goes on. */
HELPER void ticker(void *UNUSED(argument)) {
  while (!stop) {
    ticks++;
    wire_yield();
  }
}

#endif
