/* Kinds of descriptors that have ways of their own. */
#include "wio.h"

#include "kernel.h"
#include "signals.h"

#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

static int fd, finished;

/* Wakes up now and then, and makes the next event when nobody has got on for a while. */
static void (*make_event)(void);
static int events_made;

static void makes_events(void *UNUSED(argument)) {
  while (finished < 2) {
    wire_fd_wait_msec(20);
    if (finished < 2 && events_made == finished) {
      events_made++;
      make_event();
    }
  }
}

static void reads_an_event(void *UNUSED(argument)) {
  char buffer[4096];
  check(wio_read(fd, buffer, sizeof buffer) > 0);
  finished++;
}

static void two_readers(void) {
  finished = events_made = 0;
  start_afresh();
  wire_io_init(2);
  spawn(reads_an_event, NULL);
  spawn(reads_an_event, NULL);
  spawn(makes_events, NULL);
  wire_thread_run();
  assert_int_equal(finished, 2);
  assert_int_equal(events_made, 2);
  close(fd);
}

/* Of its own: other tests run in the same folder. */
static char folder[] = "wio_kinds_XXXXXX";

static void make_file(void) {
  char name[sizeof folder + 2];
  snprintf(name, sizeof name, "%s/x", folder);
  check(close(open(name, O_CREAT | O_WRONLY, 0600)) == 0);
  check(unlink(name) == 0);
}

static void two_wires_may_read_one_inotify(void **UNUSED(state)) {
  assert_non_null(mkdtemp(folder));
  fd = inotify_init();
  assert_true(inotify_add_watch(fd, folder, IN_DELETE) >= 0);
  make_event = make_file;
  two_readers();
  rmdir(folder);
}

static void signal_thread(void) { pthread_kill(pthread_self(), SIGUSR2); }

static void two_wires_may_read_one_signalfd(void **UNUSED(state)) {
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, &old);
  fd = signalfd(-1, &set, 0);
  make_event = signal_thread;
  two_readers();
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void add_to_event(void) {
  uint64_t one = 1;
  check(write(fd, &one, sizeof one) == sizeof one);
}

static void two_wires_may_read_one_eventfd(void **UNUSED(state)) {
  fd = eventfd(0, 0);
  make_event = add_to_event;
  two_readers();
}

static void asks_for_too_little(void *UNUSED(argument)) {
  char buffer[128];
  check(wio_read(fd, buffer, 4) == -1 && errno == EINVAL);
}

static void a_buffer_too_small_fails_at_once(void **UNUSED(state)) {
  sigset_t set;
  sigemptyset(&set);
  fd = eventfd(0, 0);
  run_with_workers(1, asks_for_too_little, NULL);
  close(fd);
  fd = signalfd(-1, &set, 0);
  run_with_workers(1, asks_for_too_little, NULL);
  close(fd);
}

static void passes_bad_parts(void *UNUSED(argument)) {
  struct iovec *volatile nowhere = (struct iovec *)8;
  for (int count = 1; count < 3; count++) {
    check(wio_readv(fd, nowhere, count) == -1 && errno == EFAULT);
    check(wio_readv(fd, nowhere, count) == -1 && errno == EFAULT);
    check(wio_writev(fd, nowhere, count) == -1 && errno == EFAULT);
  }
}

static void a_bad_array_of_parts_is_an_error(void **UNUSED(state)) {
  if (!kernel_has_nowait()) /* or nobody looks at it before there is something to read */
    skip();
  int ends[2], terminal;
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  fd = ends[0];
  run_with_workers(1, passes_bad_parts, NULL);
  close(ends[0]);
  close(ends[1]);
  assert_int_equal(openpty(&terminal, &fd, NULL, NULL, NULL), 0);
  run_with_workers(1, passes_bad_parts, NULL);
  close(fd);
  close(terminal);
  fd = scratch_file(10);
  run_with_workers(1, passes_bad_parts, NULL);
  close(fd);
}

static void reads_into_half_a_buffer(void *UNUSED(argument)) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(mprotect(memory + page, page, PROT_NONE) == 0); /* a hole might be filled by others */
  errno = 77;
  check(wio_pread(fd, memory, 2 * page, 0) == (ssize_t)page);
  check(errno == 77);
  munmap(memory, 2 * page);
}

