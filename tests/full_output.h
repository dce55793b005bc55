/* What the tests of wire_log with a full output share: pipes and terminals that are read only when
 * the logging process has said, through another pipe, that its output is full. A test that runs
 * with an output in blocking mode stands still for good when libwire blocks the thread.
 *
 * The child process logs; a thread of the test reads what it writes. Include common.h,
 * descriptors.h and log_lines.h first. */
#ifndef TESTS_FULL_OUTPUT_H
#define TESTS_FULL_OUTPUT_H

#include <pthread.h>
#include <termios.h>

#include <sys/ioctl.h>

#define PIPE_SIZE 4096

static int output[2]; /* [0] the test reads, [1] the child writes */
static int full[2];   /* the child tells */
static struct lines lines;

static void *reads_when_told(void *UNUSED(argument)) {
  char byte;
  while (read(full[0], &byte, 1) < 0 && errno == EINTR) {
  }
  for (;;) {
    /* In small pieces for a while, so that there is room for parts of lines only. */
    size_t piece = lines.length < 8000 ? 100 : 4000;
    check(lines.length < sizeof lines.text - piece);
    ssize_t got = read(output[0], lines.text + lines.length, piece);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0) /* a terminal whose other side is gone gives EIO */
      break;
    lines.length += (size_t)got;
    if (lines.length < 8000)
      sched_yield();
  }
  lines.text[lines.length] = '\0';
  return NULL;
}

HELPER int make_output_pipe(void) {
  check(pipe2(output, O_CLOEXEC) == 0);
  check(fcntl(output[1], F_SETPIPE_SZ, PIPE_SIZE) == PIPE_SIZE);
  return 0;
}

static int make_output_terminal(void) {
  output[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (output[0] < 0 || grantpt(output[0]) != 0 || unlockpt(output[0]) != 0)
    return -1;
  output[1] = open(ptsname(output[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios raw;
  if (output[1] < 0 || tcgetattr(output[1], &raw) != 0)
    return -1;
  cfmakeraw(&raw);
  return tcsetattr(output[1], TCSANOW, &raw);
}

HELPER int make_output_fifo(void) {
  make_named_pipe(output);
  check(fcntl(output[1], F_SETPIPE_SZ, PIPE_SIZE) == PIPE_SIZE);
  return 0;
}

static int output_blocks; /* its O_NONBLOCK flag is not set */

static void runs_with_full_output(void *body) {
  close(output[0]);
  close(full[0]);
  become_output(output[1]);
  close(output[1]);
  check(output_blocks || fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK) == 0);
  (*(void (**)(void))body)();
}

static void logs_to(int (*make_output)(void), void (*body)(void)) {
  if (make_output() != 0)
    skip();
  check(pipe2(full, O_CLOEXEC) == 0);
  lines.length = 0;
  pthread_t reader;
  assert_int_equal(pthread_create(&reader, NULL, reads_when_told, NULL), 0);
  const struct child *child = run_child(runs_with_full_output, &body);
  close(output[1]);
  close(full[1]);
  assert_int_equal(pthread_join(reader, NULL), 0);
  close(output[0]);
  close(full[0]);
  expect_success(child);
}

/* --- in the child --------------------------------------------------------------------------- */

static volatile int next_number;
static int line_length;

static void log_next(void) { wire_log(WLOG_INFO, "%0*d", line_length, next_number++); }

/* A terminal that was full moves on what it has, and does not wake who waits for it before it is
 * read: so it counts as full as well when nobody gets on any more. */
static int terminal_is_full(void) {
  static int last_number = -1;
  static int64_t last_time;
  struct pollfd one = {1, POLLOUT, 0};
  if (poll(&one, 1, 0) == 0)
    return 1;
  if (next_number != last_number) {
    last_number = next_number;
    last_time = milliseconds_now();
  }
  return milliseconds_now() - last_time > 200;
}

HELPER int output_is_full(void) {
  if (isatty(1))
    return terminal_is_full();
  int used;
  check(ioctl(1, FIONREAD, &used) == 0);
  return used > PIPE_SIZE - line_length - 40;
}

/* May be said more than once. */
static void let_the_test_read(void) { check(write(full[1], "x", 1) == 1); }

static void logs_many(void *count) {
  for (int i = 0; i < *(int *)count; i++)
    log_next();
}

#endif
