/* Walks whose wire is cancelled, or forgotten: the walk ends before its wire does, whatever it was
 * doing, and leaves nothing. This program's own ftw comes before libc's and reports its end; nftw
 * and glob are libc's. */
#include "wio.h"

#include "held_calls.h"
#include "wio_holdings.h"
#include "wio_victims.h"

#include <ftw.h>
#include <glob.h>

static struct victim victim;
static struct holdings before;
static int walks;     /* under way; changed by a thread */
static int callbacks; /* that were begun */
static int answer;    /* of the last callback that answered */

int ftw(const char *path, int (*callback)(const char *, const struct stat *, int),
        int descriptors) {
  struct stat status;
  check(descriptors == 5 && stat(path, &status) == 0);
  __atomic_fetch_add(&walks, 1, __ATOMIC_SEQ_CST);
  held_call();
  int result = 0;
  for (int i = 0; i < 3 && result == 0; i++)
    result = callback(path, &status, FTW_D);
  answer = result;
  __atomic_fetch_sub(&walks, 1, __ATOMIC_SEQ_CST);
  return result;
}

static int walks_now(void) { return __atomic_load_n(&walks, __ATOMIC_SEQ_CST); }

static void begin(int workers) {
  start_afresh();
  hold_calls();
  walks = callbacks = answer = 0;
  before = holdings_now();
  wire_io_init(workers);
}

static void end(void) {
  start_afresh();
  expect_holdings(&before);
}

static void (*in_callback)(void);

static int on_entry(const char *UNUSED(path), const struct stat *UNUSED(status), int UNUSED(type)) {
  callbacks++;
  if (in_callback != NULL)
    in_callback();
  return 0;
}

static void walk_is_over(struct wire_defer_list *UNUSED(block)) { check(walks_now() == 0); }

static void walk(void *UNUSED(argument)) {
  struct wire_defer_list block;
  wire_defer_push(&block, walk_is_over);
  wio_ftw(".", on_entry, 5);
  wire_defer_pop(&block);
}

/* --- before the first callback --------------------------------------------------------------- */

static void cancels_before_the_first_question(void *pause) {
  await(&held.entered);
  if (*(int *)pause != 0) { /* the walk asks, and the wire has not heard of it */
    sem_post(&held.gate);
    for (int i = 0; i < 20; i++)
      pause_thread();
  }
  wire_cancel(&victim.wire);
  sem_post(&held.gate);
  await_end(&victim);
  paint(&victim);
  check(walks_now() == 0);
  check(callbacks == 0 && answer != 0);
  wire_fd_wait_msec(2);
  check_paint(&victim);
}

static void a_walk_ends_whose_wire_is_cancelled_before_the_first_callback(void **UNUSED(state)) {
  in_callback = NULL;
  for (int pause = 0; pause < 2; pause++) {
    begin(1);
    start_victim(&victim, walk, NULL);
    wire_yield();
    spawn(cancels_before_the_first_question, &pause);
    wire_thread_run();
    end();
  }
}

/* --- in a callback --------------------------------------------------------------------------- */

static int ends[2];

static void sleeps(void) { wire_fd_wait_msec(1000 * 1000); }

static void reads(void) {
  char byte;
  wio_read(ends[0], &byte, 1);
}

static void asks_a_worker(void) {
  for (;;)
    check(wio_fdatasync(ends[0]) == -1 && errno == EINVAL);
}

static void walks_and_suspends(void) {
  if (callbacks == 1)
    wio_ftw(".", on_entry, 5);
  else
    wire_suspend();
}

static void cancels_in_callback(void *expected) {
  while (callbacks < *(int *)expected)
    wire_fd_wait_msec(1);
  wire_fd_wait_msec(2);
  wire_cancel(&victim.wire);
  await_end(&victim);
  check(callbacks == *(int *)expected && answer != 0);
  paint(&victim);
  wire_fd_wait_msec(2);
  check_paint(&victim);
}

static void a_walk_ends_whose_wire_is_cancelled_in_a_callback(void **UNUSED(state)) {
  void (*const doing[])(void) = {wire_suspend, sleeps, reads, asks_a_worker, walks_and_suspends};
  for (size_t i = 0; i < ARRAY_SIZE(doing); i++) {
    int expected = doing[i] == walks_and_suspends ? 2 : 1;
    in_callback = doing[i];
    assert_int_equal(pipe(ends), 0);
    begin(1);
    sem_post(&held.gate);
    sem_post(&held.gate);
    start_victim(&victim, walk, NULL);
    spawn(cancels_in_callback, &expected);
    wire_thread_run();
    end();
    close_both(ends);
  }
}

/* --- between two callbacks ------------------------------------------------------------------- */

static void cancel_while_answering(void) {
  if (callbacks == 2)
    wire_cancel(wire_get_current()); /* ends when it would wait for the next question */
}

static void a_walk_ends_whose_wire_is_cancelled_between_callbacks(void **UNUSED(state)) {
  in_callback = cancel_while_answering;
  begin(1);
  sem_post(&held.gate);
  start_victim(&victim, walk, NULL);
  wire_thread_run();
  assert_true(victim.ended);
  assert_int_equal(callbacks, 2);
  end();
}

/* --- forgotten ------------------------------------------------------------------------------- */

static int on_nftw_entry(const char *UNUSED(path), const struct stat *UNUSED(status),
                         int UNUSED(type), struct FTW *UNUSED(place)) {
  callbacks++;
  wire_suspend();
  return 0;
}

static int on_glob_error(const char *UNUSED(path), int UNUSED(error)) {
  callbacks++;
  wire_suspend();
  return 0;
}

static void walk_with_nftw(void *UNUSED(argument)) { wio_nftw("/proc/self", on_nftw_entry, 20, 0); }

static void look_for_names(void *UNUSED(argument)) {
  glob_t found;
  wio_glob("/proc/self/exe*/x/*", 0, on_glob_error, &found);
  wio_glob("wio_test_callback_loop/*", 0, on_glob_error, &found);
}

static void forgotten_walks_leave_nothing(void **UNUSED(state)) {
  unlink("wio_test_callback_loop");
  assert_int_equal(symlink("wio_test_callback_loop", "wio_test_callback_loop"), 0);
  begin(1);
  for (int i = 0; i < 5; i++) {
    spawn(walk_with_nftw, NULL);
    spawn(look_for_names, NULL);
  }
  wire_thread_run(); /* all of them are suspended in their callbacks */
  assert_int_equal(callbacks, 10);
  end();
  unlink("wio_test_callback_loop");
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(a_walk_ends_whose_wire_is_cancelled_before_the_first_callback),
      T(a_walk_ends_whose_wire_is_cancelled_in_a_callback),
      T(a_walk_ends_whose_wire_is_cancelled_between_callbacks),
      T(forgotten_walks_leave_nothing),
  };
  return cmocka_run_group_tests_name("walks that are cancelled", tests, NULL, NULL);
}