static void a_partial_success_leaves_errno_alone(void **UNUSED(state)) {
  fd = scratch_file(2 * (size_t)sysconf(_SC_PAGESIZE));
  run_with_workers(1, reads_into_half_a_buffer, NULL);
  close(fd);
}

static volatile sig_atomic_t size_signals;
static void count_signal(int UNUSED(number)) { size_signals++; }

static void writes_to_the_limit(void *UNUSED(argument)) {
  char buffer[100] = "";
  check(wio_lseek(fd, 1000, SEEK_SET) == 1000);
  check(wio_write(fd, buffer, sizeof buffer) == 40);
  check(wio_pwrite(fd, buffer, sizeof buffer, 1020) == 20);
  check(size_signals == 0);
  check(wio_write(fd, buffer, sizeof buffer) == -1 && errno == EFBIG);
  let_signals_in();
  check(size_signals == 1);
}

static void writes_within_limit(void *UNUSED(argument)) {
  struct rlimit limit = {1040, 1040};
  check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  signal(SIGXFSZ, count_signal);
  run_with_workers(1, writes_to_the_limit, NULL);
}

static void a_write_that_the_limit_shortens_raises_no_signal(void **UNUSED(state)) {
  fd = scratch_file(0);
  expect_success(run_child(writes_within_limit, NULL));
  close(fd);
  fd = memfd_create("wio", 0);
  expect_success(run_child(writes_within_limit, NULL));
  close(fd);
}

static void reads_messages(void *UNUSED(argument)) {
  static char buffer[1 << 20];
  check(wio_read(fd, buffer, sizeof buffer) > 0);
  finished = 1;
}

static void a_read_of_kernel_messages_gives_what_there_is(void **UNUSED(state)) {
  int log = open("/dev/kmsg", O_WRONLY);
  fd = open("/proc/kmsg", O_RDONLY | O_NONBLOCK);
  static char buffer[1 << 20];
  if (log < 0 || fd < 0 || write(log, "wio\n", 4) != 4 || read(fd, buffer, sizeof buffer) <= 0 ||
      write(log, "wio\n", 4) != 4)
    skip();
  close(fd);
  close(log);
  fd = open("/proc/kmsg", O_RDONLY);
  finished = 0;
  run_with_workers(1, reads_messages, NULL);
  assert_true(finished);
  close(fd);
}

static void reads_terminal(void *UNUSED(argument)) {
  char buffer[100];
  wio_read(0, buffer, sizeof buffer);
}

/* A shell with one job, which reads the terminal from the background; exits with 0 if that stops
 * it. */
static void runs_a_job(void) {
  pid_t job = fork();
  if (job == 0) {
    setpgid(0, 0);
    run_with_workers(1, reads_terminal, NULL);
    _exit(1);
  }
  setpgid(job, job);
  int status;
  pid_t changed = TEMP_FAILURE_RETRY(waitpid(job, &status, WUNTRACED));
  int stopped = changed == job && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN;
  kill(job, SIGKILL);
  _exit(stopped ? 0 : 1);
}

static void a_background_job_that_reads_the_terminal_is_stopped(void **UNUSED(state)) {
  int terminal, status;
  pid_t shell = forkpty(&terminal, NULL, NULL, NULL);
  assert_true(shell >= 0);
  if (shell == 0) {
    signal(SIGTTIN, SIG_DFL);
    runs_a_job();
  }
  assert_int_equal(write(terminal, "line\n", 5), 5);
  assert_int_equal(TEMP_FAILURE_RETRY(waitpid(shell, &status, 0)), shell);
  assert_int_equal(status, 0);
  close(terminal);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_wires_may_read_one_inotify),
      cmocka_unit_test(two_wires_may_read_one_signalfd),
      cmocka_unit_test(two_wires_may_read_one_eventfd),
      cmocka_unit_test(a_buffer_too_small_fails_at_once),
      cmocka_unit_test(a_bad_array_of_parts_is_an_error),
      cmocka_unit_test(a_partial_success_leaves_errno_alone),
      cmocka_unit_test(a_write_that_the_limit_shortens_raises_no_signal),
      cmocka_unit_test(a_read_of_kernel_messages_gives_what_there_is),
      cmocka_unit_test(a_background_job_that_reads_the_terminal_is_stopped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
