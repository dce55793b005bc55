/* wio_waitpid of children that are traced, and with __WNOTHREAD; the other ways to wait are in
 * test_wio_processes.c. */
#include "wio.h"

#include <sys/ptrace.h>

static int may_go[2]; /* the child waits for a byte */

/* A child that is traced by us from when it is told, and stops. */
static pid_t traced_child(void) {
  check(pipe2(may_go, O_CLOEXEC) == 0);
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    char byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (TEMP_FAILURE_RETRY(read(may_go[0], &byte, 1)) != 1 ||
        ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
      _exit(1);
    raise(SIGTRAP);
    _exit(7);
  }
  return pid;
}

static void wait_for_its_stop(void *argument) {
  pid_t pid = *(pid_t *)argument;
  int status;
  mark("waits ");
  check(wio_waitpid(pid, &status, 0) == pid);
  check(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
  mark("stopped ");
  check(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
  check(wio_waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
  mark("ended ");
}

/* The other one has asked in vain by then. */
static void let_it_go(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(1) == 0);
  mark("told ");
  check(write(may_go[1], "x", 1) == 1);
}

static void the_stop_of_a_traced_child_is_seen(void **UNUSED(state)) {
  pid_t pid = traced_child();
  start_afresh();
  take_trace();
  wire_io_init(1);
  spawn(wait_for_its_stop, &pid);
  spawn(let_it_go, NULL);
  wire_thread_run();
  assert_trace("waits told stopped ended ");
  close(may_go[0]);
  close(may_go[1]);
  start_afresh();
}

static void wait_for_children_of_this_thread(void *UNUSED(argument)) {
  static const pid_t which[] = {-1, 0};
  for (int i = 0; i < 2; i++) {
    pid_t pid = fork();
    check(pid >= 0);
    if (pid == 0) {
      usleep(20000);
      _exit(3 + i);
    }
    int status;
    errno = 5;
    check(wio_waitpid(which[i], &status, __WNOTHREAD) == pid && WEXITSTATUS(status) == 3 + i);
    check(errno == 5);
  }
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    raise(SIGSTOP);
    _exit(9);
  }
  int status;
  check(wio_waitpid(pid, &status, WUNTRACED | __WNOTHREAD) == pid && WIFSTOPPED(status));
  check(kill(pid, SIGCONT) == 0);
  check(wio_waitpid(pid, &status, __WNOTHREAD) == pid && WEXITSTATUS(status) == 9);
  check(wio_waitpid(-1, &status, __WNOTHREAD) == -1 && errno == ECHILD);
}

static void the_children_of_this_thread_can_be_waited_for(void **UNUSED(state)) {
  run_with_workers(1, wait_for_children_of_this_thread, NULL);
  run_with_workers(0, wait_for_children_of_this_thread, NULL);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(the_stop_of_a_traced_child_is_seen),
      T(the_children_of_this_thread_can_be_waited_for),
  };
  return cmocka_run_group_tests_name("wio_waitpid", tests, NULL, NULL);
}
