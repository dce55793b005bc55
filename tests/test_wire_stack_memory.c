/* wire_stack.h: what memory stacks keep that have been given back, and that they are stacks again
 * afterwards. */
#include "stacks.h"

#include <pthread.h>
#include <sys/mman.h>

enum { warm_bytes = 1 << 20 }; /* what the stacks freed last keep together */
enum { slack = 512 << 10 };    /* for what else the process does */

static size_t pages_in_memory(char *stack, size_t size) {
  unsigned char pages[1024];
  size_t count = size / page, found = 0;
  assert_in_range(count, 1, sizeof pages);
  assert_int_equal(mincore(stack, size, pages), 0);
  for (size_t i = 0; i < count; i++)
    found += pages[i] & 1;
  return found;
}

static void allocate_and_fill(char **stacks, int count, size_t size) {
  for (int i = 0; i < count; i++) {
    assert_non_null(stacks[i] = wire_stack_alloc((unsigned)size));
    memset(stacks[i], i + 1, size);
  }
}

static void free_all(char **stacks, int count, size_t size) {
  for (int i = 0; i < count; i++)
    wire_stack_free(stacks[i], (unsigned)size);
}

static void the_stack_freed_last_is_used_next_and_keeps_its_memory(void **UNUSED(state)) {
  const size_t sizes[] = {page, 4 * page, 16 * page, 256 * page};
  for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
    char *stacks[2];
    allocate_and_fill(stacks, 2, sizes[i]);
    free_all(stacks, 2, sizes[i]);
    char *again = wire_stack_alloc((unsigned)sizes[i]);
    assert_ptr_equal(again, stacks[1]);
    assert_int_equal(pages_in_memory(again, sizes[i]), sizes[i] / page);
    assert_is_a_stack(again, sizes[i]);
    wire_stack_free(again, (unsigned)sizes[i]);
  }
}

static void others_keep_one_page_each(void **UNUSED(state)) {
  enum { count = 300, size = 65536, used = 299 };
  static char *stacks[count];
  size_t before = resident_bytes();
  allocate_and_fill(stacks, count, size);
  assert_true(resident_bytes() > before + (size_t)count * size * 3 / 4);
  free_all(stacks, used, size); /* one remains in use, so its neighbours stay as well */
  if (!TESTS_WITH_SANITIZER)    /* whose shadow counts too */
    assert_true(resident_bytes() < before + size + count * page + warm_bytes + slack);
  for (int i = 0; i < size; i++)
    assert_int_equal(stacks[used][i], (char)(used + 1));
  wire_stack_free(stacks[used], size);
}

/* As many as there are in the arena of the second half of these, and all of them given back. */
static void many_that_are_all_given_back_keep_next_to_nothing(void **UNUSED(state)) {
  enum { count = 1500, size = 16384 };
  static char *stacks[count];
  size_t before = resident_bytes();
  for (int round = 0; round < 3; round++) {
    allocate_and_fill(stacks, count, size);
    for (int i = 0; i < count; i++)
      for (int at = 0; at < size; at += 1024)
        assert_int_equal(stacks[i][at], (char)(i + 1));
    for (int i = 0; i < count; i += 7)
      assert_is_a_stack(stacks[i], size);
    assert_true(resident_bytes() > before + (size_t)count * size * 3 / 4);
    free_all(stacks, count, size);
    if (!TESTS_WITH_SANITIZER)
      assert_true(resident_bytes() < before + count * page / 4 + warm_bytes + slack);
  }
}

static void adds(void *sum) {
  ++*(int *)sum;
  wire_yield();
  ++*(int *)sum;
}

