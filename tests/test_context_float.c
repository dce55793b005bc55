/* The rounding mode and the control words of the processor belong to the wire. */
#include "switches.h"

#include <fenv.h>

#include "wire_defer.h"

#if defined(__x86_64__) || defined(__i386__)
#define HAS_CONTROL_WORDS 1
#else
#define HAS_CONTROL_WORDS 0
#endif

/* What fesetround() and fegetround() do: where it is known how, without libm. */
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

static void set_rounding(int rounding) {
  set_x87_control((unsigned short)((x87_control() & ~0xc00u) | (unsigned)rounding));
  set_sse_control((sse_control() & ~0x6000u) | (unsigned)rounding << 3);
}

static int get_rounding(void) {
  check((sse_control() & 0x6000u) >> 3 == (x87_control() & 0xc00u));
  return x87_control() & 0xc00;
}

#else

static void set_rounding(int rounding) { check(fesetround(rounding) == 0); }

static int get_rounding(void) { return fegetround(); }

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

static void the_rounding_mode_belongs_to_the_wire(void **UNUSED(state)) {
  for_each_way(keeps_rounding, 8);
  assert_int_equal(get_rounding(), FE_TONEAREST);
}

static void rounding_in_block(struct wire_defer_list *UNUSED(node)) {
  check(get_rounding() == roundings[ARRAY_SIZE(roundings) - 1]);
  mark("block ");
}

static void rounds_and_suspends(void *UNUSED(argument)) {
  set_rounding(roundings[ARRAY_SIZE(roundings) - 1]);
  struct wire_defer_list node;
  wire_defer_push(&node, rounding_in_block);
  wire_suspend();
}

static void a_cancelled_wire_has_its_rounding_mode_in_its_blocks(void **UNUSED(state)) {
  start_afresh();
  wire_t *wire = spawn(rounds_and_suspends, NULL);
  wire_thread_run();
  wire_cancel(wire);
  wire_thread_run();
  assert_trace("block ");
  assert_int_equal(get_rounding(), FE_TONEAREST);
}

static void the_rounding_mode_of_the_thread_is_kept(void **UNUSED(state)) {
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

static void the_control_words_belong_to_the_wire(void **UNUSED(state)) {
  for_each_way(keeps_control_words, 12);
  assert_int_equal(x87_control(), 0x037f);
  assert_int_equal(sse_control(), 0x1f80);
}

#endif

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_rounding_mode_belongs_to_the_wire),
    cmocka_unit_test(a_cancelled_wire_has_its_rounding_mode_in_its_blocks),
    cmocka_unit_test(the_rounding_mode_of_the_thread_is_kept),
#if HAS_CONTROL_WORDS
    cmocka_unit_test(the_control_words_belong_to_the_wire),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
