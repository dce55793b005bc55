/* The static variables of C++ functions: their initialisation may suspend a wire, and the others go
 * on. Those that get to the same variable meanwhile: test_runtime.cpp. */
#include "../common.h"

namespace {

int initialised;

int initialise() {
  mark("begin ");
  check(usleep(5000) == 0);
  mark("end ");
  return ++initialised;
}

int value() {
  static int once = initialise();
  return once;
}

void uses_it(void *) {
  check(value() == 1);
  check(value() == 1);
  mark("used ");
}

void does_something_else(void *) {
  check(usleep(1000) == 0);
  mark("meanwhile ");
}

void uses_it_later(void *) {
  while (!initialised)
    check(usleep(1000) == 0);
  check(value() == 1);
  mark("again ");
}

void an_initialisation_suspends_its_wire(void **) {
  start_afresh();
  spawn(uses_it, nullptr);
  spawn(does_something_else, nullptr);
  spawn(uses_it_later, nullptr);
  wire_thread_run();
  assert_trace("begin meanwhile end used again ");
  assert_int_equal(initialised, 1);
}

} // namespace

int main() {
  const CMUnitTest tests[] = {cmocka_unit_test(an_initialisation_suspends_its_wire)};
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
