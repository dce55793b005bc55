// wire_defer.h in C++: the block is a lambda that captures by reference. C: test_wire_defer.c.
#include "common.h"

#include "wire_defer.h"
#include "wire_fd.h"

namespace {

void two_scopes(void *argument) {
  const char *mine = static_cast<const char *>(argument);
  DEFER({ mark("%s1 ", mine); });
  {
    DEFER({ mark("%s2 ", mine); });
    wire_yield();
  }
  DEFER(mark("%s3 ", mine));
  wire_yield();
  mine = "last";
}

void blocks_run_when_their_scope_is_left(void **) {
  start_afresh();
  char name[] = "outside";
  two_scopes(name);
  assert_trace("outside2 last3 last1 ");
  assert_null(wire_get_current()->cleanup_head);
}

struct Counter {
  int count = 0;
  void suspends() {
    DEFER({
      ++count;
      wire_yield();
      check(wire_fd_wait_msec(1) == 0);
      mark("member%d ", count);
    });
    for (int i = 0; i < 2; ++i) {
      DEFER({ mark("round%d ", i); });
      if (i == 0)
        continue;
      count = 10;
      wire_suspend();
      mark("never ");
    }
  }
};

void suspends_in_a_member(void *counter) { static_cast<Counter *>(counter)->suspends(); }

void cancelling_runs_all_blocks_with_their_variables(void **) {
  start_afresh();
  Counter a, b;
  wire_t *first = spawn(suspends_in_a_member, &a);
  wire_t *second = spawn(suspends_in_a_member, &b);
  wire_thread_run();
  assert_trace("round0 round0 ");
  wire_cancel(second);
  wire_cancel(first);
  wire_thread_run();
  assert_trace("round1 round1 member11 member11 ");
}

int returned() {
  int value = 1;
  DEFER({
    if (value == 1)
      return;
    mark("never ");
  });
  DEFER({ value = 1; });
  value = 2;
  return value;
}

void a_block_sees_the_variables_as_they_are_and_return_ends_it(void **) {
  start_afresh();
  assert_int_equal(returned(), 2);
  assert_trace("");
}

void nests(void *) {
  DEFER({ mark("outer "); });
  DEFER({
    DEFER({ mark("nested "); });
    wire_cancel(wire_get_current());
    wire_yield();
    mark("block ");
  });
  wire_suspend();
}

void a_block_may_have_blocks_and_cancel_itself(void **) {
  start_afresh();
  wire_t *wire = spawn(nests, nullptr);
  wire_thread_run();
  wire_cancel(wire);
  wire_thread_run();
  assert_trace("block nested outer ");
}

void thread_init_has_a_default_argument(void **) {
  wire_thread_t thread;
  wire_thread_init();
  wire_thread_init(&thread);
  wire_thread_init(nullptr);
  wire_thread_run();
}

#ifdef __cpp_exceptions

void throws(void *) {
  try {
    DEFER({ mark("block "); });
    wire_yield();
    throw 1;
  } catch (int) {
    mark("caught ");
    wire_yield();
  }
}

void an_exception_runs_the_blocks_it_passes(void **) {
  start_afresh();
  spawn(throws, nullptr);
  wire_thread_run();
  assert_trace("block caught ");
}

#endif

} // namespace

int main() {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_run_when_their_scope_is_left),
      cmocka_unit_test(cancelling_runs_all_blocks_with_their_variables),
      cmocka_unit_test(a_block_sees_the_variables_as_they_are_and_return_ends_it),
      cmocka_unit_test(a_block_may_have_blocks_and_cancel_itself),
      cmocka_unit_test(thread_init_has_a_default_argument),
#ifdef __cpp_exceptions
      cmocka_unit_test(an_exception_runs_the_blocks_it_passes),
#endif
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
