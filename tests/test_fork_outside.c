/* fork() outside wires, where the child has all wires of the thread; fork() beside other threads;
 * what a child and a program that it executes inherit. fork() in a wire: test_fork.c. */
#include "forks.h"

#include "descriptors.h"

#include <pthread.h>

#include "wire_log.h"
#include "wire_wait.h"

static int pipe_ends[2];

static void ticks(void *count) {
  for (int i = 0; i < 20; i++) {
    check(wire_fd_wait_msec(2) == 0);
    ++*(int *)count;
  }
}

static int ticked;

/* --- outside wires ------------------------------------------------------------------------ */

static void reads_and_sleeps(void *fd) {
  wire_fd_state_t watched;
  wire_fd_mode_init(&watched, *(int *)fd);
  check(wire_fd_mode_read(&watched) == 0);
  wire_fd_wait(&watched);
  check(wire_fd_mode_none(&watched) == 0);
  mark("read ");
  check(wire_fd_wait_msec(5) == 0);
  mark("slept ");
}

static void writes(void *fd) {
  check(wire_fd_wait_msec(20) == 0);
  check(write(*(int *)fd, "x", 1) == 1);
}

static void waits_for_wait(void *wait) {
  wire_wait_single(wait);
  mark("triggered ");
}

static void forks_outside(void *UNUSED(argument)) {
  begin();
  static wire_wait_t wait;
  wire_wait_init(&wait);
  check(pipe(pipe_ends) == 0);
  wire_t *asleep = spawn(suspends_in_parent, NULL);
  spawn(waits_for_wait, &wait);
  spawn(reads_and_sleeps, &pipe_ends[0]);
  spawn(writes, &pipe_ends[1]);
  wire_yield();
  pid_t child = fork();
  check(child >= 0);
  if (child == 0) {
    deadline(60);
    parent = getpid(); /* they run here as there */
  }
  wire_resume(asleep);
  check(wire_wait_resume(&wait) == 1);
  wire_thread_run();
  check(strcmp(take_trace(), "resumed triggered read slept ") == 0);
  if (child == 0)
    _exit(0);
  await_child_outside(child);
}

static void the_child_of_a_thread_has_all_wires(void **UNUSED(state)) { passes(forks_outside); }

/* As a program does that becomes a daemon between setting up and running. */
static void becomes_a_daemon(void *UNUSED(argument)) {
  begin();
  check(pipe(pipe_ends) == 0);
  wire_fd_init();
  spawn(reads_and_sleeps, &pipe_ends[0]);
  spawn(writes, &pipe_ends[1]);
  wire_yield();
  check(daemon(1, 1) == 0);
  parent = getpid();
  wire_thread_run();
  check(write(1, take_trace(), 11) == 11);
}

static void a_daemon_runs_what_was_set_up_before(void **UNUSED(state)) {
  const struct child *child = run_child(becomes_a_daemon, NULL); /* reads until the daemon ends */
  expect_success(child);
  assert_string_equal(child->errors, "");
  assert_string_equal(child->output, "read slept ");
}

static void watches_for_long(void *UNUSED(argument)) {
  wire_fd_state_t watched;
  wire_fd_mode_init(&watched, pipe_ends[0]);
  check(wire_fd_mode_read(&watched) == 0);
  wire_fd_wait(&watched);
}

static int threads_ready[2];

static void *has_wires(void *unused) {
  spawn(watches_for_long, NULL);
  wire_yield();
  check(write(threads_ready[1], "x", 1) == 1);
  wire_thread_run();
  return unused;
}

/* Their threads do not exist in the child, and their pollers would stay open for ever. */
static void forks_beside_threads(void *UNUSED(argument)) {
  parent = getpid();
  check(pipe(pipe_ends) == 0 && pipe(threads_ready) == 0);
  int before = open_descriptors();
  pthread_t threads[3];
  char byte;
  for (int i = 0; i < 3; i++)
    check(pthread_create(&threads[i], NULL, has_wires, NULL) == 0);
  for (int i = 0; i < 3; i++)
    check(TEMP_FAILURE_RETRY(read(threads_ready[0], &byte, 1)) == 1);
  check(open_descriptors() > before);
  pid_t child = forks();
  if (child == 0) {
    check(open_descriptors() == before);
    spawn(sleeps_in_parent, NULL);
    parent = getpid();
    wire_thread_run();
    check(strcmp(take_trace(), "slept ") == 0);
    _exit(0);
  }
  await_child_outside(child);
  check(write(pipe_ends[1], "x", 1) == 1);
  for (int i = 0; i < 3; i++)
    check(pthread_join(threads[i], NULL) == 0);
}

