/* What belongs to a wire and is the same after every switch: registers and errno; and how a wire
 * finds its stack at its start. Floating-point control: test_context_float.c; errno after a call
 * that succeeds: test_errno.c. */
#include "switches.h"

#include <execinfo.h>

static unsigned registers_checked;

#if defined(__x86_64__)

/* Loads the registers that a function must preserve from values[6], calls `function`, and gives a
 * bit for each that has changed. */
unsigned changed_over_call(const uint64_t *values, void (*function)(void));
__asm__(".text\n"
        ".type changed_over_call, @function\n"
        "changed_over_call:\n"
        "  pushq %rbx\n"
        "  pushq %rbp\n"
        "  pushq %r12\n"
        "  pushq %r13\n"
        "  pushq %r14\n"
        "  pushq %r15\n"
        "  pushq %rdi\n"
        "  movq 0(%rdi), %rbx\n"
        "  movq 8(%rdi), %rbp\n"
        "  movq 16(%rdi), %r12\n"
        "  movq 24(%rdi), %r13\n"
        "  movq 32(%rdi), %r14\n"
        "  movq 40(%rdi), %r15\n"
        "  call *%rsi\n"
        "  popq %rdi\n"
        "  xorl %eax, %eax\n"
        "  cmpq 0(%rdi), %rbx\n"
        "  je 1f\n"
        "  orl $1, %eax\n"
        "1: cmpq 8(%rdi), %rbp\n"
        "  je 1f\n"
        "  orl $2, %eax\n"
        "1: cmpq 16(%rdi), %r12\n"
        "  je 1f\n"
        "  orl $4, %eax\n"
        "1: cmpq 24(%rdi), %r13\n"
        "  je 1f\n"
        "  orl $8, %eax\n"
        "1: cmpq 32(%rdi), %r14\n"
        "  je 1f\n"
        "  orl $16, %eax\n"
        "1: cmpq 40(%rdi), %r15\n"
        "  je 1f\n"
        "  orl $32, %eax\n"
        "1:\n"
        "  popq %r15\n"
        "  popq %r14\n"
        "  popq %r13\n"
        "  popq %r12\n"
        "  popq %rbp\n"
        "  popq %rbx\n"
        "  ret\n"
        ".size changed_over_call, . - changed_over_call\n");

static uint64_t next_value(void) {
  static uint64_t value = 88172645463325252u;
  value ^= value << 13;
  value ^= value >> 7;
  value ^= value << 17;
  return value;
}

static void keeps_registers(void *way) {
  for (int round = 0; round < 300; round++) {
    uint64_t values[6];
    for (int i = 0; i < 6; i++)
      values[i] = next_value();
    check(changed_over_call(values, *(void (**)(void))way) == 0);
    registers_checked++;
  }
}

#else

/* As many values as any machine has such registers, kept by the compiler over the call. */
static void keeps_registers(void *way) {
  static volatile uint64_t source = 1;
  for (int round = 0; round < 300; round++) {
    uint64_t s = source++;
    uint64_t a = s * 3, b = s * 5, c = s * 7, d = s * 11, e = s * 13, f = s * 17, g = s * 19;
    uint64_t h = s * 23, i = s * 29, j = s * 31, k = s * 37, l = s * 41;
    double x = (double)s * 1.5, y = (double)s * 2.5, z = (double)s * 3.5, w = (double)s * 4.5;
    (*(void (**)(void))way)();
    check(a == s * 3 && b == s * 5 && c == s * 7 && d == s * 11 && e == s * 13 && f == s * 17);
    check(g == s * 19 && h == s * 23 && i == s * 29 && j == s * 31 && k == s * 37 && l == s * 41);
    check(x == (double)s * 1.5 && y == (double)s * 2.5 && z == (double)s * 3.5);
    check(w == (double)s * 4.5);
    registers_checked++;
  }
}

#endif

static void registers_are_kept_over_every_switch(void **UNUSED(state)) {
  registers_checked = 0;
  for_each_way(keeps_registers, 5);
  assert_int_equal(registers_checked, 300 * (3 * 5 + 3));
}

static void other_changes_registers(void *UNUSED(argument)) {
  void (*const yield)(void) = wire_yield;
  for (int i = 0; i < 2; i++)
    keeps_registers((void *)&yield);
}

static void registers_of_the_thread_are_kept_over_run(void **UNUSED(state)) {
  start_afresh();
  spawn(other_changes_registers, NULL);
  spawn(other_changes_registers, NULL);
  void (*const run)(void) = wire_thread_run;
  void (*const yield)(void) = wire_yield;
  keeps_registers((void *)&yield);
  keeps_registers((void *)&run);
}

/* --- the stack at the start --------------------------------------------------------------- */

struct start {
  char *low, *high; /* of the memory given to wire_init */
  int started;
};

#if defined(__x86_64__)

