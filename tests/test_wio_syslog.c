/* wio_vsyslog: what is logged is what the plain call would log, with the caller's errno for %m, and
 * a logger that takes nothing stops only the wire that logs. */
#include "wio.h"

#include "wio_crowd.h"
#include "wio_holdings.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

__attribute__((format(printf, 2, 3))) static void logs(int priority, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  wio_vsyslog(priority, format, arguments);
  va_end(arguments);
}

/* --- on stderr -------------------------------------------------------------------------------- */

static int old_stderr, lines[2];

static void take_stderr(void) {
  check((old_stderr = dup(2)) >= 0 && pipe(lines) == 0);
  check(dup2(lines[1], 2) == 2 && close(lines[1]) == 0);
}

static void give_stderr_back(void) {
  check(dup2(old_stderr, 2) == 2);
  close(old_stderr);
}

static const int errors[] = {ENOENT, EXDEV, ENOTTY, EMLINK};

static void logs_its_errno(void *error) {
  for (int i = 0; i < 20; i++) {
    errno = *(const int *)error;
    logs(LOG_ERR, "%d %s %m|", i, "times");
    wire_yield();
  }
}

static void m_is_the_errno_of_the_wire_that_logs(void **UNUSED(state)) {
  struct holdings before = holdings_now();
  char text[16384], expected[128];
  start_afresh();
  wire_io_init(2);
  openlog("wio", LOG_PERROR, LOG_USER);
  take_stderr();
  for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
    spawn(logs_its_errno, (void *)&errors[i]);
  wire_thread_run();
  give_stderr_back();
  ssize_t length = read(lines[0], text, sizeof text - 1);
  assert_true(length > 0);
  text[length] = '\0';
  close(lines[0]);
  for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
    for (int k = 0; k < 20; k++) {
      snprintf(expected, sizeof expected, "wio: %d times %s|\n", k, strerror(errors[i]));
      char *found = strstr(text, expected);
      assert_non_null(found);
      memset(found, ' ', strlen(expected));
    }
  }
  assert_int_equal(strspn(text, " "), strlen(text)); /* nothing else */
  openlog(NULL, 0, LOG_USER);
  closelog();
  start_afresh();
  expect_holdings(&before);
}

/* --- a logger of the test's own --------------------------------------------------------------- */

#define MESSAGES 2000 /* more than wait in a socket */

static int logger, file, logged;

/* In a name space where /dev is the test's. False when that is not allowed. */
static int make_logger(void) {
  struct sockaddr_un place = {AF_UNIX, "/dev/log"};
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
      mount("none", "/dev", "tmpfs", 0, NULL) != 0)
    return 0;
  logger = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return bind(logger, (struct sockaddr *)&place, sizeof place) == 0;
}

static void logs_much(void *UNUSED(argument)) {
  wio_openlog("ident", LOG_NDELAY, LOG_DAEMON);
  for (int i = 0; i < MESSAGES; i++) {
    errno = ENOTDIR;
    logs(LOG_NOTICE, "message %d: %m", i);
    logged++;
  }
  wio_closelog();
}

static void goes_on_and_takes_messages(void *UNUSED(argument)) {
  char text[300], expected[100];
  int last = -1;
  while (logged != last) { /* until the logger's socket is full */
    last = logged;
    check(wire_fd_wait_msec(20) == 0);
  }
  steady_work(file);
  check(logged < MESSAGES);
  for (int i = 0; i < MESSAGES; i++) {
    ssize_t length = wio_read(logger, text, sizeof text - 1);
    check(length > 0);
    text[length] = '\0';
    snprintf(expected, sizeof expected, "ident: message %d: Not a directory", i);
    check(strstr(text, expected) != NULL);
    snprintf(expected, sizeof expected, "<%d>", LOG_DAEMON | LOG_NOTICE);
    check(strncmp(text, expected, strlen(expected)) == 0);
  }
  stop_ticker();
}

static void logs_to_a_logger(void *UNUSED(argument)) {
  if (!make_logger())
    _exit(77);
  logged = 0;
  file = scratch_file(STEADY_FILE);
  start_afresh();
  wire_io_init(1);
  spawn(logs_much, NULL);
  start_ticker();
  spawn(goes_on_and_takes_messages, NULL);
  wire_thread_run();
  check(logged == MESSAGES);
}

static void a_logger_that_takes_nothing_stops_nobody_else(void **UNUSED(state)) {
  const struct child *child = run_child(logs_to_a_logger, NULL);
  if (WIFEXITED(child->status) && WEXITSTATUS(child->status) == 77)
    skip();
  expect_success(child);
}

int main(void) {
#define T(test) cmocka_unit_test(test)
  const struct CMUnitTest tests[] = {
      T(m_is_the_errno_of_the_wire_that_logs),
      T(a_logger_that_takes_nothing_stops_nobody_else),
  };
  return cmocka_run_group_tests_name("the system log", tests, NULL, NULL);
}
