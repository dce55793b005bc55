/* Where the kernel refuses io_uring, or goes on refusing later, workers make the calls; and what
 * happens to calls that the kernel has and does not end. Which of the two made a call shows in the
 * threads of the process. */
#include "wio.h"

#include "descriptors.h"
#include "forks.h"
#include "syscall_traps.h"
#include "wio_holdings.h"
#include "wio_ring.h"

#include "wire_defer.h"
#include "wire_dump.h"

static const long numbers[] = {SYS_io_uring_setup, SYS_io_uring_register, SYS_io_uring_enter};

static int file, done;

static void begin_with_traps(void) {
  begin();
  file = direct_file(8);
  wire_io_init(2);
  trap_syscalls(numbers, ARRAY_SIZE(numbers));
  done = 0;
}

static void makes_calls(void *UNUSED(argument)) {
  errno = 77;
  for (unsigned i = 0; i < 8; i++)
    read_block(file, i);
  check(wio_fdatasync(file) == 0 && errno == 77);
  done++;
}

static void make_calls(int wires) {
  done = 0;
  for (int i = 0; i < wires; i++)
    spawn(makes_calls, NULL);
  wire_thread_run();
  check(done == wires);
}

static void passes_traps(void (*body)(void *), void *argument) {
  if (!traps_allowed())
    skip();
  expect_success(run_child(body, argument));
}

/* --- no ring --------------------------------------------------------------------------------- */

struct refusal {
  long number;
  int error, lasts;
};

static void is_no_ring(int UNUSED(fd), const char *kind, void *UNUSED(argument)) {
  check(strcmp(kind, "anon_inode:[io_uring]") != 0);
}

static void with_refusal(void *argument) {
  const struct refusal *refusal = argument;
  begin_with_traps();
  fail_syscall(refusal->number, refusal->error);
  make_calls(3);
  check(!no_worker());
  check(counted(SYS_io_uring_setup) == 1 && counted(SYS_io_uring_enter) == 0);
  each_descriptor(is_no_ring, NULL);
  stop_failing();
  for (int i = 0; i < 50; i++) {
    common.used = 0;
    make_calls(3);
  }
  check(counted(SYS_io_uring_setup) == (refusal->lasts ? 1 : 2));
  check((counted(SYS_io_uring_enter) > 0) == !refusal->lasts);
}

static void a_refused_ring_is_remembered_unless_that_may_change(void **UNUSED(state)) {
  static struct refusal refusals[] = {
      {SYS_io_uring_setup, ENOSYS, 1},   {SYS_io_uring_setup, EPERM, 1},
      {SYS_io_uring_setup, EINVAL, 1},   {SYS_io_uring_register, EINVAL, 1},
      {SYS_io_uring_setup, EMFILE, 0},   {SYS_io_uring_setup, ENOMEM, 0},
      {SYS_io_uring_register, EBUSY, 0},
  };
  for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
    passes_traps(with_refusal, &refusals[i]);
}

static void as_the_environment_says(void *UNUSED(argument)) {
  setenv("WIRE_IO_ENGINE", "workers", 1);
  begin_with_traps();
  make_calls(3);
  check(counted(SYS_io_uring_setup) == 0 && !no_worker());
}

static void the_environment_may_leave_all_to_the_workers(void **UNUSED(state)) {
  passes_traps(as_the_environment_says, NULL);
}

/* Linux 6.1 and 6.2 take the registration of a ring back by the descriptor of some ring only. A
 * thread has room for 16. */
static void with_old_registrations(void *UNUSED(argument)) {
  begin_with_traps();
  for (int round = 0; round < 40; round++) {
    start_afresh();
    wire_io_init(1);
    fail_syscall_once(SYS_io_uring_register, EINVAL, 2);
    make_calls(1);
    check(no_worker());
    start_afresh();
    check(trap_of(SYS_io_uring_register)->failures == 0);
  }
}

static void rings_are_given_back_to_older_kernels_too(void **UNUSED(state)) {
  passes_traps(with_old_registrations, NULL);
}

/* --- a ring that takes no calls -------------------------------------------------------------- */

static void without_memory_for_a_while(void *UNUSED(argument)) {
  begin_with_traps();
  for (int passes = 0; passes < 10; passes++) {
    common.used = 0;
    fail_syscall_once(SYS_io_uring_enter, passes % 2 ? EAGAIN : EBUSY, passes);
    make_calls(3);
    check(trap_of(SYS_io_uring_enter)->failures == 0);
  }
}

static void calls_that_the_kernel_does_not_take_are_made_by_workers(void **UNUSED(state)) {
  passes_traps(without_memory_for_a_while, NULL);
}

static void forbidden_later(void *UNUSED(argument)) {
  begin_with_traps();
  make_calls(1); /* several might wait long for each other, which is for the workers */
  check(no_worker());
  fail_syscall(SYS_io_uring_enter, EPERM);
  make_calls(3);
  check(!no_worker() && counted(SYS_io_uring_enter) == 1);
}

