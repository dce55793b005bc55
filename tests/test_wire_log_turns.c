/* wire_log in wires that wait for their turn because the queue is full: their lines are as good as
 * written, in the order of the calls, whatever happens to the thread meanwhile. */
#include "common.h"
#include "descriptors.h"
#include "log_children.h"

#include <pthread.h>
#include <semaphore.h>

#define CALLERS 40 /* 16 have a place */

static int next_number;

static void log_next(void) { wire_log(WLOG_INFO, "%d", next_number++); }

static int returned;

static int odd_error(int number) { return number % 2 ? ENOENT : EACCES; }

static void says_own_error(void *UNUSED(argument)) {
  int number = next_number++;
  errno = odd_error(number);
  wire_log(WLOG_INFO, "%d %m", number);
  check(errno == odd_error(number));
  returned++;
}

/* All have called wire_log, and most have not returned. */
static void callers_wait(void) {
  wire_log_init_stdout();
  wire_yield();
  for (int i = 0; i < CALLERS; i++)
    spawn(says_own_error, NULL);
  wire_yield();
  check(next_number == CALLERS);
}

static void logs_outside_while_callers_wait(void *UNUSED(argument)) {
  callers_wait();
  log_next();
  log_next();
  wire_thread_run();
  log_next();
}

static void exits_while_callers_wait(void *UNUSED(argument)) {
  callers_wait();
  exit(0);
}

static void exits(void *UNUSED(argument)) { exit(0); }

static void exits_in_a_wire_while_callers_wait(void *UNUSED(argument)) {
  wire_log_init_stdout();
  wire_yield();
  for (int i = 0; i < CALLERS; i++)
    spawn(says_own_error, NULL);
  spawn(exits, NULL);
  wire_thread_run();
}

static void starts_afresh_while_callers_wait(void *UNUSED(argument)) {
  callers_wait();
  wire_thread_init();
  log_next();
}

static void *ends_while_callers_wait(void *UNUSED(argument)) {
  callers_wait();
  return NULL;
}

static void ends_a_thread_while_callers_wait(void *UNUSED(argument)) {
  pthread_t thread;
  check(pthread_create(&thread, NULL, ends_while_callers_wait, NULL) == 0);
  check(pthread_join(thread, NULL) == 0);
  log_next();
}

static sem_t callers_are_waiting;

static void *stays_while_callers_wait(void *UNUSED(argument)) {
  callers_wait();
  sem_post(&callers_are_waiting);
  for (;;)
    pause();
  return NULL;
}

static void exits_while_callers_of_another_thread_wait(void *UNUSED(argument)) {
  pthread_t thread;
  sem_init(&callers_are_waiting, 0, 0);
  check(pthread_create(&thread, NULL, stays_while_callers_wait, NULL) == 0);
  while (sem_wait(&callers_are_waiting) != 0) {
  }
  exit(0);
}

static void expect_own_error(const char *text, void *next) {
  char expected[100];
  snprintf(expected, sizeof expected, "%d %s", *(int *)next, strerror(odd_error(*(int *)next)));
  if (*(int *)next < CALLERS && strcmp(text, expected) != 0) {
    fprintf(stderr, "expected \"%s\", got \"%s\"\n", expected, text);
    abort();
  }
  expect_next_number(text, next);
}

static void expect_all_callers(void (*body)(void *), int more) {
  char *text = output_of(body, NULL);
  int next = 0;
  each_line(text, expect_own_error, &next);
  free(text);
  assert_int_equal(next, CALLERS + more);
}

static void lines_from_outside_do_not_overtake_those_of_wires_that_wait(void **UNUSED(state)) {
  expect_all_callers(logs_outside_while_callers_wait, 3);
}

static void exit_writes_the_lines_of_wires_that_wait(void **UNUSED(state)) {
  expect_all_callers(exits_while_callers_wait, 0);
  expect_all_callers(exits_in_a_wire_while_callers_wait, 0);
  expect_all_callers(exits_while_callers_of_another_thread_wait, 0);
}

static void the_end_of_a_thread_writes_the_lines_of_wires_that_wait(void **UNUSED(state)) {
  expect_all_callers(starts_afresh_while_callers_wait, 1);
  expect_all_callers(ends_a_thread_while_callers_wait, 1);
}

static void cancels_callers_that_wait(void *UNUSED(argument)) {
  static const int cancelled[] = {20, 21, 30, 39};
  callers_wait();
  for (size_t i = 0; i < ARRAY_SIZE(cancelled); i++)
    wire_cancel(&common.wires[cancelled[i]]);
  log_next();
  /* Those whose lines are out by now have their turn, and end without having run again. */
  for (int i = 25; i < 30; i++)
    wire_cancel(&common.wires[i]);
  wire_thread_run();
  log_next();
}

static void
wires_cancelled_while_they_wait_log_nothing_and_those_after_their_turn_once(void **UNUSED(state)) {
  char expected[1000] = "", *end = expected;
  for (int i = 0; i < CALLERS + 2; i++) {
    if (i < CALLERS && i != 20 && i != 21 && i != 30 && i != 39)
      end += sprintf(end, "%d %s,", i, strerror(odd_error(i)));
    else if (i >= CALLERS)
      end += sprintf(end, "%d,", i);
  }
  expect_lines(cancels_callers_that_wait, NULL, expected);
}

static void forks_while_callers_wait(void *UNUSED(argument)) {
  callers_wait();
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    wire_thread_run();
    check(returned == CALLERS);
    wire_log(WLOG_INFO, "child");
    exit(0);
  }
  int status;
  check(waitpid(pid, &status, 0) == pid && status == 0);
  wire_thread_run();
}

static void
in_the_child_of_a_fork_the_lines_of_wires_that_wait_are_the_parents(void **UNUSED(state)) {
  char expected[1000] = "child,", *end = expected + 6;
  for (int i = 0; i < CALLERS; i++)
    end += sprintf(end, "%d %s,", i, strerror(odd_error(i)));
  expect_lines(forks_while_callers_wait, NULL, expected);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(lines_from_outside_do_not_overtake_those_of_wires_that_wait),
      T(exit_writes_the_lines_of_wires_that_wait),
      T(the_end_of_a_thread_writes_the_lines_of_wires_that_wait),
      T(wires_cancelled_while_they_wait_log_nothing_and_those_after_their_turn_once),
      T(in_the_child_of_a_fork_the_lines_of_wires_that_wait_are_the_parents),
  };
  return cmocka_run_group_tests_name("wire_log, taking turns", tests, NULL, NULL);
}
