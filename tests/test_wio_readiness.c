/* Waiting for readiness in a request/response loop: cheap, and never wrong about a descriptor whose
 * number, mode or limits have changed behind it. */
#include "wio.h"

#include "kernel.h"
#include "syscall_traps.h"

#include <sys/socket.h>
#include <sys/syscall.h>

static int ends[2];

static void make_pair(void) {
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  start_afresh();
  wire_io_init(1);
}

enum { ROUNDS = 200 };

static void asks(void *UNUSED(argument)) {
  char answer[64];
  for (int i = 0; i < ROUNDS; i++) {
    check(wio_write(ends[0], "ask", 3) == 3);
    check(wio_read(ends[0], answer, sizeof answer) == 6);
  }
}

static void answers(void *UNUSED(argument)) {
  char question[64];
  for (int i = 0; i < ROUNDS; i++) {
    check(wio_read(ends[1], question, sizeof question) == 3);
    check(wio_write(ends[1], "answer", 6) == 6);
  }
}

static void counts_calls(void *UNUSED(argument)) {
  static const long numbers[] = {SYS_epoll_ctl, SYS_fcntl,      SYS_getsockopt,
                                 SYS_statx,     SYS_newfstatat, SYS_preadv2,
                                 SYS_recvfrom,  SYS_pwritev2,   SYS_epoll_pwait};
  make_pair();
  trap_syscalls(numbers, sizeof numbers / sizeof *numbers);
  spawn(asks, NULL);
  spawn(answers, NULL);
  wire_thread_run();
  check(counted(SYS_recvfrom) + counted(SYS_preadv2) <= 2 * 2 * ROUNDS + 10);
  check(counted(SYS_pwritev2) <= 2 * ROUNDS + 10);
  check(counted(SYS_epoll_pwait) <= 2 * ROUNDS + 50);
  /* A few to begin with, and now and then to be sure. */
  check(counted(SYS_epoll_ctl) <= ROUNDS / 2);
  check(counted(SYS_fcntl) <= ROUNDS / 2);
  check(counted(SYS_getsockopt) <= ROUNDS / 2);
  check(counted(SYS_statx) + counted(SYS_newfstatat) <= 50);
}

static void a_blocked_read_is_two_attempts_and_one_wait(void **UNUSED(state)) {
  if (!kernel_has_nowait()) /* or there are no attempts */
    skip();
  with_traps(counts_calls);
}

/* One wire has waited for `ends[0]` before; then something changes. */
static void sends_byte(void *UNUSED(argument)) { check(write(ends[1], "x", 1) == 1); }

static void waits_once(void) {
  char byte;
  spawn(sends_byte, NULL);
  check(wio_read(ends[0], &byte, 1) == 1);
}

static void replaces(int keep_duplicate) {
  int old[2] = {ends[0], ends[1]};
  int duplicate = keep_duplicate ? dup(old[0]) : -1;
  check(close(old[0]) == 0);
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  check(ends[0] == old[0]);
  if (keep_duplicate)
    check(write(old[1], "for the old one", 15) == 15);
  waits_once();
  waits_once();
  close(old[1]);
  if (keep_duplicate)
    close(duplicate);
}

static void waits_for_its_successor(void *keep_duplicate) {
  waits_once();
  replaces(*(int *)keep_duplicate);
}

static void a_number_that_was_closed_and_taken_again_is_waited_for(void **UNUSED(state)) {
  for (int keep = 0; keep < 2; keep++) {
    make_pair();
    spawn(waits_for_its_successor, &keep);
    wire_thread_run();
    close(ends[0]);
    close(ends[1]);
  }
}

static void reads_without_waiting(void *UNUSED(argument)) {
  char byte;
  waits_once();
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  check(wio_read(ends[0], &byte, 1) == -1 && errno == EAGAIN);
  fcntl(ends[0], F_SETFL, 0);
  waits_once();
}

static void o_nonblock_set_between_two_reads_counts(void **UNUSED(state)) {
  make_pair();
  spawn(reads_without_waiting, NULL);
  wire_thread_run();
  close(ends[0]);
  close(ends[1]);
}

static void limit_of(int option, struct timeval limit) {
  check(setsockopt(ends[0], SOL_SOCKET, option, &limit, sizeof limit) == 0);
}

static void reads_with_limit(void *UNUSED(argument)) {
  char byte;
  waits_once();
  limit_of(SO_RCVTIMEO, (struct timeval){0, 20000});
  int64_t start = milliseconds_now();
  check(wio_read(ends[0], &byte, 1) == -1 && errno == EAGAIN);
  check(milliseconds_now() - start >= 19);
  waits_once();
  limit_of(SO_RCVTIMEO, (struct timeval){4294968, 0}); /* more ms than an int can count */
  waits_once();
  limit_of(SO_RCVTIMEO, (struct timeval){3000000, 0});
  waits_once();
}

static void a_limit_set_between_two_reads_counts(void **UNUSED(state)) {
  make_pair();
  spawn(reads_with_limit, NULL);
  wire_thread_run();
  close(ends[0]);
  close(ends[1]);
}

static int written;

static void takes_a_little(void *UNUSED(argument)) {
  char buffer[4096];
  while (!written) {
    wire_fd_wait_msec(5);
    check(TEMP_FAILURE_RETRY(read(ends[1], buffer, sizeof buffer)) > 0);
  }
}

static void writes_with_limit(void *UNUSED(argument)) {
  static char much[4 << 20];
  limit_of(SO_SNDTIMEO, (struct timeval){0, 100000});
  ssize_t got = wio_write(ends[0], much, sizeof much);
  check(got > 0 && got < (ssize_t)sizeof much);
  written = 1;
}

static void the_limit_of_a_write_is_for_all_of_it(void **UNUSED(state)) {
  make_pair();
  written = 0;
  spawn(writes_with_limit, NULL);
  spawn(takes_a_little, NULL);
  wire_thread_run();
  assert_true(written);
  close(ends[0]);
  close(ends[1]);
}

static void reads_without_memory(void *UNUSED(argument)) {
  char byte;
  errno = 0;
  check(wio_read(ends[0], &byte, 1) == -1 && errno == ENOMEM);
}

static void lacks_memory_for_a_limit(void *UNUSED(argument)) {
  static const long numbers[] = {SYS_mmap};
  make_pair();
  limit_of(SO_RCVTIMEO, (struct timeval){100, 0});
  spawn(reads_without_memory, NULL);
  trap_syscalls(numbers, 1);
  fail_syscall(SYS_mmap, ENOMEM);
  wire_thread_run();
}

static void without_memory_a_read_says_so(void **UNUSED(state)) {
  if (TESTS_WITH_TSAN) /* which needs memory for each wire */
    skip();
  with_traps(lacks_memory_for_a_limit);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_blocked_read_is_two_attempts_and_one_wait),
      cmocka_unit_test(a_number_that_was_closed_and_taken_again_is_waited_for),
      cmocka_unit_test(o_nonblock_set_between_two_reads_counts),
      cmocka_unit_test(a_limit_set_between_two_reads_counts),
      cmocka_unit_test(the_limit_of_a_write_is_for_all_of_it),
      cmocka_unit_test(without_memory_a_read_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
