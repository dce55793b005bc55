/* A terminal that controls a session: a job in the background that reads from it is stopped, as
 * with the plain call, and goes on in the foreground. */
#include "wio.h"

#include <pty.h>
#include <sys/ioctl.h>

static int terminal; /* of the job */

static void reads_line(void *UNUSED(argument)) {
  char line[16];
  ssize_t got = wio_read(terminal, line, sizeof line);
  _exit(got == 5 && memcmp(line, "line\n", 5) == 0 ? 9 : 1);
}

static void runs_job(void) {
  start_afresh();
  wire_io_init(1);
  spawn(reads_line, NULL);
  wire_thread_run();
  _exit(2);
}

static void await_status(pid_t pid, int options, int expected) {
  int status;
  check(TEMP_FAILURE_RETRY(waitpid(pid, &status, options)) == pid);
  if (status != expected) {
    fprintf(stderr, "status 0x%x instead of 0x%x\n", (unsigned)status, (unsigned)expected);
    abort();
  }
}

/* A shell in a few lines. */
static void runs_session(void *UNUSED(argument)) {
  int controlling;
  deadline(20);
  check(openpty(&controlling, &terminal, NULL, NULL, NULL) == 0);
  check(setsid() == getpid() && ioctl(terminal, TIOCSCTTY, 0) == 0);
  signal(SIGTTOU, SIG_IGN);
  pid_t job = fork();
  check(job >= 0);
  if (job == 0) {
    signal(SIGTTOU, SIG_DFL);
    check(setpgid(0, 0) == 0);
    /* It may be another wire that makes the data come which the call then wants. */
    check(write(controlling, "line\n", 5) == 5);
    runs_job();
  }
  await_status(job, WUNTRACED, SIGTTIN << 8 | 0x7f); /* stopped */
  check(tcsetpgrp(terminal, job) == 0 && kill(-job, SIGCONT) == 0);
  await_status(job, 0, 9 << 8);
}

static void a_job_in_the_background_is_stopped(void **UNUSED(state)) {
  expect_success(run_child(runs_session, NULL));
}

/* --- several wires, one terminal ---------------------------------------------------------------
 */

static int lines_read;

static void reads_one_line(void *number) {
  char line[16];
  check(wio_read(terminal, line, sizeof line) == 5 && memcmp(line, "line\n", 5) == 0);
  mark("%d ", *(int *)number);
  lines_read++;
}

static void writes_lines(void *controlling) {
  for (int i = 0; i < 3; i++) {
    wire_fd_wait_msec(2);
    check(lines_read == i);
    check(wio_write(*(int *)controlling, "line\n", 5) == 5);
    while (lines_read <= i)
      wire_fd_wait_msec(1);
  }
}

static void each_line_goes_to_one_wire(void **UNUSED(state)) {
  int controlling, numbers[3] = {1, 2, 3};
  assert_int_equal(openpty(&controlling, &terminal, NULL, NULL, NULL), 0);
  lines_read = 0;
  take_trace();
  start_afresh();
  wire_io_init(1);
  for (int i = 0; i < 3; i++)
    spawn(reads_one_line, &numbers[i]);
  spawn(writes_lines, &controlling);
  wire_thread_run();
  assert_int_equal(lines_read, 3);
  assert_int_equal(strlen(take_trace()), 6);
  start_afresh();
  close(terminal);
  close(controlling);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(a_job_in_the_background_is_stopped),
      T(each_line_goes_to_one_wire),
  };
  return cmocka_run_group_tests_name("terminals", tests, NULL, NULL);
}
