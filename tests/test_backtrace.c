/* Backtraces end at the entry function of a wire: the frame behind it, of the library, is the last,
 * and has no caller. */
#include "common.h"

#include <execinfo.h>

static void *frames[64];
static int count;

__attribute__((noinline)) static void looks(int depth) {
  if (depth > 0)
    looks(depth - 1);
  else
    count = backtrace(frames, ARRAY_SIZE(frames));
  __asm__ volatile("" ::: "memory"); /* no tail call */
}

static void enters(void *switches) {
  if (switches != NULL)
    wire_yield();
  looks(3);
  __asm__ volatile("" ::: "memory");
}

/* At the end the program's entry function, and one or two of the library that called it. */
static void expect_the_end(char **names) {
  assert_non_null(names);
  int last = count - 1;
  assert_non_null(strstr(names[last], "libwire.so"));
  while (last > 0 && strstr(names[last], "libwire.so") != NULL)
    last--;
  assert_in_range(count - 1 - last, 1, 2);
}

static void expect_all_frames(void) {
  char **names = backtrace_symbols(frames, count);
  expect_the_end(names);
  assert_in_range(count, 6, 8); /* looks() four times, enters(); a sanitizer has a backtrace() */
  free(names);
}

static void a_backtrace_ends_at_the_entry_function(void **UNUSED(state)) {
  start_afresh();
  backtrace(frames, 1); /* loads what it needs */
  spawn(enters, NULL);
  wire_thread_run();
  expect_all_frames();
}

static void also_in_a_wire_that_was_resumed(void **UNUSED(state)) {
  start_afresh();
  int yes = 1;
  spawn(enters, &yes);
  spawn(enters, &yes);
  wire_thread_run();
  expect_all_frames();
}

static void handles(int UNUSED(argument)) { count = backtrace(frames, ARRAY_SIZE(frames)); }

static void raises(void *UNUSED(argument)) { raise(SIGUSR1); }

static void also_in_a_signal_handler(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip(); /* calls handlers from functions of its own */
  start_afresh();
  signal(SIGUSR1, handles);
  spawn(raises, NULL);
  wire_thread_run();
  signal(SIGUSR1, SIG_DFL);
  char **names = backtrace_symbols(frames, count);
  assert_non_null(names);
  expect_the_end(names);
  free(names);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_backtrace_ends_at_the_entry_function),
      cmocka_unit_test(also_in_a_wire_that_was_resumed),
      cmocka_unit_test(also_in_a_signal_handler),
  };
  return cmocka_run_group_tests_name("backtrace", tests, NULL, NULL);
}
