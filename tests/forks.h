/* What the tests of fork() share. Each runs in a child process of the program, whose wires or
 * threads fork: `parent` and `child` are that process and its child. */
#ifndef TESTS_FORKS_H
#define TESTS_FORKS_H

#include "common.h"

#include "wire_fd.h"

static pid_t parent __attribute__((unused));

HELPER int in_child(void) { return getpid() != parent; }

HELPER pid_t forks(void) {
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0)
    deadline(60);
  return pid;
}

HELPER void succeeded(int status) { check(WIFEXITED(status) && WEXITSTATUS(status) == 0); }

/* While the other wires run. */
HELPER void await_child(pid_t child) {
  int status;
  pid_t ended;
  while ((ended = waitpid(child, &status, WNOHANG)) == 0)
    check(wire_fd_wait_msec(1) == 0);
  check(ended == child);
  succeeded(status);
}

HELPER void await_child_outside(pid_t child) {
  int status;
  check(TEMP_FAILURE_RETRY(waitpid(child, &status, 0)) == child);
  succeeded(status);
}

/* Ends the test's process, and its children when they come out of wire_thread_run. */
HELPER void run_wires_and_exit(const char *in_parent, const char *in_child_process) {
  wire_thread_run();
  const char *expected = in_child() ? in_child_process : in_parent;
  const char *trace = take_trace();
  if (strcmp(trace, expected) != 0) {
    fprintf(stderr, "%s: \"%s\" instead of \"%s\"\n", in_child() ? "child" : "parent", trace,
            expected);
    _exit(1);
  }
  _exit(0);
}

HELPER void passes(void (*body)(void *)) { expect_success(run_child(body, NULL)); }

/* Wires that run in the process `parent` only. */
HELPER void sleeps_in_parent(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(10) == 0);
  check(!in_child());
  mark("slept ");
}

HELPER void suspends_in_parent(void *UNUSED(argument)) {
  wire_suspend();
  check(!in_child());
  mark("resumed ");
}

/* Where a test begins. */
HELPER void begin(void) {
  parent = getpid();
  start_afresh();
}

#endif
