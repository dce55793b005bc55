// The C++ runtime library in wires: exceptions, guarded statics, std::call_once, atomic waits. What
// it keeps for each thread is kept for each wire where a wire can be suspended with it; what it
// waits for with system calls of its own lets the other wires run.
#include "../common.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>

namespace {

constexpr long kWires = 20;

void pause_a_little(long n) { check(usleep(useconds_t(200 + n % 3 * 300)) == 0); }

struct SlowToDestroy {
  long n;
  ~SlowToDestroy() {
    int before = std::uncaught_exceptions();
    pause_a_little(n);
    check(std::uncaught_exceptions() == before);
  }
};

void throw_from(long n, int depth) {
  SlowToDestroy slow{n};
  if (depth == 0)
    throw std::runtime_error(std::to_string(n));
  throw_from(n, depth - 1);
}

void handle_exceptions(void *argument) {
  long n = reinterpret_cast<long>(argument);
  for (int round = 0; round < 3; round++) {
    try {
      throw_from(n, 4);
    } catch (const std::runtime_error &outer) {
      check(std::uncaught_exceptions() == 0);
      pause_a_little(n + 1);
      try {
        throw_from(n + 1000, 2);
      } catch (const std::runtime_error &inner) {
        pause_a_little(n + 2);
        check(std::to_string(n) == outer.what() && std::to_string(n + 1000) == inner.what());
      }
    }
    check(!std::current_exception());
    try {
      try {
        throw n;
      } catch (long) {
        pause_a_little(n);
        throw;
      }
    } catch (long again) {
      check(again == n);
    }
  }
  mark("x");
}

void spawn_all(void (*entry)(void *)) {
  for (long n = 0; n < kWires; n++)
    spawn(entry, reinterpret_cast<void *>(n));
  wire_thread_run();
}

void test_wires_wait_in_catch_blocks(void **) {
  start_afresh();
  spawn_all(handle_exceptions);
  assert_trace("xxxxxxxxxxxxxxxxxxxx");
}

void test_the_caller_of_wire_thread_run_keeps_what_it_handles(void **) {
  start_afresh();
  try {
    throw 7;
  } catch (int) {
    spawn_all(handle_exceptions);
    try {
      throw;
    } catch (int again) {
      assert_int_equal(again, 7);
    }
  }
  assert_trace("xxxxxxxxxxxxxxxxxxxx");
}

struct SlowToMake {
  SlowToMake() { check(usleep(2000) == 0); }
  int value = 7;
};

int guarded_value() {
  static SlowToMake made;
  return made.value;
}

void use_guarded(void *) {
  check(guarded_value() == 7);
  mark("x");
}

void test_wires_wait_for_the_initialisation_of_a_static(void **) {
  start_afresh();
  spawn_all(use_guarded);
  assert_trace("xxxxxxxxxxxxxxxxxxxx");
}

std::once_flag flag;
int attempts;

void initialise() {
  check(usleep(1000) == 0);
  if (++attempts < 3)
    throw std::runtime_error("not yet");
}

void call_once_and_sleep(void *name) {
  try {
    std::call_once(flag, initialise);
    mark("%s ", static_cast<const char *>(name));
  } catch (const std::runtime_error &) {
    mark("%s! ", static_cast<const char *>(name));
  }
  check(usleep(2000) == 0); // the others run
  mark("%s. ", static_cast<const char *>(name));
}

void test_what_call_once_throws_leaves_nothing_behind(void **) {
  start_afresh();
  for (const char *name : {"a", "b", "c"})
    spawn(call_once_and_sleep, const_cast<char *>(name));
  wire_thread_run();
  assert_trace("a! b! c a. b. c. ");
}

std::atomic<int> arrived;

void await_all(void *) {
  arrived++;
  arrived.notify_all();
  for (int now = arrived; now < kWires; now = arrived)
    arrived.wait(now);
  mark("x");
}

void test_atomic_waits_let_others_run(void **) {
  start_afresh();
  arrived = 0;
  spawn_all(await_all);
  assert_trace("xxxxxxxxxxxxxxxxxxxx");
}

} // namespace

int main() {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_wires_wait_in_catch_blocks),
      cmocka_unit_test(test_the_caller_of_wire_thread_run_keeps_what_it_handles),
      cmocka_unit_test(test_wires_wait_for_the_initialisation_of_a_static),
      cmocka_unit_test(test_what_call_once_throws_leaves_nothing_behind),
      cmocka_unit_test(test_atomic_waits_let_others_run),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
