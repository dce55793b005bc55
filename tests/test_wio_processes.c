/* fork, spawn and the waits for children. */
#include "wio.h"

#include "signals.h"

#include <sys/socket.h>

static pid_t child_that(int milliseconds, int status) {
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    sleep_milliseconds(milliseconds);
    _exit(status);
  }
  return pid;
}

static void wait_for_one(void *argument) {
  int status = 0;
  pid_t pid = *(pid_t *)argument;
  errno = 3;
  check(wio_waitpid(pid, &status, 0) == pid);
  check(errno == 3);
  check(WIFEXITED(status) && WEXITSTATUS(status) == 9);
  mark("ended ");
}

static void sleep_a_little(void *UNUSED(argument)) {
  wire_fd_wait_msec(5);
  mark("slept ");
}

static void waiting_for_a_child_lets_others_run(void **UNUSED(state)) {
  pid_t pid = child_that(100, 9);
  start_afresh();
  take_trace();
  wire_io_init(1);
  spawn(wait_for_one, &pid);
  spawn(sleep_a_little, NULL);
  wire_thread_run();
  assert_trace("slept ended ");
  start_afresh();
}

static void wait_in_all_ways(void *UNUSED(argument)) {
  int status = 0;
  struct rusage usage;
  memset(&usage, 0xff, sizeof usage);
  pid_t pid = child_that(10, 1);
  check(wio_wait(&status) == pid && WEXITSTATUS(status) == 1);
  pid = child_that(10, 2);
  check(wio_waitpid(-1, &status, 0) == pid && WEXITSTATUS(status) == 2);
  pid = child_that(10, 3);
  check(wio_waitpid(0, &status, 0) == pid && WEXITSTATUS(status) == 3);
  pid = child_that(10, 4);
  check(wio_wait3(&status, 0, &usage) == pid && WEXITSTATUS(status) == 4);
  check(usage.ru_stime.tv_sec == 0);
  pid = child_that(10, 5);
  check(wio_wait4(pid, &status, 0, &usage) == pid && WEXITSTATUS(status) == 5);
  pid = child_that(200, 6);
  check(wio_waitpid(pid, &status, WNOHANG) == 0);
  check(wio_kill(pid, SIGSTOP) == 0);
  check(wio_waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
  check(wio_kill(pid, SIGKILL) == 0);
  check(wio_waitpid(pid, &status, 0) == pid && WTERMSIG(status) == SIGKILL);
  check(wio_waitpid(pid, &status, 0) == -1 && errno == ECHILD);
  check(wio_wait(&status) == -1 && errno == ECHILD);
}

static void all_waits_give_what_the_plain_ones_give(void **UNUSED(state)) {
  run_with_workers(0, wait_in_all_ways, NULL);
  run_with_workers(1, wait_in_all_ways, NULL);
}

/* --- fork --------------------------------------------------------------------------------- */

static int forked_file;

static void check_io(void) {
  char buffer[100];
  struct stat status;
  check(wio_stat(".", &status) == 0);
  check(wio_pread(forked_file, buffer, sizeof buffer, 10) == sizeof buffer);
  check_bytes(buffer, sizeof buffer, 10);
  check(wio_fsync(forked_file) == 0);
  check(wire_fd_wait_msec(1) == 0);
}

static pid_t original;

static void not_in_the_child(void *UNUSED(argument)) {
  for (int i = 0; i < 30; i++) {
    check(getpid() == original);
    check_io();
  }
  mark("other ");
}

static void fork_in_wire(void *UNUSED(argument)) {
  check_io();
  for (int i = 0; i < 5; i++) {
    pid_t pid = wio_fork();
    check(pid >= 0);
    check_io();
    if (pid == 0) {
      check(getpid() != original);
      check_io();
      _exit(11);
    }
    int status;
    check(wio_waitpid(pid, &status, 0) == pid);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 11);
  }
  mark("parent ");
}

static void fork_continues_the_calling_wire_alone(void **UNUSED(state)) {
  original = getpid();
  forked_file = scratch_file(1000);
  start_afresh();
  take_trace();
  wire_io_init(2);
  spawn(not_in_the_child, NULL);
  spawn(not_in_the_child, NULL);
  spawn(fork_in_wire, NULL);
  wire_thread_run();
  const char *trace = take_trace();
  assert_int_equal(strlen(trace), strlen("other other parent "));
  start_afresh();
  close(forked_file);
}

static void read_in_every_process(void *UNUSED(argument)) {
  for (int i = 0; i < 10; i++)
    check_io();
  mark("io ");
}

static void daemon_body(void *UNUSED(argument)) {
  start_afresh();
  take_trace();
  wire_io_init(2);
  for (int i = 0; i < 10; i++)
    spawn(read_in_every_process, NULL);
  wire_yield(); /* all of them have begun */
  pid_t pid = fork();
  check(pid >= 0);
  wire_thread_run();
  check(strcmp(take_trace(), "io io io io io io io io io io ") == 0);
  if (pid == 0)
    _exit(5);
  int status;
  check(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) == pid && WIFEXITED(status) &&
        WEXITSTATUS(status) == 5);
}

