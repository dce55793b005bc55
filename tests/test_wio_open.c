/* wio_open of names that were opened before, which are not looked at again before they are opened:
 * whatever a name leads to by now, the call does what open does. */
#include "wio.h"

#include "kernel.h"

#include "syscall_traps.h"
#include "wio_crowd.h"
#include "wio_holdings.h"

#include <sys/mman.h>
#include <sys/sysmacros.h>

#define NAME "wio_opened"

static int on_disk;

static void put_file(const char *text) {
  int fd = open(NAME, O_CREAT | O_EXCL | O_WRONLY, 0600);
  check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static void expect_text(const char *name, const char *text) {
  char buffer[100] = "";
  errno = 77;
  int fd = wio_open(name, O_RDONLY | O_CLOEXEC, 0);
  check(fd >= 0 && errno == 77);
  int plain = open(name, O_RDONLY);
  check(fcntl(fd, F_GETFL) == fcntl(plain, F_GETFL) && fcntl(fd, F_GETFD) == FD_CLOEXEC);
  close(plain);
  check(read(fd, buffer, sizeof buffer) == (ssize_t)strlen(text) && strcmp(buffer, text) == 0);
  check(wio_close(fd) == 0);
}

static void gets_known(void) {
  for (int i = 0; i < 3; i++)
    expect_text(NAME, "text");
}

/* --- what a name leads to --------------------------------------------------------------------- */

static void removes(void) { check(unlink(NAME) == 0); }

static void reopens(void *UNUSED(argument)) {
  put_file("text");
  gets_known();
  removes();
  check(wio_open(NAME, O_RDONLY, 0) == -1 && errno == ENOENT);

  put_file("other");
  expect_text(NAME, "other");
  expect_text(NAME, "other");
  removes();

  check(symlink("elsewhere", NAME) == 0);
  check(wio_open(NAME, O_RDONLY, 0) == -1 && errno == ENOENT);
  check(wio_open(NAME, O_RDONLY | O_NOFOLLOW, 0) == -1 && errno == ELOOP);
  removes();

  put_file("text");
  gets_known();
  check(wio_open(NAME, O_RDONLY | O_DIRECTORY, 0) == -1 && errno == ENOTDIR);
  check(wio_open(NAME "/x", O_RDONLY, 0) == -1 && errno == ENOTDIR);
  gets_known();
  removes();
  check(mkdir(NAME, 0700) == 0);
  int fd = wio_open(NAME, O_RDONLY, 0);
  struct stat status;
  check(fd >= 0 && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) && close(fd) == 0);
  check(wio_open(NAME, O_RDWR, 0) == -1 && errno == EISDIR);
  check(rmdir(NAME) == 0);

  check(symlink("/dev/null", NAME) == 0);
  for (int i = 0; i < 2; i++) {
    check((fd = wio_open(NAME, O_RDWR, 0)) >= 0 && write(fd, "x", 1) == 1);
    check(!(fcntl(fd, F_GETFL) & O_NONBLOCK) && close(fd) == 0);
  }
  removes();
}

static void a_known_name_may_lead_elsewhere(void **UNUSED(state)) {
  run_with_workers(1, reopens, NULL);
}

static void changes_directory(void *UNUSED(argument)) {
  put_file("text");
  gets_known();
  check(mkdir("wio_below", 0700) == 0 && chdir("wio_below") == 0);
  check(wio_open(NAME, O_RDONLY, 0) == -1 && errno == ENOENT);
  put_file("below");
  expect_text(NAME, "below");
  removes();
  check(chdir("..") == 0 && rmdir("wio_below") == 0);
  expect_text(NAME, "text");
  removes();
}

static void a_known_name_may_mean_another_directory(void **UNUSED(state)) {
  run_with_workers(1, changes_directory, NULL);
}

/* --- named pipes ------------------------------------------------------------------------------ */

static int read_from_pipe, writer_is_open;

