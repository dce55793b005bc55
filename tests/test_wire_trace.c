// wire_trace.h: what is refused, and that a trace disturbs nothing. What is in the file is looked
// at by tests/trace/trace.py.
#include "common.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>

#include "wire_channel.h"
#include "wire_trace.h"

static const char *file_name(void) {
  static char name[64];
  snprintf(name, sizeof name, "test_wire_trace.%d.json", (int)getpid());
  return name;
}

static off_t file_size(void) {
  struct stat status;
  assert_int_equal(stat(file_name(), &status), 0);
  return status.st_size;
}

// The last characters of the file, without the last line feed.
static char *tail(size_t count) {
  static char text[256];
  int fd = open(file_name(), O_RDONLY);
  assert_true(fd >= 0);
  off_t at = lseek(fd, 0, SEEK_END) - (off_t)count;
  ssize_t got = pread(fd, text, count, at > 0 ? at : 0);
  assert_true(got > 0);
  text[got - (text[got - 1] == '\n')] = '\0';
  close(fd);
  return text;
}

static void yields(void *times) {
  for (int i = 0; i < *(int *)times; i++)
    wire_yield();
}

static int few = 3, many = 20000;

static void run_two(int *times) {
  start_afresh();
  spawn(yields, times);
  spawn(yields, times);
  wire_thread_run();
}

static void wrong_calls_are_refused(void **UNUSED(state)) {
  errno = 0;
  assert_int_equal(wire_trace_start(NULL), -1);
  assert_int_equal(errno, EINVAL);
  assert_int_equal(wire_trace_stop(), -1);
  assert_int_equal(errno, EINVAL);
  assert_int_equal(wire_trace_start("/nonexistent/trace.json"), -1);
  assert_int_equal(errno, ENOENT);
  assert_int_equal(wire_trace_stop(), -1);
  assert_int_equal(errno, EINVAL);
}

static void there_is_one_trace_at_a_time(void **UNUSED(state)) {
  assert_int_equal(wire_trace_start(file_name()), 0);
  assert_int_equal(wire_trace_start("other.json"), -1);
  assert_int_equal(errno, EBUSY);
  assert_int_equal(access("other.json", F_OK), -1);
  assert_int_equal(wire_trace_stop(), 0);
  assert_string_equal(tail(2), "]");
  assert_int_equal(wire_trace_stop(), -1);
}

static void a_second_trace_replaces_the_file(void **UNUSED(state)) {
  assert_int_equal(wire_trace_start(file_name()), 0);
  run_two(&many);
  assert_int_equal(wire_trace_stop(), 0);
  off_t size = file_size();
  assert_true(size > 2 * many * 60);
  run_two(&many);
  assert_int_equal(file_size(), size); // the trace is over
  assert_int_equal(wire_trace_start(file_name()), 0);
  run_two(&few);
  assert_int_equal(wire_trace_stop(), 0);
  assert_true(file_size() < size / 100);
}

static void a_full_disk_is_reported_in_the_end(void **UNUSED(state)) {
  struct rlimit old, small = {100000, RLIM_INFINITY};
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  small.rlim_max = old.rlim_max;
  signal(SIGXFSZ, SIG_DFL); // which ends the program
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  assert_int_equal(wire_trace_start(file_name()), 0);
  run_two(&many);
  errno = 0;
  int result = wire_trace_stop();
  int error = errno;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
  assert_int_equal(result, -1);
  assert_int_equal(error, EFBIG);
  assert_true(file_size() <= 100000);
  assert_string_equal(tail(5), "\"}\n]"); // whole events, and there was room for the end
}

static void what_cannot_be_written_at_all_is_reported_at_once(void **UNUSED(state)) {
  assert_int_equal(wire_trace_start("/dev/full"), -1);
  assert_int_equal(errno, ENOSPC);
  assert_int_equal(wire_trace_start(file_name()), 0);
  assert_int_equal(wire_trace_stop(), 0);
}