static void wires_of_other_threads_are_not_in_the_child(void **UNUSED(state)) {
  passes(forks_beside_threads);
}

static int stop;

static void *allocates(void *unused) {
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
    void *stack = wire_stack_alloc(5 * 4096);
    check(stack != NULL);
    wire_stack_free(stack, 5 * 4096);
  }
  return unused;
}

/* No thread has a scheduler yet. */
static void forks_while_others_allocate(void *UNUSED(argument)) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    check(pthread_create(&threads[i], NULL, allocates, NULL) == 0);
  for (int i = 0; i < 300; i++) {
    pid_t child = forks();
    if (child == 0) {
      deadline(10);
      void *stack = wire_stack_alloc(5 * 4096);
      wire_stack_free(stack, 5 * 4096);
      _exit(stack == NULL);
    }
    await_child_outside(child);
  }
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < 2; i++)
    check(pthread_join(threads[i], NULL) == 0);
}

static void the_child_can_allocate_stacks_whatever_other_threads_did(void **UNUSED(state)) {
  passes(forks_while_others_allocate);
}

/* --- log, exec ---------------------------------------------------------------------------- */

static void logs_and_forks(void *UNUSED(argument)) {
  for (int i = 0; i < 5; i++)
    wire_log(WLOG_INFO, "before %d", i);
  pid_t child = forks();
  for (int i = 0; i < 20; i++)
    wire_log(WLOG_INFO, "%s %02d", child == 0 ? "child" : "parent", i);
  if (child != 0)
    await_child(child);
}

static void logs_over_fork(void *UNUSED(argument)) {
  begin();
  wire_log_init_stdout();
  spawn(logs_and_forks, NULL);
  wire_thread_run();
  _exit(0);
}

static void expect_once(const char *text, const char *line) {
  const char *found = strstr(text, line);
  if (found == NULL || strstr(found + 1, line) != NULL)
    fail_msg("\"%s\" is not there once:\n%s", line, text);
}

static void each_line_of_the_log_comes_out_once(void **UNUSED(state)) {
  const struct child *child = run_child(logs_over_fork, NULL);
  expect_success(child);
  char line[32];
  for (int i = 0; i < 5; i++) {
    snprintf(line, sizeof line, "<INFO> before %d\n", i);
    expect_once(child->output, line);
  }
  for (int i = 0; i < 20; i++) {
    snprintf(line, sizeof line, "<INFO> child %02d\n", i);
    expect_once(child->output, line);
    snprintf(line, sizeof line, "<INFO> parent %02d\n", i);
    expect_once(child->output, line);
  }
}

static void forks_and_executes(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(1) == 0);
  pid_t child = forks();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", "ls -l /proc/self/fd", (char *)NULL);
    _exit(1);
  }
  await_child(child);
}

static void executes(void *UNUSED(argument)) {
  begin();
  check(pipe2(pipe_ends, O_CLOEXEC) == 0);
  wire_log_init_stderr();
  wire_t *watcher = spawn(watches_for_long, NULL);
  spawn(forks_and_executes, NULL);
  spawn(ticks, &ticked);
  while (ticked < 20)
    wire_yield();
  wire_cancel(watcher);
  wire_thread_run();
}

static void a_program_that_is_executed_inherits_nothing(void **UNUSED(state)) {
  const struct child *child = run_child(executes, NULL);
  expect_success(child);
  assert_non_null(strstr(child->output, "pipe:"));
  assert_null(strstr(child->output, "anon_inode"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      /* First, before this process has called the library. */
      cmocka_unit_test(the_child_can_allocate_stacks_whatever_other_threads_did),
      cmocka_unit_test(the_child_of_a_thread_has_all_wires),
      cmocka_unit_test(a_daemon_runs_what_was_set_up_before),
      cmocka_unit_test(wires_of_other_threads_are_not_in_the_child),
      cmocka_unit_test(each_line_of_the_log_comes_out_once),
      cmocka_unit_test(a_program_that_is_executed_inherits_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
