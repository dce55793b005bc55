/* What the tests of stacks share: whether memory is a stack between guards. Their groups begin with
 * prepare_stacks().
 *
 * CMakeLists.txt makes more programs of each: with guards made by mprotect because the environment
 * asks for it, and because the kernel knows nothing else (old_kernel.c). */
#ifndef TESTS_STACKS_H
#define TESTS_STACKS_H

#include "common.h"
#include "mappings.h"

#define ON_REQUEST 1
#define ON_OLD_KERNEL 2
#ifndef GUARD_BY_MPROTECT
#define GUARD_BY_MPROTECT 0
#endif

static size_t page;
static int probe[2];

/* The kernel reads the byte, so that a guard is an error and not a fault. */
HELPER int readable(const char *address) {
  if (write(probe[1], address, 1) != 1)
    return errno == EFAULT ? 0 : -1;
  char byte;
  return read(probe[0], &byte, 1) == 1 ? 1 : -1;
}

HELPER int writable(char *address) {
  char byte = 0;
  if (write(probe[1], &byte, 1) != 1)
    return -1;
  if (read(probe[0], address, 1) == 1)
    return 1;
  int answer = errno == EFAULT ? 0 : -1;
  return read(probe[0], &byte, 1) == 1 ? answer : -1;
}

HELPER size_t rounded(size_t size) { return (size + page - 1) / page * page; }

/* Usable from the first to the last byte, not beyond. */
HELPER void assert_is_a_stack(char *stack, size_t size) {
  assert_non_null(stack);
  assert_int_equal((uintptr_t)stack % page, 0);
  char *end = stack + rounded(size);
  assert_int_equal(writable(stack), 1);
  assert_int_equal(writable(end - 1), 1);
  char *const guarded[] = {stack - 1, stack - page, end, end + page - 1};
  for (size_t i = 0; i < ARRAY_SIZE(guarded); i++) {
    assert_int_equal(readable(guarded[i]), 0);
    assert_int_equal(writable(guarded[i]), 0);
  }
}

HELPER int prepare_stacks(void **UNUSED(state)) {
  if (GUARD_BY_MPROTECT == ON_REQUEST)
    setenv("WIRE_STACK_GUARD", "mprotect", 1);
  page = (size_t)sysconf(_SC_PAGESIZE);
  return pipe(probe);
}

#endif
