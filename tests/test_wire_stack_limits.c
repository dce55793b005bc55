/* wire_stack.h: what happens where the kernel has no more to give: address space, mappings, memory
 * that may be locked. */
#include "stacks.h"

#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static void marks(void *text) { mark("%s", (const char *)text); }

static void runs_out_of_address_space(void *UNUSED(unused)) {
  char *first = wire_stack_alloc(1 << 20);
  check(first != NULL);
  struct rlimit before, tight;
  check(getrlimit(RLIMIT_AS, &before) == 0);
  tight = before;
  tight.rlim_cur = address_space() + (400u << 20);
  check(setrlimit(RLIMIT_AS, &tight) == 0);
  unsigned got = 0;
  errno = 0;
  while (wire_stack_alloc(1 << 20) != NULL)
    check(got++ < 2000);
  check(errno == ENOMEM);
  check(got > 300); /* most of what was there could be had, one by one in the end */
  wire_t wire;
  check(wire_init(&wire, "works", marks, "works", first, 1 << 20) != NULL);
  wire_thread_run();
  check(strcmp(take_trace(), "works") == 0);
  wire_stack_free(first, 1 << 20);
  check(wire_stack_alloc(1 << 20) != NULL);
  check(setrlimit(RLIMIT_AS, &before) == 0);
  check(wire_stack_alloc(1 << 20) != NULL);
}

static void too_little_address_space_is_reported_and_can_be_overcome(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip(); /* reserves more than any limit */
  expect_success(run_child(runs_out_of_address_space, NULL));
}

/* Where memory is locked the kernel refuses MADV_GUARD_INSTALL. */
static void locks_all_memory(void *UNUSED(unused)) {
  check(wire_stack_alloc(8 * 4096) != NULL);
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
    _exit(77);
  for (int i = 0; i < 40; i++) {
    char *stack = wire_stack_alloc(8 * 4096);
    check(stack != NULL);
    check(readable(stack) == 1 && writable(stack + 8 * 4096 - 1) == 1);
    check(readable(stack - 1) == 0 && readable(stack + 8 * 4096) == 0);
  }
  check(wire_stack_alloc(64 * 4096) != NULL);
}

static void a_program_that_locks_its_memory_gets_guarded_stacks(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip(); /* the shadow cannot be locked */
  const struct child *child = run_child(locks_all_memory, NULL);
  if (WIFEXITED(child->status) && WEXITSTATUS(child->status) == 77)
    skip(); /* not allowed to */
  expect_success(child);
}

static int kernel_installs_guards(void) {
  void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int known = madvise(memory, page, MADV_GUARD_INSTALL) == 0;
  munmap(memory, page);
  return known;
}

static long mapping_limit(void) {
  FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
  long limit = 0;
  if (file == NULL || fscanf(file, "%ld", &limit) != 1)
    fail_msg("vm.max_map_count cannot be read");
  fclose(file);
  return limit;
}

static void counts(void *count) {
  ++*(unsigned *)count;
  wire_yield();
  ++*(unsigned *)count;
}

/* More than there may be mappings, each with a wire that runs. */
static void more_stacks_than_mappings_are_allowed(void **UNUSED(state)) {
  long limit = mapping_limit();
  if (GUARD_BY_MPROTECT || !kernel_installs_guards() || limit > 100000)
    skip();
  if (TESTS_WITH_TSAN)
    skip(); /* takes 8000 wires at most */
  start_afresh();
  unsigned wanted = (unsigned)limit + 1000, count = 0;
  int mappings = count_mappings();
  char **stacks = calloc(wanted, sizeof *stacks);
  wire_t *wires = calloc(wanted, sizeof *wires);
  for (unsigned i = 0; i < wanted; i++) {
    assert_non_null(stacks[i] = wire_stack_alloc(4096));
    assert_non_null(wire_init(&wires[i], "one of many", counts, &count, stacks[i], 4096));
  }
  for (unsigned i = 0; i < wanted; i += 997)
    assert_is_a_stack(stacks[i], 4096);
  assert_true(count_mappings() < mappings + 1000);
  wire_thread_run();
  assert_int_equal(count, 2 * wanted);
  for (unsigned i = 0; i < wanted; i++)
    wire_stack_free(stacks[i], 4096);
  free(stacks);
  free(wires);
}

enum { limit_stack = TESTS_WITH_SANITIZER ? 65536 : 4096 };

static void reaches_the_limit(void *limit) {
  unsigned got = 0;
  char *stack, *first = NULL, *last = NULL;
  errno = 0;
  while ((stack = wire_stack_alloc(limit_stack)) != NULL) {
    check(got++ < *(long *)limit);
    first = first ? first : stack;
    last = stack;
  }
  check(errno == ENOMEM);
  check(got > *(long *)limit * 45 / 100);
  check(wire_stack_alloc(limit_stack) == NULL && errno == ENOMEM);
  /* All else goes on working. */
  check(readable(last - 1) == 0 && readable(last) == 1 && readable(last + limit_stack) == 0);
  wire_t wires[2];
  check(wire_init(&wires[0], "a", marks, "a ", first, limit_stack) != NULL);
  check(wire_init(&wires[1], "b", marks, "b ", last, limit_stack) != NULL);
  wire_thread_run();
  check(strcmp(take_trace(), "a b ") == 0);
  wire_stack_free(last, limit_stack);
  check(wire_stack_alloc(limit_stack) == last);
}

static void the_limit_on_mappings_is_reported_by_its_name(void **UNUSED(state)) {
  long limit = mapping_limit();
  if (!GUARD_BY_MPROTECT || limit > 100000)
    skip();
  if (TESTS_WITH_TSAN)
    skip(); /* has no mapping left for itself then */
  const struct child *child = run_child(reaches_the_limit, &limit);
  expect_success(child);
  expect_said(child, "vm.max_map_count");
  assert_ptr_equal(strchr(child->errors, '\n'), strrchr(child->errors, '\n')); /* once */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(too_little_address_space_is_reported_and_can_be_overcome),
      cmocka_unit_test(a_program_that_locks_its_memory_gets_guarded_stacks),
      cmocka_unit_test(more_stacks_than_mappings_are_allowed),
      cmocka_unit_test(the_limit_on_mappings_is_reported_by_its_name),
  };
  return cmocka_run_group_tests(tests, prepare_stacks, NULL);
}
