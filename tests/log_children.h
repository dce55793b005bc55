/* Child processes whose standard output is a file, for tests of what wire_log has written when they
 * end. Include common.h and descriptors.h first. */
#ifndef TESTS_LOG_CHILDREN_H
#define TESTS_LOG_CHILDREN_H

#include "log_lines.h"

struct call {
  void (*body)(void *);
  void *argument;
  int output;
};

HELPER void runs_with_output(void *argument) {
  struct call *call = argument;
  become_output(call->output);
  call->body(call->argument);
}

/* Runs a body in a child whose standard output is a file. Gives the content, to free. */
HELPER char *output_of(void (*body)(void *), void *argument) {
  FILE *file = tmpfile();
  assert_non_null(file);
  struct call call = {body, argument, fileno(file)};
  expect_success(run_child(runs_with_output, &call));
  char *text = content_of(fileno(file));
  fclose(file);
  return text;
}

HELPER void expect_numbered_output(void (*body)(void *), void *argument, int count) {
  char *text = output_of(body, argument);
  expect_numbered(text, count);
  free(text);
}

HELPER void expect_lines(void (*body)(void *), void *argument, const char *expected) {
  char *text = output_of(body, argument);
  take_trace();
  each_line(text, mark_line, NULL);
  assert_trace(expected);
  free(text);
}

#endif
