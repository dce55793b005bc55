/* 300 wires in calls that may wait for ever, and two workers: other wires read, write and sleep as
 * if nothing was. Each kind of such calls has its own way to be stuck and to be let go. */
#include "wio.h"

#include "wio_crowd.h"
#include "wio_holdings.h"

#include <pty.h>

static struct kind {
  void (*prepare)(void);
  void (*call)(void *); /* of each of the 300, counts itself in crowd.ended */
  void (*get_stuck)(void);
  int unstuck; /* that have ended by then */
  void (*let_go)(void);
  void (*clean)(void);
} kind;

static int file, ends[2];

static void beside_the_stuck(void *UNUSED(argument)) {
  wire_fd_wait_msec(20);
  if (kind.get_stuck != NULL)
    kind.get_stuck();
  while (crowd.ended < kind.unstuck)
    wire_fd_wait_msec(1);
  int ticks_before = ticks.ticks;
  steady_work(file);
  wire_fd_wait_msec(10);
  check(ticks.ticks > ticks_before);
  check(crowd.ended == kind.unstuck);
  kind.let_go();
  while (crowd.ended < CROWD)
    wire_fd_wait_msec(1);
  stop_ticker();
}

static void stuck(struct kind this_kind) {
  struct holdings before = holdings_now();
  kind = this_kind;
  file = scratch_file(STEADY_FILE);
  if (kind.prepare != NULL)
    kind.prepare();
  start_afresh();
  wire_io_init(2);
  start_crowd(CROWD, kind.call, NULL);
  start_ticker();
  spawn(beside_the_stuck, NULL);
  wire_thread_run();
  assert_int_equal(crowd.ended, CROWD);
  start_afresh();
  close(file);
  if (kind.clean != NULL)
    kind.clean();
  expect_holdings(&before);
}

static void close_first_end(void) { close(ends[0]); }

/* --- one terminal, from which all of them read ------------------------------------------------ */

static void open_terminal(void) { check(openpty(&ends[1], &ends[0], NULL, NULL, NULL) == 0); }

static void read_terminal(void *UNUSED(argument)) {
  char line[16];
  ssize_t got = wio_read(ends[0], line, sizeof line);
  check(got == 5 || got == 0 || (got == -1 && errno == EIO));
  crowd.ended++;
}

/* Everybody hears of the line, one gets it: for the others reading is what blocks. */
static void write_line(void) { check(write(ends[1], "line\n", 5) == 5); }

static void hang_up(void) { close(ends[1]); }

static void reading_one_terminal(void **UNUSED(state)) {
  stuck((struct kind){open_terminal, read_terminal, write_line, 1, hang_up, close_first_end});
}

/* --- one named pipe --------------------------------------------------------------------------- */

#define FIFO "wio_test_stuck_fifo"

static void make_fifo(void) {
  unlink(FIFO);
  check(mkfifo(FIFO, 0600) == 0);
}

static void open_for_reading(void *UNUSED(argument)) {
  int fd = wio_open(FIFO, O_RDONLY, 0);
  check(fd >= 0 && wio_close(fd) == 0);
  crowd.ended++;
}

static void open_for_writing(void *UNUSED(argument)) {
  int fd = wio_creat(FIFO, 0600);
  check(fd >= 0 && wio_close(fd) == 0);
  crowd.ended++;
}

static void open_other_side(void) {
  ends[0] = wio_open(FIFO, O_RDWR, 0); /* waits for nobody */
  check(ends[0] >= 0);
}

static void remove_fifo(void) {
  close(ends[0]);
  unlink(FIFO);
}

static void opening_a_named_pipe_for_reading(void **UNUSED(state)) {
  stuck((struct kind){make_fifo, open_for_reading, NULL, 0, open_other_side, remove_fifo});
}

static void opening_a_named_pipe_for_writing(void **UNUSED(state)) {
  stuck((struct kind){make_fifo, open_for_writing, NULL, 0, open_other_side, remove_fifo});
}

static void open_both_sides(void) {
  make_fifo();
  ends[0] = open(FIFO, O_RDWR);
  ends[1] = open(FIFO, O_WRONLY);
  check(ends[0] >= 0 && ends[1] >= 0);
}

static void read_fifo(void *UNUSED(argument)) {
  char byte;
  check(wio_read(ends[0], &byte, 1) == 1);
  crowd.ended++;
}

static void write_byte(void) { check(write(ends[1], "x", 1) == 1); }

static void write_for_all(void) {
  char bytes[CROWD - 1];
  memset(bytes, 'x', sizeof bytes);
  check(wio_write(ends[1], bytes, sizeof bytes) == sizeof bytes);
}

static void remove_both_sides(void) {
  close(ends[1]);
  remove_fifo();
}

static void reading_one_named_pipe(void **UNUSED(state)) {
  stuck((struct kind){open_both_sides, read_fifo, write_byte, 1, write_for_all, remove_both_sides});
}

/* --- a lock that another process holds -------------------------------------------------------- */

