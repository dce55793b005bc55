/* Reading and writing: what the plain calls give, and only the calling wire waits. */
#include "wio.h"

#include <pthread.h>
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int pipe_ends[2];

static void read_pipe(void *result) {
  char buffer[8] = "";
  errno = 77;
  ssize_t got = wio_read(pipe_ends[0], buffer, sizeof buffer);
  check(errno == 77);
  check(got == 3 && memcmp(buffer, "abc", 3) == 0);
  *(int *)result = 1;
}

static void write_later(void *argument) {
  int *order = argument;
  wire_fd_wait_msec(5);
  check(*order == 0);
  check(wio_write(pipe_ends[1], "abc", 3) == 3);
}

static void a_read_of_an_empty_pipe_lets_others_run(void **UNUSED(state)) {
  int done = 0;
  assert_int_equal(pipe(pipe_ends), 0);
  start_afresh();
  wire_io_init(2);
  spawn(read_pipe, &done);
  spawn(write_later, &done);
  wire_thread_run();
  assert_int_equal(done, 1);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

#define LONG (300 * 1024)

static void write_much(void *fd) {
  char *data = malloc(LONG);
  for (size_t i = 0; i < LONG; i++)
    data[i] = byte_at(i);
  struct iovec parts[3] = {{data, 70001}, {data + 70001, 0}, {data + 70001, LONG - 70001}};
  check(wio_writev(*(int *)fd, parts, 3) == LONG);
  check(wio_close(*(int *)fd) == 0);
  free(data);
}

static void read_much(void *fd) {
  char *data = malloc(LONG);
  size_t total = 0;
  ssize_t got;
  while ((got = wio_read(*(int *)fd, data + total, LONG - total + 0)) > 0)
    total += (size_t)got;
  check(got == 0);
  check(total == LONG);
  check_bytes(data, LONG, 0);
  free(data);
}

static void a_long_write_to_a_stream_is_complete(void **UNUSED(state)) {
  for (int kind = 0; kind < 2; kind++) {
    int ends[2];
    assert_int_equal(kind ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends), 0);
    start_afresh();
    wire_io_init(1);
    spawn(write_much, &ends[1]);
    spawn(read_much, &ends[0]);
    wire_thread_run();
    close(ends[0]);
  }
}

static void file_calls(void *argument) {
  int fd = *(int *)argument;
  char buffer[10000];
  errno = 5;
  check(wio_pread(fd, buffer, 10000, 1234) == 10000);
  check_bytes(buffer, 10000, 1234);
  check(wio_pread(fd, buffer, 10000, 95000) == 5000);
  check_bytes(buffer, 5000, 95000);
  check(wio_pread(fd, buffer, 10000, 100000) == 0);
  check(wio_lseek(fd, 99000, SEEK_SET) == 99000);
  check(wio_read(fd, buffer, 10000) == 1000);
  check_bytes(buffer, 1000, 99000);
  check(wio_read(fd, buffer, 10000) == 0);
  struct iovec parts[2] = {{buffer, 100}, {buffer + 100, 200}};
  check(wio_preadv(fd, parts, 2, 50) == 300);
  check_bytes(buffer, 300, 50);
  check(wio_pwritev(fd, parts, 2, 200000) == 300);
  check(wio_pwrite(fd, buffer, 10, 300000) == 10);
  check(wio_lseek(fd, 0, SEEK_END) == 300010);
  check(wio_write(fd, buffer, 10) == 10);
  check(wio_lseek(fd, 0, SEEK_CUR) == 300020);
  check(wio_pread(fd, buffer + 1000, 300, 200000) == 300);
  check(memcmp(buffer, buffer + 1000, 300) == 0);
  check(errno == 5);
}

static void files_are_read_and_written_completely(void **UNUSED(state)) {
  for (int workers = 0; workers < 3; workers++) {
    int fd = scratch_file(100000);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    fsync(fd);
    posix_fadvise(fd, 8192, 8192, POSIX_FADV_DONTNEED);
    run_with_workers(workers, file_calls, &fd);
    close(fd);
    fd = memfd_create("wio", 0);
    assert_true(fd >= 0);
    char byte;
    for (size_t i = 0; i < 100000; i++) {
      byte = byte_at(i);
      assert_int_equal(write(fd, &byte, 1), 1);
    }
    run_with_workers(workers, file_calls, &fd);
    close(fd);
  }
}

