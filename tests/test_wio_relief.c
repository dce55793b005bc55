/* Workers whose calls, which ought to end by themselves, do not end for long: others take over, and
 * end when they are not needed any more. */
#include "wio.h"

#define HOLD_FSYNC_AND_READLINK
#include "held_calls.h"
#include "wio_crowd.h"
#include "wio_holdings.h"

#define HELD_UP 6

static int file;
static int held_up_ended;

static void is_held_up(void *UNUSED(argument)) {
  check(wio_fsync(HELD_FD) == 0);
  held_up_ended++;
}

static void works_on(void *UNUSED(argument)) {
  steady_work(file);
  check(held_up_ended == 0);
  for (int i = 0; i < HELD_UP; i++)
    sem_post(&held.gate);
  while (held_up_ended < HELD_UP)
    wire_fd_wait_msec(1);
  stop_ticker();
}

static void start_with(int workers) {
  start_afresh();
  hold_calls();
  held_up_ended = 0;
  file = scratch_file(STEADY_FILE);
  wire_io_init(workers);
  for (int i = 0; i < HELD_UP; i++)
    spawn(is_held_up, NULL);
  start_ticker();
  spawn(works_on, NULL);
}

static void end(const struct holdings *before) {
  assert_int_equal(held_up_ended, HELD_UP);
  start_afresh();
  close(file);
  expect_holdings(before);
}

static void workers_that_are_held_up_stop_nobody_else(void **UNUSED(state)) {
  struct holdings before = holdings_now();
  for (int workers = 1; workers < 4; workers++) {
    start_with(workers);
    wire_thread_run();
    end(&before);
  }
}

static void yields(void *UNUSED(argument)) {
  while (ticks.ticking)
    wire_yield();
}

static void nor_while_another_wire_runs_all_the_time(void **UNUSED(state)) {
  struct holdings before = holdings_now();
  start_with(1);
  spawn(yields, NULL);
  wire_thread_run();
  end(&before);
}

static void threads_that_helped_end(void **UNUSED(state)) {
  struct holdings before = holdings_now();
  start_with(2);
  wire_thread_run();
  check(count_threads() > before.threads + 2);
  await_threads(before.threads + 2);
  end(&before);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(workers_that_are_held_up_stop_nobody_else),
      T(nor_while_another_wire_runs_all_the_time),
      T(threads_that_helped_end),
  };
  return cmocka_run_group_tests_name("workers that are held up", tests, NULL, NULL);
}