static void after_a_fork_outside_wires_all_go_on(void **UNUSED(state)) {
  forked_file = scratch_file(1000);
  for (int i = 0; i < 10; i++) {
    const struct child *child = run_child(daemon_body, NULL);
    if (!WIFEXITED(child->status) || WEXITSTATUS(child->status) != 0)
      fail_msg("%s", child->errors);
  }
  close(forked_file);
}

/* --- spawn -------------------------------------------------------------------------------- */

static void spawn_programs(void *UNUSED(argument)) {
  int in = -1, out = -1, err = -1, status;
  char *cat[] = {"cat", NULL};
  int descriptors = count_entries("/proc/self/fd");
  pid_t pid = wio_spawn(cat, &in, &out, NULL);
  check(pid > 0 && in >= 0 && out >= 0);
  check(wio_write(in, "hello", 5) == 5);
  check(shutdown(in, SHUT_WR) == 0);
  char buffer[256] = "";
  check(wio_read(out, buffer, sizeof buffer) == 5 && memcmp(buffer, "hello", 5) == 0);
  check(wio_read(out, buffer, sizeof buffer) == 0);
  check(wio_waitpid(pid, &status, 0) == pid && status == 0);
  check(wio_close(in) == 0 && wio_close(out) == 0);

  char *failing[] = {"sh", "-c", "echo wrong >&2; exit 3", NULL};
  pid = wio_spawn(failing, NULL, NULL, &err);
  check(pid > 0);
  check(wio_read(err, buffer, sizeof buffer) == 6 && memcmp(buffer, "wrong\n", 6) == 0);
  check(wio_waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
  check(wio_close(err) == 0);

  char *missing[] = {"/no/such/program", NULL};
  in = -5;
  check(wio_spawn(missing, &in, &out, &err) == -1 && errno == ENOENT);
  check(in == -5);
  check(wio_wait(&status) == -1 && errno == ECHILD);
  check(wio_spawn(NULL, NULL, NULL, NULL) == -1 && errno == EINVAL);
  if (wire_in_wire())
    usleep(1000);
  /* The poller may have made its descriptor meanwhile. */
  check(count_entries("/proc/self/fd") <= descriptors + 1);
}

static void spawned_programs_talk_and_fail(void **UNUSED(state)) {
  run_with_workers(0, spawn_programs, NULL);
  run_with_workers(2, spawn_programs, NULL);
}

/* The child's own account of its signals. */
static void spawn_grep(void *UNUSED(argument)) {
  char *grep[] = {"grep", "SigBlk", "/proc/self/status", NULL};
  int out, status;
  pid_t pid = wio_spawn(grep, NULL, &out, NULL);
  check(pid > 0);
  char line[100] = "";
  check(wio_read(out, line, sizeof line - 1) > 0);
  check(strcmp(line, "SigBlk:\t0000000000000000\n") == 0);
  check(wio_waitpid(pid, &status, 0) == pid);
  close(out);
  FILE *stream = wio_popen("grep SigBlk /proc/self/status", "r");
  check(stream != NULL);
  check(wio_fgetc(stream) == 'S');
  check(wio_fgets(line, sizeof line, stream) == line);
  check(strcmp(line, "igBlk:\t0000000000000000\n") == 0);
  check(wio_fgets(line, sizeof line, stream) == NULL);
  check(wio_pclose(stream) == 0);
}

static void children_have_the_signal_mask_of_the_wires_thread(void **UNUSED(state)) {
  run_with_workers(2, spawn_grep, NULL);
}

static void exec_in_child(void *UNUSED(argument)) {
  char *const echo[] = {"sh", "-c", "exit 6", NULL};
  char *const none[] = {NULL};
  pid_t pid = wio_fork();
  if (pid == 0) {
    wio_execv("/no/such/program", echo);
    check(errno == ENOENT);
    wio_execvpe("sh", echo, none);
    _exit(1);
  }
  int status;
  check(wio_waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 6);
}

static void a_forked_wire_can_exec(void **UNUSED(state)) {
  run_with_workers(2, exec_in_child, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(waiting_for_a_child_lets_others_run),
      cmocka_unit_test(all_waits_give_what_the_plain_ones_give),
      cmocka_unit_test(fork_continues_the_calling_wire_alone),
      cmocka_unit_test(after_a_fork_outside_wires_all_go_on),
      cmocka_unit_test(spawned_programs_talk_and_fail),
      cmocka_unit_test(children_have_the_signal_mask_of_the_wires_thread),
      cmocka_unit_test(a_forked_wire_can_exec),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
