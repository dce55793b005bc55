/* wire_stack.h: what a stack is, its guards, what it costs, and giving it back. What stacks that
 * were given back keep: test_wire_stack_memory.c; where the kernel has no more to give:
 * test_wire_stack_limits.c; the fault detector: test_fault_detector.c; executable stacks:
 * test_wire_defer.c. */
#include "stacks.h"

#include <pthread.h>

static const unsigned sizes[] = {
    1, 1024, 4095, 4096, 4097, 5000, 16384, 1024u * 1024, 10u << 20, (10u << 20) + 1, 64u << 20};

static unsigned filled_size;

/* The library may keep a sixteenth for itself, to spread the tops of stacks over the cache. */
static void fills_most_of_its_stack(void *size) {
  size_t left = *(unsigned *)size / 16 * 15 - 2048;
  char filled[left];
  memset(filled, 0x5c, left);
  wire_yield();
  for (size_t i = 0; i < left; i += 1000)
    check(filled[i] == 0x5c);
  filled_size = *(unsigned *)size;
}

static void stacks_of_any_size_have_guards_on_both_sides(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
    char *stacks[3];
    for (int n = 0; n < 3; n++)
      assert_is_a_stack(stacks[n] = wire_stack_alloc(sizes[i]), sizes[i]);
    for (int n = 0; n < 3; n++)
      assert_is_a_stack(stacks[n], sizes[i]);
    for (int n = 0; n < 3; n++)
      wire_stack_free(stacks[n], sizes[i]);
  }
}

static void the_largest_size_works(void **UNUSED(state)) {
  if (sizeof(void *) < 8)
    skip();
  char *stack = wire_stack_alloc(UINT32_MAX);
  assert_is_a_stack(stack, UINT32_MAX);
  wire_stack_free(stack, UINT32_MAX);
}

static void wires_can_use_all_of_it(void **UNUSED(state)) {
  start_afresh();
  for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
    if (sizes[i] < (TESTS_WITH_SANITIZER ? 65536 : 4096))
      continue; /* frames are larger with sanitizers */
    unsigned size = sizes[i];
    wire_t wire;
    char *stack = wire_stack_alloc(size);
    assert_non_null(wire_init(&wire, "fills", fills_most_of_its_stack, &size, stack, size));
    wire_thread_run();
    assert_int_equal(filled_size, size);
    assert_is_a_stack(stack, size);
    wire_stack_free(stack, size);
  }
}

/* From the frame of the entry function down to the end, counting that frame as the wire's own. */
static int measured;

static void measures(void *stack) {
  check((char *)__builtin_frame_address(0) + 2 * sizeof(void *) - (char *)stack >= 3891);
  measured = 1;
}

static void a_page_leaves_3800_bytes_to_the_wire(void **UNUSED(state)) {
#ifndef __OPTIMIZE__
  skip(); /* frames of the library are larger, as with sanitizers */
#endif
  if (TESTS_WITH_SANITIZER)
    skip();
  start_afresh();
  wire_t wire;
  char *stack = wire_stack_alloc(4096);
  assert_non_null(wire_init(&wire, "page", measures, stack, stack, 4096));
  wire_thread_run();
  assert_int_equal(measured, 1);
  wire_stack_free(stack, 4096);
}

static void touches(void *address) { *(volatile char *)address = 1; }

static void touching_a_guard_is_a_fault(void **UNUSED(state)) {
  char *stack = wire_stack_alloc(3 * 4096);
  expect_signal(run_child(touches, stack - 1), SIGSEGV);
  expect_signal(run_child(touches, stack + rounded(3 * 4096)), SIGSEGV);
  expect_success(run_child(touches, stack));
  wire_stack_free(stack, 3 * 4096);
}

