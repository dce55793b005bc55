/* wire_log.h when standard output is full and does not block: a pipe or a terminal that nobody
 * reads for a while. Lines stay whole, in the order of the calls, and none is lost or written
 * twice.
 *
 * The child process logs; a thread of the test reads what it writes, but only when the child has
 * said, through another pipe, that its output is full. */
#include "common.h"
#include "descriptors.h"
#include "log_lines.h"

#include "full_output.h"

/* --- in the child --------------------------------------------------------------------------- */

static int hundred = 100;

static void ticks_until_full(void *UNUSED(argument)) {
  while (!output_is_full())
    wire_yield();
  /* The others wait for the output, and this wire goes on. */
  for (int i = 0; i < 1000; i++)
    wire_yield();
  check(output_is_full() || isatty(1));
  let_the_test_read();
}

static void logs_in_wires(void) {
  wire_log_init_stdout();
  line_length = 30;
  spawn(ticks_until_full, NULL);
  for (int i = 0; i < 5; i++)
    spawn(logs_many, &hundred);
  wire_thread_run();
}

static void logs_long_lines_in_wires(void) {
  wire_log_init_stdout();
  line_length = 1000;
  spawn(ticks_until_full, NULL);
  for (int i = 0; i < 5; i++)
    spawn(logs_many, &hundred);
  wire_thread_run();
}

static void lines_wait_in_their_order_while_the_output_is_full(void **UNUSED(state)) {
  logs_to(make_output_pipe, logs_in_wires);
  expect_numbered(lines.text, 500);
  logs_to(make_output_pipe, logs_long_lines_in_wires);
  expect_numbered(lines.text, 500);
}

static void lines_on_a_full_terminal_stay_whole(void **UNUSED(state)) {
  logs_to(make_output_terminal, logs_in_wires);
  expect_numbered(lines.text, 500);
  logs_to(make_output_terminal, logs_long_lines_in_wires);
  expect_numbered(lines.text, 500);
}

/* A direct line has to wait for the test, which is told by a thread that watches. */
static void *tells_when_full(void *UNUSED(argument)) {
  while (!output_is_full())
    sched_yield();
  let_the_test_read();
  return NULL;
}

static pthread_t watcher;

static void watch_output(void) {
  check(pthread_create(&watcher, NULL, tells_when_full, NULL) == 0);
}

static void logs_outside_wires(void) {
  watch_output();
  wire_log_init_stdout();
  line_length = 1000;
  logs_many(&hundred);
  check(pthread_join(watcher, NULL) == 0);
}

static void lines_from_outside_wires_wait_for_a_full_output(void **UNUSED(state)) {
  logs_to(make_output_pipe, logs_outside_wires);
  expect_numbered(lines.text, 100);
  logs_to(make_output_terminal, logs_outside_wires);
  expect_numbered(lines.text, 100);
}

static void logs_in_wires_before_init(void) {
  watch_output();
  line_length = 1000;
  for (int i = 0; i < 5; i++)
    spawn(logs_many, &hundred);
  wire_thread_run();
  check(pthread_join(watcher, NULL) == 0);
}

static void without_init_lines_of_wires_stay_whole_and_in_order_too(void **UNUSED(state)) {
  logs_to(make_output_pipe, logs_in_wires_before_init);
  expect_numbered(lines.text, 500);
  logs_to(make_output_terminal, logs_in_wires_before_init);
  expect_numbered(lines.text, 500);
}

/* --- somebody else writes what is queued, while the writer waits in the middle of a line -------
 */

static void logs_until_full(void *UNUSED(argument)) {
  while (!output_is_full()) {
    log_next();
    for (int i = 0; i < 5; i++)
      wire_yield(); /* it is written now, if it can be */
  }
  for (int i = 0; i < 5; i++)
    log_next();
}

static void fill_output(int length) {
  wire_log_init_stdout();
  line_length = length;
  spawn(logs_until_full, NULL);
  while (!output_is_full())
    wire_yield();
  for (int i = 0; i < 1000; i++)
    wire_yield(); /* the writer has found it full */
}

static void logs_beside_the_waiting_writer(void) {
  fill_output(300);
  let_the_test_read();
  logs_many(&hundred);
  spawn(logs_many, &hundred);
  wire_thread_run();
  logs_many(&hundred);
  /* How many that is: said by one more line. */
  wire_log(WLOG_INFO, "%d lines", next_number++);
}

static void exits_beside_the_waiting_writer(void) {
  fill_output(300);
  let_the_test_read();
  log_next();
  wire_log(WLOG_INFO, "%d lines", next_number++);
  exit(0);
}

static int exiting;

static void logs_until_full_and_exits(void *UNUSED(argument)) {
  logs_until_full(NULL);
  wire_log(WLOG_INFO, "%d lines", next_number++);
  let_the_test_read();
  exiting = 1;
  exit(0);
}

/* Runs as long as the other one yields, and not while that exits. */
static void does_not_run_during_exit(void *UNUSED(argument)) {
  for (;;) {
    while (!output_is_full()) {
      check(!exiting);
      wire_yield();
    }
    for (int i = 0; i < 100; i++) {
      check(!exiting);
      wire_yield();
    }
    let_the_test_read(); /* the other one waits for its turn to log */
  }
}

static void exits_in_a_wire_beside_the_waiting_writer(void) {
  wire_log_init_stdout();
  line_length = 300;
  spawn(logs_until_full_and_exits, NULL);
  spawn(does_not_run_during_exit, NULL);
  wire_thread_run();
  check(!"reached");
}

static void starts_afresh_beside_the_waiting_writer(void) {
  fill_output(300);
  let_the_test_read();
  wire_thread_init();
  wire_log(WLOG_INFO, "%d lines", next_number++);
}

/* The last line tells its own number, and so how many there must be. */
static void expect_all_numbered(void) {
  const char *last = strstr(lines.text, " lines\n");
  assert_non_null(last);
  assert_string_equal(last, " lines\n");
  while (last > lines.text && last[-1] != '>')
    last--;
  expect_numbered(lines.text, atoi(last) + 1);
}

static void nothing_is_written_twice_or_lost_when_others_write_the_queue(void **UNUSED(state)) {
  void (*const bodies[])(void) = {logs_beside_the_waiting_writer, exits_beside_the_waiting_writer,
                                  exits_in_a_wire_beside_the_waiting_writer,
                                  starts_afresh_beside_the_waiting_writer};
  for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
    logs_to(make_output_pipe, bodies[i]);
    expect_all_numbered();
    logs_to(make_output_terminal, bodies[i]);
    expect_all_numbered();
  }
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(lines_wait_in_their_order_while_the_output_is_full),
      T(lines_on_a_full_terminal_stay_whole),
      T(lines_from_outside_wires_wait_for_a_full_output),
      T(without_init_lines_of_wires_stay_whole_and_in_order_too),
      T(nothing_is_written_twice_or_lost_when_others_write_the_queue),
  };
  return cmocka_run_group_tests_name("wire_log, full outputs", tests, NULL, NULL);
}
