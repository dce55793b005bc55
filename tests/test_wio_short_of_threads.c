/* Threads when all that there are have no time: others keep being served, and those that were
 * started for it go again. */
#include "wio.h"

#define HOLD_FSYNC_AND_READLINK
#include "few_threads.h"
#include "held_calls.h"

static void hold(void *UNUSED(argument)) { check(wio_fsync(HELD_FD) == 0); }

static void await_held(void) {
  while (sem_trywait(&held.entered) != 0)
    wire_yield();
}

/* --- regular threads ---------------------------------------------------------------------- */

static int served;

static void keeps_yielding(void *UNUSED(argument)) {
  while (!served)
    wire_yield();
}

static void is_served(void *UNUSED(argument)) {
  struct statfs status;
  await_held();
  check(wio_statfs("/", &status) == 0);
  served = 1;
  check(sem_post(&held.gate) == 0);
}

static void a_stuck_worker_is_relieved_while_wires_run(void **UNUSED(state)) {
  served = 0;
  start_afresh();
  wire_io_init(1);
  spawn(hold, NULL);
  spawn(is_served, NULL);
  spawn(keeps_yielding, NULL);
  wire_thread_run();
  assert_int_equal(served, 1);
  start_afresh();
}

/* ThreadSanitizer has one of its own. */
static int threads(void) { return count_threads() - TESTS_WITH_TSAN; }

static int calls_are_over;

static void asks_at_last(void *UNUSED(argument)) {
  struct statfs status;
  check(wio_statfs("/", &status) == 0);
  calls_are_over++;
}

static void watches_threads(void *UNUSED(argument)) {
  for (int i = 0; i < 5; i++)
    await_held();
  check(threads() > 3);
  for (int i = 0; i < 5; i++)
    check(sem_post(&held.gate) == 0);
  while (threads() > 3)
    check(wire_fd_wait_msec(10) == 0);
  /* The others had the same time to go. */
  check(wire_fd_wait_msec(300) == 0);
  check(threads() == 3);
  asks_at_last(NULL);
}

static void only_threads_that_are_too_many_end(void **UNUSED(state)) {
  calls_are_over = 0;
  start_afresh();
  wire_io_init(2);
  for (int i = 0; i < 5; i++)
    spawn(hold, NULL);
  spawn(watches_threads, NULL);
  wire_thread_run();
  assert_int_equal(calls_are_over, 1);
  start_afresh();
}

/* --- patient threads ---------------------------------------------------------------------- */

#define READERS 12
#define PATIENT 4

static char folder[] = "/tmp/wire-short-XXXXXX";
static int writers[READERS]; /* of the named pipes, -1: nobody has it open for writing */
static int opened, refused;

struct name {
  char text[sizeof folder + 16];
};

static struct name pipe_name(int i) {
  struct name name;
  snprintf(name.text, sizeof name.text, "%s/%d", folder, i);
  return name;
}

/* From then on it can be opened for reading. */
static void open_writer(int i) {
  writers[i] = open(pipe_name(i).text, O_RDWR);
  check(writers[i] >= 0);
}

/* Releases those that have a thread when the others have been told that there is none. */
static void opens_a_pipe(void *number) {
  struct name name = pipe_name((int)(intptr_t)number);
  errno = 0;
  int fd = wio_open(name.text, O_RDONLY, 0);
  check(fd >= 0 || errno == EAGAIN);
  opened += fd >= 0;
  refused += fd < 0;
  if (fd >= 0)
    close(fd);
  for (int i = 0; refused == READERS - PATIENT && i < READERS; i++)
    if (writers[i] < 0)
      open_writer(i);
}

static void open_all(int with_writers) {
  strcpy(strrchr(folder, '-'), "-XXXXXX");
  check(mkdtemp(folder) != NULL);
  for (int i = 0; i < READERS; i++) {
    check(mkfifo(pipe_name(i).text, 0600) == 0);
    writers[i] = -1;
    if (with_writers)
      open_writer(i);
  }
  opened = refused = 0;
  start_afresh();
  wire_io_init(1);
  threads_left = 1 + PATIENT;
  for (int i = 0; i < READERS; i++)
    spawn(opens_a_pipe, (void *)(intptr_t)i);
  wire_thread_run();
  threads_left = ANY_NUMBER;
  start_afresh();
  for (int i = 0; i < READERS; i++) {
    close(writers[i]);
    unlink(pipe_name(i).text);
  }
  rmdir(folder);
}

static void calls_wait_for_one_of_the_threads_there_are(void **UNUSED(state)) {
  open_all(1);
  assert_int_equal(opened, READERS);
}

static void calls_are_refused_when_none_of_the_threads_comes_free(void **UNUSED(state)) {
  open_all(0);
  assert_int_equal(opened, PATIENT);
  assert_int_equal(refused, READERS - PATIENT);
}

int main(void) {
  hold_calls();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_stuck_worker_is_relieved_while_wires_run),
      cmocka_unit_test(only_threads_that_are_too_many_end),
      cmocka_unit_test(calls_wait_for_one_of_the_threads_there_are),
      cmocka_unit_test(calls_are_refused_when_none_of_the_threads_comes_free),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
