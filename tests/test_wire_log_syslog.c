/* wire_log_init_syslog. With LOG_PERROR syslog(3) repeats lines on stderr, which works everywhere;
 * what reaches the system log itself is read from a /dev/log of our own, in a private mount name
 * space, where the system allows one. */
#include "common.h"
#include "descriptors.h"
#include "log_lines.h"

#include <sched.h>
#include <syslog.h>

#include <sys/mount.h>
#include <sys/un.h>

static void logs_all_levels(void *UNUSED(argument)) {
  for (int level = WLOG_DEBUG; level <= WLOG_FATAL; level++)
    wire_log((wire_log_level_e)level, "level %d", level);
}

/* --- on stderr ------------------------------------------------------------------------------ */

static void logs_to_stderr_too(void *ident) {
  wire_log_init_syslog(ident, LOG_PERROR, LOG_USER);
  errno = ENOENT;
  wire_log(WLOG_INFO, "%s %m", "outside");
  check(errno == ENOENT);
  spawn(logs_all_levels, NULL);
  wire_thread_run();
}

static void lines_have_the_ident_and_the_text(void **UNUSED(state)) {
  const struct child *child = run_child(logs_to_stderr_too, "program");
  expect_success(child);
  assert_string_equal(child->output, "");
  assert_string_equal(child->errors, "program: outside No such file or directory\n"
                                     "program: level 0\nprogram: level 1\nprogram: level 2\n"
                                     "program: level 3\nprogram: level 4\nprogram: level 5\n"
                                     "program: level 6\n");
}

static void without_ident_the_name_of_the_program_is_used(void **UNUSED(state)) {
  const struct child *child = run_child(logs_to_stderr_too, NULL);
  expect_success(child);
  assert_non_null(strstr(child->errors, program_invocation_short_name));
}

static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING,
                                 LOG_ERR,   LOG_CRIT, LOG_ALERT};

static void logs_with_a_mask(void *priority) {
  wire_log_init_syslog("program", LOG_PERROR, LOG_USER);
  setlogmask(LOG_MASK(*(int *)priority));
  logs_all_levels(NULL);
}

static void levels_become_the_documented_priorities(void **UNUSED(state)) {
  for (int level = WLOG_DEBUG; level <= WLOG_FATAL; level++) {
    char expected[64];
    int priority = priorities[level];
    const struct child *child = run_child(logs_with_a_mask, &priority);
    expect_success(child);
    snprintf(expected, sizeof expected, "program: level %d\n", level);
    assert_string_equal(child->errors, expected);
  }
}

static void logs_here_and_there(void *UNUSED(argument)) {
  wire_log_init_stdout();
  wire_log(WLOG_INFO, "one");
  wire_log_init_syslog("program", LOG_PERROR, LOG_USER);
  wire_log(WLOG_INFO, "two");
  wire_log_init_stdout();
  wire_log(WLOG_INFO, "three");
}

static void the_last_init_counts(void **UNUSED(state)) {
  const struct child *child = run_child(logs_here_and_there, NULL);
  expect_success(child);
  assert_true(matches(child->output, "one\n.*three\n$"));
  assert_string_equal(child->errors, "program: two\n");
}

static void logs_nothing(void *UNUSED(argument)) {
  wire_log_init_syslog("program", 0, LOG_USER);
  const char *volatile none = NULL;
  wire_log(WLOG_INFO, none, "");
}

static void a_null_format_aborts(void **UNUSED(state)) {
  expect_abort(run_child(logs_nothing, NULL), "wire_log", NULL);
}

/* --- in a system log of our own -------------------------------------------------------------- */

static int system_log;

/* 0, or -1 where this needs rights that we do not have. */
static int make_system_log(void) {
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
      mount("none", "/dev", "tmpfs", 0, NULL) != 0)
    return -1;
  struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
  system_log = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return bind(system_log, (struct sockaddr *)&path, sizeof path);
}

static void expect_record(int priority, const char *text) {
  char record[2048], expected[1200];
  ssize_t length = recv(system_log, record, sizeof record - 1, 0);
  check(length > 0);
  record[length] = '\0';
  check(snprintf(expected, sizeof expected, "^<%d>.* program: %s\n?$", priority, text) <
        (int)sizeof expected);
  if (!matches(record, expected)) {
    fprintf(stderr, "record: %s\n", record);
    abort();
  }
}

#define NOT_ALLOWED 77

static void logs_to_a_system_log(void *UNUSED(argument)) {
  if (make_system_log() != 0)
    _exit(NOT_ALLOWED);
  wire_log_init_syslog("program", 0, LOG_LOCAL3);
  spawn(logs_all_levels, NULL);
  wire_thread_run();
  for (int level = WLOG_DEBUG; level <= WLOG_FATAL; level++) {
    char text[16];
    snprintf(text, sizeof text, "level %d", level);
    expect_record(LOG_LOCAL3 | priorities[level], text);
  }
  char long_text[1001];
  memset(long_text, 'x', sizeof long_text - 1);
  long_text[sizeof long_text - 1] = '\0';
  wire_log(WLOG_ERR, "%s", long_text);
  expect_record(LOG_LOCAL3 | LOG_ERR, long_text);
  char byte;
  check(recv(system_log, &byte, 1, 0) == -1 && errno == EAGAIN); /* nothing else came */
}

static void records_reach_the_system_log_with_facility_and_priority(void **UNUSED(state)) {
  const struct child *child = run_child(logs_to_a_system_log, NULL);
  if (WIFEXITED(child->status) && WEXITSTATUS(child->status) == NOT_ALLOWED)
    skip();
  expect_success(child);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(lines_have_the_ident_and_the_text),
      T(without_ident_the_name_of_the_program_is_used),
      T(levels_become_the_documented_priorities),
      T(the_last_init_counts),
      T(a_null_format_aborts),
      T(records_reach_the_system_log_with_facility_and_priority),
  };
  return cmocka_run_group_tests_name("wire_log, the system log", tests, NULL, NULL);
}
