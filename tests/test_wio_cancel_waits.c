/* Wires that are cancelled while they wait for data, room or a child, or while a thread of their
 * own waits for them: no data is taken from others, no descriptor is left, nobody writes where the
 * wire was. */
#include "wio.h"

#include "kernel.h"
#include "slow_memory.h"
#include "wio_holdings.h"
#include "wio_victims.h"

#include <ftw.h>
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define FIFO "wio_test_cancel_fifo"

static struct victim victim;
static struct holdings before;

static void begin(void) {
  start_afresh();
  before = holdings_now();
  wire_io_init(1);
}

static void end(void) {
  start_afresh();
  expect_holdings(&before);
}

static void make_fifo(void) {
  unlink(FIFO);
  check(mkfifo(FIFO, 0600) == 0);
}

/* --- readiness ------------------------------------------------------------------------------ */

static int ends[2]; /* [0] to read from */

static void read_some(void *UNUSED(argument)) {
  char buffer[64];
  wio_read(ends[0], buffer, sizeof buffer);
}

static void write_some(void *UNUSED(argument)) {
  static const char bytes[100000];
  wio_write(ends[1], bytes, sizeof bytes);
}

static void make_ends(int kind) {
  struct timeval limit = {100, 0};
  switch (kind) {
  case 0:
    check(pipe(ends) == 0);
    break;
  case 1:
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    check(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    break;
  case 2:
    check(openpty(&ends[1], &ends[0], NULL, NULL, NULL) == 0);
    break;
  case 3:
    check((ends[0] = eventfd(0, 0)) >= 0 && (ends[1] = dup(ends[0])) >= 0);
    break;
  case 4:
    make_fifo();
    check((ends[0] = open(FIFO, O_RDWR)) >= 0 && (ends[1] = dup(ends[0])) >= 0);
    unlink(FIFO);
    break;
  }
}

static void cancels_reader(void *UNUSED(argument)) {
  wire_yield(); /* the reader waits */
  cancel_at_once(&victim);
  check(write(ends[1], "8 bytes\n", 8) == 8);
  wire_fd_wait_msec(2);
  check_paint(&victim);
  char text[16] = "";
  check(TEMP_FAILURE_RETRY(read(ends[0], text, sizeof text)) == 8 &&
        memcmp(text, "8 bytes\n", 8) == 0);
}

static void a_reader_ends_at_once_and_takes_nothing(void **UNUSED(state)) {
  for (int kind = 0; kind < 5; kind++) {
    begin();
    make_ends(kind);
    start_victim(&victim, read_some, NULL);
    spawn(cancels_reader, NULL);
    wire_thread_run();
    close_both(ends);
    end();
  }
}

static void cancels_writer(void *UNUSED(argument)) {
  wire_yield();
  cancel_at_once(&victim);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  size_t arrived = empty(ends[0]);
  check(arrived > 0);
  wire_fd_wait_msec(2);
  check(empty(ends[0]) == 0);
  check_paint(&victim);
}

static void a_writer_ends_at_once_and_writes_no_more(void **UNUSED(state)) {
  if (!kernel_has_nowait()) /* without it a thread writes, which takes a while to begin */
    skip();
  for (int kind = 0; kind < 2; kind++) {
    begin();
    make_ends(kind);
    int room = 4096;
    if (kind == 1)
      check(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room) == 0);
    start_victim(&victim, write_some, NULL);
    spawn(cancels_writer, NULL);
    wire_thread_run();
    close_both(ends);
    end();
  }
}

/* A thread reads a line, into memory that it has to wait for. */
static struct slow_memory memory;

static void read_slowly(void *UNUSED(argument)) { wio_read(ends[0], memory.page, SLOW_PAGE); }

static void cancels_slow_reader(void *UNUSED(argument)) {
  wire_yield();
  put(ends[1], "one\n");
  while (!is_waited_for(&memory))
    check(wire_fd_wait_msec(1) == 0);
  cancel_and_stay(&victim);
  give_memory(&memory);
  ends_now(&victim);
  check(memcmp(memory.page, "one\n", 4) == 0);
  wire_fd_wait_msec(2);
  check_paint(&victim);
}

static void a_reader_on_a_thread_ends_after_its_read(void **UNUSED(state)) {
  if (!make_slow_memory(&memory))
    skip();
  begin();
  make_ends(2);
  start_victim(&victim, read_slowly, NULL);
  spawn(cancels_slow_reader, NULL);
  wire_thread_run();
  close_both(ends);
  end();
  end_slow_memory(&memory);
}

/* --- children ------------------------------------------------------------------------------- */

static pid_t child_that_waits(void) {
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
      pause();
    _exit(1);
  }
  return pid;
}

static void wait_for_child(void *pid) {
  int status;
  wio_waitpid(*(pid_t *)pid, &status, 0);
}

