/* wire_dump.h in signal handlers: the list on request, before the program dies, and at any moment
 * while wires come and go. */
#include "common.h"

#include <fcntl.h>
#include <sys/time.h>

#include "wire_channel.h"
#include "wire_dump.h"
#include "wire_pool.h"

static void suspends(void *UNUSED(argument)) { wire_suspend(); }

static void raises(void *UNUSED(argument)) {
  errno = 77;
  raise(SIGUSR1);
  check(errno == 77);
}

static void signalled(void *UNUSED(argument)) {
  start_afresh();
  check(wire_dump_on_signal(SIGUSR1) == 0);
  spawn(suspends, NULL);
  spawn(raises, NULL);
  wire_thread_run();
}

static void a_signal_writes_the_list(void **UNUSED(state)) {
  if (TESTS_WITH_TSAN)
    skip(); /* calls handlers when it finds the time */
  const struct child *child = run_child(signalled, NULL);
  expect_success(child);
  expect_said(child, "has 2 wires\nlibwire: 1 'suspends', stack ");
  expect_said(child, ": running\n");
}

static void dies(void *UNUSED(argument)) {
  raise(SIGSEGV); /* is written for */
  raise(SIGSEGV); /* is died of */
}

static void faulty(void *UNUSED(argument)) {
  start_afresh();
  check(wire_dump_on_signal(SIGSEGV) == 0);
  spawn(dies, NULL);
  wire_thread_run();
}

static void a_fault_writes_the_list_once(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip(); /* reports the death itself */
  const struct child *child = run_child(faulty, NULL);
  expect_signal(child, SIGSEGV);
  const char *first = strstr(child->errors, "'dies', stack ");
  assert_non_null(first);
  assert_null(strstr(first + 1, "'dies', stack "));
}

static volatile sig_atomic_t storms;
static int nowhere;

static void storm(int UNUSED(argument)) {
  wire_dump(nowhere);
  storms++;
}

static wire_channel_t sent;

static void comes_and_goes(void *UNUSED(argument)) { wire_channel_send(&sent, NULL); }

static void makes_wires(void *UNUSED(argument)) {
  static wire_pool_t many;
  static wire_pool_entry_t entries[8];
  if (many.size == 0)
    check(wire_pool_init(&many, entries, 8, COMMON_STACK) == 0);
  while (storms < 500) {
    void *message;
    for (int i = 0; i < 8; i++)
      check(wire_pool_alloc(&many, "short", comes_and_goes, NULL) != NULL);
    for (int i = 0; i < 8; i++)
      check(wire_channel_recv_block(&sent, &message) == 0);
    wire_yield();
  }
}

/* While wires are made, switch, wait and end. */
static void signals_may_come_at_any_moment(void **UNUSED(state)) {
  if (TESTS_WITH_TSAN)
    skip(); /* calls handlers when it finds the time */
  start_afresh();
  wire_channel_init(&sent);
  nowhere = open("/dev/null", O_WRONLY);
  struct sigaction action = {.sa_handler = storm, .sa_flags = SA_ONSTACK};
  storms = 0;
  assert_int_equal(wire_dump_on_signal(SIGUSR2), 0); /* a signal stack */
  assert_int_equal(sigaction(SIGVTALRM, &action, NULL), 0);
  struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
  assert_int_equal(setitimer(ITIMER_VIRTUAL, &often, NULL), 0);
  spawn(makes_wires, NULL);
  wire_thread_run();
  assert_int_equal(setitimer(ITIMER_VIRTUAL, &never, NULL), 0);
  assert_true(storms >= 500);
  close(nowhere);
}

static void bad_signals_are_refused(void **UNUSED(state)) {
  const int bad[] = {0, -1, 1000, SIGKILL, SIGSTOP};
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    errno = 0;
    assert_int_equal(wire_dump_on_signal(bad[i]), -1);
    assert_int_equal(errno, EINVAL);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_signal_writes_the_list),
      cmocka_unit_test(a_fault_writes_the_list_once),
      cmocka_unit_test(signals_may_come_at_any_moment),
      cmocka_unit_test(bad_signals_are_refused),
  };
  return cmocka_run_group_tests_name("wire_dump_signal", tests, NULL, NULL);
}
