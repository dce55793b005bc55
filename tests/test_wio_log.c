/* The log written by workers: no line is lost, doubled or reordered, whoever has to finish it. */
#include "wio.h"

#include "wire_log.h"

#define LINES 500

static char log_name[] = "wio_log_XXXXXX";

static void log_lines(void *UNUSED(argument)) {
  for (int i = 0; i < LINES; i++)
    wire_log(WLOG_INFO, "line %d", i);
}

static void log_from_wires(void *leave) {
  start_afresh();
  wire_io_init(2);
  wire_log_init_stdout();
  spawn(log_lines, NULL);
  if (leave != NULL) { /* ends while a worker writes */
    wire_yield();
    for (int i = 0; i < *(int *)leave; i++)
      wire_yield();
    wire_log(WLOG_INFO, "from outside");
    exit(0);
  }
  wire_thread_run();
  wire_log(WLOG_INFO, "from outside");
  start_afresh();
}

/* Runs the program with its output in a file, and gives the number of the last line. */
static int lines_of(void *leave) {
  int fd = mkstemp(log_name);
  assert_true(fd >= 0);
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(fd, 1);
    log_from_wires(leave);
    _exit(0);
  }
  int status;
  assert_int_equal(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)), pid);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  FILE *written = fopen(log_name, "r");
  assert_non_null(written);
  int next = 0;
  char line[200], expected[40];
  int outside = 0;
  while (fgets(line, sizeof line, written) != NULL) {
    snprintf(expected, sizeof expected, "<INFO> line %d\n", next);
    if (strstr(line, "from outside") != NULL) {
      outside++;
      continue;
    }
    assert_non_null(strstr(line, expected));
    next++;
  }
  assert_int_equal(outside, 1);
  fclose(written);
  unlink(log_name);
  memcpy(log_name + strlen(log_name) - 6, "XXXXXX", 6);
  close(fd);
  return next;
}

static void every_line_is_written_once_and_in_order(void **UNUSED(state)) {
  assert_int_equal(lines_of(NULL), LINES);
}

static void lines_that_wait_are_written_when_the_program_leaves(void **UNUSED(state)) {
  for (int turns = 0; turns < 20; turns++)
    assert_true(lines_of(&turns) >= 16);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_line_is_written_once_and_in_order),
      cmocka_unit_test(lines_that_wait_are_written_when_the_program_leaves),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