static void reads_pipe(void *UNUSED(argument)) {
  char buffer[10];
  int fd = wio_open(NAME, O_RDONLY, 0);
  check(fd >= 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
  check(writer_is_open); /* or about to be */
  check(wio_read(fd, buffer, sizeof buffer) == 4 && memcmp(buffer, "text", 4) == 0);
  check(wio_close(fd) == 0);
  read_from_pipe = 1;
}

static void writes_pipe(void *UNUSED(argument)) {
  int ticks_before = ticks.ticks;
  while (ticks.ticks < ticks_before + 10)
    check(wire_fd_wait_msec(1) == 0);
  check(!read_from_pipe);
  writer_is_open = 1;
  int fd = wio_open(NAME, O_WRONLY, 0);
  check(fd >= 0 && !(fcntl(fd, F_GETFL) & O_NONBLOCK));
  check(wio_write(fd, "text", 4) == 4 && wio_close(fd) == 0);
  stop_ticker();
}

static void knows_the_name(void *UNUSED(argument)) {
  put_file("text");
  gets_known();
  removes();
  check(mkfifo(NAME, 0600) == 0);
  spawn(reads_pipe, NULL);
  start_ticker();
  spawn(writes_pipe, NULL);
}

static void a_known_name_may_lead_to_a_named_pipe(void **UNUSED(state)) {
  struct holdings before = holdings_now();
  read_from_pipe = writer_is_open = 0;
  run_with_workers(1, knows_the_name, NULL);
  assert_true(read_from_pipe);
  unlink(NAME);
  expect_holdings(&before);
}

/* A writer that waits already is let in once, by the reader that stays. */
static void opens_for_writing(void *UNUSED(argument)) {
  int fd = wio_open("./" NAME, O_WRONLY, 0); /* a name that is not known yet */
  check(fd >= 0);
  writer_is_open = 1;
  check(wio_write(fd, "text", 4) == 4 && wio_close(fd) == 0);
}

static void knows_the_name_and_writes(void *UNUSED(argument)) {
  put_file("text");
  gets_known();
  removes();
  check(mkfifo(NAME, 0600) == 0);
  writer_is_open = 1;
  spawn(opens_for_writing, NULL);
  await_thread_in(SYS_openat);
  reads_pipe(NULL);
}

static void a_writer_that_waits_at_a_named_pipe_meets_one_reader(void **UNUSED(state)) {
  read_from_pipe = 0;
  run_with_workers(1, knows_the_name_and_writes, NULL);
  assert_true(read_from_pipe);
  unlink(NAME);
}

static void is_cancelled(void *UNUSED(argument)) {
  wio_open(NAME, O_RDONLY, 0);
  check(0);
}

static void cancels(void *UNUSED(argument)) {
  put_file("text");
  gets_known();
  removes();
  check(mkfifo(NAME, 0600) == 0);
  wire_t *victim = spawn(is_cancelled, NULL);
  await_thread_in(SYS_openat);
  wire_cancel(victim);
  int fd = open(NAME, O_WRONLY); /* it can end now */
  check(fd >= 0 && close(fd) == 0);
}

static void a_wire_that_is_cancelled_there_leaves_no_descriptor(void **UNUSED(state)) {
  struct holdings before = holdings_now();
  run_with_workers(1, cancels, NULL);
  unlink(NAME);
  expect_holdings(&before);
}

/* --- names that cannot be read ---------------------------------------------------------------- */

static void opens_nothing(void *UNUSED(argument)) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(pages != MAP_FAILED && mprotect(pages + 2 * page, page, PROT_NONE) == 0);
  put_file("text");
  check(wio_open(NULL, O_RDONLY, 0) == -1 && errno == EFAULT);
  check(wio_open(pages + 2 * page, O_RDONLY, 0) == -1 && errno == EFAULT);
  check(wio_open(pages + 2 * page - 1, O_RDONLY, 0) == -1 && errno == ENOENT); /* "" */
  memset(pages, 'x', 2 * page);
  check(wio_open(pages + 2 * page - 5, O_RDONLY, 0) == -1 && errno == EFAULT);
  check(wio_open(pages, O_RDONLY, 0) == -1 && errno == ENAMETOOLONG);
  char *last = pages + 2 * page - sizeof NAME, *across = pages + page - 4;
  memcpy(last, NAME, sizeof NAME);
  memcpy(across, NAME, sizeof NAME);
  for (int i = 0; i < 3; i++) {
    expect_text(last, "text");
    expect_text(across, "text");
  }
  munmap(pages, 3 * page);
  removes();
}

static void a_name_that_cannot_be_read_is_an_error(void **UNUSED(state)) {
  run_with_workers(1, opens_nothing, NULL);
}

/* --- the number of calls ---------------------------------------------------------------------- */

static void counts(void *UNUSED(argument)) {
  put_file("text");
  forget_counts();
  expect_text(NAME, "text");
  check(counted(SYS_openat2) == 2);
  gets_known();
  check(counted(SYS_openat2) == 2 + 3);
  removes();
}

static void counts_in_child(void *UNUSED(argument)) {
  static const long numbers[] = {SYS_openat2};
  trap_syscalls(numbers, 1);
  run_with_workers(1, counts, NULL);
}

static void a_known_name_is_opened_only(void **UNUSED(state)) {
  if (!kernel_has_cached_open())
    skip();
  if (!on_disk)
    skip();
  with_traps(counts_in_child);
}

int main(void) {
  struct stat status;
  check(stat(".", &status) == 0);
  on_disk = major(status.st_dev) != 0;
  unlink(NAME);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(a_known_name_may_lead_elsewhere),
      T(a_known_name_may_mean_another_directory),
      T(a_known_name_may_lead_to_a_named_pipe),
      T(a_writer_that_waits_at_a_named_pipe_meets_one_reader),
      T(a_wire_that_is_cancelled_there_leaves_no_descriptor),
      T(a_name_that_cannot_be_read_is_an_error),
      T(a_known_name_is_opened_only),
  };
  return cmocka_run_group_tests_name("opening names again", tests, NULL, NULL);
}