static void wires_run_on_stacks_that_come_and_go(void **UNUSED(state)) {
  enum { count = 200, size = TESTS_WITH_SANITIZER ? 65536 : 12288 };
  static wire_t wires[count];
  static char *stacks[count];
  start_afresh();
  int sum = 0, expected = 0;
  unsigned random = 4711;
  for (int round = 0; round < 100; round++) {
    random = random * 1103515245u + 12345u;
    int now = 1 + (int)((random >> 16) % count);
    for (int i = 0; i < now; i++) {
      assert_non_null(stacks[i] = wire_stack_alloc(size));
      assert_non_null(wire_init(&wires[i], "adds", adds, &sum, stacks[i], size));
    }
    wire_thread_run();
    free_all(stacks, now, size);
    assert_int_equal(sum, expected += 2 * now);
  }
}

static void *frees(void *stack) {
  wire_stack_free(stack, 16384);
  return NULL;
}

static void what_a_thread_frees_outlives_it(void **UNUSED(state)) {
  char *stack;
  allocate_and_fill(&stack, 1, 16384);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, frees, stack), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_ptr_equal(wire_stack_alloc(16384), stack);
  assert_is_a_stack(stack, 16384);
  wire_stack_free(stack, 16384);
}

static void uses_stacks_in_the_child(void *in_use) {
  many_that_are_all_given_back_keep_next_to_nothing(NULL);
  the_stack_freed_last_is_used_next_and_keeps_its_memory(NULL);
  check(*(char *)in_use == 1);
  wire_stack_free(in_use, 65536);
}

static void a_forked_process_has_its_own(void **UNUSED(state)) {
  char *stacks[20];
  allocate_and_fill(stacks, 20, 65536);
  free_all(stacks + 1, 19, 65536);
  expect_success(run_child(uses_stacks_in_the_child, stacks[0]));
  assert_int_equal(*stacks[0], 1);
  assert_ptr_equal(wire_stack_alloc(65536), stacks[19]);
  assert_int_equal(pages_in_memory(stacks[19], 65536), 65536 / page);
  wire_stack_free(stacks[19], 65536);
  wire_stack_free(stacks[0], 65536);
}

static void needs_the_address_space_of_others(void *UNUSED(unused)) {
  enum { count = 100, size = 256 << 10 };
  static char *stacks[count];
  size_t before = address_space();
  allocate_and_fill(stacks, count, size);
  free_all(stacks, count, size);
  struct rlimit tight;
  check(getrlimit(RLIMIT_AS, &tight) == 0);
  tight.rlim_cur = before + (12u << 20);
  check(setrlimit(RLIMIT_AS, &tight) == 0);
  char *stack = wire_stack_alloc(8u << 20);
  check(stack != NULL);
  check(readable(stack - 1) == 0 && writable(stack) == 1 && readable(stack + (8u << 20)) == 0);
}

static void address_space_that_is_kept_for_later_is_there_for_other_sizes(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip(); /* reserves more than any limit */
  expect_success(run_child(needs_the_address_space_of_others, NULL));
}

static void gives_back_twice(void *UNUSED(unused)) {
  enum { count = 150, size = 8192 };
  static char *stacks[count];
  allocate_and_fill(stacks, count, size);
  free_all(stacks, count, size);
  wire_stack_free(stacks[count - 1], size);
}

static void to_give_back_twice_ends_the_program(void **UNUSED(state)) {
  const struct child *child = run_child(gives_back_twice, NULL);
  expect_signal(child, SIGABRT);
  expect_said(child, "wire_stack_free");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_stack_freed_last_is_used_next_and_keeps_its_memory),
      cmocka_unit_test(others_keep_one_page_each),
      cmocka_unit_test(many_that_are_all_given_back_keep_next_to_nothing),
      cmocka_unit_test(wires_run_on_stacks_that_come_and_go),
      cmocka_unit_test(what_a_thread_frees_outlives_it),
      cmocka_unit_test(a_forked_process_has_its_own),
      cmocka_unit_test(address_space_that_is_kept_for_later_is_there_for_other_sizes),
      cmocka_unit_test(to_give_back_twice_ends_the_program),
  };
  return cmocka_run_group_tests(tests, prepare_stacks, NULL);
}