/* Runs first: remembers the stack pointer as it is at entry. */
static uintptr_t stack_pointer_at_entry __attribute__((used));
void entered(void *start);
__asm__(".text\n"
        ".type entered, @function\n"
        "entered:\n"
        "  movq %rsp, stack_pointer_at_entry(%rip)\n"
        "  jmp runs_on_any_alignment\n"
        ".size entered, . - entered\n");

static void check_alignment_at_entry(void) { check(stack_pointer_at_entry % 16 == 8); }

#else

static void check_alignment_at_entry(void) {}
#define entered runs_on_any_alignment

#endif

void runs_on_any_alignment(void *argument);

__attribute__((used)) void runs_on_any_alignment(void *argument) {
  struct start *start = argument;
  check_alignment_at_entry();
  __attribute__((aligned(16))) volatile long double aligned16 = 1.5L;
  __attribute__((aligned(64))) volatile char aligned64[64];
  aligned64[63] = 1;
  check((uintptr_t)&aligned16 % 16 == 0);
  check((uintptr_t)aligned64 % 64 == 0);
  check(TESTS_WITH_ASAN || ((char *)&aligned16 >= start->low && (char *)&aligned16 < start->high));
  char text[32]; /* variadic functions store aligned */
  snprintf(text, sizeof text, "%.2f %.1Lf", 0.25, aligned16);
  check(strcmp(text, "0.25 1.5") == 0);
  wire_yield();
  check(aligned16 == 1.5L && aligned64[63] == 1);
  start->started++;
}

/* Both ends at every offset, and nothing is written outside. */
static void a_stack_of_any_alignment_works(void **UNUSED(state)) {
  start_afresh();
  enum { size = 24 * 1024, border = 128 };
  __attribute__((aligned(64))) static char memory[size + 3 * border];
  for (unsigned offset = 0; offset < 64; offset++) {
    for (unsigned tail = 0; tail < 64; tail += offset % 8 == 0 ? 1 : 17) {
      memset(memory, 0x6d, sizeof memory);
      char *low = memory + border + offset;
      struct start start = {low, low + size + tail, 0};
      wire_t wire;
      assert_non_null(wire_init(&wire, "any", entered, &start, low, size + tail));
      wire_thread_run();
      assert_int_equal(start.started, 1);
      for (char *at = memory; at < memory + sizeof memory; at++)
        if (at < start.low || at >= start.high)
          assert_int_equal(*at, 0x6d);
    }
  }
}

static void stacks_of_the_library_are_aligned_too(void **UNUSED(state)) {
  start_afresh();
  for (unsigned size = 16384; size < 16384 + 300; size += 7) {
    char *low = wire_stack_alloc(size);
    struct start start = {low, low + size, 0};
    wire_t wire;
    assert_non_null(wire_init(&wire, "any", entered, &start, low, size));
    wire_thread_run();
    assert_int_equal(start.started, 1);
    wire_stack_free(low, size);
  }
}

/* Debuggers and crash handlers walk up the stack of a wire: it must have an end. */
static void walks_up(void *UNUSED(argument)) {
  void *frames[64];
  int count = backtrace(frames, 64);
  check(count > 0 && count < 64);
  mark("walked ");
}

static void a_backtrace_ends_where_the_wire_begins(void **UNUSED(state)) {
  start_afresh();
  spawn(walks_up, NULL);
  wire_thread_run();
  assert_trace("walked ");
}

/* --- errno -------------------------------------------------------------------------------- */

static int next_errno;

static void keeps_errno(void *way) {
  check(errno == 0); /* as in a new thread */
  int mine = ++next_errno;
  for (int round = 0; round < 300; round++) {
    errno = mine + round;
    (*(void (**)(void))way)();
    check(errno == mine + round);
    errno = 0;
    (*(void (**)(void))way)();
    check(errno == 0);
  }
  errno = mine;
}

static void errno_belongs_to_the_wire(void **UNUSED(state)) {
  errno = EXDEV;
  for_each_way(keeps_errno, 10);
  assert_int_equal(errno, EXDEV);
}

static void ends_with_errno(void *number) { errno = *(int *)number; }

static void sees_no_errno(void *UNUSED(argument)) {
  check(errno == 0);
  mark("none ");
}

static void errno_of_an_ended_wire_goes_to_nobody(void **UNUSED(state)) {
  start_afresh();
  int number = EDOM;
  spawn(ends_with_errno, &number);
  spawn(sees_no_errno, NULL);
  errno = ERANGE;
  wire_yield();
  assert_int_equal(errno, ERANGE);
  spawn(ends_with_errno, &number);
  wire_thread_run();
  assert_int_equal(errno, ERANGE);
  assert_trace("none ");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(registers_are_kept_over_every_switch),
      cmocka_unit_test(registers_of_the_thread_are_kept_over_run),
      cmocka_unit_test(a_stack_of_any_alignment_works),
      cmocka_unit_test(stacks_of_the_library_are_aligned_too),
      cmocka_unit_test(a_backtrace_ends_where_the_wire_begins),
      cmocka_unit_test(errno_belongs_to_the_wire),
      cmocka_unit_test(errno_of_an_ended_wire_goes_to_nobody),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
