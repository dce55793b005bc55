/* System calls that fail, each once and at any point of a run that uses everything, or for good:
 * nothing hangs, nobody is told nonsense, and everything works afterwards. Every fault happens in a
 * child process, see syscall_traps.h. */
#include "common.h"
#include "everything.h"

/* --- each call, the first, second, ... time -------------------------------------------------- */

static struct {
  long number;
  int error;
} fault;

static void counts_occurrences(void *UNUSED(argument)) {
  begin();
  injected = 0;
  run_everything();
  long count = counted(fault.number);
  fflush(NULL);
  _exit(count < 100 ? (int)count : 100);
}

static void fails_once(void *passes) {
  begin();
  injected = fault.error;
  fail_syscall_once(fault.number, fault.error, *(int *)passes);
  run_everything();
  everything_works_again();
}

static void fail_each(long number, int error) {
  if (!traps_allowed())
    skip();
  fault.number = number;
  fault.error = error;
  const struct child *child = run_child(counts_occurrences, NULL);
  assert_true(WIFEXITED(child->status));
  int occurrences = WEXITSTATUS(child->status);
  for (int passes = 0; passes <= occurrences && passes < 40; passes++)
    expect_success(run_child(fails_once, &passes));
}

#define EACH(call, code)                                                                           \
  static void each_##call##_may_fail_with_##code(void **UNUSED(state)) {                           \
    fail_each(SYS_##call, code);                                                                   \
  }

EACH(epoll_create1, EMFILE)
EACH(epoll_create1, ENOMEM)
EACH(epoll_ctl, ENOMEM)
EACH(epoll_ctl, ENOSPC)
EACH(epoll_pwait, EINTR)
EACH(epoll_pwait2, EINTR)
EACH(epoll_pwait2, ENOSYS)
EACH(mmap, ENOMEM)
EACH(mremap, ENOMEM)
EACH(fcntl, EMFILE)
EACH(recvfrom, EIO)
EACH(recvfrom, EINTR)
EACH(sendto, ENOBUFS)
EACH(sendto, EINTR)
EACH(ppoll, EINTR)

/* --- calls that are refused for good --------------------------------------------------------- */

static void runs_without(void *UNUSED(argument)) {
  begin();
  injected = 0; /* nobody may notice */
  fail_syscall(fault.number, fault.error);
  run_everything();
  check(open_descriptors() <= descriptors_before + 2);
  check(counted(fault.number) < 100);
  everything_works_again();
}

#define WITHOUT(call, code)                                                                        \
  static void everything_works_where_##call##_gives_##code(void **UNUSED(state)) {                 \
    fault.number = SYS_##call;                                                                     \
    fault.error = code;                                                                            \
    with_traps(runs_without);                                                                      \
  }

WITHOUT(epoll_pwait2, ENOSYS)
WITHOUT(epoll_pwait2, EPERM)

int main(void) {
  deadline(200);
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(each_epoll_create1_may_fail_with_EMFILE),
      T(each_epoll_create1_may_fail_with_ENOMEM),
      T(each_epoll_ctl_may_fail_with_ENOMEM),
      T(each_epoll_ctl_may_fail_with_ENOSPC),
      T(each_epoll_pwait_may_fail_with_EINTR),
      T(each_epoll_pwait2_may_fail_with_EINTR),
      T(each_epoll_pwait2_may_fail_with_ENOSYS),
      T(each_mmap_may_fail_with_ENOMEM),
      T(each_mremap_may_fail_with_ENOMEM),
      T(each_fcntl_may_fail_with_EMFILE),
      T(each_recvfrom_may_fail_with_EIO),
      T(each_recvfrom_may_fail_with_EINTR),
      T(each_sendto_may_fail_with_ENOBUFS),
      T(each_sendto_may_fail_with_EINTR),
      T(each_ppoll_may_fail_with_EINTR),
      T(everything_works_where_epoll_pwait2_gives_ENOSYS),
      T(everything_works_where_epoll_pwait2_gives_EPERM),
  };
  return cmocka_run_group_tests_name("system calls that fail", tests, NULL, NULL);
}