static int locked;
static pid_t holder;

static void lock_elsewhere(void) {
  char byte;
  locked = scratch_file(10);
  check(lseek(locked, 0, SEEK_SET) == 0 && pipe(ends) == 0);
  holder = fork();
  check(holder >= 0);
  if (holder == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (TEMP_FAILURE_RETRY(lockf(locked, F_LOCK, 0)) == 0 && write(ends[1], "x", 1) == 1)
      pause();
    _exit(1);
  }
  check(TEMP_FAILURE_RETRY(read(ends[0], &byte, 1)) == 1);
  close(ends[0]);
  close(ends[1]);
}

static void take_lock(void *UNUSED(argument)) {
  check(wio_lockf(locked, F_LOCK, 0) == 0);
  crowd.ended++;
}

static void end_holder(void) {
  check(kill(holder, SIGKILL) == 0);
  check(wio_waitpid(holder, NULL, 0) == holder);
}

static void close_locked(void) { close(locked); }

static void waiting_for_a_lock(void **UNUSED(state)) {
  stuck((struct kind){lock_elsewhere, take_lock, NULL, 0, end_holder, close_locked});
}

/* --- children --------------------------------------------------------------------------------- */

#define CHILDREN 3

static pid_t children[CHILDREN];
static int found_children;

static void make_children(void) {
  found_children = 0;
  for (int i = 0; i < CHILDREN; i++) {
    children[i] = fork();
    check(children[i] >= 0);
    if (children[i] == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;)
        pause();
    }
  }
}

static void wait_for_any(void *UNUSED(argument)) {
  int status;
  pid_t pid = crowd_number() % 2 ? wio_wait(&status) : wio_waitpid(-1, &status, 0);
  check(pid > 0 || errno == ECHILD);
  found_children += pid > 0;
  crowd.ended++;
}

static void kill_children(void) {
  for (int i = 0; i < CHILDREN; i++)
    check(kill(children[i], SIGKILL) == 0);
}

static void waiting_for_any_child(void **UNUSED(state)) {
  stuck((struct kind){make_children, wait_for_any, NULL, 0, kill_children, NULL});
  assert_int_equal(found_children, CHILDREN);
}

/* --- streams ---------------------------------------------------------------------------------- */

static void make_pipe_of_streams(void) { check(pipe(ends) == 0); }

static void get_from_stream(void *UNUSED(argument)) {
  char line[16];
  FILE *stream = fdopen(dup(ends[0]), "r");
  check(stream != NULL);
  if (crowd_number() % 2)
    check(wio_fgetc(stream) == EOF);
  else
    check(wio_fgets(line, sizeof line, stream) == NULL);
  check(feof(stream));
  fclose(stream);
  crowd.ended++;
}

static void end_stream(void) { close(ends[1]); }

static void reading_streams(void **UNUSED(state)) {
  stuck((struct kind){make_pipe_of_streams, get_from_stream, NULL, 0, end_stream, close_first_end});
}

/* --- more than there are threads for ---------------------------------------------------------- */

#define MORE 1100

static struct more {
  wire_t wires[MORE];
  int ended;
} more;

static void waits_for_child(void *UNUSED(argument)) {
  int status;
  pid_t pid = wio_wait(&status);
  check(pid > 0 || errno == ECHILD);
  found_children += pid > 0;
  more.ended++;
}

static void lets_them_wait(void *UNUSED(argument)) {
  wire_fd_wait_msec(50);
  check(more.ended == 0);
  steady_work(file);
  kill_children();
  while (more.ended < MORE)
    wire_fd_wait_msec(1);
  stop_ticker();
}

static void a_thousand_calls_and_more(void **UNUSED(state)) {
  const unsigned size = 32 * 1024;
  struct holdings before = holdings_now();
  char *stacks = mmap(NULL, (size_t)MORE * size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_true(stacks != MAP_FAILED);
  file = scratch_file(STEADY_FILE);
  more.ended = 0;
  make_children();
  start_afresh();
  wire_io_init(2);
  for (unsigned i = 0; i < MORE; i++)
    assert_non_null(
        wire_init(&more.wires[i], "more", waits_for_child, NULL, stacks + (size_t)i * size, size));
  start_ticker();
  spawn(lets_them_wait, NULL);
  wire_thread_run();
  assert_int_equal(more.ended, MORE);
  assert_int_equal(found_children, CHILDREN);
  start_afresh();
  munmap(stacks, (size_t)MORE * size);
  close(file);
  expect_holdings(&before);
}

int main(void) {
  deadline(200);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(reading_one_terminal),
      T(opening_a_named_pipe_for_reading),
      T(opening_a_named_pipe_for_writing),
      T(reading_one_named_pipe),
      T(waiting_for_a_lock),
      T(waiting_for_any_child),
      T(reading_streams),
      T(a_thousand_calls_and_more),
  };
  return cmocka_run_group_tests_name("300 wires are stuck, others go on", tests, NULL, NULL);
}
