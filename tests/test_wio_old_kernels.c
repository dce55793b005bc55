/* What other kernels, and filters of system calls, answer to the calls that io tries first. */
#include "wio.h"

#include "kernel.h"
#include "syscall_traps.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { SIZE = 5000 };

static int ends[2];

static void reads_a_file(void) {
  char buffer[SIZE + 10];
  int fd = scratch_file(SIZE);
  check(wio_pread(fd, buffer, SIZE, 0) == SIZE);
  check_bytes(buffer, SIZE, 0);
  check(wio_lseek(fd, 10, SEEK_SET) == 10);
  check(wio_read(fd, buffer, sizeof buffer) == SIZE - 10);
  check_bytes(buffer, SIZE - 10, 10);
  check(wio_read(fd, buffer, sizeof buffer) == 0);
  check(wio_pread(fd, buffer, 10, SIZE) == 0);
  check(wio_pwrite(fd, "abc", 3, 100) == 3);
  check(TEMP_FAILURE_RETRY(pread(fd, buffer, 3, 100)) == 3 && memcmp(buffer, "abc", 3) == 0);
  close(fd);
}

static void sends_later(void *UNUSED(argument)) {
  wire_fd_wait_msec(5);
  check(write(ends[1], "xyz", 3) == 3);
}

static void reads_a_stream(void) {
  char buffer[10];
  struct iovec parts[2] = {{buffer, 1}, {buffer + 1, 9}};
  for (int way = 0; way < 2; way++) {
    spawn(sends_later, NULL);
    check((way ? wio_readv(ends[0], parts, 2) : wio_read(ends[0], buffer, 10)) == 3);
    check(memcmp(buffer, "xyz", 3) == 0);
  }
  struct iovec out[2] = {{"a", 1}, {"bc", 2}};
  check(wio_writev(ends[1], out, 2) == 3);
  check(wio_write(ends[1], "d", 1) == 1);
  check(TEMP_FAILURE_RETRY(read(ends[0], buffer, 10)) == 4 && memcmp(buffer, "abcd", 4) == 0);
}

static void uses_everything(void *UNUSED(argument)) {
  errno = 77;
  reads_a_file();
  for (int kind = 0; kind < 2; kind++) {
    check((kind ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends)) == 0);
    reads_a_stream();
    char byte = 'x';
    check(wio_pread(ends[0], &byte, 1, 0) == -1 && errno == ESPIPE);
    check(wio_pwrite(ends[1], &byte, 1, 0) == -1 && errno == ESPIPE);
    check(wio_pwrite(ends[1], &byte, 0, 0) == -1 && errno == ESPIPE);
    errno = 77;
    close(ends[0]);
    close(ends[1]);
  }
  check(errno == 77);
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  struct timeval limit = {0, 10000};
  setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  char buffer[2];
  struct iovec parts[2] = {{buffer, 1}, {buffer + 1, 1}};
  check(wio_read(ends[0], buffer, 1) == -1 && errno == EAGAIN);
  check(wio_readv(ends[0], parts, 2) == -1 && errno == EAGAIN);
}

static void with_answer(void *error) {
  static const long numbers[] = {SYS_preadv2, SYS_pwritev2, SYS_statx};
  start_afresh();
  wire_io_init(1);
  trap_syscalls(numbers, 3);
  for (int i = 0; i < 3; i++)
    fail_syscall(numbers[i], *(int *)error);
  spawn(uses_everything, NULL);
  wire_thread_run();
}

static void everything_works_without_the_calls_that_are_tried_first(void **UNUSED(state)) {
  if (!traps_allowed())
    skip();
  /* no such call, a container, no such flag, and no such flag from 4.6 to 4.12 */
  int errors[] = {ENOSYS, EPERM, EOPNOTSUPP, EINVAL};
  for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
    expect_success(run_child(with_answer, &errors[i]));
}

static void reads_in_spite(void *UNUSED(argument)) { reads_a_file(); }

/* Linux 5.9 and 5.10 take RWF_NOWAIT for the end of the file. To be known, the flag must be so to
 * writes too. */
static void with_ends_that_are_none(void *UNUSED(argument)) {
  static const long numbers[] = {SYS_preadv2};
  start_afresh();
  wire_io_init(1);
  trap_syscalls(numbers, 1);
  fail_syscall(SYS_preadv2, 0);
  spawn(reads_in_spite, NULL);
  wire_thread_run();
}

static void an_early_end_of_a_file_is_not_believed(void **UNUSED(state)) {
  if (!kernel_has_nowait())
    skip();
  with_traps(with_ends_that_are_none);
}

/* The kernel may write a part at once. The call has begun before anybody could know of O_APPEND. */
static void appends_in_parts(void *UNUSED(argument)) {
  static const long numbers[] = {SYS_pwritev2};
  char buffer[20];
  struct iovec parts[3] = {{"ab", 2}, {"cdef", 4}, {"gh", 2}};
  int fd = scratch_file(0);
  trap_syscalls(numbers, 1);
  fail_syscall_once(SYS_pwritev2, -1, 0);
  check(wio_pwrite(fd, "x", 1, 0) == 1); /* as it seems */
  check(fcntl(fd, F_SETFL, O_APPEND) == 0);
  fail_syscall_once(SYS_pwritev2, -3, 0);
  check(wio_pwritev(fd, parts, 3, 0) == 8);
  check(counted(SYS_pwritev2) == 1);
  check(read(fd, buffer, sizeof buffer) == 5 && memcmp(buffer, "defgh", 5) == 0);
}

static void appends_in_child(void *UNUSED(argument)) {
  run_with_workers(1, appends_in_parts, NULL);
}

static void what_was_appended_in_part_is_not_appended_again(void **UNUSED(state)) {
  with_traps(appends_in_child);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everything_works_without_the_calls_that_are_tried_first),
      cmocka_unit_test(an_early_end_of_a_file_is_not_believed),
      cmocka_unit_test(what_was_appended_in_part_is_not_appended_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
