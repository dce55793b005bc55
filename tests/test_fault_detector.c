/* wire_stack_fault_detector_install: what it reports for which fault, and that the process ends as
 * it would have. Each case runs in a child process. Handlers that were there before:
 * test_fault_detector_handlers.c. */
#include "faults.h"
#include "mappings.h"

#include <pthread.h>
#include <sys/mman.h>

static char address_text[32];

static const char *in_hex(const void *address) {
  snprintf(address_text, sizeof address_text, "0x%lx", (unsigned long)(uintptr_t)address);
  return address_text;
}

/* One line, about the wire and the address. */
static void expect_report(const struct child *child, const void *address, const char *reason) {
  expect_signal(child, SIGSEGV);
  expect_said(child, "the culprit");
  if (address != NULL)
    expect_said(child, in_hex(address));
  expect_said(child, reason);
  const char *end = strchr(child->errors, '\n');
  if (end == NULL || end[1] != '\0')
    fail_msg("not one line:\n%s", child->errors);
}

static void not_said(const struct child *child, const char *text) {
  if (strstr(child->errors, text) != NULL)
    fail_msg("\"%s\" in what the child said on stderr:\n%s", text, child->errors);
}

static volatile int always = 1;

__attribute__((noinline)) static int recurse(volatile int *above) {
  volatile int local[64];
  local[0] = *above + 1;
  int deeper = always ? recurse(local) : 0;
  return deeper + local[0];
}

static void recurses(void *UNUSED(argument)) {
  volatile int start = 0;
  recurse(&start);
}

static void overflows(void *unused) {
  wire_stack_fault_detector_install();
  in_a_wire(recurses, unused);
}

static void endless_recursion_is_a_stack_overflow(void **UNUSED(state)) {
  const struct child *child = run_child(overflows, NULL);
  expect_report(child, NULL, "stack overflow");
  not_said(child, "underflow");
}

