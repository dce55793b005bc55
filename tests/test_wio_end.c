/* The end of threads and processes in the middle of io, and of a thousand runs one after another:
 * nothing is waited for that may last for ever, and nothing is left. */
#include "wio.h"

#define HOLD_FSYNC_AND_READLINK
#include "held_calls.h"
#include "wio_holdings.h"

#include <ftw.h>
#include <glob.h>
#include <pthread.h>
#include <pty.h>
#include <sys/socket.h>

#define FIFO "wio_test_end_fifo"

/* --- calls that a thread leaves under way -------------------------------------------------------
 */

static int ends[2], locked;
static pid_t child;
static FILE *stream;

static pid_t child_that_stays(void) {
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    lseek(locked, 0, SEEK_SET);
    if (locked > 0 && TEMP_FAILURE_RETRY(lockf(locked, F_LOCK, 0)) != 0)
      _exit(1);
    char byte = 'x';
    if (ends[1] > 0 && write(ends[1], &byte, 1) != 1)
      _exit(1);
    for (;;)
      pause();
  }
  return pid;
}

static void has_fifo(void) {
  unlink(FIFO);
  check(mkfifo(FIFO, 0600) == 0);
}

static void has_pipe(void) { check(pipe(ends) == 0); }
static void has_child(void) { child = child_that_stays(); }

static void has_terminal(void) {
  check(openpty(&ends[1], &ends[0], NULL, NULL, NULL) == 0);
  put(ends[1], "line\n"); /* for one of several */
}

static void has_locked_file(void) {
  char byte;
  has_pipe();
  locked = scratch_file(10);
  child = child_that_stays();
  check(TEMP_FAILURE_RETRY(read(ends[0], &byte, 1)) == 1);
}

static void has_program(void) {
  char number[32];
  stream = popen("echo $$; exec sleep 100 >/dev/null 2>&1", "r");
  check(stream != NULL && fgets(number, sizeof number, stream) == number);
  child = atoi(number);
}

static void has_stream(void) {
  has_pipe();
  stream = fdopen(ends[0], "r");
}

static void opens_fifo(void *UNUSED(argument)) { wio_open(FIFO, O_RDONLY, 0); }
static void takes_lock(void *UNUSED(argument)) { wio_lockf(locked, F_LOCK, 0); }
static void waits_for_any(void *UNUSED(argument)) { wio_wait(NULL); }
static void waits_for_one(void *UNUSED(argument)) { wio_waitpid(child, NULL, 0); }
static void closes_program(void *UNUSED(argument)) { wio_pclose(stream); }

static void reads(void *UNUSED(argument)) {
  char buffer[16];
  wio_read(ends[0], buffer, sizeof buffer);
}

static void gets_line(void *UNUSED(argument)) {
  char line[16];
  wio_fgets(line, sizeof line, stream);
}

static int stays(const char *UNUSED(path), const struct stat *UNUSED(status), int UNUSED(type)) {
  wire_suspend();
  return 0;
}

static void walks(void *UNUSED(argument)) { wio_ftw("/proc/self", stays, 20); }

static const struct way {
  const char *name;
  void (*prepare)(void);
  void (*call)(void *);
  int wires;
} ways[] = {
    {"open", has_fifo, opens_fifo, 5},
    {"read of a pipe", has_pipe, reads, 5},
    {"read of a terminal", has_terminal, reads, 3},
    {"lockf", has_locked_file, takes_lock, 5},
    {"wait", has_child, waits_for_any, 5},
    {"waitpid", has_child, waits_for_one, 5},
    {"fgets", has_stream, gets_line, 3},
    {"ftw", NULL, walks, 5},
    {"pclose", has_program, closes_program, 1},
};

/* Lets the wires begin, and their calls. */
static void let_them_begin(void) {
  for (int i = 0; i < 20; i++) {
    wire_yield();
    pause_thread();
  }
}

static void *leaves_calls(void *way) {
  const struct way *this_way = way;
  wire_io_init(2);
  for (int i = 0; i < this_way->wires; i++)
    spawn(this_way->call, NULL);
  let_them_begin();
  return NULL; /* with the stacks of its wires, which nobody may use any more */
}

/* What was prepared; the thread has left it. */
static void clean(int stream_is_left) {
  if (child > 0) {
    kill(child, SIGKILL);
    TEMP_FAILURE_RETRY(waitpid(child, NULL, 0));
  }
  if (stream != NULL && stream_is_left)
    fclose(stream);
  else if (ends[0] > 0)
    close(ends[0]);
  if (ends[1] > 0)
    close(ends[1]);
  if (locked > 0)
    close(locked);
  unlink(FIFO);
  child = ends[0] = ends[1] = locked = 0;
  stream = NULL;
}

static void ends_in_the_middle(void *way) {
  const struct way *this_way = way;
  pthread_t thread;
  deadline(30);
  struct holdings before = holdings_now();
  for (int i = 0; i < 3; i++) {
    if (this_way->prepare != NULL)
      this_way->prepare();
    check(pthread_create(&thread, NULL, leaves_calls, way) == 0);
    check(pthread_join(thread, NULL) == 0);
    clean(this_way->call != closes_program);
    expect_holdings(&before);
  }
}

static void a_thread_may_end_in_the_middle_of_any_call(void **UNUSED(state)) {
  int failed = 0;
  for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
    const struct child *result = run_child(ends_in_the_middle, (void *)&ways[i]);
    if (!WIFEXITED(result->status) || WEXITSTATUS(result->status) != 0) {
      fprintf(stderr, "%s: status 0x%x\n%s", ways[i].name, (unsigned)result->status,
              result->errors);
      failed++;
    }
  }
  assert_int_equal(failed, 0);
}