/* Each of these fails at once, with the errno of the plain call. */
static void failing_calls(void *UNUSED(argument)) {
  char buffer[16] = "";
  int ends[2];
  check(pipe(ends) == 0);
  int file = scratch_file(10);
  void *volatile nothing = NULL; /* the compiler must not see what is wrong */
  volatile int minus_one = -1, too_many = 2000;
  struct iovec part = {buffer, sizeof buffer};
#define same(call)                                                                                 \
  do {                                                                                             \
    errno = 0;                                                                                     \
    long plain = (long)(call);                                                                     \
    int plain_errno = errno;                                                                       \
    errno = 0;                                                                                     \
    long ours = (long)(wio_##call);                                                                \
    check(ours == plain);                                                                          \
    check(errno == plain_errno);                                                                   \
  } while (0)
  same(read(-1, buffer, 4));
  same(read(9999, buffer, 4));
  same(read(ends[1], buffer, 4));
  same(write(ends[0], buffer, 4));
  same(write(-1, buffer, 4));
  same(pread(ends[0], buffer, 4, 0));
  same(pread(file, buffer, 4, -1));
  same(pread(file, buffer, 4, -5));
  same(pwrite(file, buffer, 4, -1));
  same(preadv(file, &part, 1, -1));
  same(readv(file, &part, minus_one));
  same(readv(file, &part, too_many));
  same(writev(file, &part, 0));
  same(readv(file, &part, 0));
  same(read(file, nothing, 4));
  same(write(file, nothing, 4));
  same(read(file, buffer, 0));
  same(write(ends[1], buffer, 0));
  int directory = open(".", O_RDONLY);
  same(read(directory, buffer, 4));
  same(pread(directory, buffer, 4, 0));
  close(directory);
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  same(read(ends[0], buffer, 4));
  close(ends[0]);
  signal(SIGPIPE, SIG_IGN);
  same(write(ends[1], buffer, 4));
  signal(SIGPIPE, SIG_DFL);
  close(ends[1]);
  close(file);
}

static void failures_are_those_of_the_plain_calls(void **UNUSED(state)) {
  run_with_workers(0, failing_calls, NULL);
  run_with_workers(2, failing_calls, NULL);
}

static volatile sig_atomic_t pipe_signals;
static pthread_t signalled_thread;
static void count_signal(int UNUSED(number)) {
  signalled_thread = pthread_self();
  pipe_signals++;
}

static void write_to_nobody(void *UNUSED(argument)) {
  int fd = open("wio_test_fifo", O_RDWR);
  check(fd >= 0);
  int writer = open("wio_test_fifo", O_WRONLY);
  close(fd);
  check(wio_write(writer, "x", 1) == -1 && errno == EPIPE);
  close(writer);
}

static void sigpipe_comes_to_the_wires_thread(void **UNUSED(state)) {
  unlink("wio_test_fifo");
  assert_int_equal(mkfifo("wio_test_fifo", 0600), 0);
  signal(SIGPIPE, count_signal);
  pipe_signals = 0;
  run_with_workers(1, write_to_nobody, NULL);
  assert_int_equal(pipe_signals, 1);
  assert_true(pthread_equal(signalled_thread, pthread_self()));
  signal(SIGPIPE, SIG_DFL);
  unlink("wio_test_fifo");
}

static void read_with_limit(void *argument) {
  int fd = *(int *)argument;
  char byte;
  int64_t start = milliseconds_now();
  check(wio_read(fd, &byte, 1) == -1 && errno == EAGAIN);
  check(milliseconds_now() - start >= 20);
}

static void the_timeout_of_a_socket_holds(void **UNUSED(state)) {
  int ends[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  struct timeval limit = {0, 20000};
  setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  run_with_workers(1, read_with_limit, &ends[0]);
  close(ends[0]);
  close(ends[1]);
}

/* What refuses RWF_NOWAIT. */
static int odd[2];

static void read_odd(void *expected) {
  char buffer[64];
  ssize_t got = wio_read(odd[0], buffer, sizeof buffer);
  check(got == (ssize_t)strlen(expected));
  check(memcmp(buffer, expected, (size_t)got) == 0);
  mark("read ");
}

static void write_odd(void *text) {
  wire_fd_wait_msec(5);
  mark("write ");
  check(wio_write(odd[1], text, strlen(text)) == (ssize_t)strlen(text));
}

static void terminals_and_named_pipes_are_waited_for(void **UNUSED(state)) {
  for (int kind = 0; kind < 2; kind++) {
    if (kind == 0) {
      assert_int_equal(openpty(&odd[1], &odd[0], NULL, NULL, NULL), 0);
    } else {
      unlink("wio_test_fifo");
      assert_int_equal(mkfifo("wio_test_fifo", 0600), 0);
      odd[0] = odd[1] = open("wio_test_fifo", O_RDWR);
    }
    start_afresh();
    take_trace();
    wire_io_init(1);
    spawn(read_odd, "line\n");
    spawn(write_odd, "line\n");
    wire_thread_run();
    assert_trace("write read ");
    close(odd[0]);
    if (kind == 0)
      close(odd[1]);
  }
  unlink("wio_test_fifo");
}

static void read_event(void *argument) {
  uint64_t value = 0;
  check(wio_read(*(int *)argument, &value, sizeof value) == sizeof value && value == 7);
  mark("got ");
}

static void write_event(void *argument) {
  uint64_t value = 7;
  mark("set ");
  check(wio_write(*(int *)argument, &value, sizeof value) == sizeof value);
}

static void an_eventfd_is_waited_for(void **UNUSED(state)) {
  int fd = eventfd(0, 0);
  start_afresh();
  take_trace();
  wire_io_init(1);
  spawn(read_event, &fd);
  spawn(write_event, &fd);
  wire_thread_run();
  assert_trace("set got ");
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_read_of_an_empty_pipe_lets_others_run),
      cmocka_unit_test(a_long_write_to_a_stream_is_complete),
      cmocka_unit_test(files_are_read_and_written_completely),
      cmocka_unit_test(failures_are_those_of_the_plain_calls),
      cmocka_unit_test(sigpipe_comes_to_the_wires_thread),
      cmocka_unit_test(the_timeout_of_a_socket_holds),
      cmocka_unit_test(terminals_and_named_pipes_are_waited_for),
      cmocka_unit_test(an_eventfd_is_waited_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
