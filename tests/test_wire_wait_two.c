/* wire_wait.h: wire_wait_single and wire_wait_two. */
#include "common.h"
#include "waits.h"

static void single(void *wait) {
  wire_wait_single(wait);
  mark("%s ", name_of(wait));
}

static void single_waits_and_stops_it(void **UNUSED(state)) {
  prepare();
  wire_t *wire = spawn(single, &a);
  wire_thread_run();
  assert_ptr_equal(a.wire, wire);
  assert_state(a, 1, 0);
  assert_int_equal(wire_wait_resume(&a), 1);
  wire_thread_run();
  assert_trace("a ");
  assert_state(a, 0, 0);
  assert_int_equal(wire_wait_resume(&a), 0);
  wire_wait_unchain(&a);
}

static void single_forgets_an_earlier_trigger(void **UNUSED(state)) {
  prepare();
  wire_wait_reset(&a);
  wire_wait_resume(&a);
  spawn(single, &a);
  wire_thread_run();
  assert_trace("");
  assert_int_equal(wire_wait_resume(&a), 1);
  wire_thread_run();
  assert_trace("a ");
}

static void single_of_a_wait_whose_list_is_gone_works(void **UNUSED(state)) {
  prepare();
  wire_wait_list_t local;
  wire_wait_list_init(&local);
  wire_wait_chain(&local, &b);
  wire_wait_chain(&local, &a);
  memset(&local, 0, sizeof local);
  memset(&b, 0, sizeof b);
  spawn(single, &a);
  wire_thread_run();
  wire_wait_resume(&a);
  wire_thread_run();
  assert_trace("a ");
}

static void two(void *UNUSED(argument)) { mark("%d ", wire_wait_two(&a, &b)); }

static void two_tells_which_was_first_and_the_first_when_both(void **UNUSED(state)) {
  static const struct {
    wire_wait_t *triggers[2];
    const char *expected;
  } cases[] = {{{&a, NULL}, "1 "}, {{&b, NULL}, "2 "}, {{&a, &b}, "1 "}, {{&b, &a}, "1 "}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    prepare();
    spawn(two, NULL);
    wire_thread_run();
    assert_trace("");
    for (int j = 0; j < 2 && cases[i].triggers[j]; j++)
      assert_int_equal(wire_wait_resume(cases[i].triggers[j]), 1);
    wire_thread_run();
    assert_trace(cases[i].expected);
    assert_state(a, 0, 0);
    assert_state(b, 0, 0);
    wire_wait_unchain(&a);
    wire_wait_unchain(&b);
  }
}

static void two_forgets_earlier_triggers(void **UNUSED(state)) {
  prepare();
  wire_wait_reset(&a);
  wire_wait_resume(&a);
  spawn(two, NULL);
  wire_thread_run();
  assert_trace("");
  wire_wait_resume(&b);
  wire_thread_run();
  assert_trace("2 ");
}

static void wire_resume_ends_no_wait(void **UNUSED(state)) {
  prepare();
  wire_t *wires[] = {spawn(single, &c), spawn(two, NULL)};
  wire_thread_run();
  for (int i = 0; i < 3; i++) {
    for (size_t j = 0; j < ARRAY_SIZE(wires); j++)
      wire_resume(wires[j]);
    wire_thread_run();
  }
  assert_trace("");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(single_waits_and_stops_it),
      cmocka_unit_test(single_forgets_an_earlier_trigger),
      cmocka_unit_test(single_of_a_wait_whose_list_is_gone_works),
      cmocka_unit_test(two_tells_which_was_first_and_the_first_when_both),
      cmocka_unit_test(two_forgets_earlier_triggers),
      cmocka_unit_test(wire_resume_ends_no_wait),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