static void pages_cost_memory_only_when_touched(void **UNUSED(state)) {
  enum { count = 200, size = 1 << 20 };
  static char *stacks[count];
  size_t before = resident_bytes();
  for (int i = 0; i < count; i++)
    assert_non_null(stacks[i] = wire_stack_alloc(size));
  size_t untouched = resident_bytes() - before;
  assert_true(untouched < (size_t)count * size / 20);
  for (int i = 0; i < count; i++)
    stacks[i][size - 1] = 1;
  size_t touched = resident_bytes() - before;
  assert_true(touched < (size_t)count * size / 20);
  for (int i = 0; i < count; i++)
    wire_stack_free(stacks[i], size);
}

static void a_freed_stack_gives_its_memory_back(void **UNUSED(state)) {
  if (TESTS_WITH_SANITIZER)
    skip(); /* its shadow counts too */
  enum { size = 32 << 20 };
  char *stack = wire_stack_alloc(size);
  size_t before = resident_bytes();
  memset(stack, 1, size);
  assert_true(resident_bytes() > before + size / 2);
  wire_stack_free(stack, size);
  assert_true(resident_bytes() < before + size / 20);
}

static void a_freed_stack_is_used_again(void **UNUSED(state)) {
  enum { size = 7 * 4096 };
  char *keep = wire_stack_alloc(size), *freed = wire_stack_alloc(size);
  memset(keep, 0x11, size);
  memset(freed, 0x22, size);
  wire_stack_free(freed, size);
  char *again = wire_stack_alloc(size);
  assert_ptr_equal(again, freed);
  assert_is_a_stack(again, size);
  for (int i = 0; i < size; i++)
    assert_int_equal(keep[i], 0x11);
  wire_stack_free(keep, size);
  assert_is_a_stack(again, size);
  memset(again, 0x33, size);
  wire_stack_free(again, size);
}

static void stays_apart(void) {
  enum { count = 100, size = 3 * 4096 };
  static char *stacks[count];
  unsigned random = 12345;
  for (int round = 0; round < 2000; round++) {
    random = random * 1103515245u + 12345u;
    unsigned i = random >> 16;
    i %= count;
    if (stacks[i] == NULL) {
      assert_non_null(stacks[i] = wire_stack_alloc(size));
      memset(stacks[i], (int)i + 1, size);
    } else {
      for (int at = 0; at < size; at++)
        assert_int_equal(stacks[i][at], (char)(i + 1));
      wire_stack_free(stacks[i], size);
      stacks[i] = NULL;
    }
  }
  for (int i = 0; i < count; i++) {
    if (stacks[i] != NULL)
      assert_is_a_stack(stacks[i], size);
    wire_stack_free(stacks[i], size);
    stacks[i] = NULL;
  }
}

static void stacks_in_use_stay_apart_while_others_come_and_go(void **UNUSED(state)) {
  stays_apart();
}

static void comes_and_goes(unsigned round) {
  char *large = wire_stack_alloc(20u << 20), *odd = wire_stack_alloc(5 * 4096 + round);
  assert_non_null(large);
  assert_non_null(odd);
  memset(large, 1, 1 << 20);
  wire_stack_free(large, 20u << 20);
  wire_stack_free(odd, 5 * 4096 + round);
  stays_apart();
}

static void coming_and_going_leaks_no_mappings(void **UNUSED(state)) {
  comes_and_goes(1);
  int mappings = count_mappings();
  size_t resident = resident_bytes();
  for (unsigned round = 2; round < 8; round++)
    comes_and_goes(round);
  assert_true(count_mappings() <= mappings + 2);
  if (!TESTS_WITH_SANITIZER)
    assert_true(resident_bytes() < resident + (4u << 20));
}

static void bad_arguments_are_reported(void **UNUSED(state)) {
  errno = 0;
  assert_null(wire_stack_alloc(0));
  assert_int_equal(errno, EINVAL);
  errno = 0;
  wire_stack_free(NULL, 4096);
  wire_stack_free(NULL, 0);
  assert_int_equal(errno, 0);
}

