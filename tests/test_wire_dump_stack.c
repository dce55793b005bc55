/* wire_dump.h: how much of its stack each wire has used. */
#include "common.h"
#include "dumps.h"

/* The most of its stack that a wire has used. */
static unsigned used_by(const char *name) {
  unsigned used = 0, size = 0;
  check(sscanf(line_of(dumped(), name), "libwire: %*u '%*[^']', stack %u of %u:", &used, &size) ==
        2);
  check(size == COMMON_STACK);
  return used;
}

static void suspends(void *UNUSED(argument)) { wire_suspend(); }

enum { much = 30000 };

__attribute__((noinline)) static void uses(void) {
  volatile char room[much];
  for (size_t i = 0; i < much; i++)
    room[i] = 1;
  check(room[0] == 1);
}

static void uses_much(void *UNUSED(argument)) {
  wire_yield();
  uses();
  wire_yield();
}

static void the_most_that_was_used_of_a_stack_is_remembered(void **UNUSED(state)) {
  start_afresh();
  spawn(suspends, NULL); /* allocates the stack, if none is there */
  start_afresh();
  free_stacks(); /* and the next that is allocated is as new */
  spawn(uses_much, NULL);
  wire_yield();
  unsigned before = used_by("uses_much");
  assert_in_range(before, 100, TESTS_WITH_SANITIZER ? 20000 : 8000);
  wire_yield();
  unsigned after = used_by("uses_much");
  assert_in_range(after, much, COMMON_STACK);
  wire_thread_run();
}

/* The program's own guard page is part of what it gave. */
static void a_guard_page_inside_the_stack_is_not_touched(void **UNUSED(state)) {
  start_afresh();
  char *stack =
      mmap(NULL, COMMON_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(stack != MAP_FAILED);
  assert_int_equal(mprotect(stack, 4096, PROT_NONE), 0);
  wire_t wire;
  assert_non_null(wire_init(&wire, "guarded", suspends, NULL, stack, COMMON_STACK));
  wire_yield();
  assert_in_range(used_by("guarded"), 100, 20000);
  start_afresh();
  munmap(stack, COMMON_STACK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_most_that_was_used_of_a_stack_is_remembered),
      cmocka_unit_test(a_guard_page_inside_the_stack_is_not_touched),
  };
  return cmocka_run_group_tests_name("wire_dump_stack", tests, NULL, NULL);
}
