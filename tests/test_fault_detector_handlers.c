/* wire_stack_fault_detector_install beside a handler of the program's: after the report it runs as
 * if the detector were not there. Each case runs in a child process. */
#include "faults.h"

#include <sys/mman.h>

static void previous(int signal) {
  static const char text[] = "previous\n";
  check(signal == SIGSEGV);
  if (write(1, text, sizeof text - 1) > 0)
    _exit(5);
}

static void *expected_address;

static void previous_with_info(int signal, siginfo_t *info, void *context) {
  check(info->si_signo == SIGSEGV && info->si_addr == expected_address && context != NULL);
  previous(signal);
}

static void has_a_handler(void *address) {
  signal(SIGSEGV, previous);
  touches_with_detector(address);
}

static void has_a_handler_with_info(void *address) {
  struct sigaction action = {.sa_sigaction = previous_with_info, .sa_flags = SA_SIGINFO};
  expected_address = address;
  sigaction(SIGSEGV, &action, NULL);
  touches_with_detector(address);
}

static void has_a_handler_outside(void *address) {
  signal(SIGSEGV, previous);
  touches_outside(address);
}

static void the_previous_handler_runs_after_the_report(void **UNUSED(state)) {
  void (*const bodies[])(void *) = {has_a_handler, has_a_handler_with_info};
  for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
    const struct child *child = run_child(bodies[i], (void *)64);
    assert_true(WIFEXITED(child->status));
    assert_int_equal(WEXITSTATUS(child->status), 5);
    assert_string_equal(child->output, "previous\n");
    expect_said(child, "the culprit");
    expect_said(child, "0x40");
  }
  const struct child *child = run_child(has_a_handler_outside, NULL);
  assert_int_equal(WEXITSTATUS(child->status), 5);
  assert_string_equal(child->output, "previous\n");
  assert_string_equal(child->errors, "");
}

static char *page;

/* One that makes the address good, as garbage collectors do: the wire goes on. */
static void repairs(int UNUSED(signal), siginfo_t *info, void *UNUSED(context)) {
  check(info->si_addr == page);
  check(mprotect(page, 4096, PROT_READ | PROT_WRITE) == 0);
}

static void touches_and_goes_on(void *address) {
  touches(address);
  mark("went on");
}

static void has_a_repairing_handler(void *UNUSED(argument)) {
  struct sigaction action = {.sa_sigaction = repairs, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  wire_stack_fault_detector_install();
  page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  in_a_wire(touches_and_goes_on, page);
  check(strcmp(take_trace(), "went on") == 0);
  check(*page == 1);
}

static void a_previous_handler_may_repair_and_return(void **UNUSED(state)) {
  expect_success(run_child(has_a_repairing_handler, NULL));
}

/* As crash reporters do: the second time the process shall die. */
static void runs_once(int signal) {
  check(signal == SIGSEGV);
  check(write(1, "previous\n", 9) == 9);
}

static void has_a_handler_for_once(void *address) {
  struct sigaction action = {.sa_handler = runs_once, .sa_flags = (int)SA_RESETHAND};
  sigaction(SIGSEGV, &action, NULL);
  deadline(10);
  touches_with_detector(address);
}

static void a_previous_handler_that_is_to_run_once_runs_once(void **UNUSED(state)) {
  const struct child *child = run_child(has_a_handler_for_once, NULL);
  expect_signal(child, SIGSEGV);
  assert_string_equal(child->output, "previous\n");
}

static sigjmp_buf recovery;

static void jumps_out(int UNUSED(signal)) { siglongjmp(recovery, 1); }

static void recovers(void *address) {
  for (volatile int round = 0; round < 3; round++)
    if (sigsetjmp(recovery, 1) == 0)
      touches(address);
    else
      mark("recovered ");
  wire_yield();
}

static void has_a_handler_that_jumps(void *unused) {
  signal(SIGSEGV, jumps_out);
  wire_stack_fault_detector_install();
  in_a_wire(recovers, unused);
  check(strcmp(take_trace(), "recovered recovered recovered ") == 0);
}

static void a_previous_handler_may_jump_out(void **UNUSED(state)) {
  expect_success(run_child(has_a_handler_that_jumps, NULL));
}

static void ignores(void *how) {
  signal(SIGSEGV, SIG_IGN);
  wire_stack_fault_detector_install();
  in_a_wire(how != NULL ? kills_itself : touches, NULL);
}

/* The kernel ignores what was sent, never what the machine raises. */
static void where_it_was_ignored_only_real_faults_are_fatal(void **UNUSED(state)) {
  expect_signal(run_child(ignores, NULL), SIGSEGV);
  const struct child *child = run_child(ignores, "sent");
  assert_true(WIFEXITED(child->status));
  assert_int_equal(WEXITSTATUS(child->status), 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_previous_handler_runs_after_the_report),
      cmocka_unit_test(a_previous_handler_may_repair_and_return),
      cmocka_unit_test(a_previous_handler_that_is_to_run_once_runs_once),
      cmocka_unit_test(a_previous_handler_may_jump_out),
      cmocka_unit_test(where_it_was_ignored_only_real_faults_are_fatal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