static void the_ring_may_be_forbidden_later(void **UNUSED(state)) {
  passes_traps(forbidden_later, NULL);
}

/* --- calls that do not end: enter() returns, and nothing was done ---------------------------- */

static int blocked_ended;

static void is_blocked(void *UNUSED(argument)) {
  check(wio_fdatasync(file) == 0);
  blocked_ended++;
}

static void syncs_meanwhile(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(200) == 0);
  for (int i = 0; i < 10; i++)
    check(wio_fdatasync(file) == 0);
  check(blocked_ended == 0);
  stop_failing();
}

static void with_a_stuck_kernel(void *UNUSED(argument)) {
  begin_with_traps();
  fail_syscall(SYS_io_uring_enter, 0);
  spawn(is_blocked, NULL);
  spawn(syncs_meanwhile, NULL);
  wire_thread_run();
  check(blocked_ended == 1);
}

static void no_call_is_put_behind_one_that_does_not_end(void **UNUSED(state)) {
  passes_traps(with_a_stuck_kernel, NULL);
}

static wire_t *victim;
static int victim_ended, dump_ends[2];

static void note_end(struct wire_defer_list *UNUSED(block)) { victim_ended = 1; }

static void is_cancelled(void *UNUSED(argument)) {
  struct wire_defer_list block;
  wire_defer_push(&block, note_end);
  read_block(file, 2);
  check(!"this wire was cancelled");
}

static void cancels(void *UNUSED(argument)) {
  char text[2000] = "";
  check(wire_fd_wait_msec(5) == 0);
  wire_dump(dump_ends[1]);
  check(read(dump_ends[0], text, sizeof text - 1) > 0);
  check(strstr(text, "waits for a call that the kernel makes") != NULL);
  wire_cancel(victim);
  for (int i = 0; i < 20; i++) {
    check(wire_fd_wait_msec(1) == 0);
    check(!victim_ended); /* the kernel may write to its stack */
  }
  stop_failing();
}

static void cancels_in_the_middle(void *UNUSED(argument)) {
  begin_with_traps();
  check(pipe(dump_ends) == 0);
  fail_syscall(SYS_io_uring_enter, 0);
  victim = spawn(is_cancelled, NULL);
  spawn(cancels, NULL);
  wire_thread_run();
  check(victim_ended);
}

static void a_cancelled_wire_ends_after_its_call(void **UNUSED(state)) {
  passes_traps(cancels_in_the_middle, NULL);
}

static void is_cut_off(void *UNUSED(argument)) {
  BLOCK_BUFFER(buffer);
  ssize_t got = wio_pread(file, buffer, BLOCK, 0);
  check(in_child() ? got == -1 && errno == EINTR : got == (ssize_t)BLOCK);
  done++;
}

static void forks_in_the_middle(void *UNUSED(argument)) {
  begin_with_traps();
  fail_syscall(SYS_io_uring_enter, 0);
  spawn(is_cut_off, NULL);
  wire_yield();
  pid_t child = forks();
  stop_failing();
  wire_thread_run();
  check(done == 1);
  make_calls(1);
  if (child == 0)
    _exit(0);
  await_child_outside(child);
}

static void what_the_parent_has_under_way_fails_in_the_child(void **UNUSED(state)) {
  passes_traps(forks_in_the_middle, NULL);
}

/* --- signals --------------------------------------------------------------------------------- */

static int raised;

static void count_signal(int UNUSED(signal)) { raised++; }

static void writes_too_far(void *UNUSED(argument)) {
  char buffer[10] = "too far";
  check(wio_pwrite(file, buffer, sizeof buffer, 0) == sizeof buffer);
  check(wio_pwrite(file, buffer, sizeof buffer, 100 * BLOCK) == -1 && errno == EFBIG);
  check(raised == 1);
}

static void with_a_limit(void *UNUSED(argument)) {
  struct rlimit limit = {10 * BLOCK, 10 * BLOCK};
  begin();
  file = scratch_file(100);
  check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  signal(SIGXFSZ, count_signal);
  raised = 0;
  wire_io_init(1);
  spawn(writes_too_far, NULL);
  wire_thread_run();
  check(raised == 1);
}

static void a_file_too_large_raises_its_signal_once(void **UNUSED(state)) {
  expect_success(run_child(with_a_limit, NULL));
}

int main(void) {
  if (!ring_serves_files())
    return 0; /* the tests of the workers are for such machines */
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(a_refused_ring_is_remembered_unless_that_may_change),
      T(the_environment_may_leave_all_to_the_workers),
      T(rings_are_given_back_to_older_kernels_too),
      T(calls_that_the_kernel_does_not_take_are_made_by_workers),
      T(the_ring_may_be_forbidden_later),
      T(no_call_is_put_behind_one_that_does_not_end),
      T(a_cancelled_wire_ends_after_its_call),
      T(what_the_parent_has_under_way_fails_in_the_child),
      T(a_file_too_large_raises_its_signal_once),
  };
  return cmocka_run_group_tests_name("refusals of io_uring", tests, NULL, NULL);
}
