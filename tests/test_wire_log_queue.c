/* wire_log.h: lines come out in the order of the calls and none is lost, from wires, from outside,
 * from several OS threads, when wires are cancelled, threads end, the process exits or forks. */
#include "common.h"
#include "descriptors.h"
#include "log_children.h"

#include <pthread.h>

static int next_number;

static void log_next(void) { wire_log(WLOG_INFO, "%d", next_number++); }

static void logs_one(void *text) { wire_log(WLOG_INFO, "%s", (const char *)text); }

/* --- sixteen lines --------------------------------------------------------------------------- */

static int others_ran;

static void notes_that_others_run(void *UNUSED(argument)) { others_ran = 1; }

static void logs_until_others_run(void *UNUSED(argument)) {
  spawn(notes_that_others_run, NULL);
  for (int i = 0; i < 16; i++) {
    log_next();
    check(!others_ran);
  }
  log_next();
  check(others_ran);
}

static void runs_logs_until_others_run(void *UNUSED(argument)) {
  wire_log_init_stdout();
  wire_yield(); /* whatever init has started has run */
  spawn(logs_until_others_run, NULL);
  wire_thread_run();
}

static void sixteen_lines_wait_and_the_caller_of_the_next_lets_others_run(void **UNUSED(state)) {
  expect_numbered_output(runs_logs_until_others_run, NULL, 17);
}

static void logs_many(void *count) {
  for (int i = 0; i < *(int *)count; i++) {
    log_next();
    if (i % 7 == 0)
      wire_yield();
  }
}

static int fifty = 50, thousand = 1000;

static void logs_in_many_wires(void *UNUSED(argument)) {
  wire_log_init_stdout();
  for (int i = 0; i < 40; i++)
    spawn(logs_many, &fifty);
  wire_thread_run();
}

static void lines_of_many_wires_come_out_in_the_order_of_the_calls(void **UNUSED(state)) {
  expect_numbered_output(logs_in_many_wires, NULL, 40 * 50);
}

static void logs_outside_wires(void *UNUSED(argument)) {
  wire_log_init_stdout();
  logs_many(&thousand);
}

/* The original hung at the seventeenth. */
static void outside_wires_any_number_of_lines_is_written(void **UNUSED(state)) {
  expect_numbered_output(logs_outside_wires, NULL, 1000);
}

static void logs_and_yields(void *lines) {
  for (int i = 0; i < *(int *)lines; i++) {
    log_next();
    wire_yield();
  }
}

static void logs_in_and_outside(void *wires) {
  wire_log_init_stdout();
  for (int i = 0; i < *(int *)wires; i++)
    spawn(logs_and_yields, &fifty);
  for (int i = 0; i < 300; i++) {
    wire_yield(); /* leaves lines in the queue, and wires that wait their turn */
    log_next();
  }
  wire_thread_run();
  log_next();
}

static void lines_from_outside_do_not_overtake_those_in_the_queue(void **UNUSED(state)) {
  for (int wires = 10; wires <= 60; wires += 50)
    expect_numbered_output(logs_in_and_outside, &wires, wires * 50 + 300 + 1);
}

/* --- cancel --------------------------------------------------------------------------------- */

static wire_t *victims[10];

static void is_cancelled_while_it_logs(void *UNUSED(argument)) {
  wire_suspend(); /* until the queue is full */
  logs_one("late");
  logs_one("never");
}

static void fills_the_queue_and_cancels(void *UNUSED(argument)) {
  for (int i = 0; i < 16; i++)
    log_next();
  /* They wait for their turn, behind each other. */
  for (int i = 0; i < 10; i++)
    wire_resume(victims[i]);
  spawn(logs_many, &fifty);
  for (int i = 0; i < 10; i++)
    wire_cancel(victims[i]);
}

static void cancels_before_they_log(void *UNUSED(argument)) {
  wire_log_init_stdout();
  for (int i = 0; i < 10; i++)
    victims[i] = spawn(is_cancelled_while_it_logs, NULL);
  wire_yield();
  spawn(fills_the_queue_and_cancels, NULL);
  wire_thread_run();
}

static void wires_cancelled_before_their_turn_do_not_hold_up_the_others(void **UNUSED(state)) {
  expect_numbered_output(cancels_before_they_log, NULL, 16 + 50);
}

/* --- the end -------------------------------------------------------------------------------- */

static void queue_three_lines(void) {
  wire_log_init_stdout();
  wire_yield();
  spawn(logs_one, "one");
  spawn(logs_one, "two");
  spawn(logs_one, "three");
  wire_yield();
}

static void exits_with_lines_queued(void *UNUSED(argument)) {
  queue_three_lines();
  exit(0);
}

static void logs_and_exits(void *UNUSED(argument)) {
  for (int i = 0; i < 5; i++)
    log_next();
  exit(0);
}

static void exits_in_a_wire(void *UNUSED(argument)) {
  wire_log_init_stdout();
  spawn(logs_and_exits, NULL);
  spawn(logs_one, "never");
  wire_thread_run();
}

