/* libunwind, which profilers and crash reporters walk stacks with, ends at the entry function of a
 * wire as backtrace() does: with the frame of the library that called it, and without an error. */
#include "../common.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <sys/time.h>

enum { DEPTH = 4 };

static char path[1024]; /* the functions from the innermost on, a space after each */
static int frames, result;

static void walk(unw_context_t *context, int in_handler) {
  unw_cursor_t cursor;
  path[0] = '\0';
  frames = 0;
  result = in_handler ? unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME)
                      : unw_init_local(&cursor, context);
  while (result == 0 && frames < 100) {
    char name[64] = "?";
    unw_word_t offset;
    unw_get_proc_name(&cursor, name, sizeof name, &offset);
    size_t length = strlen(path);
    snprintf(path + length, sizeof path - length, "%s ", name);
    frames++;
    int step = unw_step(&cursor);
    if (step <= 0) {
      result = step;
      return;
    }
  }
}

__attribute__((noinline)) void unwind_looks(int depth) {
  if (depth > 0) {
    unwind_looks(depth - 1);
  } else {
    unw_context_t context;
    unw_getcontext(&context);
    walk(&context, 0);
  }
  __asm__ volatile("" ::: "memory"); /* no tail call */
}

__attribute__((noinline)) void unwind_enters(void *switches) {
  if (switches != NULL)
    wire_yield();
  unwind_looks(DEPTH - 1);
  __asm__ volatile("" ::: "memory");
}

/* After the program's functions one or two of the library, which called the first. */
static void expect_the_end_after(const char *functions) {
  if (result != 0)
    fail_msg("unw_step: %s, after %s", unw_strerror(result), path);
  const char *end = strstr(path, functions);
  if (end == NULL)
    fail_msg("no \"%s\" in: %s", functions, path);
  int left = 0;
  for (end += strlen(functions); *end != '\0'; end++)
    left += *end == ' ';
  if (left < 1 || left > 2)
    fail_msg("%d functions behind the first of the wire in: %s", left, path);
}

static const char all[] = "unwind_looks unwind_looks unwind_looks unwind_looks unwind_enters ";

static void libunwind_ends_at_the_entry_function(void **UNUSED(state)) {
  start_afresh();
  spawn(unwind_enters, NULL);
  wire_thread_run();
  expect_the_end_after(all);
}

static void also_in_a_wire_that_was_resumed(void **UNUSED(state)) {
  start_afresh();
  int yes = 1;
  spawn(unwind_enters, &yes);
  spawn(unwind_enters, &yes);
  wire_thread_run();
  expect_the_end_after(all);
}

static void handles(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  walk(context, 1);
}

__attribute__((noinline)) void unwind_raises(void *UNUSED(unused)) {
  raise(SIGUSR1);
  __asm__ volatile("" ::: "memory");
}

/* As a profiler does, which is woken by a timer's signal. */
static void also_from_where_a_signal_came(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip(); /* calls handlers from functions of its own */
  start_afresh();
  struct sigaction action = {.sa_sigaction = handles, .sa_flags = SA_SIGINFO};
  assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
  spawn(unwind_raises, NULL);
  wire_thread_run();
  signal(SIGUSR1, SIG_DFL);
  expect_the_end_after("unwind_raises ");
}

/* In the midst of switches too: whatever the instruction, the walk ends; at once where it is one of
 * Boost's switch, which has no unwind tables. */
static unsigned signals_seen, walks_ended;

static int is_in_switch(void) { return frames == 2 && strstr(path, "_fcontext ") != NULL; }

static void counts(int number, siginfo_t *info, void *context) {
  int saved = errno;
  handles(number, info, context);
  signals_seen++;
  walks_ended += frames < 30 && (result == 0 || is_in_switch());
  errno = saved;
}

static void yields_until_seen(void *UNUSED(unused)) {
  while (signals_seen < 2000)
    wire_yield();
}

static void also_in_the_midst_of_switches(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip();
  start_afresh();
  struct sigaction action = {.sa_sigaction = counts, .sa_flags = SA_SIGINFO | SA_RESTART};
  assert_int_equal(sigaction(SIGPROF, &action, NULL), 0);
  struct itimerval each = {{0, 200}, {0, 200}}, none = {{0, 0}, {0, 0}};
  signals_seen = walks_ended = 0;
  for (int i = 0; i < 3; i++)
    spawn(yields_until_seen, NULL);
  assert_int_equal(setitimer(ITIMER_PROF, &each, NULL), 0);
  wire_thread_run();
  assert_int_equal(setitimer(ITIMER_PROF, &none, NULL), 0);
  signal(SIGPROF, SIG_IGN);
  if (walks_ended != signals_seen)
    fail_msg("%u of %u walks did not end", signals_seen - walks_ended, signals_seen);
}

int main(void) {
  deadline(200);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(libunwind_ends_at_the_entry_function),
      cmocka_unit_test(also_in_a_wire_that_was_resumed),
      cmocka_unit_test(also_from_where_a_signal_came),
      cmocka_unit_test(also_in_the_midst_of_switches),
  };
  return cmocka_run_group_tests_name("unwind", tests, NULL, NULL);
}
