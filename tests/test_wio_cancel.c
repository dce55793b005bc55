/* Wires that are cancelled while a worker has their call: it is withdrawn or waited for, and nobody
 * writes where the wire was. */
#include "wio.h"

#define HOLD_FSYNC_AND_READLINK
#include "held_calls.h"
#include "wio_holdings.h"
#include "wio_victims.h"

static struct victim victim, second;
static struct holdings before;

static void begin(int workers) {
  start_afresh();
  hold_calls();
  before = holdings_now();
  wire_io_init(workers);
}

/* Also those that were lost: a worker that sleeps for ever would be there still. */
static void end(void) {
  start_afresh();
  expect_holdings(&before);
}

static void read_held_link(void *UNUSED(argument)) {
  char buffer[64];
  check(wio_readlink(HELD_NAME, buffer, sizeof buffer) == (ssize_t)strlen(HELD_TEXT));
}

static void sync_held(void *UNUSED(argument)) { check(wio_fsync(HELD_FD) == 0); }

/* --- before, during and after the call ------------------------------------------------------ */

static void cancels_queued(void *UNUSED(argument)) {
  await(&held.entered); /* the only worker makes the call of `second` */
  start_victim(&victim, read_held_link, NULL);
  wire_yield();
  cancel_at_once(&victim);
  start_victim(&victim, sync_held, NULL); /* on the same stack */
  sem_post(&held.gate);
  sem_post(&held.gate);
  while (!second.returned || !victim.returned)
    wire_fd_wait_msec(1);
  check(held_calls() == 2);
  wire_cancel(&victim.wire);
  wire_cancel(&second.wire);
}

static void a_call_that_waits_for_a_worker_is_never_made(void **UNUSED(state)) {
  begin(1);
  start_victim(&second, sync_held, NULL);
  wire_yield();
  spawn(cancels_queued, NULL);
  wire_thread_run();
  assert_true(victim.ended && second.ended);
  end();
}

static void cancels_running(void *UNUSED(argument)) {
  await(&held.entered);
  cancel_and_stay(&victim);
  wire_cancel(&victim.wire); /* once more changes nothing */
  wire_resume(&victim.wire);
  cancel_and_stay(&victim);
  sem_post(&held.gate);
  ends_now(&victim);
  wire_fd_wait_msec(5);
  check_paint(&victim);
}

static void a_call_that_a_worker_makes_is_waited_for(void **UNUSED(state)) {
  begin(1);
  start_victim(&victim, read_held_link, NULL);
  wire_yield();
  spawn(cancels_running, NULL);
  wire_thread_run();
  end();
}

static void cancels_later(void *turns) {
  await(&held.entered);
  sem_post(&held.gate);
  await(&held.left);
  for (int i = 0; i < *(int *)turns; i++)
    wire_yield();
  wire_cancel(&victim.wire);
  await_end(&victim);
  paint(&victim);
  start_victim(&second, read_held_link, NULL); /* the worker has other things to write */
  sem_post(&held.gate);
  while (!second.returned)
    wire_fd_wait_msec(1);
  check_paint(&victim);
  wire_cancel(&second.wire);
}

static void a_call_may_end_at_any_time_before_the_wire_is_cancelled(void **UNUSED(state)) {
  int returned = 0;
  begin(1);
  for (int turns = 0; turns < 300; turns++) {
    start_victim(&victim, read_held_link, NULL);
    wire_yield();
    spawn(cancels_later, &turns);
    wire_thread_run();
    common.used = 0;
    returned += victim.returned;
  }
  assert_true(returned > 0 && returned < 300); /* both sides were seen */
  end();
}

/* --- DEFER ---------------------------------------------------------------------------------- */

static int deferred_steps;

static void block_with_io(struct wire_defer_list *UNUSED(block)) {
  char text[8] = "";
  int fd = scratch_file(100);
  deferred_steps = 1;
  check(wio_fdatasync(fd) == 0); /* by a worker, while the wire is being cancelled once more */
  check(wio_pread(fd, text, sizeof text, 10) == sizeof text);
  check_bytes(text, sizeof text, 10);
  check(wio_fsync(HELD_FD) == 0);
  check(wio_close(fd) == 0);
  deferred_steps = 2;
}

static void sync_with_block(void *UNUSED(argument)) {
  struct wire_defer_list block;
  wire_defer_push(&block, block_with_io);
  sync_held(NULL);
}

static void cancels_again_and_again(void *UNUSED(argument)) {
  await(&held.entered);
  wire_cancel(&victim.wire);
  sem_post(&held.gate);
  sem_post(&held.gate);
  while (!victim.ended) {
    wire_cancel(&victim.wire);
    wire_yield();
  }
  check(deferred_steps == 2);
}

static void its_DEFER_blocks_may_use_io(void **UNUSED(state)) {
  deferred_steps = 0;
  begin(1);
  start_victim(&victim, sync_with_block, NULL);
  wire_yield();
  spawn(cancels_again_and_again, NULL);
  wire_thread_run();
  assert_true(victim.ended && !victim.returned);
  end();
}

/* --- the wire itself ------------------------------------------------------------------------ */

static void cancels_itself(void *UNUSED(argument)) {
  wire_cancel(wire_get_current());
  sem_post(&held.gate);
  sync_held(NULL);
}

static void one_that_cancels_itself_ends_in_its_next_call(void **UNUSED(state)) {
  begin(1);
  start_victim(&victim, cancels_itself, NULL);
  wire_thread_run();
  assert_true(victim.ended && !victim.returned);
  end();
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(a_call_that_waits_for_a_worker_is_never_made),
      T(a_call_that_a_worker_makes_is_waited_for),
      T(a_call_may_end_at_any_time_before_the_wire_is_cancelled),
      T(its_DEFER_blocks_may_use_io),
      T(one_that_cancels_itself_ends_in_its_next_call),
  };
  return cmocka_run_group_tests_name("wires cancelled with a worker", tests, NULL, NULL);
}