// A program that becomes a daemon closes whatever is open.
static void a_descriptor_that_was_closed_is_left_alone(void **UNUSED(state)) {
  int before = dup(0);
  assert_int_equal(wire_trace_start(file_name()), 0);
  struct stat wanted, status;
  assert_int_equal(stat(file_name(), &wanted), 0);
  int other = open("/dev/null", O_WRONLY), taken = -1;
  for (int fd = 3; fd < 65536; fd++)
    if (fstat(fd, &status) == 0 && status.st_ino == wanted.st_ino &&
        status.st_dev == wanted.st_dev) {
      taken = fd;
      close(fd);
    }
  assert_true(taken > 0);
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(dup2(ends[1], taken), taken); // now it is something else
  run_two(&few);
  assert_int_equal(wire_trace_stop(), -1);
  assert_int_equal(errno, EBADF);
  assert_int_equal(close(taken), 0); // and still open
  close(ends[1]);
  char byte;
  assert_int_equal(read(ends[0], &byte, 1), 0); // nothing came
  close(ends[0]);
  close(other);
  close(before);
}

static wire_channel_t channel;

static void keeps_errno(void *UNUSED(argument)) {
  for (int i = 1; i < 2000; i++) {
    errno = i;
    wire_yield();
    check(errno == i);
    wire_channel_send(&channel, &i);
    check(errno == i);
  }
  wire_channel_send(&channel, NULL);
}

static void keeps_another_errno(void *UNUSED(argument)) {
  void *message = &message;
  errno = 12345;
  while (message) {
    wire_channel_recv_block(&channel, &message);
    check(errno == 12345);
  }
}

static void errno_stays_as_it_is_also_when_nothing_can_be_written(void **UNUSED(state)) {
  struct rlimit old, small = {1000, RLIM_INFINITY};
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  small.rlim_max = old.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  wire_channel_init(&channel);
  errno = 77;
  assert_int_equal(wire_trace_start(file_name()), 0);
  assert_int_equal(errno, 77);
  start_afresh();
  spawn(keeps_errno, NULL);
  spawn(keeps_another_errno, NULL);
  errno = 77;
  wire_thread_run();
  assert_int_equal(errno, 77);
  assert_int_equal(wire_trace_stop(), -1);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
}

// Its own wires know nothing of the trace, which begins and ends in another thread.
static int stop_thread, in_thread;

static void yields_on(void *UNUSED(argument)) {
  while (!__atomic_load_n(&stop_thread, __ATOMIC_ACQUIRE)) {
    __atomic_store_n(&in_thread, 1, __ATOMIC_RELEASE);
    wire_yield();
  }
}

static void *run_a_thread(void *unused) {
  spawn(yields_on, NULL);
  spawn(yields_on, NULL);
  wire_thread_run();
  free_stacks();
  return unused;
}

static void traces_come_and_go_while_threads_run(void **UNUSED(state)) {
  pthread_t thread;
  stop_thread = in_thread = 0;
  assert_int_equal(pthread_create(&thread, NULL, run_a_thread, NULL), 0);
  while (!__atomic_load_n(&in_thread, __ATOMIC_ACQUIRE))
    sched_yield();
  for (int i = 0; i < 50; i++) {
    assert_int_equal(wire_trace_start(file_name()), 0);
    run_two(&few);
    assert_int_equal(wire_trace_stop(), 0);
    assert_string_equal(tail(2), "]");
  }
  __atomic_store_n(&stop_thread, 1, __ATOMIC_RELEASE);
  pthread_join(thread, NULL);
}

static int remove_file(void **UNUSED(state)) {
  unlink(file_name());
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_calls_are_refused),
      cmocka_unit_test(there_is_one_trace_at_a_time),
      cmocka_unit_test(a_second_trace_replaces_the_file),
      cmocka_unit_test(a_full_disk_is_reported_in_the_end),
      cmocka_unit_test(what_cannot_be_written_at_all_is_reported_at_once),
      cmocka_unit_test(a_descriptor_that_was_closed_is_left_alone),
      cmocka_unit_test(errno_stays_as_it_is_also_when_nothing_can_be_written),
      cmocka_unit_test(traces_come_and_go_while_threads_run),
  };
  return cmocka_run_group_tests(tests, NULL, remove_file);
}
