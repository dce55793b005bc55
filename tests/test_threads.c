/* Several OS threads, each with wires, descriptors and timers of its own at the same time. Threads
 * that end: test_thread_ends.c. */
#include "common.h"

#include "busy_thread.h"
#include "descriptors.h"

#include <pthread.h>

static void run_threads(void *(*body)(void *), unsigned count) {
  pthread_t threads[16];
  check(count <= ARRAY_SIZE(threads));
  for (uintptr_t i = 0; i < count; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, body, (void *)(i + 1)), 0);
  for (unsigned i = 0; i < count; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void several_threads_do_everything_at_once(void **UNUSED(state)) {
  run_threads(is_busy, 2);
  run_threads(is_busy, 8);
}

static int shared[2];

static void *watches_the_shared_one(void *UNUSED(argument)) {
  spawn(waits_to_read, &shared[0]);
  wire_thread_run();
  check(strcmp(take_trace(), "readable") == 0);
  free_stacks();
  return NULL;
}

static void *writes_to_the_shared_one(void *UNUSED(argument)) {
  check(write(shared[1], "x", 1) == 1);
  return NULL;
}

static void threads_may_watch_the_same_descriptor(void **UNUSED(state)) {
  assert_int_equal(pipe(shared), 0);
  pthread_t threads[5];
  for (int i = 0; i < 5; i++)
    assert_int_equal(pthread_create(&threads[i], NULL,
                                    i < 4 ? watches_the_shared_one : writes_to_the_shared_one,
                                    NULL),
                     0);
  for (int i = 0; i < 5; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  close(shared[0]);
  close(shared[1]);
}

static wire_t *threads_own[16];

static void *says_who_it_is(void *number) {
  threads_own[(uintptr_t)number] = wire_get_current();
  check(threads_own[(uintptr_t)number] != NULL);
  check(wire_is_only_one() == 1);
  return NULL;
}

static void each_thread_has_a_wire_that_stands_for_it(void **UNUSED(state)) {
  start_afresh();
  spawn(waits_to_read, &shared[0]); /* ready here, not there */
  run_threads(says_who_it_is, 4);
  for (int i = 1; i <= 4; i++)
    assert_ptr_not_equal(threads_own[i], wire_get_current());
  start_afresh();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(several_threads_do_everything_at_once),
      cmocka_unit_test(threads_may_watch_the_same_descriptor),
      cmocka_unit_test(each_thread_has_a_wire_that_stands_for_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
