/* System calls that must not happen: next to none while wires yield beside an idle descriptor and
 * timer, none to speak of while the thread sleeps. The calls are counted by the kernel's seccomp,
 * see syscall_traps.h. */
#include "common.h"
#include "descriptors.h"
#include "syscall_traps.h"
#include "wire_timeout.h"

static const long all_waiting_calls[] = {SYS_epoll_ctl,    SYS_epoll_wait, SYS_epoll_pwait,
                                         SYS_epoll_pwait2, SYS_poll,       SYS_ppoll,
                                         SYS_clock_gettime};

static int ends[2];

#define YIELDS 1000000

static wire_fd_state_t idle;
static wire_timeout_t hour;

static void yields(void *UNUSED(argument)) {
  for (int i = 0; i < YIELDS / 2; i++)
    wire_yield();
}

static void waits_for_idle(void *UNUSED(argument)) {
  wire_fd_wait(&idle);
  check(!"woken");
}

static long sum_of_counts(void) {
  long sum = 0;
  for (unsigned i = 0; i < trap_count; i++)
    sum += traps[i].count;
  return sum;
}

static void counts_while_yielding(void *UNUSED(argument)) {
  make_pair(ends);
  trap_syscalls(all_waiting_calls, ARRAY_SIZE(all_waiting_calls));
  wire_fd_mode_init(&idle, ends[0]);
  check(wire_fd_mode_read(&idle) == 0);
  check(wire_timeout_init(&hour) == 0 && wire_timeout_reset(&hour, 3600 * 1000) == 0);
  wire_t *waiting = spawn(waits_for_idle, NULL);
  wire_yield();
  forget_counts();
  spawn(yields, NULL);
  spawn(yields, NULL);
  for (int i = 0; i < YIELDS; i++)
    wire_yield();
  long calls = sum_of_counts();
  check(calls > 0);            /* it is asked now and then */
  check(calls < YIELDS / 100); /* a trap makes each many times as dear, and the rest no slower */
  check(counted(SYS_epoll_ctl) == 0);
  wire_cancel(waiting);
  wire_timeout_stop(&hour);
  wire_thread_run();
}

static void an_idle_descriptor_and_timer_cost_no_system_call_per_yield(void **UNUSED(state)) {
  with_traps(counts_while_yielding);
}

static void counts_without_anything(void *UNUSED(argument)) {
  trap_syscalls(all_waiting_calls, ARRAY_SIZE(all_waiting_calls));
  spawn(yields, NULL);
  spawn(yields, NULL);
  wire_thread_run();
  check(sum_of_counts() == 0);
}

static void without_either_yielding_makes_none_at_all(void **UNUSED(state)) {
  with_traps(counts_without_anything);
}

/* --- sleeping ------------------------------------------------------------------------------- */

static wire_fd_state_t idle_writer;

static void is_readable(void) { put(ends[1], "x"); }
static void is_closed(void) { close(ends[1]); }
static void is_reset(void) {
  put(ends[0], "never read");
  close(ends[1]);
}

static void sleeps_and_counts(void *UNUSED(argument)) {
  check(wire_fd_wait_msec(200) == 0);
  long calls = sum_of_counts();
  if (calls > 20) {
    fprintf(stderr, "%ld calls in 200 ms\n", calls);
    abort();
  }
  check(wire_fd_mode_none(&idle) == 0 && wire_fd_mode_none(&idle_writer) == 0);
}

/* The thread sleeps beside a descriptor that is watched, but waited for by nobody. `prepare` makes
 * it ready, or breaks it. */
static void sleep_beside(void (*prepare)(void)) {
  make_pair(ends);
  trap_syscalls(all_waiting_calls, ARRAY_SIZE(all_waiting_calls));
  wire_fd_mode_init(&idle, ends[0]);
  wire_fd_mode_init(&idle_writer, ends[0]);
  check(wire_fd_mode_read(&idle) == 0);
  check(wire_fd_mode_write(&idle_writer) == 0);
  prepare();
  spawn(sleeps_and_counts, NULL);
  forget_counts();
  wire_thread_run();
}

static void sleeps_beside_readable(void *UNUSED(argument)) { sleep_beside(is_readable); }

static void sleeps_beside_closed(void *UNUSED(argument)) { sleep_beside(is_closed); }

static void sleeps_beside_reset(void *UNUSED(argument)) { sleep_beside(is_reset); }

static void the_thread_sleeps_although_an_unwanted_descriptor_is_ready(void **UNUSED(state)) {
  with_traps(sleeps_beside_readable);
  with_traps(sleeps_beside_closed);
  with_traps(sleeps_beside_reset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_idle_descriptor_and_timer_cost_no_system_call_per_yield),
      cmocka_unit_test(without_either_yielding_makes_none_at_all),
      cmocka_unit_test(the_thread_sleeps_although_an_unwanted_descriptor_is_ready),
  };
  return cmocka_run_group_tests_name("system calls beside what is idle", tests, NULL, NULL);
}
