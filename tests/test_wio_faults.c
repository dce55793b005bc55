/* System calls of the io path that fail, each once and at any point of a run that uses everything:
 * the call that needed it says so or finds another way, the other wires go on, nothing is left, and
 * everything works afterwards. */
#include "wio.h"

#include "kernel.h"
#include "wio_everything.h"

static void counts_occurrences(void *UNUSED(argument)) {
  begin_faults();
  long count = 0;
  /* On a busy machine all may be ready whenever the thread looks: then it never sleeps in a run. */
  for (int tries = 0; count == 0 && tries < 100; tries++) {
    run_io();
    start_afresh();
    count = counted(fault.number);
  }
  fflush(NULL);
  _exit(count < 200 ? (int)count : 200);
}

static void fails_once(void *passes) {
  begin_faults();
  injected = fault.error;
  fail_syscall_once(fault.number, fault.error, *(int *)passes);
  run_io();
  stop_failing(); /* the end of the threads is not under test here */
  everything_works_again();
}

/* Calls that the kernel does not have may not come at all, or only until that is known. */
static int is_used(long number) {
  static const long optional[] = {SYS_epoll_pwait2, SYS_openat2, SYS_preadv2, SYS_pwritev2,
                                  SYS_pidfd_open};
  for (size_t i = 0; i < ARRAY_SIZE(optional); i++)
    if (optional[i] == number && !kernel_has(number))
      return 0;
  if ((number == SYS_preadv2 || number == SYS_pwritev2) && !kernel_has_nowait())
    return 0;
  return number != SYS_openat2 || kernel_has_cached_open();
}

/* The first ones, and some of the others. */
static void fail_each(long number, int error, int also) {
  if (!traps_allowed() || TESTS_WITH_TSAN) /* which has signals of its own way */
    skip();
  if (!is_used(number))
    skip();
  fault.number = number;
  fault.error = error;
  fault.also = also;
  const struct child *child = run_child(counts_occurrences, NULL);
  if (!WIFEXITED(child->status))
    fail_msg("%s", child->errors);
  int occurrences = WEXITSTATUS(child->status);
  assert_true(occurrences > 0);
  for (int passes = 0; passes <= occurrences; passes += passes < 8 ? 1 : 1 + occurrences / 8)
    expect_success(run_child(fails_once, &passes));
}

#define EACH(call, code, other)                                                                    \
  static void each_##call##_may_fail_with_##code(void **UNUSED(state)) {                           \
    fail_each(SYS_##call, code, other);                                                            \
  }

EACH(eventfd2, EMFILE, 0)
EACH(epoll_create1, ENFILE, 0)
/* Also when it would end a watch, which the kernel never refuses: then the watch is there twice. */
EACH(epoll_ctl, ENOMEM, EEXIST)
EACH(epoll_ctl, ENOSPC, EEXIST)
EACH(epoll_pwait, EINTR, 0)
EACH(epoll_pwait2, EINTR, 0)
EACH(preadv2, ENOMEM, 0)
EACH(preadv2, EOPNOTSUPP, 0)
EACH(pwritev2, EIO, 0)
EACH(pwritev2, EOPNOTSUPP, 0)
EACH(newfstatat, ENOMEM, 0)
EACH(getsockopt, ENOMEM, 0)
EACH(openat, EMFILE, 0)
EACH(openat2, EAGAIN, 0)
EACH(openat2, ENOMEM, 0)
EACH(openat2, EPERM, 0)
EACH(pidfd_open, EMFILE, 0)
EACH(pidfd_open, ENOMEM, 0)
EACH(wait4, EINTR, 0)
EACH(socketpair, EMFILE, 0)
EACH(fcntl, EMFILE, EAGAIN)

int main(void) {
  deadline(200);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(each_eventfd2_may_fail_with_EMFILE),   T(each_epoll_create1_may_fail_with_ENFILE),
      T(each_epoll_ctl_may_fail_with_ENOMEM),  T(each_epoll_ctl_may_fail_with_ENOSPC),
      T(each_epoll_pwait_may_fail_with_EINTR), T(each_epoll_pwait2_may_fail_with_EINTR),
      T(each_preadv2_may_fail_with_ENOMEM),    T(each_preadv2_may_fail_with_EOPNOTSUPP),
      T(each_pwritev2_may_fail_with_EIO),      T(each_pwritev2_may_fail_with_EOPNOTSUPP),
      T(each_newfstatat_may_fail_with_ENOMEM), T(each_getsockopt_may_fail_with_ENOMEM),
      T(each_openat_may_fail_with_EMFILE),     T(each_openat2_may_fail_with_EAGAIN),
      T(each_openat2_may_fail_with_ENOMEM),    T(each_openat2_may_fail_with_EPERM),
      T(each_pidfd_open_may_fail_with_EMFILE), T(each_pidfd_open_may_fail_with_ENOMEM),
      T(each_wait4_may_fail_with_EINTR),       T(each_socketpair_may_fail_with_EMFILE),
      T(each_fcntl_may_fail_with_EMFILE),
  };
  return cmocka_run_group_tests_name("io with system calls that fail", tests, NULL, NULL);
}