/* A call that ends by itself uses the wire's memory until then. */
static void syncs(void *UNUSED(argument)) { wio_fsync(HELD_FD); }

static void *leaves_bounded_call(void *UNUSED(argument)) {
  wire_io_init(1);
  spawn(syncs, NULL);
  wire_yield();
  await(&held.entered);
  return NULL;
}

static void *opens_gate(void *UNUSED(argument)) {
  for (int i = 0; i < 10; i++)
    pause_thread();
  sem_post(&held.gate);
  return NULL;
}

static void a_thread_ends_after_the_calls_that_end_by_themselves(void **UNUSED(state)) {
  pthread_t thread, opener;
  struct holdings before = holdings_now();
  hold_calls();
  assert_int_equal(pthread_create(&thread, NULL, leaves_bounded_call, NULL), 0);
  assert_int_equal(pthread_create(&opener, NULL, opens_gate, NULL), 0);
  pthread_join(thread, NULL);
  assert_int_equal(sem_trywait(&held.left), 0); /* the call was over */
  pthread_join(opener, NULL);
  expect_holdings(&before);
}

/* --- processes -------------------------------------------------------------------------------- */

static int exits_from_callback(const char *UNUSED(path), const struct stat *UNUSED(status),
                               int UNUSED(type)) {
  exit(7);
}

static void exits(void *UNUSED(argument)) {
  wire_fd_wait_msec(5);
  exit(7);
}

static void exits_in_a_walk(void *UNUSED(argument)) {
  wire_fd_wait_msec(5);
  wio_ftw("/proc/self/fd", exits_from_callback, 10);
}

static void exits_at_once(void *UNUSED(argument)) {
  wire_fd_wait_msec(5);
  _exit(7);
}

static void (*const exit_ways[])(void *) = {exits, exits_in_a_walk, exits_at_once};

static void starts_everything_and_exits(void *exit_way) {
  deadline(30);
  has_fifo();
  has_stream();
  struct way all[] = {{"", NULL, opens_fifo, 0},
                      {"", NULL, reads, 0},
                      {"", NULL, gets_line, 0},
                      {"", NULL, walks, 0},
                      {"", NULL, waits_for_any, 0}};
  child = child_that_stays();
  start_afresh();
  wire_io_init(2);
  for (size_t i = 0; i < ARRAY_SIZE(all); i++)
    for (int k = 0; k < 3; k++)
      spawn(all[i].call, NULL);
  spawn(*(void (**)(void *))exit_way, NULL);
  wire_thread_run();
  check(!"the process has ended");
}

static void a_process_may_exit_in_the_middle_of_all_calls(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(exit_ways); i++) {
    for (int k = 0; k < 5; k++) {
      void (*way)(void *) = exit_ways[i];
      const struct child *result = run_child(starts_everything_and_exits, &way);
      if (!WIFEXITED(result->status) || WEXITSTATUS(result->status) != 7)
        fail_msg("way %zu: status 0x%x\n%s", i, (unsigned)result->status, result->errors);
    }
  }
  unlink(FIFO);
}

static void exits_outside(void *UNUSED(argument)) {
  deadline(30);
  has_fifo();
  start_afresh();
  wire_io_init(2);
  for (int i = 0; i < 5; i++)
    spawn(opens_fifo, NULL);
  let_them_begin();
  exit(7);
}

static void also_outside_of_them(void **UNUSED(state)) {
  const struct child *result = run_child(exits_outside, NULL);
  assert_true(WIFEXITED(result->status) && WEXITSTATUS(result->status) == 7);
  unlink(FIFO);
}

/* --- again and again -------------------------------------------------------------------------- */

static int file;

static void some_of_everything(void *UNUSED(argument)) {
  char buffer[100];
  struct stat status;
  int both[2];
  glob_t found;
  check(wio_pread(file, buffer, sizeof buffer, 10) == sizeof buffer);
  check(wio_fdatasync(file) == 0 && wio_stat("/proc/self/status", &status) == 0);
  check(wio_glob("/*", 0, NULL, &found) == 0);
  wio_globfree(&found);
  check(pipe(both) == 0 && wio_write(both[1], "x", 1) == 1 && wio_read(both[0], buffer, 9) == 1);
  check(wio_close(both[0]) == 0 && wio_close(both[1]) == 0);
}

static void a_thousand_rounds_leave_nothing(void **UNUSED(state)) {
  struct holdings early = {0, 0, 0};
  file = scratch_file(1000);
  has_pipe();
  for (int i = 0; i < 1000; i++) {
    start_afresh();
    wire_io_init(1 + i % 3);
    for (int k = 0; k < 3; k++)
      spawn(some_of_everything, NULL);
    if (i % 2) /* some rounds leave their calls */
      spawn(reads, NULL);
    if (i % 10 == 3)
      spawn(waits_for_any, NULL);
    if (i % 2 == 0)
      wire_thread_run();
    else
      for (int turns = i % 7; turns > 0; turns--)
        wire_yield();
    start_afresh();
    if (i == 100)
      early = holdings_now();
  }
  await_threads(1);
  struct holdings late = holdings_now();
  assert_int_equal(late.descriptors, early.descriptors);
  /* libc keeps some stacks and arenas, not more for more rounds. */
  if (!TESTS_WITH_TSAN) /* has mappings of its own for each wire */
    assert_true(late.mappings < early.mappings + 20);
  close_both(ends);
  close(file);
}

int main(void) {
  deadline(230);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(a_thread_may_end_in_the_middle_of_any_call),
      T(a_thread_ends_after_the_calls_that_end_by_themselves),
      T(a_process_may_exit_in_the_middle_of_all_calls),
      T(also_outside_of_them),
      T(a_thousand_rounds_leave_nothing),
  };
  return cmocka_run_group_tests_name("the end in the middle of io", tests, NULL, NULL);
}