static void lines_in_the_queue_are_written_at_exit(void **UNUSED(state)) {
  expect_lines(exits_with_lines_queued, NULL, "one,two,three,");
  expect_numbered_output(exits_in_a_wire, NULL, 5);
}

static void starts_afresh_with_lines_queued(void *UNUSED(argument)) {
  queue_three_lines();
  wire_thread_init();
  wire_log(WLOG_INFO, "four");
}

static void lines_in_the_queue_are_written_when_the_thread_starts_afresh(void **UNUSED(state)) {
  expect_lines(starts_afresh_with_lines_queued, NULL, "one,two,three,four,");
}

static void *queues_and_ends(void *UNUSED(argument)) {
  queue_three_lines();
  return NULL;
}

static void ends_a_thread_with_lines_queued(void *UNUSED(argument)) {
  pthread_t thread;
  check(pthread_create(&thread, NULL, queues_and_ends, NULL) == 0);
  check(pthread_join(thread, NULL) == 0);
  wire_log(WLOG_INFO, "four");
}

static void lines_in_the_queue_are_written_when_the_thread_ends(void **UNUSED(state)) {
  expect_lines(ends_a_thread_with_lines_queued, NULL, "one,two,three,four,");
}

/* --- fork ----------------------------------------------------------------------------------- */

static void forks_and_waits(const char *in_child, const char *in_parent) {
  pid_t pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    wire_log(WLOG_INFO, "%s", in_child);
    wire_log(WLOG_INFO, "%s", in_child);
    exit(0);
  }
  int status;
  check(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) == pid && status == 0);
  wire_log(WLOG_INFO, "%s", in_parent);
}

static void forks_outside_wires(void *UNUSED(argument)) {
  queue_three_lines();
  forks_and_waits("child", "parent");
}

static void forks_in_a_wire(void *UNUSED(argument)) {
  logs_one("one");
  logs_one("two");
  forks_and_waits("child", "parent");
}

static void runs_forks_in_a_wire(void *UNUSED(argument)) {
  wire_log_init_stdout();
  spawn(forks_in_a_wire, NULL);
  wire_thread_run();
}

static void after_a_fork_each_line_is_written_once(void **UNUSED(state)) {
  expect_lines(forks_outside_wires, NULL, "child,child,one,two,three,parent,");
  expect_lines(runs_forks_in_a_wire, NULL, "child,child,one,two,parent,");
}

/* --- threads -------------------------------------------------------------------------------- */

#define THREAD_LINES 2000

static void logs_for_a_thread(void *name) {
  for (int i = 0; i < THREAD_LINES / 4; i++) {
    static __thread int number;
    wire_log(WLOG_INFO, "%s %d", (const char *)name, number++);
  }
}

static void *logs_in_wires_of_a_thread(void *name) {
  if (*(const char *)name != 'd') /* the last thread writes directly */
    wire_log_init_stdout();
  for (int i = 0; i < 4; i++)
    spawn(logs_for_a_thread, name);
  wire_thread_run();
  free_stacks();
  return NULL;
}

static void logs_in_threads(void *UNUSED(argument)) {
  static const char *const names[] = {"a", "b", "c", "d"};
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    check(pthread_create(&threads[i], NULL, logs_in_wires_of_a_thread, (void *)names[i]) == 0);
  for (int i = 0; i < 4; i++)
    check(pthread_join(threads[i], NULL) == 0);
}

static void expect_next_of_thread(const char *text, void *next) {
  int *of_thread = &((int *)next)[text[0] - 'a'];
  check(text[0] >= 'a' && text[0] <= 'd' && atoi(text + 1) == *of_thread);
  ++*of_thread;
}

static void lines_of_several_threads_are_whole_and_in_order_for_each(void **UNUSED(state)) {
  char *text = output_of(logs_in_threads, NULL);
  int next[4] = {0};
  assert_int_equal(each_line(text, expect_next_of_thread, next), 4 * THREAD_LINES);
  for (int i = 0; i < 4; i++)
    assert_int_equal(next[i], THREAD_LINES);
  free(text);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(sixteen_lines_wait_and_the_caller_of_the_next_lets_others_run),
      T(lines_of_many_wires_come_out_in_the_order_of_the_calls),
      T(outside_wires_any_number_of_lines_is_written),
      T(lines_from_outside_do_not_overtake_those_in_the_queue),
      T(wires_cancelled_before_their_turn_do_not_hold_up_the_others),
      T(lines_in_the_queue_are_written_at_exit),
      T(lines_in_the_queue_are_written_when_the_thread_starts_afresh),
      T(lines_in_the_queue_are_written_when_the_thread_ends),
      T(after_a_fork_each_line_is_written_once),
      T(lines_of_several_threads_are_whole_and_in_order_for_each),
  };
  return cmocka_run_group_tests_name("wire_log, the queue", tests, NULL, NULL);
}