static void the_whole_guard_below_is_overflow_and_above_underflow(void **UNUSED(state)) {
  stack = wire_stack_alloc(stack_size);
  struct {
    char *address;
    const char *reason;
  } const cases[] = {
      {stack - 1, "stack overflow"},
      {stack - 2048, "stack overflow"},
      {stack - 4096, "stack overflow"},
      {stack + stack_size, "stack underflow"},
      {stack + stack_size + 2048, "stack underflow"},
      {stack + stack_size + 4095, "stack underflow"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
    expect_report(run_child(touches_with_detector, cases[i].address), cases[i].address,
                  cases[i].reason);
  wire_stack_free(stack, stack_size);
  stack = NULL;
}

static char *odd_stack;
static unsigned odd_size;

static void touches_on_odd_stack(void *address) {
  wire_stack_fault_detector_install();
  check(wire_init(&wire, "the culprit", touches, address, odd_stack, odd_size) != NULL);
  wire_thread_run();
}

/* The guard begins at the end of the last page, not where the size ends. */
static void guards_are_known_for_sizes_that_are_no_whole_pages(void **UNUSED(state)) {
  static const unsigned sizes[] = {16385, 20000, 20479};
  for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
    odd_size = sizes[i];
    odd_stack = wire_stack_alloc(odd_size);
    char *end = odd_stack + 20480;
    expect_report(run_child(touches_on_odd_stack, odd_stack - 1), odd_stack - 1, "stack overflow");
    expect_report(run_child(touches_on_odd_stack, end), end, "stack underflow");
    expect_report(run_child(touches_on_odd_stack, end + 4095), end + 4095, "stack underflow");
    wire_stack_free(odd_stack, odd_size);
  }
}

static void expect_other_fault(const struct child *child, const void *address) {
  expect_report(child, address, "SIGSEGV");
  not_said(child, "overflow");
  not_said(child, "underflow");
}

static void a_null_pointer_is_reported_with_its_address(void **UNUSED(state)) {
  const struct child *child = run_child(touches_with_detector, NULL);
  expect_other_fault(child, NULL);
  expect_said(child, "0x0");
  expect_said(child, "not mapped");
}

static void any_other_address_is_reported(void **UNUSED(state)) {
  char *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const struct child *child = run_child(touches_with_detector, memory + 1234);
  expect_other_fault(child, memory + 1234);
  expect_said(child, "not permitted");
  munmap(memory, 4096);
  /* Below what mmap gives out: the place that was just freed might be in use again. */
  char *low = (char *)(uintptr_t)(8192 + 1234);
  child = run_child(touches_with_detector, low);
  expect_other_fault(child, low);
  expect_said(child, "not mapped");
}

#if defined(__x86_64__)
static void an_address_the_machine_does_not_have_is_reported(void **UNUSED(state)) {
  expect_other_fault(run_child(touches_with_detector, (void *)0x8000000000001000u), NULL);
}
#endif

static void raises(void *UNUSED(argument)) {
  raise(SIGSEGV);
  _exit(3);
}

static void kills_itself_with_detector(void *unused) {
  wire_stack_fault_detector_install();
  in_a_wire(kills_itself, unused);
}

static void raises_with_detector(void *unused) {
  wire_stack_fault_detector_install();
  in_a_wire(raises, unused);
}

static void a_signal_that_was_sent_is_reported_and_the_process_dies_of_it(void **UNUSED(state)) {
  const struct child *child = run_child(kills_itself_with_detector, NULL);
  expect_other_fault(child, NULL);
  expect_said(child, "sent");
  expect_other_fault(run_child(raises_with_detector, NULL), NULL);
}

static void outside_wires_nothing_is_said(void **UNUSED(state)) {
  const struct child *child = run_child(touches_outside, NULL);
  expect_signal(child, SIGSEGV);
  assert_string_equal(child->errors, "");
}

static void *overflows_in_thread(void *unused) {
  overflows(unused);
  return NULL;
}

static void run_thread(void *(*body)(void *), void *argument) {
  pthread_t thread;
  check(pthread_create(&thread, NULL, body, argument) == 0);
  check(pthread_join(thread, NULL) == 0);
}

static void second_thread(void *UNUSED(argument)) {
  wire_stack_fault_detector_install();
  in_a_wire(ends, NULL);
  run_thread(overflows_in_thread, NULL);
}

static void only_in_a_second_thread(void *UNUSED(argument)) {
  run_thread(overflows_in_thread, NULL);
}

static void each_thread_that_installs_it_is_covered(void **UNUSED(state)) {
  expect_report(run_child(second_thread, NULL), NULL, "stack overflow");
  expect_report(run_child(only_in_a_second_thread, NULL), NULL, "stack overflow");
}

static void *installs(void *unused) {
  wire_stack_fault_detector_install();
  in_a_wire(ends, NULL);
  return unused;
}

static void many_threads(void *UNUSED(argument)) {
  for (int i = 0; i < 5; i++)
    run_thread(installs, NULL);
  int before = count_mappings();
  for (int i = 0; i < 200; i++)
    run_thread(installs, NULL);
  check(count_mappings() <= before + 5);
  overflows(NULL);
}

static void threads_that_end_take_their_signal_stack_along(void **UNUSED(state)) {
  expect_report(run_child(many_threads, NULL), NULL, "stack overflow");
}

static void *has_a_signal_stack(void *unused) {
  static char own[256 * 1024];
  stack_t mine = {.ss_sp = own, .ss_size = sizeof own}, now;
  check(sigaltstack(&mine, NULL) == 0);
  wire_stack_fault_detector_install();
  check(sigaltstack(NULL, &now) == 0 && now.ss_sp == own);
  in_a_wire(recurses, NULL);
  return unused;
}

static void uses_own_signal_stack(void *UNUSED(argument)) { run_thread(has_a_signal_stack, NULL); }

static void a_signal_stack_of_the_program_stays(void **UNUSED(state)) {
  expect_report(run_child(uses_own_signal_stack, NULL), NULL, "stack overflow");
}

static void twice_and_in_a_wire(void *unused) {
  wire_stack_fault_detector_install();
  overflows(unused);
}

static void installing_twice_reports_once(void **UNUSED(state)) {
  expect_report(run_child(twice_and_in_a_wire, NULL), NULL, "stack overflow");
}

static void installs_and_recurses(void *unused) {
  wire_stack_fault_detector_install();
  recurses(unused);
}

static void from_within(void *unused) { in_a_wire(installs_and_recurses, unused); }

static void it_can_be_installed_in_a_wire(void **UNUSED(state)) {
  expect_report(run_child(from_within, NULL), NULL, "stack overflow");
}

static void forks_and_overflows(void *unused) {
  wire_stack_fault_detector_install();
  pid_t child = fork();
  check(child >= 0);
  if (child == 0) {
    in_a_wire(recurses, unused);
    _exit(0);
  }
  int status;
  check(TEMP_FAILURE_RETRY(waitpid(child, &status, 0)) == child);
  check(WIFSIGNALED(status));
  signal(WTERMSIG(status), SIG_DFL);
  raise(WTERMSIG(status));
}

static void a_forked_process_is_covered(void **UNUSED(state)) {
  expect_report(run_child(forks_and_overflows, NULL), NULL, "stack overflow");
}

static void has_no_detector(void *unused) { in_a_wire(recurses, unused); }

static void without_it_nothing_is_said(void **UNUSED(state)) {
  const struct child *child = run_child(has_no_detector, NULL);
  expect_signal(child, SIGSEGV);
  assert_string_equal(child->errors, "");
}

static void success_leaves_errno_alone(void **UNUSED(state)) {
  errno = EXDEV;
  wire_stack_fault_detector_install();
  assert_int_equal(errno, EXDEV);
  wire_stack_fault_detector_install();
  assert_int_equal(errno, EXDEV);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(without_it_nothing_is_said),
    cmocka_unit_test(endless_recursion_is_a_stack_overflow),
    cmocka_unit_test(the_whole_guard_below_is_overflow_and_above_underflow),
    cmocka_unit_test(guards_are_known_for_sizes_that_are_no_whole_pages),
    cmocka_unit_test(a_null_pointer_is_reported_with_its_address),
    cmocka_unit_test(any_other_address_is_reported),
#if defined(__x86_64__)
    cmocka_unit_test(an_address_the_machine_does_not_have_is_reported),
#endif
    cmocka_unit_test(a_signal_that_was_sent_is_reported_and_the_process_dies_of_it),
    cmocka_unit_test(outside_wires_nothing_is_said),
    cmocka_unit_test(each_thread_that_installs_it_is_covered),
    cmocka_unit_test(threads_that_end_take_their_signal_stack_along),
    cmocka_unit_test(a_signal_stack_of_the_program_stays),
    cmocka_unit_test(installing_twice_reports_once),
    cmocka_unit_test(it_can_be_installed_in_a_wire),
    cmocka_unit_test(a_forked_process_is_covered),
    cmocka_unit_test(success_leaves_errno_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