static void cancels_waiting_for_one(void *pid) {
  int status;
  wire_yield();
  cancel_at_once(&victim);
  kill(*(pid_t *)pid, SIGKILL);
  check(wio_waitpid(*(pid_t *)pid, &status, 0) == *(pid_t *)pid && WTERMSIG(status) == SIGKILL);
  check_paint(&victim);
}

static void one_that_waits_for_a_child_ends_at_once(void **UNUSED(state)) {
  if (!kernel_has(SYS_pidfd_open)) /* without it a thread waits, and is waited for */
    skip();
  begin();
  pid_t pid = child_that_waits();
  start_victim(&victim, wait_for_child, &pid);
  spawn(cancels_waiting_for_one, &pid);
  wire_thread_run();
  end();
}

static void cancels_waiting_for_any(void *pid) {
  await_thread_in(SYS_wait4);
  cancel_and_stay(&victim);
  kill(*(pid_t *)pid, SIGKILL);
  ends_now(&victim);
  wire_fd_wait_msec(2);
  check_paint(&victim);
}

static void one_that_waits_for_any_child_ends_with_it(void **UNUSED(state)) {
  begin();
  pid_t pid = child_that_waits(), any = -1;
  start_victim(&victim, wait_for_child, &any);
  spawn(cancels_waiting_for_any, &pid);
  wire_thread_run();
  end();
}

/* --- what the call gives goes to nobody, as end() sees --------------------------------------- */

static void open_fifo(void *UNUSED(argument)) { wio_open(FIFO, O_RDONLY, 0); }

static void create_fifo(void *UNUSED(argument)) { wio_creat(FIFO, 0600); }

static void cancels_open(void *other_side) {
  await_thread_in(SYS_openat);
  cancel_and_stay(&victim);
  int other = open(FIFO, *(int *)other_side | O_NONBLOCK); /* lets it go */
  check(other >= 0);
  ends_now(&victim);
  close(other);
}

static void a_cancelled_open_leaves_no_descriptor(void **UNUSED(state)) {
  int other_side[2] = {O_WRONLY, O_RDONLY};
  for (int i = 0; i < 2; i++) {
    begin();
    make_fifo();
    start_victim(&victim, i == 0 ? open_fifo : create_fifo, NULL);
    wire_yield();
    spawn(cancels_open, &other_side[i]);
    wire_thread_run();
    unlink(FIFO);
    end();
  }
}

static void read_fifo(void *UNUSED(argument)) {
  char buffer[64];
  wio_read_file_content(FIFO, buffer, sizeof buffer);
}

static void cancels_reading_file(void *UNUSED(argument)) {
  int lowest = dup(0);
  close(lowest);
  while (fcntl(lowest, F_GETFD) < 0) /* it has opened the file */
    check(wire_fd_wait_msec(1) == 0);
  check(wire_fd_wait_msec(5) == 0); /* and reads */
  cancel_at_once(&victim);
  check(fcntl(lowest, F_GETFD) < 0);
  check_paint(&victim);
}

static void a_cancelled_read_file_content_leaves_no_descriptor(void **UNUSED(state)) {
  begin();
  make_fifo();
  int both = open(FIFO, O_RDWR | O_CLOEXEC); /* so that opening does not wait, and reading does */
  assert_true(both >= 0);
  spawn(cancels_reading_file, NULL);
  wire_yield();
  start_victim(&victim, read_fifo, NULL);
  wire_thread_run();
  close(both);
  unlink(FIFO);
  end();
}

/* --- streams -------------------------------------------------------------------------------- */

static void get_line(void *stream) {
  char line[64];
  wio_fgets(line, sizeof line, stream);
}

static void cancels_getting_a_line(void *stream) {
  wire_fd_wait_msec(5);
  wire_cancel(&victim.wire);
  put(ends[1], "one\ntwo\n");
  ends_now(&victim);
  char line[64];
  check(wio_fgets(line, sizeof line, stream) == line && strchr(line, '\n') != NULL);
  check_paint(&victim);
}

static void a_stream_stays_usable(void **UNUSED(state)) {
  begin();
  make_ends(0);
  FILE *stream = fdopen(ends[0], "r");
  start_victim(&victim, get_line, stream);
  spawn(cancels_getting_a_line, stream);
  wire_thread_run();
  fclose(stream);
  close(ends[1]);
  end();
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(a_reader_ends_at_once_and_takes_nothing),
      T(a_writer_ends_at_once_and_writes_no_more),
      T(a_reader_on_a_thread_ends_after_its_read),
      T(one_that_waits_for_a_child_ends_at_once),
      T(one_that_waits_for_any_child_ends_with_it),
      T(a_cancelled_open_leaves_no_descriptor),
      T(a_cancelled_read_file_content_leaves_no_descriptor),
      T(a_stream_stays_usable),
  };
  return cmocka_run_group_tests_name("wires cancelled while they wait", tests, NULL, NULL);
}
