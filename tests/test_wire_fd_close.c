/* wire_fd.h when programs close watched descriptors behind its back: with and without duplicates
 * that live on, and numbers that are used again. The library's own descriptor is in
 * test_wire_fd_poller.c. */
#include "fd_pair.h"

#include <sys/resource.h>

static wire_fd_state_t state;

/* CPU time of the process, to tell sleeping from spinning by a margin no machine is too slow for.
 */
static double cpu_seconds(void) {
  struct rusage usage;
  check(getrusage(RUSAGE_SELF, &usage) == 0);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* --- closed descriptors --------------------------------------------------------------------- */

static void closes_and_then_ends_the_watch(void *UNUSED(argument)) {
  watch_reading(&state, ends[0]);
  check(wire_fd_wait_msec(1) == 0);
  close(ends[0]);
  errno = 4711;
  check(wire_fd_mode_none(&state) == 0);
  check(errno == 4711);
  check(state.state == FD_MODE_NONE);
  everything_else_works();
}

static void a_watch_ends_after_its_descriptor_was_closed(void **UNUSED(state)) {
  spawn(closes_and_then_ends_the_watch, NULL);
  wire_thread_run();
  assert_trace("works ");
}

static void
a_watch_ends_although_a_duplicate_of_the_closed_descriptor_is_ready(void **UNUSED(state)) {
  int duplicate = dup(ends[0]);
  put(ends[1], "never read");
  spawn(closes_and_then_ends_the_watch, NULL);
  wire_thread_run();
  assert_trace("works ");
  close(duplicate);
}

static void closes_and_sleeps(void *UNUSED(argument)) {
  watch_reading(&state, ends[0]);
  int duplicate = dup(ends[0]);
  close(ends[0]);
  check(wire_fd_mode_none(&state) == 0);
  put(ends[1], "x"); /* the duplicate is ready from now on */
  double before = cpu_seconds();
  check(wire_fd_wait_msec(400) == 0);
  check(cpu_seconds() - before < 0.2);
  close(duplicate);
}

static void a_duplicate_that_lives_on_does_not_keep_the_thread_busy(void **UNUSED(state)) {
  spawn(closes_and_sleeps, NULL);
  wire_thread_run();
}

static void closes_without_ending_the_watch(void *UNUSED(argument)) {
  wire_fd_state_t own;
  watch_reading(&own, ends[0]);
  int duplicate = dup(ends[0]);
  close(ends[0]);
  put(ends[1], "x");
  double before = cpu_seconds();
  check(wire_fd_wait_msec(400) == 0);
  check(cpu_seconds() - before < 0.2);
  everything_else_works();
  close(duplicate);
}

static void a_forgotten_close_neither_wakes_nor_hinders_anybody(void **UNUSED(state)) {
  spawn(closes_without_ending_the_watch, NULL);
  wire_thread_run(); /* the watch ended with its wire */
  assert_trace("works ");
}

static void waits_for_good(void *UNUSED(argument)) {
  watch_reading(&state, ends[0]);
  wire_fd_wait(&state);
  mark("woken ");
}

static void closes_what_another_wire_waits_for(void *UNUSED(argument)) {
  close(ends[0]);
  everything_else_works();
  check(wire_fd_mode_none(&state) == 0);
}

static void ending_the_watch_that_a_wire_waits_for_lets_the_thread_end(void **UNUSED(state)) {
  spawn(waits_for_good, NULL);
  spawn(closes_what_another_wire_waits_for, NULL);
  wire_thread_run();
  assert_trace("works ");
}

static void cancels_after_closing(void *wire) {
  close(ends[0]);
  check(wire_fd_wait_msec(1) == 0);
  wire_cancel(wire);
  everything_else_works();
}

static void a_wire_that_waits_for_a_closed_descriptor_can_be_cancelled(void **UNUSED(state)) {
  wire_t *waiting = spawn(waits_for_good, NULL);
  spawn(cancels_after_closing, waiting);
  wire_thread_run();
  assert_trace("works ");
}

/* --- numbers that are used again ------------------------------------------------------------ */

/* Gives the number of the closed ends[0] to the reading end of a new pair. */
static void reuse_number(int *new_ends) {
  int number = ends[0];
  close(number);
  make_pair(new_ends);
  if (new_ends[0] != number) {
    check(dup2(new_ends[0], number) == number);
    close(new_ends[0]);
    new_ends[0] = number;
  }
}

static void uses_the_number_again(void *duplicated) {
  int duplicate = duplicated ? dup(ends[0]) : -1;
  watch_reading(&state, ends[0]);
  int again[2];
  reuse_number(again);
  wire_fd_state_t other;
  watch_reading(&other, again[0]);
  if (duplicate >= 0)
    put(ends[1], "old"); /* not for the new file */
  spawn(sends_x, &again[1]);
  wire_fd_wait(&other);
  mark("%s ", take(again[0]));
  check(wire_fd_mode_none(&other) == 0);
  check(wire_fd_mode_none(&state) == 0);
  everything_else_works();
  close(again[1]);
  if (duplicate >= 0)
    close(duplicate);
}

static void a_reused_number_is_watched_while_the_old_watch_is_forgotten(void **UNUSED(state)) {
  spawn(uses_the_number_again, NULL);
  wire_thread_run();
  assert_trace("x works ");
}

static void a_reused_number_is_watched_while_the_old_file_lives_on(void **UNUSED(state)) {
  spawn(uses_the_number_again, "duplicated");
  wire_thread_run();
  assert_trace("x works ");
}

static void uses_number_and_state_again(void *duplicated) {
  int duplicate = duplicated ? dup(ends[0]) : -1;
  for (int i = 0; i < 3; i++) {
    watch_reading(&state, ends[0]);
    spawn(sends_x, &ends[1]);
    wire_fd_wait(&state);
    mark("%s ", take(ends[0]));
    int again[2];
    reuse_number(again);
    close(ends[1]);
    ends[1] = again[1];
  }
  check(wire_fd_mode_none(&state) == 0);
  if (duplicate >= 0)
    close(duplicate);
}

static void number_and_state_can_be_used_again_without_ending_the_watch(void **UNUSED(state)) {
  spawn(uses_number_and_state_again, NULL);
  wire_thread_run();
  assert_trace("x x x ");
  spawn(uses_number_and_state_again, "duplicated");
  wire_thread_run();
  assert_trace("x x x ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      PAIR(a_watch_ends_after_its_descriptor_was_closed),
      PAIR(a_watch_ends_although_a_duplicate_of_the_closed_descriptor_is_ready),
      PAIR(a_duplicate_that_lives_on_does_not_keep_the_thread_busy),
      PAIR(a_forgotten_close_neither_wakes_nor_hinders_anybody),
      PAIR(ending_the_watch_that_a_wire_waits_for_lets_the_thread_end),
      PAIR(a_wire_that_waits_for_a_closed_descriptor_can_be_cancelled),
      PAIR(a_reused_number_is_watched_while_the_old_watch_is_forgotten),
      PAIR(a_reused_number_is_watched_while_the_old_file_lives_on),
      PAIR(number_and_state_can_be_used_again_without_ending_the_watch),
  };
  return cmocka_run_group_tests_name("wire_fd, closed descriptors", tests, NULL, NULL);
}
