/* Calls that a thread makes and that the test holds as long as it likes: functions of the test's
 * own come before libc's, and call held_call(). Include wio.h first.
 *
 * With HOLD_FSYNC_AND_READLINK defined before, these two are such functions, for one descriptor and
 * one name. fsync stands for a call without a buffer, readlink for one that writes into the
 * caller's at its very end. */
#ifndef TESTS_HELD_CALLS_H
#define TESTS_HELD_CALLS_H

#include <fcntl.h>
#include <semaphore.h>
#include <sys/syscall.h>

#define HELD_FD 1000000
#define HELD_NAME "a name that is held"
#define HELD_TEXT "written by a worker"

static struct {
  sem_t entered; /* by each call that is held */
  sem_t gate;    /* each call that is held takes one */
  sem_t left;    /* just before the call returns */
  int calls;     /* that were begun; changed by workers */
} held __attribute__((unused));

HELPER void hold_calls(void) {
  check(sem_init(&held.entered, 0, 0) == 0);
  check(sem_init(&held.gate, 0, 0) == 0);
  check(sem_init(&held.left, 0, 0) == 0);
  held.calls = 0;
}

HELPER void await(sem_t *semaphore) {
  while (sem_wait(semaphore) != 0)
    check(errno == EINTR);
}

HELPER void held_call(void) {
  __atomic_fetch_add(&held.calls, 1, __ATOMIC_RELAXED);
  sem_post(&held.entered);
  await(&held.gate);
}

HELPER int held_calls(void) { return __atomic_load_n(&held.calls, __ATOMIC_RELAXED); }

#ifdef HOLD_FSYNC_AND_READLINK

int fsync(int fd) {
  if (fd != HELD_FD)
    return (int)syscall(SYS_fsync, fd);
  held_call();
  sem_post(&held.left);
  return 0;
}

ssize_t readlink(const char *path, char *buffer, size_t size) {
  if (strcmp(path, HELD_NAME) != 0)
    return syscall(SYS_readlinkat, AT_FDCWD, path, buffer, size);
  held_call();
  size_t length = strlen(HELD_TEXT) < size ? strlen(HELD_TEXT) : size;
  for (size_t i = 0; i < length; i++)
    ((volatile char *)buffer)[i] = HELD_TEXT[i];
  sem_post(&held.left);
  return (ssize_t)length;
}

#endif

#endif
