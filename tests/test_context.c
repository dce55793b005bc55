/* What belongs to a wire and is the same after every switch: registers, floating-point control,
 * errno; and how a wire finds its stack at its start. errno after a call that succeeds:
 * test_errno.c. */
#include "common.h"

#include <execinfo.h>
#include <fenv.h>

#include "wire_channel.h"
#include "wire_defer.h"
#include "wire_fd.h"
#include "wire_lock.h"

#if defined(__x86_64__) || defined(__i386__)
#define HAS_CONTROL_WORDS 1
#else
#define HAS_CONTROL_WORDS 0
#endif

/* --- every way to switch ------------------------------------------------------------------ */

static wire_channel_t channel;
static wire_lock_t lock;

static void resumes(void *wire) { wire_resume(wire); }

static void is_short(void *unused) { (void)unused; }

static wire_t helper;
static char helper_stack[COMMON_STACK];

static void start_helper(void (*entry)(void *)) {
  check(wire_init(&helper, "helper", entry, wire_get_current(), helper_stack,
                  sizeof helper_stack) != NULL);
}

static void by_yield(void) { wire_yield(); }

static void by_yield_to_a_new_wire(void) {
  start_helper(is_short);
  wire_yield();
}

static void by_suspend(void) {
  start_helper(resumes);
  wire_suspend();
}

static void by_sleep(void) { wire_fd_wait_msec(1); }

static void by_lock(void) {
  wire_lock_take(&lock);
  wire_yield();
  wire_lock_release(&lock);
}

static void sends(void *unused) {
  (void)unused;
  wire_channel_send(&channel, &channel);
}

static void by_channel(void) {
  start_helper(sends);
  void *message;
  wire_channel_recv_block(&channel, &message);
  wire_yield(); /* the helper ends */
}

static void (*const ways[])(void) = {
    by_yield, by_yield_to_a_new_wire, by_suspend, by_sleep, by_lock, by_channel};

/* Those that two wires can use at the same time. */
static int may_be_shared(size_t way) {
  return ways[way] == by_yield || ways[way] == by_sleep || ways[way] == by_lock;
}

/* Runs `entry` in `count` wires at once for each way to switch. */
static void for_each_way(void (*entry)(void *), int count) {
  for (size_t way = 0; way < ARRAY_SIZE(ways); way++) {
    start_afresh();
    wire_channel_init(&channel);
    wire_lock_init(&lock);
    int wires = may_be_shared(way) ? count : 1;
    for (int i = 0; i < wires; i++)
      spawn(entry, (void *)&ways[way]);
    wire_thread_run();
  }
}

/* --- registers ---------------------------------------------------------------------------- */

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

static void registers_are_kept_over_every_switch(void **state) {
  (void)state;
  registers_checked = 0;
  for_each_way(keeps_registers, 5);
  assert_int_equal(registers_checked, 300 * (3 * 5 + 3));
}

static void other_changes_registers(void *unused) {
  (void)unused;
  void (*const yield)(void) = wire_yield;
  for (int i = 0; i < 2; i++)
    keeps_registers((void *)&yield);
}

static void registers_of_the_thread_are_kept_over_run(void **state) {
  (void)state;
  start_afresh();
  spawn(other_changes_registers, NULL);
  spawn(other_changes_registers, NULL);
  void (*const run)(void) = wire_thread_run;
  void (*const yield)(void) = wire_yield;
  keeps_registers((void *)&yield);
  keeps_registers((void *)&run);
}

/* --- floating point ----------------------------------------------------------------------- */

#if HAS_CONTROL_WORDS

static unsigned short x87_control(void) {
  unsigned short word;
  __asm__ volatile("fnstcw %0" : "=m"(word));
  return word;
}

static void set_x87_control(unsigned short word) { __asm__ volatile("fldcw %0" : : "m"(word)); }

static unsigned sse_control(void) {
  unsigned word;
  __asm__ volatile("stmxcsr %0" : "=m"(word));
  return word & ~0x3fu; /* without the flags of what happened */
}

static void set_sse_control(unsigned word) { __asm__ volatile("ldmxcsr %0" : : "m"(word)); }

#endif

/* fesetround() and fegetround() where the program has libm, else the same by hand. */
#if defined(TEST_WITH_LIBM) || !HAS_CONTROL_WORDS

static void set_rounding(int rounding) { check(fesetround(rounding) == 0); }

static int get_rounding(void) { return fegetround(); }

#else

static void set_rounding(int rounding) {
  set_x87_control((unsigned short)((x87_control() & ~0xc00u) | (unsigned)rounding));
  set_sse_control((sse_control() & ~0x6000u) | (unsigned)rounding << 3);
}

static int get_rounding(void) {
  check((sse_control() & 0x6000u) >> 3 == (x87_control() & 0xc00u));
  return x87_control() & 0xc00;
}

#endif

static const int roundings[] = {
    FE_TONEAREST,
#ifdef FE_UPWARD
    FE_UPWARD,
#endif
#ifdef FE_DOWNWARD
    FE_DOWNWARD,
#endif
#ifdef FE_TOWARDZERO
    FE_TOWARDZERO,
#endif
};

static unsigned next_rounding;

/* What the machine does, not what a library function says. */
static double one_third(void) {
  volatile double one = 1, three = 3;
  return one / three;
}

static void keeps_rounding(void *way) {
  int mine = roundings[next_rounding++ % ARRAY_SIZE(roundings)];
  check(get_rounding() == FE_TONEAREST);
  set_rounding(mine);
  double third = one_third();
  for (int round = 0; round < 50; round++) {
    (*(void (**)(void))way)();
    check(get_rounding() == mine);
    check(one_third() == third);
  }
  /* It ends without setting it back. */
}

