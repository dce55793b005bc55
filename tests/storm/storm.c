/* A storm of signals for any program: loaded with LD_PRELOAD, it sends the process SIGALRM every
 * 100 us, to a handler without SA_RESTART, so that every system call that a signal can interrupt is
 * interrupted. A child of fork() has a storm of its own; programs that it executes have none.
 *
 * alarm() is kept by the storm, whose signal it is: the program ends when its time is over.
 * WIRE_STORM_US in the environment is another interval. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { default_interval = 100 };

static long interval = default_interval; /* us */

static time_t limit; /* of CLOCK_MONOTONIC, 0: none */

static time_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

static unsigned signals;
static time_t risen;

static void interrupt(int number) {
  __atomic_fetch_add(&signals, 1, __ATOMIC_RELAXED);
  if (limit == 0 || now() < limit)
    return;
  signal(number, SIG_DFL);
  raise(number);
  sigset_t all;
  sigemptyset(&all);
  sigsuspend(&all);
}

unsigned alarm(unsigned seconds) {
  unsigned left = limit > now() ? (unsigned)(limit - now()) : 0;
  limit = seconds == 0 ? 0 : now() + (time_t)seconds + 1;
  return left;
}

static void begin(void) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
  struct itimerspec period = {.it_interval = {.tv_nsec = interval * 1000},
                              .it_value = {.tv_nsec = interval * 1000}};
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
      timer_settime(timer, 0, &period, NULL) != 0) {
    perror("storm");
    _exit(99);
  }
}

__attribute__((constructor)) static void rise(void) {
  const char *text = getenv("WIRE_STORM_US");
  if (text != NULL && atol(text) > 0 && atol(text) < 1000000)
    interval = atol(text);
  unsetenv("LD_PRELOAD");
  struct sigaction action = {.sa_handler = interrupt};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  if (sigaction(SIGALRM, &action, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &set, NULL) != 0 ||
      pthread_atfork(NULL, NULL, begin) != 0) {
    perror("storm");
    _exit(99);
  }
  risen = now();
  begin();
}

/* A program that went through no storm has passed for nothing. */
__attribute__((destructor)) static void fall(void) {
  if (signals == 0 && now() - risen > 2) {
    fputs("storm: no signal came\n", stderr);
    _exit(99);
  }
}
