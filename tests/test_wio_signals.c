/* Signals that a call raises in the thread that makes it: a wire gets them as the plain call gives
 * them, and no call those of another. */
#include "wio.h"

#include "signals.h"

#include <pthread.h>

static volatile sig_atomic_t last_signal;

static void note_signal(int signal) { last_signal = signal; }

static int taken_signal(void) {
  let_signals_in();
  int signal = last_signal;
  last_signal = 0;
  return signal;
}

/* --- beyond the limit --------------------------------------------------------------------- */

static const struct rlimit small = {5000, 5000};

static void exceed_limits(void *file) {
  int fd = *(int *)file;
  check(wio_posix_fallocate(fd, 0, 100000) == EFBIG);
  check(taken_signal() == SIGXFSZ);
  /* This one is too large for any file, which is not the limit's doing. */
  check(wio_fallocate(fd, 0, 0, INT64_MAX) == -1 && errno == EFBIG);
  check(taken_signal() == 0);
  check(wio_ftruncate(fd, 100000) == -1 && errno == EFBIG);
  check(taken_signal() == SIGXFSZ);
  check(wio_fsync(fd) == 0);
  check(taken_signal() == 0);
}

static void limits_a_process(void *workers) {
  int fd = scratch_file(0);
  signal(SIGXFSZ, note_signal);
  check(setrlimit(RLIMIT_FSIZE, &small) == 0);
  run_with_workers(*(int *)workers, exceed_limits, &fd);
}

static void a_file_beyond_its_limit_raises_sigxfsz(void **UNUSED(state)) {
  for (int workers = 0; workers < 3; workers++)
    expect_success(run_child(limits_a_process, &workers));
}

/* --- a reader that goes ------------------------------------------------------------------- */

#define FIFO "wio_test_signal_fifo"

static int reader, writer;

/* Once the pipe is full and the writer waits. */
static void *closes_the_full_pipe(void *UNUSED(argument)) {
  int full = fcntl(writer, F_GETPIPE_SZ), filled = 0;
  while (filled < full)
    check(ioctl(reader, FIONREAD, &filled) == 0);
  close(reader);
  return NULL;
}

static void writes_too_much(void *UNUSED(argument)) {
  static const char buffer[300000];
  pthread_t closer;
  check(pthread_create(&closer, NULL, closes_the_full_pipe, NULL) == 0);
  ssize_t full = fcntl(writer, F_GETPIPE_SZ);
  check(wio_write(writer, buffer, sizeof buffer) == full);
  check(taken_signal() == SIGPIPE);
  check(pthread_join(closer, NULL) == 0);
  check(wio_write(writer, buffer, 1) == -1 && errno == EPIPE);
  check(taken_signal() == SIGPIPE);
}

static void write_to_a_pipe_that_breaks(void *workers) {
  signal(SIGPIPE, note_signal);
  unlink(FIFO);
  check(mkfifo(FIFO, 0600) == 0);
  reader = open(FIFO, O_RDONLY | O_NONBLOCK);
  writer = open(FIFO, O_WRONLY);
  check(reader >= 0 && writer >= 0);
  unlink(FIFO);
  run_with_workers(*(int *)workers, writes_too_much, NULL);
}

static void a_pipe_that_breaks_in_the_middle_raises_sigpipe(void **UNUSED(state)) {
  for (int workers = 0; workers < 3; workers++)
    expect_success(run_child(write_to_a_pipe_that_breaks, &workers));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_beyond_its_limit_raises_sigxfsz),
      cmocka_unit_test(a_pipe_that_breaks_in_the_middle_raises_sigpipe),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
