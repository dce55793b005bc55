/* wire_log.h when standard output is a named pipe or a terminal in blocking mode that nobody reads
 * for a while. These cannot be asked to take what they take without blocking: the line waits, and
 * the thread does not. */
#include "common.h"
#include "descriptors.h"
#include "log_lines.h"

#include "full_output.h"

#include "wire_fd.h"
#include "wire_io.h"

static int workers;
static int hundred = 100;

/* The thread that reads waits for this wire. */
static void ticks_while_the_output_is_full(void *UNUSED(argument)) {
  while (!terminal_is_full())
    check(wire_fd_wait_msec(1) == 0);
  for (int i = 0; i < 50; i++)
    check(wire_fd_wait_msec(1) == 0);
  let_the_test_read();
}

static void logs_in_wires(void) {
  if (workers > 0)
    wire_io_init(workers);
  wire_log_init_stdout();
  for (int i = 0; i < 5; i++)
    spawn(logs_many, &hundred);
  spawn(ticks_while_the_output_is_full, NULL);
  wire_thread_run();
  check(next_number == 500);
}

static void only_lines_wait_for(int (*make_output)(void)) {
  output_blocks = 1;
  for (workers = 0; workers <= 2; workers += 2) {
    for (line_length = 30; line_length <= 1000; line_length += 970) {
      logs_to(make_output, logs_in_wires);
      expect_numbered(lines.text, 500);
    }
  }
}

static void only_lines_wait_for_a_full_named_pipe(void **UNUSED(state)) {
  only_lines_wait_for(make_output_fifo);
}

static void only_lines_wait_for_a_full_terminal(void **UNUSED(state)) {
  only_lines_wait_for(make_output_terminal);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(only_lines_wait_for_a_full_named_pipe),
      T(only_lines_wait_for_a_full_terminal),
  };
  return cmocka_run_group_tests_name("wire_log, blocking outputs", tests, NULL, NULL);
}
