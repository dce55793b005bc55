/* OS threads with wires that end, in whatever way, leave nothing behind; nor do rounds of
 * wire_thread_init and wire_thread_run. */
#include "common.h"

#include "busy_thread.h"
#include "descriptors.h"
#include "mappings.h"

#include <pthread.h>

#include "wire_log.h"

static int shared[2];

static void suspends(void *UNUSED(argument)) { wire_suspend(); }

static void sleeps_long(void *UNUSED(argument)) { wire_fd_wait_msec(3600 * 1000); }

static void *ends_with_wires_left(void *unused) {
  spawn(suspends, NULL);
  spawn(sleeps_long, NULL);
  spawn(waits_to_read, &shared[0]);
  wire_yield();
  spawn(suspends, NULL); /* never runs */
  free_stacks();
  return unused;
}

static void logs(void *UNUSED(argument)) {
  for (int i = 0; i < 20; i++)
    wire_log(WLOG_DEBUG, "%s", "");
}

static void *ends_after_logging(void *unused) {
  wire_log_init_stderr();
  spawn(logs, NULL);
  wire_thread_run();
  free_stacks();
  return unused;
}

/* The stacks outlive the thread, which cannot free what it runs on. */
static wire_t exiting[2];
static char exiting_stacks[2][COMMON_STACK];

static void exits_the_thread(void *unused) { pthread_exit(unused); }

static void exits_the_thread_after_a_switch(void *unused) {
  check(wire_fd_wait_msec(1) == 0);
  pthread_exit(unused);
}

static void run_exiting(void (*entry)(void *)) {
  check(wire_init(&exiting[0], "asleep", sleeps_long, NULL, exiting_stacks[0], COMMON_STACK) !=
        NULL);
  check(wire_init(&exiting[1], "exits", entry, NULL, exiting_stacks[1], COMMON_STACK) != NULL);
  wire_thread_run();
  check(!"the thread has gone on");
}

static void *exits_in_a_wire(void *unused) {
  run_exiting(exits_the_thread);
  return unused;
}

static void *exits_in_a_wire_later(void *unused) {
  run_exiting(exits_the_thread_after_a_switch);
  return unused;
}

static pthread_key_t last_words;

/* Runs when the thread ends, maybe after the library has cleaned up. */
static void uses_wires_again(void *UNUSED(argument)) {
  start_afresh();
  spawn(waits_to_read, &shared[0]);
  wire_timeout_t timeout;
  check(wire_timeout_init(&timeout) == 0);
  check(wire_timeout_reset(&timeout, 1) == 0);
  wire_yield();
  wire_timeout_stop(&timeout);
  wire_thread_init();
  free_stacks();
}

static void *uses_wires_in_a_destructor(void *unused) {
  static const int value = 1;
  check(pthread_setspecific(last_words, &value) == 0);
  ends_with_wires_left(unused);
  return unused;
}

static void *only_asks(void *unused) {
  check(wire_get_current() != NULL);
  return unused;
}

static void run_one(void *(*body)(void *)) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, body, NULL), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *is_busy_once(void *UNUSED(argument)) { return is_busy((void *)(uintptr_t)1); }

static void threads_that_end_leave_nothing_behind(void **UNUSED(state)) {
  static const struct {
    const char *name;
    void *(*body)(void *);
    int times;
  } cases[] = {{"busy", is_busy_once, 5},
               {"wires left", ends_with_wires_left, 100},
               {"log", ends_after_logging, 50},
               {"exit in a wire", exits_in_a_wire, 100},
               {"exit in a wire that slept", exits_in_a_wire_later, 100},
               {"wires in a destructor", uses_wires_in_a_destructor, 100},
               {"only asks", only_asks, 100}};
  assert_int_equal(pipe(shared), 0);
  assert_int_equal(pthread_key_create(&last_words, uses_wires_again), 0);
  /* The lines of the log are of no interest. */
  int errors = dup(2), nowhere = open("/dev/null", O_WRONLY);
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    if (TESTS_WITH_TSAN &&
        (cases[i].body == exits_in_a_wire || cases[i].body == exits_in_a_wire_later))
      continue; /* does not let a fiber end its thread */
    if (cases[i].body == ends_after_logging)
      dup2(nowhere, 2);
    for (int warm_up = 0; warm_up < 3; warm_up++)
      run_one(cases[i].body);
    int descriptors = open_descriptors(), mappings = count_mappings();
    for (int n = 0; n < cases[i].times; n++)
      run_one(cases[i].body);
    dup2(errors, 2);
    if (open_descriptors() != descriptors)
      fail_msg("%s: %d descriptors before, %d after", cases[i].name, descriptors,
               open_descriptors());
    /* The allocator's arenas and the cache of thread stacks come and go by a few. */
    if (!TESTS_WITH_TSAN && count_mappings() > mappings + 4)
      fail_msg("%s: %d mappings before, %d after", cases[i].name, mappings, count_mappings());
  }
  close(errors);
  close(nowhere);
  close(shared[0]);
  close(shared[1]);
}

static void rounds_of_init_and_run(void **UNUSED(state)) {
  start_afresh();
  int descriptors = 0, mappings = 0;
  assert_int_equal(pipe(shared), 0);
  assert_int_equal(write(shared[1], "x", 1), 1);
  for (int round = 0; round < 1000; round++) {
    start_afresh();
    spawn(waits_to_read, &shared[0]);
    spawn(suspends, NULL);
    wire_thread_run();
    assert_trace("readable");
    if (round == 10) {
      descriptors = open_descriptors();
      mappings = count_mappings();
    }
  }
  assert_int_equal(open_descriptors(), descriptors);
  if (!TESTS_WITH_TSAN) /* has mappings for each fiber */
    assert_true(count_mappings() <= mappings + 2);
  close(shared[0]);
  close(shared[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_that_end_leave_nothing_behind),
      cmocka_unit_test(rounds_of_init_and_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