static void success_leaves_errno_alone(void **UNUSED(state)) {
  for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
    errno = EXDEV;
    char *stack = wire_stack_alloc(sizes[i]);
    assert_non_null(stack);
    assert_int_equal(errno, EXDEV);
    wire_stack_free(stack, sizes[i]);
    assert_int_equal(errno, EXDEV);
  }
}

static void marks(void *text) { mark("%s", (const char *)text); }

static void *allocates_and_frees(void *letter) {
  enum { count = 50, size = 2 * 4096 };
  for (int round = 0; round < 200; round++) {
    char *stacks[count];
    for (int i = 0; i < count; i++) {
      check((stacks[i] = wire_stack_alloc(size)) != NULL);
      memset(stacks[i], *(char *)letter, size);
    }
    for (int i = 0; i < count; i++) {
      for (int at = 0; at < size; at += 512)
        check(stacks[i][at] == *(char *)letter);
      wire_stack_free(stacks[i], size);
    }
  }
  return NULL;
}

static void threads_allocate_at_the_same_time(void **UNUSED(state)) {
  pthread_t threads[4];
  char letters[] = "abcd";
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, allocates_and_frees, &letters[i]), 0);
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void allocates_in_a_wire(void *UNUSED(unused)) {
  static wire_t wire;
  check(wire_init(&wire, "inner", marks, "inner ", WIRE_STACK_ALLOC(16384)) != NULL);
}

static void *copies_own_permissions(void *to) {
  char here = 0;
  memcpy(to, permissions_at(&here), 5);
  return NULL;
}

static void stacks_are_executable_only_if_those_of_threads_are(void **UNUSED(state)) {
  pthread_t thread;
  char permissions[5];
  assert_int_equal(pthread_create(&thread, NULL, copies_own_permissions, permissions), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  char *stack = wire_stack_alloc(4096);
  assert_string_equal(permissions_at(stack), permissions);
  assert_string_equal(permissions, "rw-p");
  wire_stack_free(stack, 4096);
}

static void the_macro_gives_stack_and_size_also_in_a_wire(void **UNUSED(state)) {
  start_afresh();
  spawn(allocates_in_a_wire, NULL);
  wire_thread_run();
  assert_trace("inner ");
}

static void a_static_array_is_a_stack_too(void **UNUSED(state)) {
  start_afresh();
  static char array[4 * 65536];
  static wire_t wire;
  unsigned size = 65536;
  memset(array, 0x44, sizeof array);
  assert_non_null(wire_init(&wire, "array", fills_most_of_its_stack, &size, array + 65536, size));
  wire_thread_run();
  assert_int_equal(filled_size, size);
  for (size_t i = 0; i < 65536; i++) {
    assert_int_equal(array[i], 0x44);
    assert_int_equal(array[2 * 65536 + i], 0x44);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      /* First, while the library has still to find out what the kernel can do. */
      cmocka_unit_test(success_leaves_errno_alone),
      cmocka_unit_test(stacks_of_any_size_have_guards_on_both_sides),
      cmocka_unit_test(the_largest_size_works),
      cmocka_unit_test(wires_can_use_all_of_it),
      cmocka_unit_test(a_page_leaves_3800_bytes_to_the_wire),
      cmocka_unit_test(touching_a_guard_is_a_fault),
      cmocka_unit_test(pages_cost_memory_only_when_touched),
      cmocka_unit_test(a_freed_stack_gives_its_memory_back),
      cmocka_unit_test(a_freed_stack_is_used_again),
      cmocka_unit_test(stacks_in_use_stay_apart_while_others_come_and_go),
      cmocka_unit_test(coming_and_going_leaks_no_mappings),
      cmocka_unit_test(bad_arguments_are_reported),
      cmocka_unit_test(threads_allocate_at_the_same_time),
      cmocka_unit_test(stacks_are_executable_only_if_those_of_threads_are),
      cmocka_unit_test(the_macro_gives_stack_and_size_also_in_a_wire),
      cmocka_unit_test(a_static_array_is_a_stack_too),
  };
  return cmocka_run_group_tests(tests, prepare_stacks, NULL);
}
