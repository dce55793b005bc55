/* System calls that a kernel is too old for, or that a container does not allow: everything works
 * without them, and what was refused is not tried again and again. */
#include "wio.h"

#include "kernel.h"
#include "wio_everything.h"

#include <pty.h>

static void set_fault(long number, long second, int error) {
  fault.number = number;
  fault.second = second;
  fault.error = error;
  fault.also = 0;
}

static void runs_without(void *UNUSED(argument)) {
  begin_faults();
  injected = 0; /* nobody may notice */
  fail_syscall(fault.number, fault.error);
  if (fault.second)
    fail_syscall(fault.second, fault.error);
  run_io();
  run_io();
  start_afresh();
  expect_holdings(&before_fault);
  check(failures == 0);
  everything_works_again();
}

/* ThreadSanitizer makes the handler of the traps wait. */
static void without_calls(void (*body)(void *)) {
  if (TESTS_WITH_TSAN)
    skip();
  with_traps(body);
}

#define WITHOUT(call, second, code)                                                                \
  static void everything_works_where_##call##_gives_##code(void **UNUSED(state)) {                 \
    set_fault(SYS_##call, second, code);                                                           \
    without_calls(runs_without);                                                                   \
  }

WITHOUT(preadv2, SYS_pwritev2, EOPNOTSUPP)
WITHOUT(preadv2, SYS_pwritev2, ENOSYS)
WITHOUT(preadv2, SYS_pwritev2, EPERM)
WITHOUT(openat2, 0, ENOSYS)
WITHOUT(openat2, 0, EPERM)
WITHOUT(openat2, 0, EINVAL)
WITHOUT(openat2, 0, EAGAIN)
WITHOUT(pidfd_open, 0, ENOSYS)
WITHOUT(pidfd_open, 0, EPERM)
WITHOUT(pidfd_open, 0, EMFILE)
WITHOUT(epoll_pwait2, 0, ENOSYS)
WITHOUT(fstatfs, 0, ENOSYS)

/* --- without RWF_NOWAIT ----------------------------------------------------------------------- */

static void reads_with_limit(void *UNUSED(argument)) {
  int ends[2];
  char text[8];
  struct timeval limit = {0, 30000};
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  check(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
  int64_t start = milliseconds_now();
  check(wio_read(ends[0], text, sizeof text) == -1 && errno == EAGAIN);
  check(milliseconds_now() - start >= 30);
  check(write(ends[1], "text", 4) == 4);
  check(wio_read(ends[0], text, sizeof text) == 4);
  /* And the other way. */
  check(setsockopt(ends[1], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
  static const char bytes[4096];
  while (send(ends[1], bytes, sizeof bytes, MSG_DONTWAIT) > 0 ||
         send(ends[1], bytes, 1, MSG_DONTWAIT) > 0) {
  }
  start = milliseconds_now();
  check(wio_write(ends[1], text, 4) == -1 && errno == EAGAIN);
  check(milliseconds_now() - start >= 30);
  close_both(ends);
}

static void does_not_block(void *UNUSED(argument)) {
  int ends[2];
  char text[8];
  make_pair(ends);
  check(wio_read(ends[0], text, sizeof text) == -1 && errno == EAGAIN);
  fill(ends[1]);
  check(wio_write(ends[1], text, 1) == -1 && errno == EAGAIN);
  close_both(ends);
  make_pipe(ends);
  check(wio_read(ends[0], text, sizeof text) == -1 && errno == EAGAIN);
  close_both(ends);
}

static void sockets_without(void *UNUSED(argument)) {
  begin_faults();
  fail_syscall(SYS_preadv2, fault.error);
  fail_syscall(SYS_pwritev2, fault.error);
  wire_io_init(1);
  spawn(reads_with_limit, NULL);
  spawn(does_not_block, NULL);
  wire_thread_run();
  start_afresh();
  expect_holdings(&before_fault);
}

static void timeouts_and_O_NONBLOCK_hold_without_RWF_NOWAIT(void **UNUSED(state)) {
  set_fault(SYS_preadv2, SYS_pwritev2, EOPNOTSUPP);
  without_calls(sockets_without);
}

/* --- refusals are remembered ------------------------------------------------------------------ */

#define READS 50

static void reads_terminal(void *UNUSED(argument)) {
  int ends[2];
  char line[16];
  check(openpty(&ends[1], &ends[0], NULL, NULL, NULL) == 0);
  for (int i = 0; i < READS; i++) {
    check(TEMP_FAILURE_RETRY(write(ends[1], "line\n", 5)) == 5);
    check(wio_read(ends[0], line, sizeof line) == 5);
  }
  close_both(ends);
}

static void refused_once(void *UNUSED(argument)) {
  begin_faults();
  wire_io_init(1);
  forget_counts();
  spawn(reads_terminal, NULL);
  wire_thread_run();
  check(counted(SYS_preadv2) <= 2);
}

static void a_kind_that_refuses_is_asked_once(void **UNUSED(state)) {
  set_fault(SYS_preadv2, SYS_pwritev2, 0);
  without_calls(refused_once);
}

static void reads_many_pipes(void *UNUSED(argument)) {
  int ends[2];
  char byte;
  for (int i = 0; i < READS; i++) {
    make_pipe(ends);
    put(ends[1], "x");
    check(wio_read(ends[0], &byte, 1) == 1);
    close_both(ends);
  }
}

static void refused_for_all_pipes(void *UNUSED(argument)) {
  begin_faults();
  wire_io_init(1);
  fail_syscall(SYS_preadv2, EOPNOTSUPP);
  forget_counts();
  spawn(reads_many_pipes, NULL);
  wire_thread_run();
  check(counted(SYS_preadv2) <= 2);
  /* The hint belongs to the kind: a descriptor of another one is asked. */
  stop_failing();
  forget_counts();
  injected = 0;
  run_io();
  check(counted(SYS_preadv2) > 2);
}

static void so_are_other_descriptors_of_the_kind(void **UNUSED(state)) {
  if (!kernel_has_nowait()) /* or all kinds refuse */
    skip();
  set_fault(SYS_preadv2, 0, 0);
  without_calls(refused_for_all_pipes);
}

int main(void) {
  deadline(200);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(everything_works_where_preadv2_gives_EOPNOTSUPP),
      T(everything_works_where_preadv2_gives_ENOSYS),
      T(everything_works_where_preadv2_gives_EPERM),
      T(everything_works_where_openat2_gives_ENOSYS),
      T(everything_works_where_openat2_gives_EPERM),
      T(everything_works_where_openat2_gives_EINVAL),
      T(everything_works_where_openat2_gives_EAGAIN),
      T(everything_works_where_pidfd_open_gives_ENOSYS),
      T(everything_works_where_pidfd_open_gives_EPERM),
      T(everything_works_where_pidfd_open_gives_EMFILE),
      T(everything_works_where_epoll_pwait2_gives_ENOSYS),
      T(everything_works_where_fstatfs_gives_ENOSYS),
      T(timeouts_and_O_NONBLOCK_hold_without_RWF_NOWAIT),
      T(a_kind_that_refuses_is_asked_once),
      T(so_are_other_descriptors_of_the_kind),
  };
  return cmocka_run_group_tests_name("io without some system calls", tests, NULL, NULL);
}