static void the_rounding_mode_belongs_to_the_wire(void **state) {
  (void)state;
  for_each_way(keeps_rounding, 8);
  assert_int_equal(get_rounding(), FE_TONEAREST);
}

static void rounding_in_block(struct wire_defer_list *node) {
  (void)node;
  check(get_rounding() == roundings[ARRAY_SIZE(roundings) - 1]);
  mark("block ");
}

static void rounds_and_suspends(void *unused) {
  (void)unused;
  set_rounding(roundings[ARRAY_SIZE(roundings) - 1]);
  struct wire_defer_list node;
  wire_defer_push(&node, rounding_in_block);
  wire_suspend();
}

static void a_cancelled_wire_has_its_rounding_mode_in_its_blocks(void **state) {
  (void)state;
  start_afresh();
  wire_t *wire = spawn(rounds_and_suspends, NULL);
  wire_thread_run();
  wire_cancel(wire);
  wire_thread_run();
  assert_trace("block ");
  assert_int_equal(get_rounding(), FE_TONEAREST);
}

static void the_rounding_mode_of_the_thread_is_kept(void **state) {
  (void)state;
  start_afresh();
  void (*const yield)(void) = wire_yield;
  next_rounding = 1;
  spawn(keeps_rounding, (void *)&yield);
  int mine = roundings[ARRAY_SIZE(roundings) - 1];
  set_rounding(mine);
  for (int i = 0; i < 10; i++) {
    wire_yield();
    assert_int_equal(get_rounding(), mine);
  }
  wire_thread_run();
  assert_int_equal(get_rounding(), mine);
  set_rounding(FE_TONEAREST);
}

#if HAS_CONTROL_WORDS

static unsigned next_precision;

static void keeps_control_words(void *way) {
  /* Precision of 24, 53 and 64 bits, all roundings; flush to zero, all roundings. */
  static const unsigned short x87[] = {0x007f, 0x0e7f, 0x027f, 0x067f, 0x037f, 0x0b7f};
  static const unsigned sse[] = {0x9f80, 0x3f80, 0x1f80, 0x5f80, 0xff80, 0x9fc0};
  unsigned i = next_precision++ % 6;
  check(x87_control() == 0x037f);
  check(sse_control() == 0x1f80);
  set_x87_control(x87[i]);
  set_sse_control(sse[i]);
  for (int round = 0; round < 50; round++) {
    (*(void (**)(void))way)();
    check(x87_control() == x87[i]);
    check(sse_control() == sse[i]);
  }
}

static void the_control_words_belong_to_the_wire(void **state) {
  (void)state;
  for_each_way(keeps_control_words, 12);
  assert_int_equal(x87_control(), 0x037f);
  assert_int_equal(sse_control(), 0x1f80);
}

#endif

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
static void a_stack_of_any_alignment_works(void **state) {
  (void)state;
  start_afresh();
  enum { size = 24 * 1024, border = 128 };
  __attribute__((aligned(64))) static char memory[size + 3 * border];
  for (unsigned offset = 0; offset < 64; offset++) {
    for (unsigned tail = 0; tail < 64; tail += offset % 8 == 0 ? 1 : 17) {
      no_longer_a_stack(memory, sizeof memory);
      memset(memory, 0x6d, sizeof memory);
      char *low = memory + border + offset;
      struct start start = {low, low + size + tail, 0};
      wire_t wire;
      assert_non_null(wire_init(&wire, "any", entered, &start, low, size + tail));
      wire_thread_run();
      assert_int_equal(start.started, 1);
      no_longer_a_stack(memory, sizeof memory);
      for (char *at = memory; at < memory + sizeof memory; at++)
        if (at < start.low || at >= start.high)
          assert_int_equal(*at, 0x6d);
    }
  }
}

static void stacks_of_the_library_are_aligned_too(void **state) {
  (void)state;
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
static void walks_up(void *unused) {
  (void)unused;
  void *frames[64];
  int count = backtrace(frames, 64);
  check(count > 0 && count < 64);
  mark("walked ");
}

static void a_backtrace_ends_where_the_wire_begins(void **state) {
  (void)state;
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

static void errno_belongs_to_the_wire(void **state) {
  (void)state;
  errno = EXDEV;
  for_each_way(keeps_errno, 10);
  assert_int_equal(errno, EXDEV);
}

static void ends_with_errno(void *number) { errno = *(int *)number; }

static void sees_no_errno(void *unused) {
  (void)unused;
  check(errno == 0);
  mark("none ");
}

static void errno_of_an_ended_wire_goes_to_nobody(void **state) {
  (void)state;
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
    cmocka_unit_test(the_rounding_mode_belongs_to_the_wire),
    cmocka_unit_test(a_cancelled_wire_has_its_rounding_mode_in_its_blocks),
    cmocka_unit_test(the_rounding_mode_of_the_thread_is_kept),
#if HAS_CONTROL_WORDS
    cmocka_unit_test(the_control_words_belong_to_the_wire),
#endif
    cmocka_unit_test(a_stack_of_any_alignment_works),
    cmocka_unit_test(stacks_of_the_library_are_aligned_too),
    cmocka_unit_test(a_backtrace_ends_where_the_wire_begins),
    cmocka_unit_test(errno_belongs_to_the_wire),
    cmocka_unit_test(errno_of_an_ended_wire_goes_to_nobody),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
